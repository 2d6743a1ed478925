//! A user's own images in Parquet files.

mod common;

use common::assert_says;
use common::parquet::{fixture, open_path};

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_the_feature_says_so() {
    let texts = [
        "hf.parquet: expected a build that reads Parquet files",
        "--features parquet",
    ];
    assert_says(open_path(&fixture("hf")), &texts);
}

#[cfg(feature = "parquet")]
mod with_feature {
    use rut_data::ImageSet;

    use super::common::parquet::{PLAIN, folder, table};
    use super::*;

    fn pixels(set: &ImageSet) -> Vec<u8> {
        let first = |index| set.decode(index).expect("an image").pixels()[0];
        (0..set.len()).map(first).collect()
    }

    #[test]
    fn a_file_of_the_datasets_library_is_read() {
        let data = open_path(&fixture("hf")).expect("a sound file");
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
        // Nothing is left to test on: what is made instead is reported, too.
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

    #[test]
    fn pages_of_every_usual_encoding_are_read() {
        let names = "none snappy gzip lz4 zstd zstd_v2 plain large";
        for name in names.split(' ') {
            let is_zstd = name.contains("zstd") || name == "large";
            if is_zstd && !cfg!(feature = "zstd") {
                let texts = ["a build that reads pages of ZSTD", "--features zstd"];
                assert_says(open_path(&fixture(name)), &texts);
                continue;
            }
            let data = open_path(&fixture(name)).expect(name);
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
            let data = open_path(&fixture(name)).and_then(|data| data.train.decode(0));
            let text = data.expect_err(name).to_string();
            assert!(
                text.contains(found) && text.contains("write the file again"),
                "{text}"
            );
            assert!(!text.contains("damaged"), "{text}");
        }
    }
}
