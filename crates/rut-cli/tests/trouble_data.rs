//! Data sets of users that went wrong before, from the shared material: right results by torchvision, Pillow and pyarrow.

#![cfg(unix)]

mod rut;

use std::path::{Path, PathBuf};

use rut::{ends, record, rut, shared};

const TICKET: &str = "--model resnet20_cifar100 --sparsity 8 --epochs 1 --batch-size 8";

/// A probe of the data set at `data`: its record, and what was said.
fn probe(data: &Path, more: &str) -> (serde_json::Value, String) {
    let dir = tempfile::tempdir().unwrap();
    let line = format!(
        "lp --dataset {} --results-path {}/r {TICKET} {more}",
        data.display(),
        dir.path().display()
    );
    let (out, err) = ends(rut(dir.path(), &line), 0);
    (record(Path::new(out.lines().last().unwrap())), err)
}

/// Training, validation and test images of a record.
fn images(record: &serde_json::Value) -> [usize; 3] {
    let data = &record["data"];
    let length = |key: &str| data[key].as_array().unwrap().len();
    let test = data["test_images"].as_u64().unwrap() as usize;
    [length("train_indices"), length("validation_indices"), test]
}

#[test]
fn one_shot_and_one_validation_image_run_on_four() {
    let Some(folder) = shared("trouble/02_val_shots_ignored/data") else {
        return;
    };
    for more in ["--n-shot 1 --val-shots 1", "--n-shot 1"] {
        assert_eq!(images(&probe(&folder, more).0), [2, 2, 8], "{more}");
    }
}

#[test]
fn the_val_folder_is_used() {
    let Some(folder) = shared("trouble/03_val_folder_unused/data") else {
        return;
    };
    assert_eq!(images(&probe(&folder, "").0), [36, 18, 18]);
    assert_eq!(images(&probe(&folder, "--n-shot 12").0), [36, 12, 18]);
}

#[test]
fn tables_of_the_hub_are_read() {
    let Some(folder) = shared("trouble/09_parquet") else {
        return;
    };
    for (name, test) in [
        ("zstd", None),
        ("bytes", None),
        ("convert", None),
        ("neg", Some("unlabelled")),
    ] {
        let (record, said) = probe(&folder.join(name), "--n-shot 1");
        assert!(images(&record)[2] > 0, "{name}");
        match test {
            None => assert!(!said.contains("made by rut"), "{name}: {said}"),
            Some(word) => assert!(
                said.contains(word) && said.contains("made by rut") && said.contains("seed 0"),
                "{said}"
            ),
        }
    }
}

#[test]
fn valid_is_a_word_for_validation() {
    let (Some(list), Some(plain)) = (
        shared("trouble/12_csv_valid/valid.csv"),
        shared("trouble/data_plain"),
    ) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(plain, dir.path().join("plain")).unwrap();
    std::fs::create_dir(dir.path().join("lists")).unwrap();
    let copy: PathBuf = dir.path().join("lists/valid.csv");
    std::fs::copy(list, &copy).unwrap();
    // There is no test part: validation serves for testing.
    let (record, _) = probe(&copy, "--n-shot 2");
    assert_eq!(images(&record), [6, 6, 18]);
}

#[test]
fn a_check_says_decoded_only_of_what_was() {
    let Some(folder) = shared("trouble/10_image_kinds/data") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let line = format!("data check {}", folder.display());
    let (out, _) = ends(rut(dir.path(), &line), 3);
    assert!(!out.contains("every image was decoded"), "{out}");
    assert!(out.contains(" files decoded; not images: "), "{out}");
    assert!(out.contains("1 other file is left out: 'a/x.jp2'"), "{out}");
    assert!(
        out.contains("made by rut") && out.contains("seed 0"),
        "{out}"
    );
    let (out, _) = ends(rut(dir.path(), &format!("{line} --json")), 3);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["other_files"], 1);
    let sum = |key: &str| {
        let parts = report["parts"].as_array().unwrap().iter();
        parts.map(|part| part[key].as_u64().unwrap()).sum::<u64>()
    };
    let undecodable = report["findings"].as_array().unwrap().iter();
    let undecodable = undecodable
        .filter(|finding| finding["kind"] == "undecodable")
        .count() as u64;
    assert_eq!(sum("images") - sum("decoded"), undecodable);
    assert!(sum("no_images") >= 2 && sum("no_images") <= undecodable);
}
