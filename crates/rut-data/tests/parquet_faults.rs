//! Parquet files that are wrong, damaged or hostile.

#![cfg(feature = "parquet")]

mod common;

use std::sync::Arc;

use common::parquet::{PLAIN, Written, fixture, folder, open_path, table};
use common::{assert_says, dot, write};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rut_data::{Dataset, ImageSet};

const NAMES: &str =
    r#"{"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}"#;

#[test]
fn broken_tables_are_named() {
    let says = |file: Vec<u8>, texts: &[&str]| {
        let folder = folder(&[("train.parquet", file)]);
        assert_says(open_path(&folder.path().join("train.parquet")), texts);
    };
    let renamed = |schema| Written { schema, ..PLAIN }.bytes(&[Some(0)]);
    says(
        renamed(
            "message schema { optional group picture { optional binary bytes; optional binary path; } optional int64 label; }",
        ),
        &[
            "train.parquet, its columns: expected a column 'image' or 'img' of structs",
            "'picture', 'label'",
        ],
    );
    says(
        renamed(
            "message schema { optional group image { optional binary bytes; optional binary path; } optional int64 labl; }",
        ),
        &[
            "expected a column 'label'",
            "'image', 'labl'; did you mean 'label'?",
        ],
    );
    let real = Written {
        schema: "message schema { optional group image { optional binary bytes; optional binary path; } optional double label; }",
        ..PLAIN
    };
    says(
        real.bytes(&[]),
        &["found 'image', 'label'; 'label' is of another type"],
    );
    let named = Written {
        names: Some(NAMES),
        ..PLAIN
    };
    says(
        named.bytes(&[Some(0), Some(2)]),
        &["labels below 2, the number of named classes, found 2"],
    );
    says(
        PLAIN.bytes(&[Some(0), None]),
        &["row 1: expected a label, as other rows have one, found none"],
    );
    says(table(&[]), &["expected images with labels, found none"]);
    says(b"PAR1".to_vec(), &["expected a Parquet file", "again"]);
    says(Vec::new(), &["expected a Parquet file"]);
}

#[test]
fn a_long_label_is_refused_however_many_rows_have_it() {
    let schema = "message schema { required group image { required binary bytes; } required binary label (UTF8); }";
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let mut bytes = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut bytes, schema, Arc::default()).expect("a writer");
    let mut columns = writer.next_row_group().expect("a row group");
    for value in [dot(1), vec![b'a'; 1025]] {
        let mut column = columns.next_column().expect("a column").expect("one more");
        let values = vec![ByteArray::from(value); 50];
        column
            .typed::<ByteArrayType>()
            .write_batch(&values, None, None)
            .expect("written");
        column.close().expect("closed");
    }
    columns.close().expect("closed");
    writer.close().expect("closed");
    let folder = folder(&[("a.parquet", bytes)]);
    let says = [
        "a.parquet, its columns",
        "labels of at most 1024 bytes",
        "one of 1025",
    ];
    assert_says(open_path(&folder.path().join("a.parquet")), &says);
}

#[test]
fn wrong_folders_are_named() {
    let says = |files: &[(&str, Vec<u8>)], texts: &[&str]| {
        assert_says(open_path(folder(files).path()), texts)
    };
    let file = || table(&[0, 1]);
    says(
        &[("train-00000-of-00002.parquet", file())],
        &["expected 2 files like", "found 1; fetch the others"],
    );
    says(
        &[("extra-0.parquet", file())],
        &[
            "names begin with train, val, validation or test",
            "move it away",
        ],
    );
    says(
        &[("test.parquet", file())],
        &["the split: expected training images"],
    );
    says(
        &[
            ("train.parquet", table(&[0])),
            ("test.parquet", table(&[0, 1])),
        ],
        &["class '1': expected training images"],
    );
}

#[test]
fn row_groups_that_name_the_same_bytes_are_not_read_over_and_over() {
    let shared = fixture("shared");
    let says = [
        "shared.parquet, its pages: expected a Parquet file",
        "columns of more bytes than the file has",
    ];
    assert_says(open_path(&shared), &says);
}

#[test]
fn lists_in_a_footer_are_as_long_as_their_bytes() {
    // A list, 15 elements or more of truths, 2³¹ - 1 of them; the crate takes no byte for each.
    let list = [0xf1, 0xff, 0xff, 0xff, 0xff, 7];
    // In a field that nobody knows, in bytes where a number should be, in a map, and in a list of lists.
    let fields: [&[&[u8]]; 4] = [
        &[&[0x09, 40], &list],
        &[&[0x18, 8, 0x09, 40], &list],
        &[&[0x0b, 40, 0xff, 0xff, 0xff, 0xff, 7, 0x11]],
        &[&[0x09, 40, 0x19], &list],
    ];
    for field in fields {
        let footer = [&field.concat().repeat(100)[..], &[0]].concat();
        let length = footer.len() as u32;
        let parts: [&[u8]; 4] = [b"PAR1", &footer, &length.to_le_bytes(), b"PAR1"];
        let folder = folder(&[("train.parquet", parts.concat())]);
        let says = ["train.parquet, its pages", "a footer that is damaged"];
        assert_says(open_path(folder.path()), &says);
    }
}

#[test]
fn an_image_that_is_none_is_named() {
    let folder = folder(&[("train.parquet", table(&[0, 0]))]);
    let path = folder.path().join("train.parquet");
    let mut bytes = std::fs::read(&path).expect("a file");
    let at = bytes
        .windows(3)
        .position(|window| window == b"P5 ")
        .expect("an image");
    bytes[at] = b'Q';
    std::fs::write(&path, bytes).expect("written");
    let data = open_path(&path).expect("labels are sound");
    let whole = ImageSet::concat(&[&data.train, &data.test]).expect("one set");
    let errors: Vec<String> = (0..2)
        .filter_map(|index| Some(whole.decode(index).err()?.to_string()))
        .collect();
    assert!(
        errors.iter().any(|error| error.contains("train.parquet #")),
        "{errors:?}"
    );
}

/// No panic, no great memory and no end that never comes, whatever byte is wrong.
#[test]
fn damaged_files_never_panic() {
    let folder = folder(&[]);
    let path = folder.path().join("train.parquet");
    let whole = std::fs::read(fixture("hf")).expect("a file");
    let all = |data: Dataset| {
        for set in [&data.train, &data.test] {
            (0..set.len()).for_each(|index| drop(set.decode(index)));
        }
    };
    for (at, flip) in (0..whole.len())
        .step_by(4)
        .map(|at| (at, [0xff, 0x01, 0x40][at % 3]))
    {
        let mut damaged = whole.clone();
        damaged[at] ^= flip;
        write(&path, &damaged);
        let _ = open_path(&path).map(all);
    }
    for length in (0..whole.len()).step_by(7) {
        write(&path, &whole[..length]);
        assert!(open_path(&path).is_err(), "{length} bytes open");
    }
}

/// Found by the fuzzer.
#[test]
fn a_column_before_the_file_is_refused() {
    let path = fixture("negative_place");
    let texts = [
        "negative_place.parquet",
        "a column before the beginning of the file",
    ];
    assert_says(open_path(&path), &texts);
}
