//! `rut report` on real runs: its flags, what it prints, and that two studies of one specification have one report. What is in a
//! report is tested in `rut-report`.

mod rut;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rut::{ends, refuses, rut, small};
use serde_json::Value;

/// Runs of a dense network and a ticket by probing, two seeds each, in `dir/results`.
fn results(dir: &Path) -> PathBuf {
    for network in ["--network dense", "--network ticket --sparsity 8"] {
        for seed in [1, 2] {
            let more =
                format!("--dataset digits --model resnet20_cifar100 {network} --seed {seed}");
            ends(small(dir, "lp", &more), 0);
        }
    }
    dir.join("results")
}

/// Makes a report of `folders` in `dir/name` and gives what it says on stderr, and its files.
fn report(dir: &Path, folders: &[&Path], name: &str) -> (String, BTreeMap<String, Vec<u8>>) {
    let words = name.split_once(' ');
    let (name, more) = words.unwrap_or((name, ""));
    let out = dir.join(name);
    let folders: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
    let line = format!(
        "report {} --out {} {more}",
        folders.join(" "),
        out.display()
    );
    let (_, err) = ends(rut(dir, &line), 0);
    (err, files(&out, ""))
}

/// All files below `folder` by their path in it.
fn files(folder: &Path, prefix: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            found.extend(files(&path, &format!("{name}/")))
        } else {
            found.insert(name, std::fs::read(&path).unwrap());
        }
    }
    found
}

fn text(files: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(files[name].clone()).unwrap()
}

/// Changes the record of `run`.
fn edit(run: &Path, change: impl FnOnce(&mut Value)) {
    let path = run.join("record.json");
    let mut record: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut record);
    // Its checksum would show that it was edited.
    record["cost"].as_object_mut().unwrap().remove("checksum");
    std::fs::write(&path, serde_json::to_vec(&record).unwrap()).unwrap();
}

fn runs(results: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(results).unwrap();
    let mut runs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    runs.sort();
    runs
}

#[test]
fn flags_reach_the_report_and_its_last_line() {
    let dir = tempfile::tempdir().unwrap();
    let results = results(dir.path());
    let prompted = "--dataset digits --model resnet20_cifar100 --sparsity 8 --seed 1";
    ends(small(dir.path(), "vp", prompted), 0);
    let (err, files) = report(dir.path(), &[&results], "one --title Digits");
    assert!(err.contains("5 runs; "), "{err}");
    let page = text(&files, "report.html");
    for said in [
        "<h1>Digits</h1>",
        "rut report results --out one --title Digits",
        "t over 2 seeds, N = 239",
    ] {
        assert!(page.contains(said), "{said}");
    }
    for run in runs(&results) {
        let id = run.file_name().unwrap().to_str().unwrap();
        let link = format!("<a href=\"../results/{id}/record.json\">{id}</a>");
        assert!(page.contains(&link), "{link}");
    }
    let prompt = files.keys().find(|name| name.ends_with(".png")).unwrap();
    assert!(files[prompt].starts_with(b"\x89PNG"));
    // For a paper.
    let flags = "two --figure-width 3.25in --figure-format svg,pdf";
    let (_, narrow) = report(dir.path(), &[&results], flags);
    assert!(text(&narrow, "figures/weights-digits-lp-ece.svg").contains(" width=\"312\""));
    assert!(narrow["figures/weights-digits-lp-ece.pdf"].starts_with(b"%PDF-"));
    let page = text(&narrow, "report.html");
    assert!(
        page.contains("--figure-width 3.25in --figure-format svg,pdf"),
        "{page}"
    );
}

#[test]
fn without_cost_two_studies_of_one_specification_have_one_report() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (results, others) = (results(dir.path()), results(other.path()));
    // What only another machine or another day could change.
    edit(&runs(&others)[0], |record| {
        record["cost"]["resumed"] = 7.into();
        record["cost"]["total_seconds"] = 1e6.into();
        record["environment"]["commit"] = "another".into();
    });
    let (_, first) = report(dir.path(), &[&results], "out --omit-cost");
    let (_, second) = report(other.path(), &[&others], "out --omit-cost");
    assert!(first == second);
    let page = text(&first, "report.html");
    assert!(!page.contains("seconds") && !page.contains("record.json") && !page.contains(" on 20"));
    let (_, printed) = report(other.path(), &[&others], "told");
    assert!(text(&printed, "report.html").contains("1000000.0"));
}

#[test]
fn what_is_not_there_or_no_format_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    let empty = path.join("empty");
    std::fs::create_dir(&empty).unwrap();
    let out = path.join("none");
    let line = |folder: &Path| format!("report {} --out {}", folder.display(), out.display());
    refuses(
        path,
        &line(&empty),
        3,
        &["failed to find runs in", "found none"],
    );
    refuses(
        path,
        &line(&path.join("nowhere")),
        3,
        &["failed to open the folder"],
    );
    let eps = format!("{} --figure-format eps", line(&empty));
    refuses(path, &eps, 2, &["--figure-format", "svg, pdf"]);
    assert!(!out.exists());
}
