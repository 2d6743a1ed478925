//! Arrays by hand, and files that come back.

use super::entry::{Entry, Numbers};
use super::*;

/// A file as `numpy.save` writes it.
fn npy(about: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{{about}, }}");
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), data].concat()
}

#[test]
fn half_precision_and_fortran_order_are_read_as_numpy_means_them() {
    // numpy.array([[1, -2], [0.5, 2**-24]], 'f2', order='F'): column by column.
    let data = [0x00, 0x3c, 0x00, 0x38, 0x00, 0xc0, 0x01, 0x00];
    let about = "'descr': '<f2', 'fortran_order': True, 'shape': (2, 2)";
    let entry = Entry::of_npy(&npy(about, &data)).unwrap();
    let Numbers::F32(values) = entry.numbers else {
        panic!("{} are not read", entry.kind);
    };
    assert_eq!(values, [1.0, -2.0, 0.5, 2.0_f32.powi(-24)]);
    assert_eq!((entry.shape, entry.kind.as_str()), (vec![2, 2], "F16"));
}

#[test]
fn what_is_written_comes_back_by_its_part() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("logits.safetensors");
    let split = SplitLogits {
        values: vec![0.5, -1.0, 3.0, 1e-40, 0.0, -0.0],
        labels: vec![2, 0],
        classes: 3,
    };
    write_splits(&path, &[("validation", &split), ("test", &split)]).unwrap();
    let found = read(&path, Some("test")).unwrap().into_split().unwrap();
    assert_eq!(found, split);
    let error = read(&path, None).unwrap_err().to_string();
    assert!(
        error.contains("its parts are test, validation: `part = test`"),
        "{error}"
    );
}

#[test]
fn labels_that_are_none_are_named() {
    let label = |dtype: Dtype, data: &[u8]| {
        let view = TensorView::new(dtype, vec![1], data).unwrap();
        let logits = TensorView::new(Dtype::F64, vec![1, 2], &[0; 16]).unwrap();
        let (logits, labels) = (Entry::of_safetensors(&logits), Entry::of_safetensors(&view));
        of_entries(logits, labels).map(|found| found.labels)
    };
    assert_eq!(label(Dtype::U8, &[7]), Ok(vec![7]));
    let negative = label(Dtype::I32, &(-1_i32).to_le_bytes()).unwrap_err();
    assert!(negative.ends_with("found -1"), "{negative}");
    let large = label(Dtype::U64, &[0xff; 8]).unwrap_err();
    assert!(large.ends_with("found a larger one"), "{large}");
    let float = label(Dtype::F32, &[0; 4]).unwrap_err();
    assert!(
        float.ends_with("found F32; save labels.astype(\"int64\")"),
        "{float}"
    );
}
