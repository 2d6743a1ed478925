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
mod tests {
    use super::*;
    use crate::formats::mat::ByteOrder;
    use crate::formats::mat::sample::Writer;

    const W: Writer = Writer(ByteOrder::Little);

    /// A file of images, all bytes of which are given by a function, and labels.
    fn file(dims: &[u32], labels: &[u8]) -> Result<ImageSet> {
        let count: u32 = dims.iter().product();
        let pixels: Vec<u8> = (0..count).map(|at| (at / 32) as u8).collect();
        let x = W.matrix(9, dims, "X", &W.element(2, &pixels));
        let y = W.matrix(9, &[labels.len() as u32, 1], "y", &W.element(2, labels));
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), W.file(&[W.compressed(&x), y])).expect("a file");
        read(file.path())
    }

    fn assert_says(result: Result<ImageSet>, texts: &[&str]) {
        let message = result.expect_err("an error").to_string();
        for text in texts {
            assert!(message.contains(text), "no '{text}' in: {message}");
        }
    }

    #[test]
    fn columns_become_rows_and_ten_becomes_zero() {
        let set = file(&[32, 32, 3, 2], &[10, 9]).unwrap();
        assert_eq!(set.labels(), [0, 9]);
        // The value is the column, plus 32 for each channel and 96 for each image.
        let picture = set.decode(1).unwrap();
        assert_eq!(picture.pixels()[..6], [96, 128, 160, 97, 129, 161]);
        assert_eq!(picture.pixels()[32 * 3..][..3], [96, 128, 160]);
        let one = file(&[32, 32, 3], &[1]).unwrap();
        assert_eq!(one.len(), 1);
    }

    #[test]
    fn other_arrays_are_named() {
        assert_says(
            file(&[32, 32, 3, 2], &[1, 11]),
            &["variable 'y', element 1", "from 1 to 10", "found 11"],
        );
        assert_says(file(&[32, 32, 3, 2], &[0, 1]), &["element 0", "found 0"]);
        assert_says(
            file(&[32, 32, 3, 2], &[1]),
            &["variable 'X'", "32x32x3x1", "a 32x32x3x2 array"],
        );
        assert_says(file(&[32, 3, 32, 2], &[1, 2]), &["a 32x3x32x2 array"]);
        assert_says(file(&[32, 32, 3, 0], &[]), &["a 32x32x3x0 array"]);
    }
}
