//! The binary without anything beside it: in an empty folder, and what it says of itself.

mod rut;

use std::path::{Path, PathBuf};
use std::process::Command;

use rut::{ends, rut};
use serde_json::Value;

/// The binary in `dir`.
fn alone(dir: &Path, line: &str) -> Command {
    let mut command = rut(dir, line);
    command.current_dir(dir);
    command
}

/// The only run in `dir/results`.
fn run_in(dir: &Path) -> PathBuf {
    let mut runs = std::fs::read_dir(dir.join("results")).unwrap();
    let run = runs.next().unwrap().unwrap().path();
    assert!(runs.next().is_none());
    run
}

#[test]
fn the_quickstarts_run_in_an_empty_folder() {
    for method in ["lp", "vp"] {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let (_, err) = ends(alone(dir, &format!("{method} --epochs 2")), 0);
        assert!(
            err.contains("bundled:/resnet20_cifar100_8_mask.safetensors"),
            "{err}"
        );
        let run = run_in(dir);
        let (out, _) = ends(alone(dir, &format!("eval {}", run.display())), 0);
        assert!(out.contains("equal to the record"), "{out}");
        // It is the run that the files of the repository make.
        let line = format!(
            "{method} --epochs 2 --results-path {}",
            dir.join("other").display()
        );
        ends(rut(dir, &line), 0);
        let name = run.file_name().unwrap();
        let read = |results: &str| {
            std::fs::read(dir.join(results).join(name).join("logits.safetensors")).unwrap()
        };
        assert!(read("results") == read("other"));
    }
}

#[test]
fn what_is_not_bundled_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let missing = [
        (
            "vp --sparsity 4",
            "find resnet20_cifar100: no `--checkpoint` is set",
        ),
        ("vp --pretrained-dir other", "the folder other is not there"),
        (
            "lp --dataset digits --model resnet50 --network dense",
            "give its file (`--checkpoint`",
        ),
        (
            "lp --model resnet50 --network dense",
            "no --dataset: the default, cifar10",
        ),
        ("eval nothing", "there is no such folder"),
    ];
    for (line, says) in missing {
        let (_, err) = ends(alone(dir.path(), line), 3);
        assert!(err.contains(says), "{line}: {err}");
    }
}

#[test]
fn data_are_found_where_the_run_found_them() {
    let dir = tempfile::tempdir().unwrap();
    let (data, elsewhere) = (dir.path().join("data/digits"), dir.path().join("elsewhere"));
    std::fs::create_dir_all(&data).unwrap();
    std::fs::create_dir(&elsewhere).unwrap();
    // Other images than those that are part of the program.
    let text = std::fs::read_to_string(rut::root().join("data/digits/digits.csv")).unwrap();
    std::fs::write(data.join("digits.csv"), text.replacen(",0,", ",1,", 1)).unwrap();
    ends(alone(dir.path(), "lp --epochs 2"), 0);
    let line = format!("eval {}", run_in(dir.path()).display());
    let (out, _) = ends(alone(&elsewhere, &line), 0);
    assert!(out.contains("equal to the record"), "{out}");
}

#[test]
fn a_folder_is_predicted_and_a_broken_image_stops_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    ends(alone(dir, "lp --epochs 2"), 0);
    let folder = dir.join("images/deep");
    std::fs::create_dir_all(&folder).unwrap();
    let sheet = dir.join("images/a.png");
    ends(
        alone(dir, "data show digits --per-class 1 --output images/a.png"),
        0,
    );
    std::fs::copy(&sheet, folder.join("b.png")).unwrap();
    let line = format!("predict {} images --top-k 3", run_in(dir).display());
    let (out, _) = ends(alone(dir, &line), 0);
    let table = out.lines().take_while(|line| !line.is_empty());
    assert_eq!(table.count(), 1 + 2 * 3, "{out}");
    assert!(out.contains("images/deep/b.png"), "{out}");
    std::fs::write(dir.join("images/c.png"), "no image").unwrap();
    let (out, err) = ends(alone(dir, &format!("{line} --json")), 1);
    assert!(
        err.contains("images/c.png: ") && err.contains("read 1 of 3 images"),
        "{err}"
    );
    let found: Value = serde_json::from_str(&out).unwrap();
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 2);
    for prediction in found {
        let top = prediction["top"].as_array().unwrap();
        assert_eq!(top.len(), 3);
        assert_eq!(top[0]["class"], prediction["class"]);
        let confidence = |class: &Value| class["confidence"].as_f64().unwrap();
        assert!(confidence(&top[0]) >= confidence(&top[1]));
    }
}

#[test]
fn it_documents_itself() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (version, _) = ends(alone(dir, "--version"), 0);
    assert!(
        version.contains("commit ") && version.contains("features: "),
        "{version}"
    );
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (script, _) = ends(alone(dir, &format!("completions {shell}")), 0);
        assert!(script.contains("n-shot"), "{shell}");
    }
    let (page, _) = ends(alone(dir, "man"), 0);
    assert!(
        page.starts_with(".ie") && page.contains("SUBCOMMANDS"),
        "{page:.300}"
    );
    ends(alone(dir, "man --output pages"), 0);
    let page = std::fs::read_to_string(dir.join("pages/rut-vp.1")).unwrap();
    assert!(page.contains("Examples:"), "{page:.300}");
    let (help, _) = ends(alone(dir, "sweep run --help"), 0);
    assert!(
        help.contains("rut sweep run study.toml --dry-run"),
        "{help}"
    );
}
