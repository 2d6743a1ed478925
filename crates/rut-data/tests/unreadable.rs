//! Images that cannot be read, left out where the user asks for it.

mod common;

use std::fs;
use std::path::Path;

use common::assert_says;
use rut_data::{RgbImage, Skip, open};
use rut_images::encode_png;

/// A folder of two classes with four images each in train and test; of some the file is spoilt.
fn folder(spoilt: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for part in ["train", "test"] {
        for class in ["a", "b"] {
            let place = folder.path().join(part).join(class);
            fs::create_dir_all(&place).expect("a folder");
            for index in 0..4 {
                let image = RgbImage {
                    width: 2,
                    height: 1,
                    pixels: vec![index, 1, 2, 3, 4, part.len() as u8],
                };
                let bytes = encode_png(&image).expect("an image");
                fs::write(place.join(format!("{index}.png")), bytes).expect("a file");
            }
        }
    }
    for (name, bytes) in spoilt {
        fs::write(folder.path().join(name), bytes).expect("a file");
    }
    folder
}

fn opened(folder: &Path) -> rut_data::Dataset {
    open(folder.to_str().expect("UTF-8"), folder).expect("a data set")
}

static SPOILT: &[(&str, &[u8])] = &[
    ("train/a/1.png", b""),
    ("train/b/0.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    ("test/b/3.png", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf"),
];

#[test]
fn unreadable_images_are_left_out_and_listed() {
    let folder = folder(SPOILT);
    let data = opened(folder.path());
    let whole = data.train.digest().expect("a digest");
    let left = data
        .skip_unreadable(Skip::AtMost(3))
        .expect("three at most");
    let listed: Vec<String> = left
        .skipped
        .iter()
        .map(|s| format!("{} {s}", s.part))
        .collect();
    assert_eq!(
        listed,
        [
            "train train/a/1.png (no image, nothing (0 bytes) at its start)",
            "train train/b/0.png (truncated PNG, the end chunk is missing)",
            "test test/b/3.png (no image, 00 00 00 1c 66 74 79 70 (AVIF) at its start)",
        ]
    );
    assert_eq!(
        (left.train.class_counts(2), left.test.class_counts(2)),
        (vec![3, 3], vec![4, 3])
    );
    let names: Vec<String> = (0..6).map(|index| left.train.source(index)).collect();
    assert_eq!(
        names[..3],
        ["train/a/0.png", "train/a/2.png", "train/a/3.png"]
    );
    assert_ne!(left.train.digest().expect("a digest"), whole);
    for index in 0..left.train.len() {
        left.train.decode(index).expect("a sound image");
    }
}

#[test]
fn all_of_them_may_be_left_out_and_none_has_to_be() {
    let spoilt = folder(SPOILT);
    let left = opened(spoilt.path())
        .skip_unreadable(Skip::All)
        .expect("all");
    assert_eq!(left.skipped.len(), 3);
    let sound = folder(&[]);
    let data = opened(sound.path());
    let digest = data.train.digest().expect("a digest");
    let left = data.skip_unreadable(Skip::AtMost(0)).expect("none");
    assert!(left.skipped.is_empty());
    assert_eq!(left.train.digest().expect("a digest"), digest);
}

#[test]
fn more_than_allowed_is_an_error_that_names_them() {
    let folder = folder(SPOILT);
    let name = folder
        .path()
        .file_name()
        .expect("a name")
        .to_str()
        .expect("UTF-8");
    assert_says(
        opened(folder.path()).skip_unreadable(Skip::AtMost(2)),
        &[
            name,
            "at most 2 that cannot be read (`skip_unreadable`), found 3",
            "train/a/1.png (no image",
            "(AVIF)",
            "rut data check",
            "`skip_unreadable`",
        ],
    );
    let many: Vec<(String, &[u8])> = (0..15)
        .map(|i| (format!("train/a/x{i:02}.png"), &b"x"[..]))
        .collect();
    let many: Vec<(&str, &[u8])> = many
        .iter()
        .map(|(name, bytes)| (name.as_str(), *bytes))
        .collect();
    let folder = self::folder(&many);
    assert_says(
        opened(folder.path()).skip_unreadable(Skip::AtMost(0)),
        &[
            "found 15",
            "x09.png (no image, 78 at its start) and 5 more;",
        ],
    );
}

#[test]
fn what_is_wrong_with_an_image_names_it_and_the_remedy() {
    let large: (&str, &[u8]) = ("train/a/2.png", b"P6 99999 99999 255\n");
    let folder = folder(&[SPOILT, &[large]].concat());
    let data = opened(folder.path());
    for (index, problem) in [
        (
            1,
            "expected a JPEG, PNG, GIF, WebP, TIFF, BMP or PNM image, found nothing (0 bytes) at its start; convert",
        ),
        (
            4,
            "truncated PNG image, the end chunk is missing; fetch or copy it again",
        ),
        (
            2,
            "expected 1 to 178956970 pixels, found 99999x99999; shrink",
        ),
    ] {
        let name = data.train.source(index);
        let remedy = " or remove it; `rut data check` lists all that cannot be read, `skip_unreadable` leaves them out";
        let message = data.train.decode(index).expect_err("an error").to_string();
        assert!(message.starts_with("decode /"), "{message}");
        assert!(message.contains(&format!("{name}: {problem}")), "{message}");
        assert!(message.ends_with(remedy), "{message}");
    }
}

#[test]
fn limits_are_numbers_or_all() {
    assert_says(
        "some".parse::<Skip>(),
        &[
            "unreadable images to skip 'some'",
            "a whole number, or `all`",
        ],
    );
    assert_says("-1".parse::<Skip>(), &["'-1'"]);
}
