//! A user's own folders of class folders.

mod common;

use std::path::Path;

use common::{assert_says, dot, write};
use rut_data::{ColorOrder, Dataset, Error, ImageSet, Prepared, Transform, open};
use tempfile::{TempDir, tempdir};

/// A folder with one-pixel images at these paths.
fn folder(paths: &[&str]) -> TempDir {
    let folder = tempdir().expect("a folder");
    for (value, path) in paths.iter().enumerate() {
        write(folder.path().join(path), &dot(value as u8));
    }
    folder
}

fn open_folder(folder: &Path) -> Result<Dataset, Error> {
    open(folder.to_str().expect("a UTF-8 path"), Path::new("nowhere"))
}

#[test]
fn train_and_test_folders_are_splits() {
    let folder = folder(&[
        "train/cat/b.PNG",
        "train/cat/a.jpg",
        "train/cat/deep/z.jpg",
        "train/cat-like/c.ppm",
        "train/Dog/d.jpeg",
        "train/cat/notes.txt",
        "train/cat/.hidden.jpg",
        "train/.cache/e.jpg",
        "test/cat/f.jpg",
        "val/Dog/g.jpg",
    ]);
    let data = open_folder(folder.path()).expect("sound folders");
    assert_eq!(data.class_names, ["Dog", "cat", "cat-like"]);
    let sources: Vec<String> = (0..data.train.len())
        .map(|i| data.train.source(i))
        .collect();
    let expected = [
        "Dog/d.jpeg",
        "cat/a.jpg",
        "cat/b.PNG",
        "cat/deep/z.jpg",
        "cat-like/c.ppm",
    ];
    assert_eq!(sources, expected.map(|path| format!("train/{path}")));
    assert_eq!(data.train.labels(), [0, 1, 1, 1, 2]);
    assert_eq!(
        (data.test.labels(), data.prompt_size),
        ([1].as_slice(), None)
    );
    assert_eq!(data.validation.expect("a validation split").labels(), [0]);
}

#[test]
fn val_serves_as_test() {
    let folder = folder(&["train/a/1.jpg", "validation/a/2.jpg"]);
    let data = open_folder(folder.path()).expect("sound folders");
    assert_eq!((data.test.len(), data.validation.is_none()), (1, true));
}

#[test]
fn one_root_is_split_the_same_way_every_time() {
    let paths: Vec<String> = (0..10)
        .map(|i| format!("a/{i}.jpg"))
        .chain((0..3).map(|i| format!("b/{i}.jpg")))
        .collect();
    let paths: Vec<&str> = paths
        .iter()
        .map(String::as_str)
        .chain(["c/only.jpg"])
        .collect();
    let (first, second) = (folder(&paths), folder(&paths));
    let data = open_folder(first.path()).expect("sound folders");
    assert_eq!(
        (data.train.class_counts(3), data.test.class_counts(3)),
        (vec![8, 2, 1], vec![2, 1, 0])
    );
    let tests: Vec<String> = (0..3).map(|i| data.test.source(i)).collect();
    assert_eq!(tests, ["a/1.jpg", "a/5.jpg", "b/2.jpg"]);
    let again = open_folder(second.path()).expect("sound folders");
    let digests = [&data, &again].map(|data| data.test.digest().expect("a digest"));
    assert_eq!(
        digests[0], digests[1],
        "the digest depends on content, not on the path"
    );
}

#[test]
fn a_folder_is_found_below_the_data_folder() {
    let folder = folder(&["mine/a/1.jpg", "mine/a/2.jpg"]);
    assert_eq!(open("mine", folder.path()).expect("a folder").name, "mine");
}

#[test]
fn images_without_labels_are_read_from_files_and_folders() {
    let folder = folder(&["b/2.jpg", "a/1.jpg", "notes.txt"]);
    let all = ImageSet::from_folder(folder.path()).expect("a readable folder");
    assert_eq!(
        (all.source(0), all.labels()),
        ("a/1.jpg".into(), [0, 0].as_slice())
    );
    let one = ImageSet::from_files(&[folder.path().join("b/2.jpg")]).expect("one file");
    assert_eq!(one.decode(0).expect("an image").pixels(), [0]);
    let missing = ImageSet::from_files(&["no such.jpg".into()]).expect("not read yet");
    assert_says(missing.decode(0), &["read no such.jpg"]);
}

#[test]
fn broken_folders_are_named() {
    let says = |paths: &[&str], texts: &[&str]| {
        assert_says(open_folder(folder(paths).path()), texts);
    };
    says(
        &["readme.txt"],
        &["one folder of images per class", "no folder"],
    );
    says(
        &["a/1.jpg", "b/notes.txt"],
        &["b: expected images", "none; add some or remove"],
    );
    says(
        &["train/a/1.jpg"],
        &["a folder 'test' or 'val' beside 'train'"],
    );
    says(
        &["train/a/1.jpg", "test/b/1.jpg"],
        &["test: expected only classes", "'b'"],
    );
}

#[test]
fn a_wrong_image_is_named_when_it_is_decoded() {
    let folder = folder(&[
        "train/a/1.jpg",
        "train/a/2.jpg",
        "train/a/3.jpg",
        "test/a/4.jpg",
    ]);
    write(folder.path().join("train/a/2.jpg"), b"hello");
    write(folder.path().join("train/a/3.jpg"), b"P5 9 9 255\n");
    let data = open_folder(folder.path()).expect("sound folders");
    assert_says(
        data.train.decode(1),
        &[
            "train/a/2.jpg: expected a JPEG, PNG, GIF, BMP or PNM image",
            "68 65 6c",
        ],
    );
    assert_says(
        data.train.decode(2),
        &["train/a/3.jpg: truncated PNM image", "11 bytes"],
    );
    let transform = Transform::squash(1, ColorOrder::RgbThenResize);
    let prepared = Prepared::new(&data.train, &transform, 1 << 20);
    assert_says(prepared, &["train/a/2.jpg"]);
    std::fs::remove_file(folder.path().join("test/a/4.jpg")).expect("removed");
    assert_says(data.test.decode(0), &["read ", "test/a/4.jpg"]);
    assert_says(data.test.digest(), &["read ", "test/a/4.jpg"]);
}
