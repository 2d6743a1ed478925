//! The split files of CoOp and ILM-VP: against samples of real images, in every place of the table,
//! and the errors for broken ones.

mod common;

use std::path::{Path, PathBuf};

use common::{assert_as_expected, assert_says, dot, json, shared, write};
use rut_data::{DATASETS, Dataset, ImageSet, Result, open_split};
use serde_json::{Value, json};
use tempfile::tempdir;

/// Compares the split `coop` of a sample with what the reference implementation made of it.
fn assert_sample(folder: &str, name: &str) {
    let Some(folder) = shared(&format!("datasets/{folder}")) else {
        return;
    };
    let expected = json(&folder.join("expected.json"));
    let sample = open_split(name, &folder, Some("coop")).expect("the sample");
    assert_as_expected(&sample.train, &expected["splits"]["train"]);
    assert_as_expected(&sample.test, &expected["splits"]["test"]);
    assert!(sample.validation.is_none());
    assert_eq!(json!(sample.class_names), expected["classes"]);
}

#[test]
fn food101_is_read_as_the_reference_does() {
    assert_sample("coop_food101", "food101");
}

#[test]
fn stanfordcars_is_read_as_the_reference_does() {
    assert_sample("coop_stanfordcars", "stanfordcars");
}

/// Three images of two classes.
fn sound() -> Value {
    json!({
        "train": [["owl/1.jpg", 1, "snowy owl"], ["crow/2.jpg", 0, "crow"]],
        "val": [["owl/3.jpg", 1, "snowy owl"]],
        "test": [["crow/4.jpg", 0, "crow"]],
    })
}

/// The same with other names of the classes.
fn named([a, b]: [&str; 2]) -> String {
    let text = sound().to_string();
    let text = text.replace("\"crow\"", &format!("\"{a}\""));
    text.replace("\"snowy owl\"", &format!("\"{b}\""))
}

fn write_images(folder: &Path) {
    for (value, image) in ["owl/1", "crow/2", "owl/3", "crow/4"].iter().enumerate() {
        write(folder.join(format!("{image}.jpg")), &dot(value as u8));
    }
}

#[test]
fn every_form_of_the_table_is_read() {
    let mut forms = 0;
    for spec in DATASETS {
        let Some(coop) = spec.split("coop") else {
            continue;
        };
        assert!(coop.counts.validation.is_some() && coop.about.starts_with("CoOp's split_zhou_"));
        for form in coop.forms {
            let folder = tempdir().expect("a folder");
            let [split, images] = form.layout else {
                panic!("{}: a split file and a folder of images", spec.name);
            };
            let names = [spec.classes[0], spec.classes[1]];
            write(folder.path().join(split), named(names).as_bytes());
            write_images(&folder.path().join(images));
            let read = open_split(spec.name, folder.path(), Some("coop")).expect("a sound file");
            assert_eq!(read.class_names, names);
            let validation = read.validation.as_ref().expect("validation images");
            let labels = [&read.train, validation, &read.test].map(ImageSet::labels);
            assert_eq!(labels, [[1, 0].as_slice(), &[1], &[0]]);
            let first = PathBuf::from(images).join("owl/1.jpg");
            assert_eq!(read.train.source(0), first.display().to_string());
            assert!(read.test.decode(0).is_ok());
            forms += 1;
        }
    }
    assert!(forms >= 22, "{forms}");
}

/// Reads a split file of ILM-VP's form.
fn read(text: &str) -> Result<Dataset> {
    let folder = tempdir().expect("a folder");
    write(folder.path().join("split.json"), text.as_bytes());
    write_images(&folder.path().join("images"));
    open_split("dtd", folder.path(), Some("coop"))
}

#[test]
fn a_file_of_another_data_set_is_refused() {
    let folder = tempdir().expect("a folder");
    let text = named(["banded", "blotchy"]);
    write(folder.path().join("split.json"), text.as_bytes());
    write_images(&folder.path().join("images"));
    let open = |name| open_split(name, folder.path(), Some("coop"));
    assert!(open("dtd").is_ok());
    let says = [
        "split.json, class names",
        "expected those of Food-101",
        "'banded' on, those of Describable Textures Dataset",
        "`data_dir`",
    ];
    assert_says(open("food101"), &says);
}

/// Reads such a file with one value replaced.
fn read_with(pointer: &str, value: Value) -> Result<Dataset> {
    let mut split = sound();
    *split.pointer_mut(pointer).expect("a value") = value;
    read(&split.to_string())
}

#[test]
fn validation_images_may_be_missing() {
    let sound = || -> Value {
        let text = named(["banded", "blotchy"]);
        serde_json::from_str(&text).expect("JSON")
    };
    for none in [json!([]), json!(null)] {
        let mut split = sound();
        split["val"] = none;
        let read = read(&split.to_string()).expect("a sound file");
        assert!(read.validation.is_none());
    }
    let mut split = sound();
    split.as_object_mut().expect("an object").remove("val");
    assert!(
        read(&split.to_string())
            .expect("a sound file")
            .validation
            .is_none()
    );
}

#[test]
fn broken_entries_are_named() {
    for (entry, expected) in [
        (json!(["a.jpg", 0]), "[path, label, class name]"),
        (json!(["a.jpg", 0, "crow", 1]), "[path, label, class name]"),
        (json!({"path": "a.jpg"}), "[path, label, class name]"),
        (json!([7, 0, "crow"]), "[path, label, class name]"),
        (json!(["a.jpg", 0, null]), "[path, label, class name]"),
        (json!(["a.jpg", -1, "crow"]), "a whole number from 0"),
        (json!(["a.jpg", 0.0, "crow"]), "a whole number from 0"),
        (json!(["a.jpg", "0", "crow"]), "a whole number from 0"),
        (
            json!(["a.jpg", 4_294_967_296_u64, "crow"]),
            "a whole number from 0",
        ),
        (
            json!(["/a.jpg", 0, "crow"]),
            "a path below the folder of images",
        ),
        (
            json!(["../a.jpg", 0, "crow"]),
            "a path below the folder of images",
        ),
        (
            json!(["crow/../../a.jpg", 0, "crow"]),
            "a path below the folder of images",
        ),
        (json!(["", 0, "crow"]), "a path below the folder of images"),
        (
            json!(["a.jpg", 1, "crow"]),
            "the class of label 1 to be 'snowy owl', as before",
        ),
    ] {
        let says = ["split.json, \"train\"[1]", expected];
        assert_says(read_with("/train/1", entry), &says);
    }
    let later = read_with("/test/0/2", json!("rook"));
    assert_says(later, &["\"test\"[0]", "'crow', as before", "found 'rook'"]);
}

#[test]
fn deep_and_long_entries_are_named() {
    let deep = format!("{{\"train\":[{}", "[".repeat(100_000));
    assert_says(read(&deep), &["split.json, line 1", "recursion limit"]);
    let long = format!("[\"a.jpg\",0{}]", ",0".repeat(100_000));
    let says = [
        "\"train\"[0]",
        "[path, label, class name]",
        "found '[\"a.jpg\",0,0,0,…]'",
    ];
    assert_says(read(&format!("{{\"train\":[{long}],\"test\":[]}}")), &says);
    let huge = " ".repeat(17 << 20);
    assert_says(read(&huge), &["split.json, its length", "at most 16777216"]);
}

#[test]
fn labels_without_images_are_named() {
    let gap = read_with("/train/0", json!(["owl/1.jpg", 3, "barn owl"]));
    let says = [
        "split.json, labels",
        "every label from 0 to 3",
        "none of label 2",
    ];
    assert_says(gap, &says);
    // The largest label takes no memory.
    let gap = read_with("/train/0", json!(["owl/1.jpg", u32::MAX, "barn owl"]));
    assert_says(gap, &["none of label 2"]);
}

#[test]
fn another_structure_is_named() {
    let structure = "an object with the lists \"train\", \"test\"";
    assert_says(read("[]"), &["\"train\"", structure, "found nothing"]);
    assert_says(read("{"), &["line 1, column 1", structure, "EOF"]);
    assert_says(
        read_with("/train", json!(7)),
        &["\"train\"", structure, "a number"],
    );
    assert_says(
        read_with("/test", json!({})),
        &["\"test\"", structure, "an object"],
    );
    assert_says(
        read_with("/val", json!("x")),
        &["\"val\"", structure, "a text"],
    );
    assert_says(
        read_with("/train", json!([])),
        &["\"train\"", "one image or more"],
    );
    assert_says(
        read_with("/test", json!([])),
        &["\"test\"", "one image or more"],
    );
}
