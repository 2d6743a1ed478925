//! The binary layout of CIFAR-10 and CIFAR-100: records of one or two label bytes and 3,072 pixel
//! bytes, the red, green and blue plane of a 32×32 image, row by row
//! (<https://www.cs.toronto.edu/~kriz/cifar.html>).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rut_formats::regular;

use super::planes::{Block, PIXELS, Planes, Scan};
use crate::image_set::ImageSet;
use crate::{Error, Result};

/// The labels of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Labels {
    /// Bytes before the pixels; the last of them is the label.
    pub(crate) bytes: usize,
    /// Number of classes; labels are below it.
    pub(crate) classes: usize,
}

/// Reads these files of `folder` into one set, in order.
pub(crate) fn read(folder: &Path, files: &[&str], labels: Labels) -> Result<ImageSet> {
    let blocks: Result<Vec<Block>> = files
        .iter()
        .map(|file| read_file(folder.join(file), labels))
        .collect();
    let blocks = blocks?;
    let labels = blocks.iter().flat_map(labels_of).collect();
    let scan = Scan::Rows;
    ImageSet::new(Arc::new(Planes { blocks, scan }), labels)
}

fn read_file(path: PathBuf, labels: Labels) -> Result<Block> {
    let bytes = regular::read(&path, regular::TEXT).map_err(Error::io(&path))?;
    let lead = labels.bytes;
    let block = Block { path, bytes, lead };
    check_length(&block)?;
    check_labels(&block, labels.classes)?;
    Ok(block)
}

fn check_length(block: &Block) -> Result<()> {
    let record = block.lead + PIXELS;
    let (records, rest) = (block.bytes.len() / record, block.bytes.len() % record);
    if rest == 0 && records > 0 {
        return Ok(());
    }
    Err(Error::Malformed {
        path: block.path.clone(),
        place: format!("record {records}"),
        expected: format!("{record} bytes (is the file truncated? fetch it again)"),
        found: format!("{rest} bytes"),
    })
}

fn check_labels(block: &Block, classes: usize) -> Result<()> {
    match labels_of(block)
        .enumerate()
        .find(|(_, label)| *label as usize >= classes)
    {
        None => Ok(()),
        Some((record, label)) => Err(Error::Malformed {
            path: block.path.clone(),
            place: format!("record {record}"),
            expected: format!("a label below {classes}"),
            found: format!("{label}; fetch the file again"),
        }),
    }
}

fn labels_of(block: &Block) -> impl Iterator<Item = u32> {
    let label = |record: &[u8]| record.get(block.lead - 1).map(|&label| u32::from(label));
    block.records().filter_map(label)
}
