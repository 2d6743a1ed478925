//! Memory that kernels fill and forget, kept so that it is allocated once.

use std::sync::{Mutex, PoisonError};

use crate::lanes::Lanes;

/// Scratch memory for any number of threads; one is enough for a whole network.
#[derive(Debug, Default)]
pub struct Workspace {
    free: Mutex<Vec<Vec<Lanes>>>,
}

/// A piece of scratch memory, given back when dropped.
pub(crate) struct Scratch<'a> {
    home: &'a Workspace,
    lines: Vec<Lanes>,
}

impl Workspace {
    /// Without any memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes that are kept.
    pub fn bytes(&self) -> usize {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.iter().map(|lines| size_of_val(lines.as_slice())).sum()
    }

    pub(crate) fn take(&self) -> Scratch<'_> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        Scratch {
            home: self,
            lines: free.pop().unwrap_or_default(),
        }
    }
}

impl Scratch<'_> {
    /// The first `len` elements, of any content.
    pub(crate) fn lines(&mut self, len: usize) -> &mut [Lanes] {
        if self.lines.len() < len {
            self.lines.resize(len, Lanes::ZERO);
        }
        &mut self.lines[..len]
    }

    /// Pieces of so many elements each, of any content.
    pub(crate) fn pieces<const N: usize>(&mut self, lens: [usize; N]) -> [&mut [Lanes]; N] {
        let mut rest = self.lines(lens.iter().sum());
        lens.map(|len| {
            let (piece, after) = std::mem::take(&mut rest).split_at_mut(len);
            rest = after;
            piece
        })
    }
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        let mut free = self
            .home
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        free.push(lines);
    }
}
