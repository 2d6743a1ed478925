//! Files of images and labels, made here.

use rut_testkit::mat::{ByteOrder, Writer};

use super::*;

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
