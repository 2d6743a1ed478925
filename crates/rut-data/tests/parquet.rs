//! A user's own images in Parquet files.

mod common;

use std::path::Path;

use common::assert_says;
use rut_data::{Dataset, Error, open};

/// Nine images that `parquet/hf.py` wrote with the `datasets` library.
fn of_datasets() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet/hf.parquet")
}

fn open_path(path: &Path) -> Result<Dataset, Error> {
    open(path.to_str().expect("a UTF-8 path"), Path::new("nowhere"))
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_the_feature_says_so() {
    let texts = [
        "hf.parquet: expected a build that reads Parquet files",
        "--features parquet",
    ];
    assert_says(open_path(&of_datasets()), &texts);
}

#[cfg(feature = "parquet")]
mod with_feature {
    use std::sync::Arc;

    use super::common::{dot, write};
    use parquet::basic::Compression;
    use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
    use parquet::file::metadata::KeyValue;
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    use rut_data::ImageSet;
    use tempfile::{TempDir, tempdir};

    use super::*;

    const SCHEMA: &str = "message schema { optional group image { optional binary bytes; optional binary path (UTF8); } \
                          optional int64 label; }";
    const NAMES: &str =
        r#"{"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}"#;

    /// A file whose images are dots of the value of their place, in row groups of two.
    struct Written {
        schema: &'static str,
        names: Option<&'static str>,
        compression: Compression,
    }

    const PLAIN: Written = Written {
        schema: SCHEMA,
        names: None,
        compression: Compression::SNAPPY,
    };

    impl Written {
        fn properties(&self) -> WriterProperties {
            let names = self
                .names
                .map(|names| KeyValue::new("huggingface".to_owned(), names.to_owned()));
            WriterProperties::builder()
                .set_key_value_metadata(names.map(|names| vec![names]))
                .set_compression(self.compression)
                .build()
        }

        fn bytes(&self, labels: &[Option<i64>]) -> Vec<u8> {
            let schema = Arc::new(parse_message_type(self.schema).expect("a schema"));
            let mut bytes = Vec::new();
            let mut writer =
                SerializedFileWriter::new(&mut bytes, schema, Arc::new(self.properties()))
                    .expect("a writer");
            for (group, labels) in labels.chunks(2).enumerate() {
                let mut columns = writer.next_row_group().expect("a row group");
                let images: Vec<ByteArray> = (0..labels.len())
                    .map(|row| dot((2 * group + row) as u8).into())
                    .collect();
                let paths = vec![ByteArray::from("a.jpg"); labels.len()];
                for (values, levels) in [(&images, 2), (&paths, 2)] {
                    let mut column = columns.next_column().expect("a column").expect("one more");
                    let levels = vec![levels; labels.len()];
                    column
                        .typed::<ByteArrayType>()
                        .write_batch(values, Some(&levels), None)
                        .expect("written");
                    column.close().expect("closed");
                }
                let mut column = columns.next_column().expect("a column").expect("one more");
                let levels: Vec<i16> = labels
                    .iter()
                    .map(|label| i16::from(label.is_some()))
                    .collect();
                let values: Vec<i64> = labels.iter().copied().flatten().collect();
                column
                    .typed::<Int64Type>()
                    .write_batch(&values, Some(&levels), None)
                    .expect("written");
                column.close().expect("closed");
                columns.close().expect("closed");
            }
            writer.close().expect("closed");
            bytes
        }
    }

    fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
        let folder = tempdir().expect("a folder");
        for (name, bytes) in files {
            write(folder.path().join(name), bytes);
        }
        folder
    }

    fn table(labels: &[i64]) -> Vec<u8> {
        PLAIN.bytes(&labels.iter().copied().map(Some).collect::<Vec<_>>())
    }

    fn pixels(set: &ImageSet) -> Vec<u8> {
        let first = |index| set.decode(index).expect("an image").pixels()[0];
        (0..set.len()).map(first).collect()
    }

    #[test]
    fn a_file_of_the_datasets_library_is_read() {
        let data = open_path(&of_datasets()).expect("a sound file");
        assert_eq!(
            (data.name.as_str(), data.class_names.len()),
            ("hf.parquet", 3)
        );
        assert_eq!(data.class_names, ["cat", "dog", "bird"]);
        assert_eq!(
            (data.train.len(), data.test.class_counts(3)),
            (6, vec![1, 1, 1])
        );
        for set in [&data.train, &data.test] {
            for (index, &label) in set.labels().iter().enumerate() {
                let picture = set.decode(index).expect("an image");
                let row: u32 = set
                    .source(index)
                    .rsplit('#')
                    .next()
                    .and_then(|row| row.parse().ok())
                    .expect("a row");
                assert_eq!((picture.width(), picture.height(), label), (4, 3, row % 3));
                assert!(
                    picture
                        .pixels()
                        .iter()
                        .all(|&value| u32::from(value) == 20 * row)
                );
            }
        }
    }

    #[test]
    fn shards_are_parts() {
        let folder = folder(&[
            ("data/train-00000-of-00002.parquet", table(&[0, 1, 1])),
            (
                "data/train-00001-of-00002-0123456789abcdef.parquet",
                table(&[1, 0]),
            ),
            ("data/test-00000-of-00001.parquet", table(&[1])),
            ("data/validation.parquet", table(&[0, 0])),
            ("README.md", b"notes".to_vec()),
        ]);
        let data = open_path(folder.path()).expect("sound files");
        assert_eq!(data.class_names, ["0", "1"]);
        assert_eq!(
            (data.train.labels(), pixels(&data.train)),
            ([0, 1, 1, 1, 0].as_slice(), vec![0, 1, 2, 0, 1])
        );
        assert_eq!(
            data.train.source(4),
            "train-00001-of-00002-0123456789abcdef.parquet #1"
        );
        assert_eq!(
            (
                data.test.labels(),
                data.validation.expect("a part").labels()
            ),
            ([1].as_slice(), [0, 0].as_slice())
        );
        assert_eq!(pixels(&data.train.select(&[4, 0, 2])), [1, 0, 2]);
    }

    #[test]
    fn a_part_without_labels_is_left_out() {
        for unlabelled in [table(&[-1, -1]), PLAIN.bytes(&[None, None])] {
            let folder = folder(&[
                ("train.parquet", table(&[3, 12])),
                ("test.parquet", unlabelled),
                ("validation.parquet", table(&[12])),
            ]);
            let data = open_path(folder.path()).expect("sound files");
            assert_eq!(data.class_names, ["3", "12"]);
            assert_eq!(
                (data.test.labels(), data.validation.is_none()),
                ([1].as_slice(), true)
            );
            let texts = [
                "the test part (2 images",
                "test.parquet",
                "unlabelled",
                "-1",
            ];
            assert!(
                texts.iter().all(|text| data.remarks[0].contains(text)),
                "{:?}",
                data.remarks
            );
            assert_eq!(data.remarks.len(), 1);
        }
        // Nothing is left to test on: what is made instead is told, too.
        let folder = folder(&[
            ("train.parquet", table(&[0, 1, 0, 1])),
            ("test.parquet", table(&[-1])),
        ]);
        let data = open_path(folder.path()).expect("sound files");
        assert_eq!((data.train.len(), data.test.len()), (2, 2));
        assert!(data.remarks[0].contains("unlabelled") && data.remarks[1].contains("made by rut"));
    }

    #[test]
    fn the_hub_s_folders_are_read() {
        let [train, test] = [table(&[0, 1, 1]), table(&[1])];
        for (base, layout) in [
            (
                "",
                [
                    "plain_text/train-00000-of-00001.parquet",
                    "plain_text/test-00000-of-00001.parquet",
                ],
            ),
            (
                "",
                ["default/train/0000.parquet", "default/test/0000.parquet"],
            ),
            ("", ["train/0000.parquet", "test/0000.parquet"]),
            ("", ["data/train/a.parquet", "data/Test/b.parquet"]),
            ("", ["Training.parquet", "Testing.parquet"]),
            ("", ["birds_train.parquet", "birds_test.parquet"]),
            (
                "",
                [
                    "data/seg_train-0-of-1.parquet",
                    "data/seg_test-0-of-1.parquet",
                ],
            ),
            (
                "plain_text",
                [
                    "plain_text/train-00000-of-00001.parquet",
                    "plain_text/test.parquet",
                ],
            ),
        ] {
            let folder = folder(&[(layout[0], train.clone()), (layout[1], test.clone())]);
            let data = open_path(&folder.path().join(base)).expect(layout[0]);
            assert_eq!(
                (data.train.labels(), data.test.labels()),
                ([0, 1, 1].as_slice(), [1].as_slice())
            );
            // Files of one name in two folders are two.
            assert_ne!(data.train.source(0), data.test.source(0), "{layout:?}");
        }
        let two = folder(&[
            ("fine/train.parquet", train.clone()),
            ("fine/test.parquet", test.clone()),
            ("coarse/train/0.parquet", train.clone()),
            ("coarse/test/0.parquet", test.clone()),
        ]);
        let texts = [
            "one configuration",
            "found 2: '",
            "coarse', '",
            "fine'; name one",
        ];
        assert_says(open_path(two.path()), &texts);
        assert_eq!(
            open_path(&two.path().join("coarse"))
                .expect("one")
                .train
                .len(),
            3
        );
        let mixed = folder(&[("train.parquet", train), ("seg_test.parquet", test)]);
        assert_says(
            open_path(mixed.path()),
            &["the files of one data set", "seg_test.parquet"],
        );
    }

    #[test]
    fn training_files_alone_are_split() {
        let folder = folder(&[("train.parquet", table(&[0, 1, 0, 1, 0, 1]))]);
        let data = open_path(folder.path()).expect("a sound file");
        assert_eq!(
            (data.train.class_counts(2), data.test.class_counts(2)),
            (vec![2, 2], vec![1, 1])
        );
    }

    /// A table that `parquet/codecs.py` wrote with pyarrow.
    fn of_pyarrow(name: &str) -> std::path::PathBuf {
        of_datasets().with_file_name(format!("{name}.parquet"))
    }

    #[test]
    fn pages_of_every_usual_encoding_are_read() {
        let names = "none snappy gzip lz4 zstd zstd_v2 plain large";
        for name in names.split(' ') {
            let is_zstd = name.contains("zstd") || name == "large";
            if is_zstd && !cfg!(feature = "zstd") {
                let texts = ["a build that reads pages of ZSTD", "--features zstd"];
                assert_says(open_path(&of_pyarrow(name)), &texts);
                continue;
            }
            let data = open_path(&of_pyarrow(name)).expect(name);
            let all = ImageSet::concat(&[&data.train, &data.test]).expect("one set");
            assert_eq!((data.class_names.len(), all.len()), (2, 8), "{name}");
            for index in 0..all.len() {
                let row: u32 = all
                    .source(index)
                    .rsplit('#')
                    .next()
                    .and_then(|row| row.parse().ok())
                    .expect("a row");
                let picture = all.decode(index).expect("an image");
                assert_eq!(
                    (picture.width(), picture.height(), all.labels()[index]),
                    (4, 3, row % 2)
                );
                assert!(
                    picture
                        .pixels()
                        .iter()
                        .all(|&value| u32::from(value) == 20 * row),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn encodings_that_are_not_read_are_told_and_nothing_else() {
        for (name, found) in [
            ("brotli", "BROTLI"),
            ("delta", "the encoding DELTA_LENGTH_BYTE_ARRAY"),
        ] {
            let data = open_path(&of_pyarrow(name)).and_then(|data| data.train.decode(0));
            let text = data.expect_err(name).to_string();
            assert!(
                text.contains(found) && text.contains("write the file again"),
                "{text}"
            );
            assert!(!text.contains("damaged"), "{text}");
        }
    }

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
        let shared = of_datasets().with_file_name("shared.parquet");
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
        let whole = std::fs::read(of_datasets()).expect("a file");
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
        let path = of_datasets().with_file_name("negative_place.parquet");
        let texts = [
            "negative_place.parquet",
            "a column before the beginning of the file",
        ];
        assert_says(open_path(&path), &texts);
    }
}
