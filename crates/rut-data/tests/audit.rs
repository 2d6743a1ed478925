//! What an audit finds in data sets that are made wrong on purpose, and how a sound one looks.

mod common;

use std::path::Path;

use common::{dot, write};
use rut_data::audit::{Audit, Expected, Finding, audit, other_files};
use rut_data::{ContactSheet, Counts, Dataset, ImageSet, Survey, open};
use tempfile::{TempDir, tempdir};

/// Folders of one-pixel images, and what `change` makes of them: eight values in `train`, four others in `test`.
fn folders(change: impl Fn(&Path)) -> (TempDir, Dataset) {
    let folder = tempdir().expect("a folder");
    for at in 0..12u8 {
        let part = if at < 8 { "train" } else { "test" };
        let class = if at % 2 == 0 { "crow" } else { "owl" };
        write(
            folder.path().join(format!("{part}/{class}/{at:02}.pgm")),
            &dot(at),
        );
    }
    change(folder.path());
    let dataset = open(folder.path().to_str().expect("UTF-8"), Path::new("."));
    (folder, dataset.expect("class folders"))
}

fn audited(change: impl Fn(&Path)) -> Audit {
    let (_folder, dataset) = folders(change);
    audit(&dataset, None)
}

fn says(audit: &Audit, texts: &[&str]) {
    let found: Vec<String> = audit.findings.iter().map(ToString::to_string).collect();
    assert_eq!(found, texts);
}

#[test]
fn a_sound_data_set_has_no_findings() {
    let audit = audited(|_| ());
    says(&audit, &[]);
    let [train, test] = audit.parts.as_slice() else {
        panic!("{audit:?}")
    };
    assert_eq!((train.name, train.images, train.repeated), ("train", 8, 0));
    assert_eq!(
        (test.name, test.class_counts.as_slice()),
        ("test", [2, 2].as_slice())
    );
}

#[test]
fn the_same_pixels_in_train_and_test_are_found_whatever_the_file_format() {
    let audit = audited(|folder| {
        write(folder.join("test/owl/again.pbm"), b"P3 1 1 255 2 2 2\n");
        write(folder.join("train/owl/twice.pgm"), &dot(3));
    });
    says(
        &audit,
        &[
            "train/crow/02.pgm (train, label 0) and test/owl/again.pbm (test, label 1) have the same pixels",
        ],
    );
    assert_eq!(audit.parts[0].repeated, 1);
}

#[test]
fn one_image_under_two_labels_is_found_in_every_part() {
    for part in ["train", "test"] {
        let audit = audited(|folder| {
            let images = folder.join(part);
            let first = std::fs::read_dir(images.join("crow"))
                .expect("a class")
                .flatten()
                .next();
            let first = first.expect("an image").path();
            std::fs::copy(&first, images.join("owl/same.pgm")).expect("copied");
            std::fs::copy(&first, images.join("crow/same.pgm")).expect("copied");
        });
        let [finding] = audit.findings.as_slice() else {
            panic!("{:?}", audit.findings);
        };
        let text = finding.to_string();
        assert_eq!(finding.kind(), "contradiction");
        assert!(
            text.starts_with(part)
                && text.contains("(label 0)")
                && text.contains("same.pgm (label 1)"),
            "{text}"
        );
    }
}

#[test]
fn files_that_are_no_images_by_their_names_are_counted() {
    let (folder, _) = folders(|folder| {
        write(folder.join("train/owl/notes.txt"), b"no image");
        write(folder.join("train/list.csv"), b"a,b");
        write(folder.join("test/owl/.hidden"), b"x");
        write(folder.join("README.md"), b"beside the parts");
    });
    let path = folder.path().to_str().expect("UTF-8");
    let others = other_files(path, Path::new("nowhere")).expect("readable");
    assert_eq!(others.count, 2);
    let names: Vec<&str> = others
        .first
        .iter()
        .filter_map(|path| path.to_str())
        .collect();
    assert_eq!(names, ["train/list.csv", "train/owl/notes.txt"]);
    assert_eq!(
        other_files("digits", Path::new("nowhere"))
            .expect("none")
            .count,
        0
    );
}

#[test]
fn a_file_that_stands_in_both_parts_is_found_once() {
    let (_folder, dataset) = folders(|_| ());
    let test = ImageSet::concat(&[&dataset.test, &dataset.train.select(&[0])]).expect("a set");
    let audit = audit(&Dataset { test, ..dataset }, None);
    says(&audit, &["train/crow/00.pgm is both in train and in test"]);
    assert_eq!(audit.findings[0].kind(), "overlap");
}

#[test]
fn every_image_that_does_not_decode_is_named() {
    let audit = audited(|folder| {
        write(folder.join("train/owl/cut.png"), b"\x89PNG\r\n\x1a\n\0\0");
        write(folder.join("test/crow/page.jpg"), b"<html>");
    });
    let kinds: Vec<&str> = audit.findings.iter().map(Finding::kind).collect();
    assert_eq!(kinds, ["undecodable"; 2]);
    let counts = [0, 1].map(|at| {
        (
            audit.parts[at].images - audit.parts[at].decoded,
            audit.parts[at].no_images,
        )
    });
    assert_eq!(counts, [(1, 0), (1, 1)]);
    let [cut, page] = [0, 1].map(|at| audit.findings[at].to_string());
    assert!(
        cut.starts_with("train: failed to decode") && cut.contains("cut.png: truncated PNG"),
        "{cut}"
    );
    assert!(
        page.starts_with("test: failed to decode") && page.contains("HTML"),
        "{page}"
    );
}

#[test]
fn labels_and_classes_are_held_against_their_names() {
    let (_folder, dataset) = folders(|folder| {
        for name in ["09", "11"] {
            std::fs::remove_file(folder.join(format!("test/owl/{name}.pgm"))).expect("removed");
        }
    });
    says(&audit(&dataset, None), &["test: no image of class 'owl'"]);
    let narrow = Dataset {
        class_names: vec!["crow".into()],
        ..dataset
    };
    let audit = audit(&narrow, None);
    assert_eq!(audit.findings.len(), 4);
    assert_eq!(
        audit.findings[0].to_string(),
        "train: train/owl/01.pgm has label 1, expected one below 1"
    );
}

#[test]
fn counts_and_names_are_held_against_the_table() {
    let (_folder, dataset) = folders(|_| ());
    let counts = Counts {
        train: 9,
        validation: Some(3),
        test: 4,
    };
    let expected = |classes| {
        let classes = Some(classes);
        Some(Expected { counts, classes })
    };
    says(
        &audit(&dataset, expected(&["crow", "owl"])),
        &[
            "train: expected 9 images, found 8",
            "validation: expected 3 images, found 0",
        ],
    );
    let renamed = audit(&dataset, expected(&["crow", "kite", "tit"]));
    assert_eq!(
        renamed.findings[0].to_string(),
        "expected 3 classes, found 2; differing: kite, tit, owl"
    );
    let turned = audit(&dataset, expected(&["owl", "crow"]));
    assert_eq!(
        turned.findings[0].to_string(),
        "expected 2 classes, found 2; differing: their order"
    );
}

#[test]
fn a_survey_counts_pixels_and_not_images() {
    let (_folder, dataset) = folders(|folder| {
        write(
            folder.join("train/owl/wide.ppm"),
            b"P6 2 1 255\n\x0a\x14\x1e\x0a\x14\x1e",
        );
    });
    let survey = Survey::of(&dataset.train, 100)
        .expect("images")
        .expect("some");
    assert_eq!(
        (survey.images, survey.widths, survey.heights),
        (9, [1, 1, 2], [1; 3])
    );
    // Red: 0 to 7 and twice 10; the variance is that of ten pixels.
    let red: Vec<f64> = (0..8).map(f64::from).chain([10.0, 10.0]).collect();
    let mean = red.iter().sum::<f64>() / 10.0;
    let variance = red.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 10.0;
    assert!((survey.mean[0] * 255.0 - mean).abs() < 1e-12);
    assert!((survey.std[0] * 255.0 - variance.sqrt()).abs() < 1e-12);
    assert!((survey.mean[2] * 255.0 - 8.8).abs() < 1e-12);
    let some = Survey::of(&dataset.train, 3)
        .expect("images")
        .expect("some");
    assert_eq!(some.images, 3);
    assert_eq!(
        Survey::of(&dataset.train.select(&[]), 3).expect("nothing"),
        None
    );
}

#[test]
fn a_contact_sheet_shows_each_class() {
    let (_folder, dataset) = folders(|_| ());
    let sheet = ContactSheet {
        per_class: 2,
        side: 16,
    };
    let names = ["crow", "a name that is longer than its block is wide"];
    let drawn = sheet.draw(&dataset.train, &names).expect("a sheet");
    let at = |x: usize, y: usize| drawn.pixels[3 * (y * drawn.width as usize + x)];
    // The images 0 and 4 of the first class stand below its name, magnified.
    assert_eq!(
        [at(4, 16), at(19, 31), at(24, 16), at(39, 31)],
        [0, 0, 4, 4]
    );
    assert_eq!([at(20, 16), at(3, 16), at(4, 32)], [255; 3]);
    let ink = (4..40).any(|x| (4..12).any(|y| at(x, y) == 40));
    assert!(ink, "the name is written");
    for (bad, texts) in [
        (
            ContactSheet {
                per_class: 0,
                ..sheet
            },
            "images per class '0'",
        ),
        (ContactSheet { side: 4, ..sheet }, "side of an image '4'"),
    ] {
        let drawn = bad.draw(&dataset.train, &names).map(drop);
        let message = drawn.expect_err("refused").to_string();
        assert!(message.contains(texts), "{message}");
    }
    let many: Vec<String> = (0..100_000).map(|class| class.to_string()).collect();
    let drawn = sheet.draw(&dataset.train, &many).map(drop);
    let message = drawn.expect_err("too large").to_string();
    assert!(message.contains("fewer or smaller images"), "{message}");
}
