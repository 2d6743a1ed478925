//! A user's own validation images are validated on; runs and studies that were begun before go on without them.

mod rut;

use std::fs;
use std::path::{Path, PathBuf};

use rut::{ends, record, refuses, rut};

const TICKET: &str = "--model resnet20_cifar100 --sparsity 8 --epochs 2 --batch-size 5";

/// Two classes with so many images each in every folder.
fn folders(root: &Path, folders: &[(&str, u8)]) {
    for (index, (folder, count)) in (0u8..).zip(folders) {
        for (class, shade) in [("day", 180u8), ("night", 20)] {
            let path = root.join(folder).join(class);
            fs::create_dir_all(&path).unwrap();
            for image in 0..*count {
                let value = shade + 20 * index + image;
                let bytes = [b"P5 8 8 255\n".as_slice(), &[value; 64]].concat();
                fs::write(path.join(format!("{image:02}.pgm")), bytes).unwrap();
            }
        }
    }
}

fn with_three_parts() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    folders(
        &dir.path().join("data"),
        &[("train", 12), ("val", 6), ("test", 3)],
    );
    dir
}

fn lp(dir: &Path, more: &str) -> std::process::Command {
    rut(
        dir,
        &format!(
            "lp --dataset {0}/data --results-path {0}/results {TICKET} {more}",
            dir.display()
        ),
    )
}

/// The folder that a run printed last.
fn run(dir: &Path, more: &str) -> PathBuf {
    let (out, _) = ends(lp(dir, more), 0);
    PathBuf::from(out.lines().last().unwrap())
}

fn counts(run: &Path) -> [u64; 3] {
    let data = record(run)["data"].clone();
    let length = |key: &str| data[key].as_array().unwrap().len() as u64;
    let labels = data["labels_used"].as_u64().unwrap();
    [
        length("train_indices"),
        length("validation_indices"),
        labels,
    ]
}

#[test]
fn the_val_folder_is_the_validation_set() {
    let dir = with_three_parts();
    let full = run(dir.path(), "");
    assert_eq!(counts(&full), [24, 12, 36]);
    assert_eq!(record(&full)["spec"]["validation"], "own");
    // All training images are shots: none of them is kept for validation.
    assert_eq!(counts(&run(dir.path(), "--n-shot 12")), [24, 8, 32]);
    assert_eq!(counts(&run(dir.path(), "--n-shot 2")), [4, 4, 8]);
    assert_eq!(
        counts(&run(dir.path(), "--n-shot 2 --val-shots 5")),
        [4, 10, 14]
    );
    let (out, _) = ends(
        rut(
            dir.path(),
            &format!("eval {} --part validation --json", full.display()),
        ),
        0,
    );
    let now: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(now["raw"]["nll"], record(&full)["validation"]["raw"]["nll"]);
    let (out, _) = ends(
        rut(
            dir.path(),
            &format!("data draw {}/data --n-shot 2", dir.path().display()),
        ),
        0,
    );
    let validation = out.lines().filter(|line| line.contains(",validation,"));
    assert!(
        validation.clone().count() == 4 && validation.clone().all(|line| line.starts_with("val/"))
    );
}

#[test]
fn drawn_keeps_the_rule_and_the_id_from_before() {
    let dir = with_three_parts();
    let (own, drawn) = (
        run(dir.path(), "--n-shot 2"),
        run(dir.path(), "--n-shot 2 --validation drawn"),
    );
    assert_ne!(own, drawn);
    fs::remove_dir_all(dir.path().join("data/val")).unwrap();
    let name = drawn.file_name().unwrap().to_str().unwrap();
    let (out, _) = ends(lp(dir.path(), "--n-shot 2 --dry-run"), 0);
    assert!(out.contains(&format!("run id      {name}")), "{out}");
    refuses(
        dir.path(),
        &format!(
            "lp --dataset {0}/data --results-path {0}/results {TICKET} --validation owm",
            dir.path().display()
        ),
        2,
        &["own", "drawn"],
    );
}

#[test]
fn other_validation_images_are_another_run() {
    let dir = with_three_parts();
    let before = run(dir.path(), "");
    fs::remove_file(dir.path().join("data/val/day/05.pgm")).unwrap();
    assert_ne!(before, run(dir.path(), ""));
    // What validates on none of them is the same run with and without them.
    let none = run(dir.path(), "--val-shots 0");
    fs::remove_dir_all(dir.path().join("data/val")).unwrap();
    let (out, _) = ends(lp(dir.path(), "--val-shots 0 --dry-run"), 0);
    let name = none.file_name().unwrap().to_str().unwrap();
    assert!(out.contains(&format!("run id      {name}")), "{out}");
}

/// As an earlier version wrote it: it knew no word for where validation images come from.
fn forget_the_word(file: &Path) {
    let text = fs::read_to_string(file).unwrap();
    let text = text.replace("validation = \"drawn\"\n", "");
    fs::write(file, text.replace("\"validation\":\"drawn\",", "")).unwrap();
}

#[test]
fn a_run_that_was_begun_before_goes_on_as_it_was_begun() {
    let dir = with_three_parts();
    for name in ["", "--run-name mine"] {
        let drawn = run(dir.path(), &format!("--n-shot 2 {name} --validation drawn"));
        forget_the_word(&drawn.join("spec.toml"));
        fs::remove_file(drawn.join("record.json")).unwrap();
        let again = run(dir.path(), &format!("--n-shot 2 {name} --resume"));
        assert_eq!(again, drawn);
        assert_eq!(counts(&again), [4, 4, 8]);
        assert_eq!(record(&again)["spec"]["validation"], "drawn");
    }
    // The note names the folder if it is another one.
    let (_, err) = ends(
        lp(
            dir.path(),
            "--n-shot 2 --run-name mine --resume --validation own",
        ),
        2,
    );
    assert!(err.contains("validation"), "{err}");
    let drawn = dir.path().join("results/mine/spec.toml");
    let line = format!("--config {} --dry-run --run-name x", drawn.display());
    forget_the_word(&drawn);
    let (out, _) = ends(lp(dir.path(), &line), 0);
    assert!(out.contains("validation = \"drawn\""), "{out}");
}

#[test]
fn a_study_that_was_begun_before_goes_on_as_it_was_begun() {
    let dir = with_three_parts();
    let study = dir.path().join("study.toml");
    let text = |more: &str, seeds: &str| {
        format!(
            "title = 't'\n[base]\nmethod = 'lp'\ndataset = '{0}/data'\nresults_path = '{0}/results'\nn_shot = 2\n\
             model = 'resnet20_cifar100'\nsparsity = 8\nepochs = 1\nbatch_size = 5\n{more}\n[axes]\nseed = {seeds}\n",
            dir.path().display()
        )
    };
    let sweep = || rut(dir.path(), &format!("sweep run {}", study.display()));
    fs::write(&study, text("validation = 'drawn'", "[1, 2]")).unwrap();
    ends(sweep(), 0);
    let results = dir.path().join("results");
    let runs = || {
        let runs = fs::read_dir(&results)
            .unwrap()
            .map(|run| run.unwrap().path());
        runs.filter(|run| run.is_dir()).collect::<Vec<_>>()
    };
    forget_the_word(&results.join("plan.jsonl"));
    // Twice: the plan is written again.
    for (seeds, count) in [("[1, 2, 3]", 3), ("[1, 2, 3, 4]", 4)] {
        fs::write(&study, text("", seeds)).unwrap();
        ends(sweep(), 0);
        assert_eq!(runs().len(), count);
        for run in runs() {
            assert_eq!(record(&run)["spec"]["validation"], "drawn");
        }
    }
    // A study of its own results begins by the rule of today.
    fs::remove_dir_all(&results).unwrap();
    ends(sweep(), 0);
    for run in runs() {
        assert_eq!(record(&run)["spec"]["validation"], "own");
    }
}
