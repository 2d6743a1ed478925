//! Headers of all writers, and broken ones.

use super::*;

#[test]
fn headers_of_all_writers_are_read() {
    let text = "{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }     \n";
    let header = Header::parse(text).unwrap();
    assert_eq!(header.shape, [2, 3]);
    assert_eq!(header.layout, Layout::RowMajor);
    let text = "{\"shape\":(5L,),\"fortran_order\":True,\"descr\":\">f4\"}";
    let header = Header::parse(text).unwrap();
    assert_eq!(header.shape, [5]);
    assert_eq!(header.layout, Layout::ColumnMajor);
    let text = "{'descr': '|u1', 'fortran_order': False, 'shape': ()}";
    assert!(Header::parse(text).unwrap().shape.is_empty());
}

#[test]
fn bytes_are_declared_whatever_the_elements_are() {
    let of = |descr: &str, shape: &str| {
        declared(&format!(
            "{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
        ))
    };
    assert_eq!(of("<f2", "(2, 3)"), Some(12));
    assert_eq!(of("|O8", "()"), Some(8));
    assert_eq!(of("<f4", "(4611686018427387904, 3)"), None);
    assert_eq!(of("<f4", "(-1,)"), None);
    assert_eq!(declared("{'descr': [('a', '<f4')]}"), None);
}

#[test]
fn broken_headers_are_refused() {
    for text in [
        "",
        "{",
        "{}",
        "{'descr': '<i8', 'fortran_order': False}",
        "{'descr': '<i8', 'fortran_order': 0, 'shape': ()}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}",
        "{'descr': '<i8, 'fortran_order': False, 'shape': ()",
        "{'descr': [('x', '<i8')], 'fortran_order': False, 'shape': ()}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (), 'more': 1}",
    ] {
        assert!(Header::parse(text).is_err(), "{text}");
    }
}
