//! Data sets of which no real sample could be had (EuroSAT, SUN397, UCF101, FGVC-Aircraft): small generated trees in
//! the official layout.

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::{assert_says, decodes, sources, tree, write};
use rut_data::{Dataset, ImageSet, Result, open, open_split};
use tempfile::{TempDir, tempdir};

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
        "`split = stratified",
        "rut fetch eurosat",
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
        assert_says(other, &["Training_10.txt", "`split = stratified"]);
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
    let says = ["fgvc-aircraft-2013b/data", "rut fetch fgvcaircraft"];
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
