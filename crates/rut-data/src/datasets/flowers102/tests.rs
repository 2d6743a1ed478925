//! Labels and splits, made here.

use rut_testkit::mat::{ByteOrder, Writer};

use super::*;

const W: Writer = Writer(ByteOrder::Little);

fn row(name: &str, numbers: &[u8]) -> Vec<u8> {
    W.matrix(9, &[1, numbers.len() as u32], name, &W.element(2, numbers))
}

/// A data set without images, with these classes and these numbers of images.
fn tables(labels: &[u8], train: &[u8]) -> Result<Parts> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("flowers-102")).expect("a folder");
    let write = |path: &str, variables: &[Vec<u8>]| {
        std::fs::write(folder.path().join(path), W.file(variables)).expect("a file");
    };
    write(LABELS, &[row("labels", labels)]);
    let parts = [row("tstid", &[3]), row("valid", &[2]), row("trnid", train)];
    write(PARTS, &parts);
    read(folder.path())
}

#[test]
fn numbers_are_files_and_labels() {
    let parts = tables(&[102, 5, 1], &[3, 1]).unwrap();
    assert_eq!(parts.train.labels(), [0, 101]);
    assert_eq!(parts.train.source(0), "flowers-102/jpg/image_00003.jpg");
    assert_eq!(parts.validation.unwrap().labels(), [4]);
}

#[test]
fn numbers_that_cannot_be_are_named() {
    let message = |labels: &[u8], train: &[u8]| tables(labels, train).unwrap_err().to_string();
    let label = message(&[1, 103, 1], &[1]);
    assert!(
        label.contains("imagelabels.mat, variable 'labels', element 1"),
        "{label}"
    );
    assert!(label.contains("from 1 to 102, found 103"), "{label}");
    let image = message(&[1, 2, 3], &[1, 4]);
    assert!(
        image.contains("setid.mat, variable 'trnid', element 1"),
        "{image}"
    );
    assert!(image.contains("from 1 to 3, found 4"), "{image}");
    assert!(message(&[1, 2, 3], &[0]).contains("found 0"));
}
