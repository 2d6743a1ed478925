//! Reads tensors: each storage once, from front to back, a piece at a time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{Read, Seek};

use super::layout::Pieces;
use super::limits::{self, MOST_UNPACKED};
use super::refusal::Refusal;
use super::view::Walk;
use super::{Tensor, TorchFile};

/// Bytes of a piece; elements of all sizes end where it ends.
const PIECE: usize = 1 << 18;

impl<R: Read + Seek> TorchFile<R> {
    /// Reads the tensors that are `wanted`, and hands each to `take` with its elements, row-major and
    /// little-endian; without any where its [element](super::Element::Other) is not read.
    ///
    /// # Errors
    /// If a storage is missing or damaged, the tensors would take more memory than the file accounts
    /// for, or `take` fails.
    pub fn read<E: From<Refusal>>(
        &mut self,
        wanted: impl Fn(&Tensor) -> bool,
        mut take: impl FnMut(&Tensor, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut tensors: Vec<&Tensor> = self
            .tensors
            .iter()
            .filter(|tensor| wanted(tensor))
            .collect();
        tensors.sort_by_key(|tensor| tensor.view.as_ref().map(|view| view.storage));
        let contents = contents(&self.layout, &tensors, &self.storages)?;
        limits::check(&tensors, contents, self.length)?;
        let is_same = |a: &&Tensor, b: &&Tensor| match (&a.view, &b.view) {
            (Some(a), Some(b)) => a.storage == b.storage,
            _ => false,
        };
        for group in tensors.chunk_by(is_same) {
            let storage = group.first().and_then(|tensor| tensor.view.as_ref());
            let Some(index) = storage.map(|view| view.storage) else {
                group.iter().try_for_each(|tensor| take(tensor, &[]))?;
                continue;
            };
            let Some(storage) = self.storages.get(index) else {
                continue;
            };
            let is_big = self.layout.is_big_endian();
            let mut pieces = self.layout.pieces(index, storage).map_err(Refusal::from)?;
            let walks = walk(group, &mut pieces).map_err(Refusal::from)?;
            pieces.finish().map_err(Refusal::from)?;
            for (tensor, walk) in group.iter().zip(walks) {
                let mut elements = walk.map(Walk::finish).unwrap_or_default();
                if is_big {
                    swap(&mut elements, tensor);
                }
                take(tensor, &elements)?;
            }
        }
        Ok(())
    }
}

/// Bytes of the storages that these tensors need, which are all there.
fn contents<R: Read + Seek>(
    layout: &super::layout::Layout<R>,
    tensors: &[&Tensor],
    storages: &[super::Storage],
) -> Result<u64, Refusal> {
    let mut places: Vec<usize> = tensors
        .iter()
        .filter_map(|tensor| Some(tensor.view.as_ref()?.storage))
        .collect();
    places.dedup();
    let (mut all, mut unpacked) = (0_u64, 0_u64);
    for place in places {
        let Some(storage) = storages.get(place) else {
            continue;
        };
        let bytes = storage.bytes()?;
        let packed = layout.check(place, storage)?;
        all = all.saturating_add(bytes);
        unpacked = unpacked.saturating_add(if packed < bytes { bytes } else { 0 });
    }
    if unpacked <= MOST_UNPACKED {
        Ok(all)
    } else {
        Err(Refusal::new(
            format!("its deflated storages declare {unpacked} bytes, more than 16 GiB"),
            "save it again with torch.save, which does not deflate",
        ))
    }
}

/// Walks over a storage with all its tensors at once, the one whose next element comes first in
/// front; those without elements have no walk.
fn walk<R: Read + Seek>(
    tensors: &[&Tensor],
    pieces: &mut Pieces<'_, R>,
) -> Result<Vec<Option<Walk>>, crate::Fault> {
    let mut walks: Vec<Option<Walk>> = tensors
        .iter()
        .map(|tensor| {
            let view = tensor.view.as_ref()?;
            (view.elements() != Some(0)).then(|| Walk::new(view))
        })
        .collect();
    let mut order: BinaryHeap<Reverse<(u64, usize)>> = walks
        .iter()
        .enumerate()
        .filter_map(|(index, walk)| Some(Reverse((walk.as_ref()?.next(), index))))
        .collect();
    let mut piece = vec![0; PIECE];
    let mut start = 0;
    while pieces.left() > 0 {
        let length = pieces.left().min(PIECE as u64) as usize;
        let piece = piece.get_mut(..length).unwrap_or_default();
        pieces.fill(piece)?;
        let end = start + length as u64;
        while let Some(&Reverse((next, index))) = order.peek() {
            if next >= end {
                break;
            }
            order.pop();
            let Some(walk) = walks.get_mut(index).and_then(Option::as_mut) else {
                continue;
            };
            if walk.take(piece, start) {
                order.push(Reverse((walk.next(), index)));
            }
        }
        start = end;
    }
    Ok(walks)
}

/// Elements of a big-endian file in little-endian order.
fn swap(elements: &mut [u8], tensor: &Tensor) {
    let size = tensor.view.as_ref().map_or(1, |view| view.size as usize);
    elements
        .chunks_exact_mut(size.max(1))
        .for_each(<[u8]>::reverse);
}
