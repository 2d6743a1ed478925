//! Rows and classes that cannot be.

use rut_testkit::mat::{ByteOrder, Writer};

use super::*;

const W: Writer = Writer(ByteOrder::Little);

/// The error for a table of training images with this row.
fn error_of(file: Vec<u8>, class: Vec<u8>) -> String {
    let records = W.records("annotations", &["class", "fname"], &[class, file]);
    error_of_table(&records)
}

fn error_of_table(table: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("stanford_cars/devkit")).expect("a folder");
    let names: Vec<u8> = CLASSES.iter().flat_map(|name| W.text("", name)).collect();
    let names = W.matrix(1, &[1, CLASSES.len() as u32], "class_names", &names);
    std::fs::write(folder.path().join(NAMES), W.file(&[names])).expect("a file");
    let table = W.file(&[table.to_vec()]);
    std::fs::write(folder.path().join(TRAIN_LABELS), table).expect("a file");
    read(folder.path()).unwrap_err().to_string()
}

fn number(number: u8) -> Vec<u8> {
    W.matrix(9, &[1, 1], "", &W.element(2, &[number]))
}

#[test]
fn rows_that_cannot_be_are_named() {
    let message = error_of(W.text("", "../x.jpg"), number(1));
    assert!(message.contains("cars_train_annos.mat, variable 'annotations', struct 0"));
    assert!(
        message.contains("in 'fname', found '../x.jpg'"),
        "{message}"
    );
    let message = error_of(number(1), number(1));
    assert!(
        message.contains("found a 1x1 array of numbers"),
        "{message}"
    );
    let message = error_of(W.text("", "x.jpg"), number(197));
    assert!(
        message.contains("from 1 to 196 in 'class', found 197"),
        "{message}"
    );
    assert!(error_of(W.text("", "x.jpg"), number(0)).contains("found 0"));
    // A sound row: the next file is not there.
    let message = error_of(W.text("", "x.jpg"), number(196));
    assert!(
        message.contains("read ") && message.contains("withlabels.mat"),
        "{message}"
    );
    let message = error_of_table(&W.text("annotations", "none"));
    assert!(
        message.contains("fields 'fname' and 'class', found a 1x4 array"),
        "{message}"
    );
}
