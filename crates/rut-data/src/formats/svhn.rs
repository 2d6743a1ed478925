//! SVHN's cropped digits: MAT-files with an array `X` of bytes `[32, 32, 3, images]` (row, column,
//! channel; column-major) and the labels `y`, in which 10 is the digit 0
//! (<https://ufldl.stanford.edu/housenumbers/>).

use std::path::Path;
use std::sync::Arc;

use rut_formats::mat::Values;

use super::mat::{self, Variable};
use super::planes::{Block, Planes, Scan};
use crate::{ImageSet, Result};

/// The label of the digit 0.
const ZERO: i64 = 10;

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<ImageSet> {
    let [images, labels] = mat::read(path, ["X", "y"])?;
    // Counted before they are read: labels may be packed far smaller than images.
    let count = count(&labels)?;
    let block = Block {
        path: path.to_path_buf(),
        bytes: pixels(images, count)?,
        lead: 0,
    };
    let labels = digits(&labels)?;
    let (blocks, scan) = (vec![block], Scan::Columns);
    ImageSet::new(Arc::new(Planes { blocks, scan }), labels)
}

/// What labels should be, for errors.
const LABELS: &str = "labels from 1 to 10";

fn count(labels: &Variable) -> Result<usize> {
    let numbers = labels.array.numbers();
    let objection = || labels.malformed("", LABELS, labels.array.describe());
    Ok(numbers.ok_or_else(objection)?.len())
}

fn digits(labels: &Variable) -> Result<Vec<u32>> {
    let digit = |(at, number): (usize, Option<i64>)| match number {
        Some(ZERO) => Ok(0),
        Some(number @ 1..ZERO) => Ok(number as u32),
        other => {
            let found = other.map_or("another number".to_owned(), |number| number.to_string());
            Err(labels.malformed(&format!(", element {at}"), LABELS, found))
        }
    };
    let numbers = labels.array.numbers().into_iter();
    let numbers = numbers.flat_map(|numbers| numbers.integers());
    numbers.enumerate().map(digit).collect()
}

/// The bytes of the images, which stand one after the other because their axis is the last.
fn pixels(images: Variable, count: usize) -> Result<Vec<u8>> {
    let expected = format!("bytes 32x32x3x{count}, an image for each label");
    let objection = images.malformed("", expected, images.array.describe());
    // MATLAB drops the last axis where there is a single image.
    let is_shape = match images.array.dims.as_slice() {
        [32, 32, 3, n] => *n == count,
        [32, 32, 3] => count == 1,
        _ => false,
    };
    let bytes = match images.array.values {
        Values::Numbers(numbers) if is_shape => numbers.into_bytes(),
        _ => None,
    };
    bytes.filter(|bytes| !bytes.is_empty()).ok_or(objection)
}

#[cfg(test)]
mod tests;
