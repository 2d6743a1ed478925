//! Data sets of image files and lists of them: against samples of the real ones, and against small
//! generated trees in the official layout where no real sample could be had (EuroSAT, SUN397,
//! UCF101, FGVC-Aircraft) or where something is broken.

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::{assert_as_expected, assert_says, dot, json, shared, write};
use rut_data::{Counts, Dataset, Digest, ImageSet, Result, find, open, open_split};
use serde_json::json;
use tempfile::{TempDir, tempdir};

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

/// A folder with these files; images are single pixels of different values.
fn tree(texts: &[(&str, &str)], images: &[&str]) -> TempDir {
    let folder = tempdir().expect("a folder");
    for (path, text) in texts {
        write(folder.path().join(path), text.as_bytes());
    }
    for (value, path) in images.iter().enumerate() {
        write(folder.path().join(path), &dot(value as u8));
    }
    folder
}

fn sources(set: &ImageSet) -> Vec<String> {
    (0..set.len()).map(|index| set.source(index)).collect()
}

fn decodes(dataset: &Dataset) -> bool {
    [&dataset.train, &dataset.test]
        .iter()
        .all(|set| (0..set.len()).all(|index| set.decode(index).is_ok()))
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
            &["labels/train1.txt", "--split partition-3", "fetch-data dtd"],
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

/// A EuroSAT of the official layout with twenty generated images of one class and ten of another.
fn small_eurosat() -> TempDir {
    let images: Vec<String> = (1..=30)
        .map(|at| match at {
            1..=20 => format!("eurosat/2750/River/River_{at}.jpg"),
            _ => format!("eurosat/2750/Forest/Forest_{at}.jpg"),
        })
        .collect();
    tree(&[], &images.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn eurosat_is_split_by_class_and_always_the_same() {
    let data = small_eurosat();
    let [first, again] = [0; 2].map(|_| open("eurosat", data.path()).expect("a generated tree"));
    assert_eq!(first.class_names, ["Forest", "River"]);
    assert_eq!(first.train.class_counts(2), [9, 18]);
    assert_eq!(first.test.class_counts(2), [1, 2]);
    assert_eq!(sources(&first.test), sources(&again.test));
    let both = [sources(&first.train), sources(&first.test)].concat();
    assert_eq!(both.iter().collect::<BTreeSet<_>>().len(), 30);
    // Pinned: another order would change every result.
    assert_eq!(
        sources(&first.test),
        [
            "eurosat/2750/Forest/Forest_30.jpg",
            "eurosat/2750/River/River_15.jpg",
            "eurosat/2750/River/River_16.jpg",
        ]
    );
}

#[test]
fn eurosat_leaks_only_where_it_is_asked_to() {
    let data = small_eurosat();
    let leak = open_split("eurosat", data.path(), Some("leak")).expect("a generated tree");
    assert_eq!((leak.train.len(), leak.test.len()), (30, 30));
    assert_eq!(sources(&leak.train), sources(&leak.test));
    assert!(decodes(&leak));
    let coop = open_split("eurosat", data.path(), Some("coop"));
    let says = [
        "--split stratified",
        "fetch-data eurosat",
        "get split_zhou_EuroSAT.json",
    ];
    assert_says(coop, &says);
}

#[test]
fn a_class_without_images_is_named() {
    let data = small_eurosat();
    write(data.path().join("eurosat/2750/SeaLake/readme.txt"), b"none");
    let says = ["2750/SeaLake", "images in each", "found none"];
    assert_says(open("eurosat", data.path()), &says);
    let empty = tempdir().expect("a folder");
    write(empty.path().join("eurosat/2750/readme.txt"), b"none");
    let says = ["eurosat/2750: expected folders of classes", "found none"];
    assert_says(open("eurosat", empty.path()), &says);
}

const SCENES: &str = "/a/abbey\n/b/balcony/exterior\n/b/balcony/interior\n";

/// A SUN397 of the official layout with generated images of three classes, and lists in `lists`.
fn small_sun(lists: &str, training: &str) -> TempDir {
    let images: Vec<String> = ["a/abbey", "b/balcony/exterior", "b/balcony/interior"]
        .iter()
        .flat_map(|class| (1..=4).map(move |at| format!("SUN397/{class}/sun_{at}.jpg")))
        .collect();
    let testing = "/b/balcony/interior/sun_1.jpg\n/a/abbey/sun_2.jpg\n";
    tree(
        &[
            ("SUN397/ClassName.txt", SCENES),
            (&format!("{lists}Training_02.txt"), training),
            (&format!("{lists}Testing_02.txt"), testing),
        ],
        &images.iter().map(String::as_str).collect::<Vec<_>>(),
    )
}

#[test]
fn sun397_is_split_in_halves() {
    let data = small_sun("", "/a/abbey/sun_1.jpg");
    let sun = open("sun397", data.path()).expect("a generated tree");
    assert_eq!(
        sun.class_names,
        ["abbey", "balcony/exterior", "balcony/interior"]
    );
    assert_eq!(sun.train.class_counts(3), [2; 3]);
    assert_eq!(sun.test.class_counts(3), [2; 3]);
    assert!(decodes(&sun));
}

#[test]
fn sun397_has_ten_partitions_in_two_places() {
    for lists in ["", "SUN397/Partitions/"] {
        let data = small_sun(lists, "/b/balcony/exterior/sun_3.jpg\n");
        let sun = open_split("sun397", data.path(), Some("partition-2")).expect("a partition");
        assert_eq!(
            (sun.train.labels(), sun.test.labels()),
            (&[1][..], &[2, 0][..])
        );
        assert_eq!(sun.train.source(0), "SUN397/b/balcony/exterior/sun_3.jpg");
        assert!(decodes(&sun));
        let other = open_split("sun397", data.path(), Some("partition-10"));
        assert_says(other, &["Training_10.txt", "--split stratified"]);
    }
}

#[test]
fn bad_lines_of_sun397_are_named() {
    for line in [
        "/a/alley/sun_1.jpg",
        "a/abbey/sun_1.jpg",
        "/a/../abbey/x",
        "/a",
    ] {
        let data = small_sun("", line);
        let read = open_split("sun397", data.path(), Some("partition-2"));
        assert_says(read, &["Training_02.txt, line 1", "ClassName.txt", line]);
    }
    let data = small_sun("", "");
    let names = format!("{SCENES}/a/abbey\n");
    write(data.path().join("SUN397/ClassName.txt"), names.as_bytes());
    let says = ["ClassName.txt, class 'a/abbey'", "each class once"];
    assert_says(open("sun397", data.path()), &says);
    for line in ["a/abbey", "/abbey", "/../abbey", "/aa/abbey"] {
        let data = small_sun("", "");
        let names = format!("{SCENES}{line}\n");
        write(data.path().join("SUN397/ClassName.txt"), names.as_bytes());
        assert_says(
            open("sun397", data.path()),
            &["ClassName.txt, line 4", line],
        );
    }
}

/// A UCF101 of the official layout with generated images of three classes.
fn small_ucf(classes: &str, train: &str) -> Result<Dataset> {
    let list = |name: &str| format!("ucf101/ucfTrainTestlist/{name}.txt");
    let frame = |path: &str| format!("ucf101/UCF-101-midframes/{path}.jpg");
    let data = tree(
        &[
            (&list("classInd"), classes),
            (&list("trainlist02"), train),
            (&list("testlist02"), "TaiChi/v_TaiChi_g01_c01.avi\n"),
        ],
        &[
            &frame("Archery/v_Archery_g01_c01"),
            // The video's name has another letter in uppercase than its class.
            &frame("Handstand_Pushups/v_HandStandPushups_g01_c01"),
            &frame("Tai_Chi/v_TaiChi_g01_c01"),
        ],
    );
    open_split("ucf101", data.path(), Some("official-2")).inspect(|ucf| assert!(decodes(ucf)))
}

const ACTIONS: &str = "1 Archery\n2 HandstandPushups\n3 TaiChi\n";

#[test]
fn ucf101_frames_stand_for_videos() {
    let train =
        "HandstandPushups/v_HandStandPushups_g01_c01.avi 2\r\nArchery/v_Archery_g01_c01.avi 1\r\n";
    let ucf = small_ucf(ACTIONS, train).expect("a generated tree");
    assert_eq!(ucf.class_names, ["Archery", "HandstandPushups", "TaiChi"]);
    assert_eq!(
        (ucf.train.labels(), ucf.test.labels()),
        (&[1, 0][..], &[2][..])
    );
    let missing = open("ucf101", Path::new("nowhere"));
    assert_says(
        missing,
        &[
            "ucf101/UCF-101-midframes or",
            "get UCF-101-midframes.zip",
            "DATASETS.md",
        ],
    );
}

#[test]
fn bad_lines_of_ucf101_are_named() {
    for line in [
        "Archery/v_Archery_g01_c01.avi 2",
        "Archery/v_Archery_g01_c01.mp4 1",
        "Yoga/v_Yoga_g01_c01.avi",
        "v_Archery_g01_c01.avi 1",
        "Archery/../v_Archery_g01_c01.avi 1",
    ] {
        let read = small_ucf(ACTIONS, line);
        assert_says(
            read,
            &[
                "trainlist02.txt, line 1",
                "of a class of classInd.txt",
                line,
            ],
        );
    }
    let train = "Archery/v_Archery_g01_c01.avi 1";
    let gap = small_ucf("1 Archery\n3 TaiChi\n", train);
    assert_says(
        gap,
        &[
            "classInd.txt, class 'TaiChi'",
            "expected number 2",
            "found 3",
        ],
    );
    let twice = small_ucf("1 Archery\n2 Archery\n", train);
    assert_says(twice, &["classInd.txt, class 'Archery'", "each class once"]);
    let word = small_ucf("one Archery\n", train);
    assert_says(word, &["classInd.txt, line 1", "'one Archery'"]);
}

const VARIANTS: &str = "707-320\nBoeing 717\nF-16A/B\r\n";

/// An FGVC-Aircraft of the official layout with generated images of three variants.
fn small_aircraft(classes: &str, train: &str) -> Result<Dataset> {
    let at = |path: &str| format!("fgvc-aircraft-2013b/data/{path}");
    let data = tree(
        &[
            (&at("variants.txt"), classes),
            (&at("images_variant_train.txt"), train),
            (&at("images_variant_val.txt"), "0000002 707-320\n"),
            (&at("images_variant_test.txt"), "0000003 Boeing 717\n"),
        ],
        &["0000001", "0000002", "0000003"]
            .map(|name| at(&format!("images/{name}.jpg")))
            .each_ref()
            .map(String::as_str),
    );
    open("FGVC-Aircraft", data.path()).inspect(|aircraft| assert!(decodes(aircraft)))
}

#[test]
fn aircraft_are_read_by_variant() {
    let train = "0000001 F-16A/B\r\n\n0000003 Boeing 717";
    let aircraft = small_aircraft(VARIANTS, train).expect("a generated tree");
    assert_eq!(aircraft.class_names, ["707-320", "Boeing 717", "F-16A/B"]);
    let validation = aircraft.validation.as_ref().expect("validation images");
    assert_eq!(
        [&aircraft.train, validation, &aircraft.test].map(ImageSet::labels),
        [&[2, 1][..], &[0], &[1]]
    );
    assert_eq!(
        sources(&aircraft.train),
        [
            "fgvc-aircraft-2013b/data/images/0000001.jpg",
            "fgvc-aircraft-2013b/data/images/0000003.jpg",
        ]
    );
    let says = ["fgvc-aircraft-2013b/data", "fetch-data fgvcaircraft"];
    assert_says(open("aircraft", Path::new("nowhere")), &says);
}

#[test]
fn labels_of_aircraft_are_places_in_the_file() {
    let train = "0000001 F-16A/B\n";
    let aircraft = small_aircraft("F-16A/B\nBoeing 717\n707-320\n", train).expect("a tree");
    assert_eq!(
        (aircraft.train.labels(), aircraft.test.labels()),
        (&[0][..], &[1][..])
    );
}

#[test]
fn bad_lines_of_aircraft_are_named() {
    for line in [
        "0000001",
        "0000001 Boeing",
        "0000001  Boeing 717",
        "0000001 boeing 717",
        "../0000001 707-320",
        "a/0000001 707-320",
        "/0000001 707-320",
    ] {
        let read = small_aircraft(VARIANTS, &format!("0000001 707-320\n{line}\n"));
        let says = ["images_variant_train.txt, line 2", "variants.txt", line];
        assert_says(read, &says);
    }
    let empty = small_aircraft(VARIANTS, "");
    assert_says(
        empty,
        &["images_variant_train.txt, line 1", "found no line"],
    );
    let none = small_aircraft("\n", "0000001 707-320");
    assert_says(none, &["variants.txt, line 1", "a class", "found no line"]);
    let twice = small_aircraft("707-320\nBoeing 717\n707-320\n", "0000001 707-320");
    assert_says(twice, &["variants.txt, class '707-320'", "each class once"]);
    // A list that was cut: the classes of the other lists are no longer in it.
    let cut = small_aircraft("707-320\nBoei", "0000001 707-320");
    assert_says(cut, &["images_variant_test.txt, line 1", "Boeing 717"]);
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
