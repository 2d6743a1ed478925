//! `rut report`: real runs, and records that are broken, newer, contradictory or hostile.

mod rut;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rut::{ends, refuses, rut, small};
use serde_json::Value;

/// A class that no format takes as it is.
const HOSTILE: &str = "<script>&\"_%$";

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

fn copy(from: &Path, to: &Path) {
    for (name, bytes) in files(from, "") {
        let path = to.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// The page holds one script, which has no address, and nothing of a name that asks for one.
fn assert_one_script(page: &str) {
    assert_eq!(page.matches("<script").count(), 1, "{page:.900}");
    assert!(page.contains("<script>//"), "{page:.900}");
}

/// Whether every element that is opened in `xml` is closed, in order, and every attribute is quoted; enough for what the
/// report writes.
fn assert_well_formed(xml: &str, name: &str) {
    let mut open = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>'), "{name}: a bare `>`");
        let end = start + rest[start..].find('>').expect("a tag that ends");
        let tag = &rest[start + 1..end];
        assert_eq!(tag.matches('"').count() % 2, 0, "{name}: {tag}");
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{name}");
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap());
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "{name}: {open:?} never closed");
    for entity in xml.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;", "apos;"];
        assert!(
            known.iter().any(|k| entity.starts_with(k)),
            "{name}: &{entity:.9}"
        );
    }
}

#[test]
fn a_report_of_real_runs_is_whole_repeatable_and_needs_nothing_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let results = results(dir.path());
    let (err, first) = report(dir.path(), &[&results], "one --title Digits");
    assert!(err.contains("4 runs; "), "{err}");
    let page = text(&first, "report.html");
    assert!(page.contains("<h1>Digits</h1>"), "{page:.900}");
    assert_one_script(&page);
    for external in [
        "http://",
        "https://",
        "@import",
        dir.path().to_str().unwrap(),
    ] {
        let page = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!page.contains(external), "{external}");
    }
    let names = [
        "figures/differences-digits-lp-accuracy.svg",
        "figures/reliability-digits-lp-1.svg",
        "figures/scatter-ece.svg",
        "figures/weights-digits-lp-ece.svg",
        "figures/curves-digits-lp-loss.svg",
        "tables/classes-digits-lp.csv",
        "tables/differences.tex",
        "tables/networks.csv",
        "tables/results.tex",
        "tables/runs.csv",
        "runs.csv",
        "runs.jsonl",
    ];
    for name in names {
        assert!(first.contains_key(name), "{name}: {:?}", first.keys());
    }
    for (name, bytes) in first.iter().filter(|(name, _)| name.ends_with(".svg")) {
        let svg = std::str::from_utf8(bytes).unwrap();
        assert_well_formed(svg, name);
        assert!(
            svg.contains("<title>") && svg.contains("aria-label=\""),
            "{name}"
        );
    }
    for svg in page.split("<svg").skip(1) {
        let svg = svg.split_once("</svg>").unwrap().0;
        assert_well_formed(&format!("<svg{svg}</svg>"), "the page");
    }
    // The first screen: what was run, and each ticket beside its dense network.
    let (first_screen, _) = page.split_once("id=\"findings\"").unwrap();
    for said in [
        "<strong>4</strong> finished, none failed, none missing, none unreadable",
        "digits (N = 239)",
        "linear probing (LP)",
        "4 per class",
        "than dense; t over 2 seeds, N = 239\"",
        "<th class=\"group\" colspan=\"2\" scope=\"colgroup\">digits, LP",
    ] {
        assert!(first_screen.contains(said), "{said}: {first_screen}");
    }
    // Every run leads to its files, beside the page; the last line says what made it.
    for run in runs(&results) {
        let id = run.file_name().unwrap().to_str().unwrap();
        let link = format!("<a href=\"../results/{id}/record.json\">{id}</a>");
        assert!(page.contains(&link), "{link}");
    }
    assert!(page.contains("rut report results --out one --title Digits"));
    // Every point of a figure says what it is.
    let figure = text(&first, "figures/weights-digits-lp-accuracy.svg");
    assert!(
        figure.contains("<title>state 8, 4 shots: accuracy ")
            && figure.contains(", t over seeds); N = 239 test images, 2 seeds</title>"),
        "{figure}"
    );
    // The same bytes again, over what an earlier report left.
    std::fs::write(dir.path().join("one/figures/old.svg"), "old").unwrap();
    let (_, again) = report(dir.path(), &[&results], "one --title Digits");
    assert!(first == again);
    // For a paper: as wide as its column, without a title inside; the page stays as it is.
    let (_, narrow) = report(dir.path(), &[&results], "two --figure-width 3.25in");
    let figure = text(&narrow, "figures/weights-digits-lp-ece.svg");
    assert!(
        figure.contains(" width=\"312\"") && !figure.contains("font-weight=\"bold\""),
        "{figure}"
    );
    assert!(text(&narrow, "report.html").contains("<svg width=\"360\""));
    // The difference in the table is that of the records.
    let accuracy = |run: &PathBuf| {
        let path = run.join("record.json");
        let record: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        record["test"]["raw"]["accuracy"].as_f64().unwrap()
    };
    let all: Vec<f64> = runs(&results).iter().map(accuracy).collect();
    let want = f64::midpoint(all[0] - all[2], all[1] - all[3]);
    let table = text(&first, "tables/differences.csv");
    let row: Vec<&str> = table.lines().nth(1).unwrap().split(',').collect();
    assert_eq!(
        row[..8],
        ["digits", "LP", "", "4", "dense", "state 8", "2", "239"],
        "{table}"
    );
    let got: f64 = row[8].parse().unwrap();
    assert!((got - want).abs() < 1e-12, "{got}, expected {want}");
    // The index has a row a run, with numbers as numbers.
    let index = text(&first, "runs.jsonl");
    let row: Value = serde_json::from_str(index.lines().next().unwrap()).unwrap();
    assert_eq!(index.lines().count(), 4);
    assert_eq!(row["accuracy"].as_f64(), Some(all[0]));
    assert_eq!(row["shots"].as_u64(), Some(4));
    assert!(row["total_seconds"].as_f64().unwrap() > 0.0);
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
fn whatever_became_of_a_run_is_a_visible_row() {
    let dir = tempfile::tempdir().unwrap();
    let results = results(dir.path());
    let all = runs(&results);
    let spec: Value =
        serde_json::from_slice(&std::fs::read(all[3].join("record.json")).unwrap()).unwrap();
    let spec = spec["spec"].clone();
    // One record of a newer format, one cut off, one failure in place of a record, one planned and never begun.
    edit(&all[0], |record| record["format_version"] = 2.into());
    let cut = std::fs::read(all[1].join("record.json")).unwrap();
    // Behind a whole line: a number that is cut is another mistake.
    let half = &cut[..cut.len() / 2];
    let end = half.iter().rposition(|byte| *byte == b'\n').unwrap();
    std::fs::write(all[1].join("record.json"), &half[..end]).unwrap();
    std::fs::remove_file(all[2].join("record.json")).unwrap();
    let failed = all[2].file_name().unwrap().to_str().unwrap();
    let failure = serde_json::json!({
        "format_version": 1, "run_id": failed, "spec": spec, "error": format!("read {HOSTILE}"),
    });
    std::fs::write(all[2].join("failure.json"), failure.to_string()).unwrap();
    let places: Value = serde_json::from_str(
        r#"{"data_dir":"data","results_path":"results","cache_dir":"c","cache_gib":1.0,"save_every":600.0,"device":"cpu"}"#,
    )
    .unwrap();
    let heading = serde_json::json!({
        "format_version": 1, "title": "Planned", "about": HOSTILE, "places": places,
    });
    let missing = serde_json::json!({ "run_id": "never-begun", "spec": spec });
    std::fs::write(
        results.join("plan.jsonl"),
        format!("{heading}\n{missing}\n"),
    )
    .unwrap();
    let (err, files) = report(dir.path(), &[&results], "out");
    let counts = "1 run, 1 failed, 1 missing, 2 unreadable";
    assert!(err.contains(counts), "{err}");
    let page = text(&files, "report.html");
    for said in [
        "<h1>Planned</h1>",
        "written by a newer rut: format 2, this one reads 1",
        "EOF while parsing",
        "failed to read &lt;script&gt;&amp;&quot;_%$",
        "never-begun",
        "planned, not begun",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert_one_script(&page);
    let index = text(&files, "runs.csv");
    for status in [",done,", ",failed,", ",missing,", ",unreadable,"] {
        assert!(index.contains(status), "{status}: {index}");
    }
    // Long words may break.
    let table = text(&files, "tables/unfinished.tex").replace("\\allowbreak{}", "");
    assert!(
        table.contains("\\textless{}script\\textgreater{}\\&{''}\\_\\%\\$"),
        "{table}"
    );
}

#[test]
fn two_records_of_a_run_that_differ_are_flagged_and_not_averaged() {
    let dir = tempfile::tempdir().unwrap();
    let results = results(dir.path());
    let other = dir.path().join("other");
    let run = &runs(&results)[0];
    let id = run.file_name().unwrap();
    copy(run, &other.join(id));
    // The same run in two folders is one run.
    let (err, files) = report(dir.path(), &[&results, &other], "same");
    assert!(err.contains("4 runs; "), "{err}");
    assert!(!files.contains_key("tables/conflicts.csv"));
    edit(&other.join(id), |record| {
        record["test"]["raw"]["accuracy"] = 0.125.into()
    });
    let (err, files) = report(dir.path(), &[&results, &other], "differing");
    assert!(err.contains("4 runs, 1 with conflicting records"), "{err}");
    let page = text(&files, "report.html");
    assert!(page.contains("role=\"alert\"") && page.contains("Conflicting records: 1."));
    let id = id.to_str().unwrap();
    let row = format!("{id},results/{id},other/{id},test figures\n");
    assert!(text(&files, "tables/conflicts.csv").ends_with(&row));
    assert!(!text(&files, "runs.csv").contains(",0.125,"));
    // The folder that is named first counts.
    let (_, files) = report(dir.path(), &[&other, &results], "turned");
    assert!(text(&files, "runs.csv").contains(",0.125,"));
}

#[test]
fn hostile_class_names_are_words_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    ends(
        small(
            dir.path(),
            "vp",
            "--dataset digits --model resnet20_cifar100 --sparsity 8",
        ),
        0,
    );
    let results = dir.path().join("results");
    edit(&runs(&results)[0], |record| {
        record["data"]["class_names"][1] = HOSTILE.into();
        record["data"]["name"] = HOSTILE.into();
        record["mapping"]["source_names"][1] = HOSTILE.into();
        record["spec"]["recipe"] = HOSTILE.into();
    });
    let (_, files) = report(dir.path(), &[&results], "out");
    for (name, bytes) in &files {
        let ending = name.rsplit('.').next().unwrap();
        let text = String::from_utf8_lossy(bytes);
        if ending == "html" {
            assert_one_script(&text);
        }
        if ending == "svg" {
            assert!(!text.contains("<script"), "{name}");
            assert_well_formed(&text, name);
        }
        if ending == "tex" {
            let body = text.lines().filter(|line| !line.starts_with('%'));
            assert!(
                body.into_iter().all(|line| !line.contains("<script")),
                "{name}"
            );
        }
    }
    let map = files
        .keys()
        .find(|name| name.starts_with("figures/label-map"))
        .unwrap();
    assert!(
        text(&files, map).contains("&lt;script&gt;&amp;&quot;_%$"),
        "{map}"
    );
    let prompt = files.keys().find(|name| name.ends_with(".png")).unwrap();
    assert!(files[prompt].starts_with(b"\x89PNG"));
    assert!(text(&files, "report.html").contains("data:image/png;base64,"));
    let classes = files
        .keys()
        .find(|n| n.starts_with("tables/classes") && n.ends_with("csv"));
    assert!(text(&files, classes.unwrap()).contains("\"<script>&\"\"_%$\""));
}

#[test]
fn one_seed_is_compared_by_the_bootstrap_and_what_is_not_there_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    for network in ["--network dense", "--sparsity 8"] {
        let more = format!("--dataset digits --model resnet20_cifar100 {network} --seed 3");
        ends(small(path, "lp", &more), 0);
    }
    let results = path.join("results");
    let (_, files) = report(path, &[&results], "out");
    let table = text(&files, "tables/differences.csv");
    let row = table.lines().nth(1).unwrap();
    assert!(row.ends_with(",bootstrap over test images"), "{row}");
    let cells: Vec<&str> = row.split(',').collect();
    let [mean, lo, hi] = [8, 9, 10].map(|at| cells[at].parse::<f64>().unwrap());
    assert!(lo <= mean && mean <= hi && lo < hi, "{row}");
    // Without the logits there is no interval, and the report says why.
    std::fs::remove_file(runs(&results)[0].join("logits.safetensors")).unwrap();
    let (_, files) = report(path, &[&results], "bare");
    let table = text(&files, "tables/differences.csv");
    assert!(
        table.contains("no interval: the logits cannot be read"),
        "{table}"
    );
    assert!(!text(&files, "report.html").contains(path.to_str().unwrap()));
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
    assert!(!out.exists());
}

#[test]
fn every_dense_control_is_compared_and_what_varies_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let results = results(dir.path());
    let all = runs(&results);
    let again = |run: &Path, name: &str, change: &dyn Fn(&mut Value)| {
        let to = results.join(name);
        copy(run, &to);
        edit(&to, |record| {
            record["run_id"] = name.into();
            change(record);
        });
    };
    // A second dense network, trained otherwise, and a ticket that was probed with another learning rate.
    for (at, run) in all.iter().take(2).enumerate() {
        edit(run, |record| record["spec"]["recipe"] = "V1".into());
        again(run, &format!("second-{at}"), &|record| {
            record["spec"]["recipe"] = "V2".into();
            record["network"]["checkpoint"] = "5ec0d".into();
        });
    }
    again(&all[2], "faster", &|record| {
        record["spec"]["lr"] = 0.5.into()
    });
    let first: Value =
        serde_json::from_slice(&std::fs::read(all[0].join("record.json")).unwrap()).unwrap();
    let upstream = serde_json::json!({
        "format_version": 1, "model": "resnet20_cifar100", "checkpoint": "5ec0d", "mask": null, "masking": "applied",
        "recipe": "V2", "density": 1.0, "dataset": "/home/someone/cifar100", "images_digest": "0", "preprocessing": "none",
        "scores": first["test"], "environment": first["environment"],
    });
    std::fs::create_dir(results.join("upstream")).unwrap();
    std::fs::write(results.join("upstream/v2.json"), upstream.to_string()).unwrap();
    let (_, files) = report(dir.path(), &[&results], "out");
    let differences = text(&files, "tables/differences.csv");
    let rows: Vec<Vec<&str>> = differences
        .lines()
        .skip(1)
        .map(|l| l.split(',').collect())
        .collect();
    let compared: Vec<_> = rows
        .iter()
        .map(|row| (row[2], row[4], row[5], row[6]))
        .collect();
    let want = [
        ("lr 0.01", "V1", "state 8", "2"),
        ("lr 0.01", "V2", "state 8", "2"),
    ];
    assert_eq!(compared, want, "{differences}");
    let networks = text(&files, "tables/networks.csv");
    assert!(networks.contains("cifar100: accuracy "), "{networks}");
    let page = text(&files, "report.html");
    assert!(page.contains("digits, LP, lr 0.5"));
    assert!(!page.contains("/home/someone"));
    // A record of upstream scores that cannot be read is no gap in a table.
    std::fs::write(results.join("upstream/v2.json"), "{").unwrap();
    let (err, files) = report(dir.path(), &[&results], "out");
    assert!(err.contains("1 unreadable"), "{err}");
    let unread = text(&files, "tables/unread.csv");
    assert!(
        unread.contains("upstream/v2.json") && unread.contains("or delete it"),
        "{unread}"
    );
    let networks = text(&files, "tables/networks.csv");
    assert!(
        networks.contains("unknown: a measurement cannot be read"),
        "{networks}"
    );
}
