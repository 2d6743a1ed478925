//! Orders and shapes of arrays, and parts of a file.

use super::*;

fn array(
    dtype: &str,
    shape: &[usize],
    layout: Layout,
    data: &[u8],
) -> Result<Array<'static>, Fault> {
    let dtype = Dtype::parse(dtype, "x")?;
    Array::new(dtype, shape.to_vec(), layout, data.to_vec(), "x")
}

#[test]
fn columns_become_rows() {
    // [[0, 1, 2], [3, 4, 5]] column by column, elements of two bytes
    let columns = [0, 9, 3, 9, 1, 9, 4, 9, 2, 9, 5, 9];
    let rows = array("<u2", &[2, 3], Layout::ColumnMajor, &columns).unwrap();
    let rows = rows.into_row_major();
    assert_eq!(*rows, [0, 9, 1, 9, 2, 9, 3, 9, 4, 9, 5, 9]);
    let cube: Vec<u8> = (0..24).collect();
    let cube = array("u1", &[2, 3, 4], Layout::ColumnMajor, &cube).unwrap();
    assert_eq!(cube.into_row_major()[..5], [0, 6, 12, 18, 2]);
    let none = array("u1", &[2, 0], Layout::ColumnMajor, &[]).unwrap();
    assert!(none.into_row_major().is_empty());
}

#[test]
fn bytes_must_fit_the_shape() {
    assert!(array("u2", &[2], Layout::RowMajor, &[1, 0, 2, 0]).is_ok());
    assert!(array("u2", &[2], Layout::RowMajor, &[1, 0, 2]).is_err());
    assert!(array("u1", &[usize::MAX, 2], Layout::RowMajor, &[0; 2]).is_err());
    assert!(array("O", &[1], Layout::RowMajor, &[0; 8]).is_err());
}

#[test]
fn a_part_is_found_in_its_file() {
    let file = [1, 2, 3, 4];
    assert_eq!(range_in(&file, &file[1..3]), Some(1..3));
    assert_eq!(range_in(&file[..2], &file[1..3]), None);
    assert_eq!(range_in(&file[2..], &file[..1]), None);
}
