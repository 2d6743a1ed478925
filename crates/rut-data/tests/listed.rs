//! Data sets of image files and lists of them, against samples of the real ones, and the errors for
//! broken ones. Those of which no real sample could be had are in `generated.rs`.

mod common;

use std::collections::BTreeSet;

use common::{assert_as_expected, assert_says, decodes, json, shared, tree};
use rut_data::{Counts, Dataset, Digest, ImageSet, Result, find, open, open_split};
use serde_json::json;
use tempfile::TempDir;

/// Checks the classes and the parts of a sample.
fn assert_sample(name: &str, parts: [&str; 3]) {
    let Some(folder) = shared(&format!("datasets/{name}")) else {
        return;
    };
    let expected = json(&folder.join("expected.json"));
    let sample = open(name, &folder).expect("the sample");
    let sets = [
        Some(&sample.train),
        sample.validation.as_ref(),
        Some(&sample.test),
    ];
    for (set, part) in sets.into_iter().zip(parts) {
        assert_eq!(set.is_some(), !part.is_empty(), "{part}");
        if let Some(set) = set {
            assert_as_expected(set, &expected["splits"][part]);
        }
    }
    assert_eq!(json!(sample.class_names), expected["classes"]);
    let spec = find(name).expect("in the table");
    let first: Vec<&str> = sample.class_names.iter().map(String::as_str).collect();
    assert!(spec.classes.starts_with(&first), "{first:?}");
    assert_eq!(sample.prompt_size, Some(128));
}

#[test]
fn dtd_is_read_as_torchvision_does() {
    assert_sample("dtd", ["train", "val", "test"]);
}

#[test]
fn food101_is_read_as_torchvision_does() {
    assert_sample("food101", ["train", "", "test"]);
}

#[test]
fn oxfordpets_is_read_as_torchvision_does() {
    assert_sample("oxfordpets", ["trainval", "", "test"]);
}

#[test]
fn caltech101_is_read_as_torchvision_does_and_split() {
    let Some(folder) = shared("datasets/caltech101") else {
        return;
    };
    let expected = json(&folder.join("expected.json"));
    let sample = open("caltech101", &folder).expect("the sample");
    assert_eq!(json!(sample.class_names), expected["classes"]);
    assert_eq!(sample.train.class_counts(5), [4; 5]);
    assert_eq!(sample.test.class_counts(5), [1; 5]);
    // Both parts, put together in the order of the files, are what torchvision has.
    let all = ImageSet::concat(&[&sample.train, &sample.test]).expect("one set");
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|&index| all.source(index));
    assert_as_expected(&all.select(&order), &expected["splits"]["all"]);
}

#[test]
fn the_class_lists_are_complete() {
    for (name, classes) in [
        ("dtd", 47),
        ("food101", 101),
        ("oxfordpets", 37),
        ("sun397", 397),
        ("ucf101", 101),
        ("eurosat", 10),
        ("caltech101", 101),
        ("fgvcaircraft", 100),
    ] {
        let names = find(name).expect("in the table").classes;
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), classes);
        // UCF101 alone sorts its names without regard to case.
        let key = |name: &str| match classes {
            101 if names.contains(&"YoYo") => name.to_lowercase(),
            _ => name.to_owned(),
        };
        assert!(names.is_sorted_by_key(|name| key(name)), "{name}");
    }
}

#[test]
fn the_splits_of_a_data_set_have_as_many_images() {
    for (name, images) in [
        ("dtd", 5_640),
        ("food101", 101_000),
        ("oxfordpets", 7_349),
        ("ucf101", 13_320),
        ("caltech101", 8_677),
        ("eurosat", 27_000),
        ("fgvcaircraft", 10_000),
    ] {
        for split in find(name).expect("in the table").splits {
            let counts = split.counts;
            let sum = counts.train + counts.validation.unwrap_or(0) + counts.test;
            // CoOp leaves out the class Faces_easy of Caltech-101.
            if split.name == "leak" || counts == Counts::UNKNOWN {
                continue;
            }
            let left_out = usize::from((name, split.name) == ("caltech101", "coop")) * 435;
            assert_eq!(sum + left_out, images, "{name}, {}", split.name);
        }
    }
}

/// A DTD in which partition 3 is the only one.
fn small_dtd(folder: &str, train: &str) -> TempDir {
    let at = |path: &str| format!("{folder}/{path}");
    tree(
        &[
            (&at("labels/train3.txt"), train),
            (&at("labels/val3.txt"), "dotted/2.jpg\n"),
            (&at("labels/test3.txt"), "banded/3.jpg\nwoven/4.jpg\n"),
        ],
        &[
            &at("images/dotted/1.jpg"),
            &at("images/dotted/2.jpg"),
            &at("images/banded/3.jpg"),
            &at("images/woven/4.jpg"),
        ],
    )
}

#[test]
fn dtd_has_ten_partitions_in_two_places() {
    for folder in ["dtd/dtd", "dtd"] {
        let data = small_dtd(folder, "dotted/1.jpg\r\n\n");
        let dtd = open_split("dtd", data.path(), Some("partition-3")).expect("a partition");
        assert_eq!(dtd.class_names, ["banded", "dotted", "woven"]);
        let validation = dtd.validation.as_ref().expect("validation images");
        assert_eq!(
            [&dtd.train, validation, &dtd.test].map(ImageSet::labels),
            [[1].as_slice(), &[1], &[0, 2]]
        );
        assert!(decodes(&dtd));
        assert_says(
            open("dtd", data.path()),
            &[
                "labels/train1.txt",
                "`split = partition-3`",
                "rut fetch dtd",
            ],
        );
    }
}

#[test]
fn bad_lines_of_a_list_are_named() {
    for line in [
        "dotted",
        "/etc/passwd",
        "dotted/../woven/4.jpg",
        "dotted/a/b.jpg",
        "dotted/",
    ] {
        let data = small_dtd("dtd/dtd", &format!("dotted/1.jpg\n\n{line}\n"));
        let read = open_split("dtd", data.path(), Some("partition-3"));
        assert_says(read, &["train3.txt, line 3", "expected CLASS/FILE", line]);
    }
    let data = small_dtd("dtd/dtd", "\n \n");
    let read = open_split("dtd", data.path(), Some("partition-3"));
    assert_says(read, &["train3.txt, line 1", "CLASS/FILE", "found no line"]);
}

fn small_food(train: &str) -> Result<Dataset> {
    let test = r#"{"waffles": ["waffles/3"]}"#;
    let images = [
        "food-101/images/waffles/1.jpg",
        "food-101/images/pho/2.jpg",
        "food-101/images/waffles/3.jpg",
    ];
    let texts = [
        ("food-101/meta/train.json", train),
        ("food-101/meta/test.json", test),
    ];
    let folder = tree(&texts, &images);
    open("food-101", folder.path()).inspect(|food| assert!(decodes(food)))
}

#[test]
fn food101_keeps_the_order_of_its_lists() {
    let food =
        small_food(r#"{"waffles": ["waffles/1"], "pho": ["pho/2"]}"#).expect("a sound sample");
    assert_eq!(food.class_names, ["pho", "waffles"]);
    assert_eq!(
        (food.train.labels(), food.test.labels()),
        (&[1, 0][..], &[1][..])
    );
    assert_eq!(food.train.source(0), "food-101/images/waffles/1.jpg");
}

#[test]
fn broken_food101_lists_are_named() {
    let says = [
        "train.json",
        "an object with a list of paths for each class",
    ];
    for (text, place, found) in [
        (r#"["pho/2"]"#, "line 1, column ", "invalid type: sequence"),
        (
            r#"{"pho": "pho/2"}"#,
            "line 1, column ",
            "invalid type: string",
        ),
        (
            "{\n\"pho\": [2]}",
            "line 2, column ",
            "invalid type: integer",
        ),
        (r#"{"pho": ["pho/2"]"#, "line 1, column ", "EOF"),
        (r#"{"pho": []}"#, "top level", "no image"),
    ] {
        assert_says(small_food(text), &says);
        assert_says(small_food(text), &[place, found]);
    }
    let outside = small_food(r#"{"pho": ["pho/2", "../../2"]}"#);
    assert_says(outside, &["\"pho\"[1]", "below the folder", "'../../2'"]);
}

fn small_pets(folder: &str, trainval: &str) -> Result<Dataset> {
    let at = |path: &str| format!("{folder}/{path}");
    let data = tree(
        &[
            (&at("annotations/trainval.txt"), trainval),
            (&at("annotations/test.txt"), "boxer_2 9 2 5\n"),
        ],
        &[&at("images/boxer_2.jpg"), &at("images/Maine_Coon_1.jpg")],
    );
    open("pets", data.path()).inspect(|pets| assert!(decodes(pets)))
}

#[test]
fn pets_keep_the_official_numbers() {
    for folder in ["oxford-iiit-pet", "oxford_pets"] {
        let pets = small_pets(folder, "Maine_Coon_1 21 1 8\n").expect("a sound sample");
        assert_eq!(
            (pets.train.labels(), pets.test.labels()),
            (&[20][..], &[8][..])
        );
        assert_eq!(
            (pets.class_names.len(), &*pets.class_names[20]),
            (21, "Maine Coon")
        );
    }
}

#[test]
fn bad_lines_of_pets_are_named() {
    for line in [
        "Maine_Coon_1 0 1 8",
        "Maine_Coon_1 38 1 8",
        "Maine_Coon_1 20 1 8",
        "Maine_Coon_1 x 1 8",
        "Maine_Coon_1 21",
        "Maine_Coon_1 21 1 8 9",
        "../Maine_Coon_1 21 1 8",
    ] {
        let says = ["trainval.txt, line 1", "from 1 to 37", line];
        assert_says(small_pets("oxford-iiit-pet", line), &says);
    }
}

#[test]
fn the_arrays_of_caltech101_are_read() {
    let Some(folder) = shared("datasets/caltech101") else {
        return;
    };
    let expected = &common::json(&folder.join("expected.json"))["npz"];
    let arrays = open_split("caltech101", &folder, Some("npz")).expect("the sample");
    assert_eq!(
        serde_json::json!(arrays.train.labels()),
        expected["y_train"]
    );
    assert_eq!(serde_json::json!(arrays.test.labels()), expected["y_val"]);
    assert_eq!(arrays.class_names, ["0", "1", "2", "3", "4"]);
    let first = expected["caltech101_64_first5_train_sha256"]
        .as_array()
        .expect("digests");
    for (index, digest) in first.iter().enumerate() {
        let image = arrays.train.decode(index).expect("an image").to_rgb();
        assert_eq!(Digest::of_bytes(&image.pixels).to_string(), *digest);
    }
}
