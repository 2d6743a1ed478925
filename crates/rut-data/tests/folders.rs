//! A user's own folders of class folders.

mod common;

use std::path::Path;

use common::{assert_says, dot, write};
use rut_data::{Dataset, Error, ImageSet, Prepared, open, open_split};
use rut_images::{ColorOrder, Transform};
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
fn parts_are_known_by_other_words_in_any_case() {
    for [train, validation, test] in [
        ["Train", "Valid", "Test"],
        ["Training", "Validation", "Testing"],
        ["seg_train", "seg_dev", "seg_test"],
        ["TRAIN", "Val", "TEST"],
        ["train_images", "valid_images", "test_images"],
        ["seg_train/seg_train", "dev", "seg_test/seg_test"],
    ] {
        let paths = [
            (train, "a/1.jpg"),
            (train, "b/2.jpg"),
            (validation, "a/3.jpg"),
            (test, "b/4.jpg"),
        ];
        let paths = paths.map(|(part, image)| format!("{part}/{image}"));
        let folder = folder(&paths.each_ref().map(String::as_str));
        let data = open_folder(folder.path()).expect(train);
        assert_eq!(data.class_names, ["a", "b"], "{train}");
        assert_eq!(
            (data.train.labels(), data.test.labels()),
            ([0, 1].as_slice(), [1].as_slice())
        );
        let validation = data.validation.map(|set| set.labels().to_vec());
        // The folder `dev` does not say `seg`.
        let own = (!train.contains('/')).then(|| vec![0]);
        assert_eq!(validation, own, "{train}");
        assert!(data.remarks.is_empty());
    }
    for validation in ["valid", "Validation", "dev"] {
        let folder = folder(&["train/a/1.jpg", &format!("{validation}/a/2.jpg")]);
        let data = open_folder(folder.path()).expect(validation);
        assert_eq!((data.test.len(), data.validation.is_none()), (1, true));
    }
}

#[test]
fn names_of_parts_that_do_not_decide_are_named() {
    let folder = folder(&["Train/a/1.jpg", "training/a/2.jpg", "test/a/3.jpg"]);
    let texts = [
        "one folder for each part",
        "'Train', 'training'",
        "move some away",
    ];
    assert_says(open_folder(folder.path()), &texts);
    // Exact names that were read before stay.
    let folder = self::folder(&["train/a/1.jpg", "Training/b/2.jpg", "test/a/3.jpg"]);
    assert_eq!(
        open_folder(folder.path()).expect("train").class_names,
        ["a"]
    );
}

#[test]
fn a_class_called_train_is_a_class() {
    let folder = folder(&["bus/1.jpg", "bus/2.jpg", "train/1.jpg", "train/2.jpg"]);
    let data = open_folder(folder.path()).expect("two classes");
    assert_eq!(data.class_names, ["bus", "train"]);
    assert!(data.remarks[0].contains("made by rut") && data.remarks[0].contains("seed 0"));
    let again = open_split(
        folder.path().to_str().expect("UTF-8"),
        Path::new("x"),
        Some("stratified:7"),
    );
    assert!(again.expect("a split").remarks[0].contains("seed 7"));
}

#[test]
fn classes_that_stand_deeper_are_refused_with_their_path() {
    let says = |paths: &[&str], deeper: &str| {
        let folder = folder(paths);
        let name = format!("name {} instead", folder.path().join(deeper).display());
        assert_says(
            open_folder(folder.path()),
            &["one folder of images per class", &name],
        );
    };
    says(&["data/cat/1.jpg", "data/dog/2.jpg"], "data");
    says(&["a/b/cat/1.jpg", "a/b/dog/2.jpg"], "a/b");
    says(&["a/train/cat/1.jpg", "a/test/cat/2.jpg"], "a");
    says(
        &[
            "one/cat/1.jpg",
            "one/dog/1.jpg",
            "two/cat/1.jpg",
            "two/dog/2.jpg",
        ],
        "one",
    );
    says(
        &[
            "cat/train/1.jpg",
            "cat/test/2.jpg",
            "dog/train/3.jpg",
            "dog/test/4.jpg",
        ],
        "cat",
    );
    says(
        &["train/x/cat/1.jpg", "train/x/dog/1.jpg", "test/cat/1.jpg"],
        "train/x",
    );
    // As Tiny ImageNet has it: a folder in each class, which is none.
    let folder = folder(&[
        "cat/images/1.jpg",
        "cat/images/2.jpg",
        "dog/images/3.jpg",
        "dog/images/4.jpg",
    ]);
    assert_eq!(
        open_folder(folder.path()).expect("classes").class_names,
        ["cat", "dog"]
    );
    // Folders that differ, and images beside them.
    let folder = self::folder(&[
        "cat/red/1.jpg",
        "cat/blue/2.jpg",
        "dog/a/3.jpg",
        "dog/b/4.jpg",
    ]);
    assert_eq!(
        open_folder(folder.path()).expect("classes").class_names,
        ["cat", "dog"]
    );
    let folder = self::folder(&[
        "cat/0.jpg",
        "cat/x/1.jpg",
        "cat/y/2.jpg",
        "dog/x/3.jpg",
        "dog/y/4.jpg",
    ]);
    assert_eq!(
        open_folder(folder.path()).expect("classes").class_names,
        ["cat", "dog"]
    );
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
            "train/a/2.jpg: expected a JPEG, PNG, GIF, WebP, TIFF, BMP or PNM image",
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

#[test]
fn a_class_of_other_files_says_what_they_are() {
    let folder = folder(&["a/1.png"]);
    let avif = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf";
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";
    let cases: [(&str, &[u8], &str); 3] = [
        ("1.avif", avif, "(AVIF)"),
        ("1.heic", heic, "(HEIC)"),
        ("\x1b1.txt", b"", "\\u{1b}1.txt', are"),
    ];
    for (name, bytes, kind) in cases {
        let path = folder.path().join("b").join(name);
        write(path.clone(), bytes);
        let says = [
            "/b:",
            ".webp",
            "none; add some or remove the folder: 1 other files",
            kind,
        ];
        assert_says(open_folder(folder.path()), &says);
        std::fs::remove_file(path).expect("a file");
    }
    assert_says(open_folder(folder.path()), &["/b:", "none; add some"]);
}

#[test]
fn training_images_alone_are_named() {
    let folder = folder(&["train/a/1.png", "train/b/1.png"]);
    let says = [
        "'test' or 'val' beside 'train'",
        "/train to have a test part",
    ];
    assert_says(open_folder(folder.path()), &says);
}
