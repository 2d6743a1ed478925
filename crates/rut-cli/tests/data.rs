//! `rut data check`, `show` and `draw` on small folders that are made here, and on the bundled digits.

mod rut;

use std::fs;
use std::path::Path;

use rut::{ends, rut};
use serde_json::Value;

/// Class folders of one-pixel images: 24 to train on, 8 to test on, no two alike.
fn folders(dir: &Path) -> String {
    for at in 0..32u8 {
        let part = if at < 24 { "train" } else { "test" };
        let class = if at % 2 == 0 { "crow" } else { "a, \"b\"" };
        let folder = dir.join("birds").join(part).join(class);
        fs::create_dir_all(&folder).unwrap();
        let image = [b"P5 1 1 255\n".as_slice(), &[at]].concat();
        fs::write(folder.join(format!("{at:02}.pgm")), image).unwrap();
    }
    dir.join("birds").display().to_string()
}

#[test]
fn a_sound_data_set_passes_and_one_with_leaks_ends_with_3() {
    let dir = tempfile::tempdir().unwrap();
    let birds = folders(dir.path());
    let (out, _) = ends(rut(dir.path(), &format!("data check {birds}")), 0);
    assert!(
        out.contains("test        8         0                 4"),
        "{out}"
    );
    assert!(out.contains("nothing wrong"), "{out}");
    let copy = dir.path().join("birds/test/crow/copy.pgm");
    fs::copy(dir.path().join("birds/train/crow/00.pgm"), copy).unwrap();
    fs::write(dir.path().join("birds/test/crow/cut.jpg"), b"\xff\xd8\xff").unwrap();
    let (out, err) = ends(rut(dir.path(), &format!("data check {birds}")), 3);
    assert!(
        out.contains("train/crow/00.pgm (train, label 1) and test/crow/copy.pgm (test, label 1)"),
        "{out}"
    );
    assert!(out.contains("cut.jpg: truncated JPEG"), "{out}");
    assert!(err.contains("2 findings"), "{err}");
    let (out, _) = ends(rut(dir.path(), &format!("data check {birds} --json")), 3);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        report["parts"][1]["class_counts"],
        serde_json::json!([4, 6])
    );
    let kinds: Vec<&str> = (0..2)
        .map(|at| report["findings"][at]["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["undecodable", "duplicate"]);
}

#[test]
fn the_bundled_digits_are_whole_but_some_of_their_classes_are_not() {
    let dir = tempfile::tempdir().unwrap();
    ends(rut(dir.path(), "data check digits"), 0);
    ends(rut(dir.path(), "data check digits --classes 1,7"), 0);
    ends(rut(dir.path(), "data check digits --split stratified:9"), 0);
    let (_, err) = ends(rut(dir.path(), "data check digits --split coop"), 2);
    assert!(err.contains("expected one of stratified"), "{err}");
    ends(rut(dir.path(), "data check cifar10 --data-dir /nowhere"), 3);
}

#[test]
fn a_contact_sheet_is_written_where_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let sheet = dir.path().join("sheet.png");
    let line = format!("data show digits --part test --output {}", sheet.display());
    let (out, _) = ends(rut(dir.path(), &line), 0);
    assert!(
        out.contains("797 test, 10 classes") && out.contains("mean           0.30"),
        "{out}"
    );
    let picture = rut_images::decode(&fs::read(&sheet).unwrap()).unwrap();
    assert!(picture.width() > 500, "{}", picture.width());
    let (out, _) = ends(rut(dir.path(), &format!("{line} --json")), 0);
    let printed: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (printed["images"].as_u64(), printed["width"][2].as_u64()),
        (Some(797), Some(8))
    );
    let (_, err) = ends(rut(dir.path(), "data show digits --per-class 0"), 2);
    assert!(err.contains("images per class '0'"), "{err}");
    let (_, err) = ends(rut(dir.path(), "data show digits --part validation"), 2);
    assert!(err.contains("none of its own"), "{err}");
    let nowhere = dir.path().join("no/sheet.png");
    ends(
        rut(
            dir.path(),
            &format!("data show digits -o {}", nowhere.display()),
        ),
        3,
    );
}

#[test]
fn what_is_drawn_is_what_a_run_draws() {
    let dir = tempfile::tempdir().unwrap();
    let birds = folders(dir.path());
    let file = dir.path().join("drawn.csv");
    let line = format!(
        "data draw {birds} --n-shot 2 --seed 7 --output {}",
        file.display()
    );
    let (out, err) = ends(rut(dir.path(), &line), 0);
    assert_eq!(out, "");
    assert!(
        err.contains("4 training, 4 validation, 8 test images; seed 7"),
        "{err}"
    );
    let text = fs::read_to_string(&file).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("path,label,split,index,class"));
    // The class's name needs quotes, and has some.
    assert!(text.contains(",\"a, \"\"b\"\"\",train,"), "{text}");
    let drawn: Vec<usize> = text
        .lines()
        .filter(|line| line.contains(",train,"))
        .map(|line| line.rsplit(',').nth(1).unwrap().parse().unwrap())
        .collect();
    let results = dir.path().join("results");
    let run = format!(
        "lp --dataset {birds} --n-shot 2 --seed 7 --epochs 1 --model resnet20_cifar100 --network dense \
         --results-path {} --json",
        results.display()
    );
    let (out, _) = ends(rut(dir.path(), &run), 0);
    let record: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(record["data"]["train_indices"], serde_json::json!(drawn));
    let all = format!("data draw {birds} --fraction 1 --val-fraction 0");
    assert!(ends(rut(dir.path(), &all), 0)
        .1
        .contains("24 training, 0 validation"));
    let both = format!("data draw {birds} --fraction 0.1 --n-shot 2");
    ends(rut(dir.path(), &both), 2);
    let (_, err) = ends(
        rut(dir.path(), &format!("data draw {birds} --fraction 2")),
        2,
    );
    assert!(err.contains("above 0 and at most 1"), "{err}");
}
