//! What a report says of runs, in its page, figures, tables and index: of whole runs, and of what is failed, missing,
//! contradictory or hostile.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{
    HOSTILE, Wanted, assert_one_script, assert_well_formed, copy, edit, plain, record, report,
    text, two_networks,
};
use rut_report::ReportOptions;
use serde_json::Value;

#[test]
fn a_report_is_whole_repeatable_and_needs_nothing_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    let all = two_networks(&results);
    let titled = ReportOptions {
        title: Some("Digits".into()),
        ..plain()
    };
    let out = dir.path().join("one");
    let (counts, first) = report(&[&results], &out, &titled);
    assert_eq!(
        (counts.runs, counts.files, counts.unchecked),
        (4, first.len(), 4)
    );
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
    // Every run leads to its files, beside the page.
    for run in &all {
        let id = run.file_name().unwrap().to_str().unwrap();
        let link = format!("<a href=\"../results/{id}/record.json\">{id}</a>");
        assert!(page.contains(&link), "{link}");
    }
    // Every point of a figure says what it is.
    let figure = text(&first, "figures/weights-digits-lp-accuracy.svg");
    assert!(
        figure.contains("<title>state 8, 4 shots: accuracy ")
            && figure.contains(", t over seeds); N = 239 test images, 2 seeds</title>"),
        "{figure}"
    );
    // The same bytes again, over what an earlier report left.
    fs::write(dir.path().join("one/figures/old.svg"), "old").unwrap();
    let (_, again) = report(&[&results], &out, &titled);
    assert!(first == again);
    // For a paper: as wide as its column, without a title inside; the page stays as it is.
    let paper = ReportOptions {
        figure_width: Some(3.25),
        ..plain()
    };
    let (_, narrow) = report(&[&results], &dir.path().join("two"), &paper);
    let figure = text(&narrow, "figures/weights-digits-lp-ece.svg");
    assert!(figure.contains(" width=\"312\""), "{figure}");
    for name in narrow.keys().filter(|name| name.ends_with(".svg")) {
        assert!(
            !text(&narrow, name).contains("font-weight=\"bold\""),
            "{name}"
        );
    }
    assert!(text(&narrow, "report.html").contains("<svg width=\"360\""));
    // The difference in the table is that of the records.
    let accuracy = |run: &PathBuf| record(run)["test"]["raw"]["accuracy"].as_f64().unwrap();
    let all: Vec<f64> = all.iter().map(accuracy).collect();
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
fn whatever_became_of_a_run_is_a_visible_row() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    let all = two_networks(&results);
    let spec = record(&all[3])["spec"].clone();
    // One record of a newer format, one cut off, one failure in place of a record, one planned and never begun.
    edit(&all[0], |record| record["format_version"] = 2.into());
    let cut = fs::read(all[1].join("record.json")).unwrap();
    // Behind a whole line: a number that is cut is another mistake.
    let half = &cut[..cut.len() / 2];
    let end = half.iter().rposition(|byte| *byte == b'\n').unwrap();
    fs::write(all[1].join("record.json"), &half[..end]).unwrap();
    fs::remove_file(all[2].join("record.json")).unwrap();
    let failed = all[2].file_name().unwrap().to_str().unwrap();
    let failure = serde_json::json!({
        "format_version": 1, "run_id": failed, "spec": spec, "error": format!("read {HOSTILE}"),
    });
    fs::write(all[2].join("failure.json"), failure.to_string()).unwrap();
    let places: Value = serde_json::from_str(
        r#"{"data_dir":"data","results_path":"results","cache_dir":"c","cache_gib":1.0,"save_every":600.0,"device":"cpu"}"#,
    )
    .unwrap();
    let heading = serde_json::json!({
        "format_version": 1, "title": "Planned", "about": HOSTILE, "places": places,
    });
    let missing = serde_json::json!({ "run_id": "never-begun", "spec": spec });
    fs::write(
        results.join("plan.jsonl"),
        format!("{heading}\n{missing}\n"),
    )
    .unwrap();
    let (counts, files) = report(&[&results], &dir.path().join("out"), &plain());
    let found = (
        counts.runs,
        counts.failed,
        counts.missing,
        counts.unreadable,
    );
    assert_eq!(found, (1, 1, 1, 2));
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
    let results = dir.path().join("results");
    let all = two_networks(&results);
    let other = dir.path().join("other");
    let run = &all[0];
    let id = run.file_name().unwrap();
    copy(run, &other.join(id));
    // The same run in two folders is one run.
    let (counts, files) = report(&[&results, &other], &dir.path().join("same"), &plain());
    assert_eq!((counts.runs, counts.conflicts), (4, 0));
    assert!(!files.contains_key("tables/conflicts.csv"));
    edit(&other.join(id), |record| {
        record["test"]["raw"]["accuracy"] = 0.125.into()
    });
    let (counts, files) = report(&[&results, &other], &dir.path().join("differing"), &plain());
    assert_eq!((counts.runs, counts.conflicts), (4, 1));
    let page = text(&files, "report.html");
    assert!(page.contains("role=\"alert\"") && page.contains("Conflicting records: 1."));
    let id = id.to_str().unwrap();
    let row = format!("{id},results/{id},other/{id},test figures\n");
    assert!(text(&files, "tables/conflicts.csv").ends_with(&row));
    assert!(!text(&files, "runs.csv").contains(",0.125,"));
    // The folder that is named first counts.
    let (_, files) = report(&[&other, &results], &dir.path().join("turned"), &plain());
    assert!(text(&files, "runs.csv").contains(",0.125,"));
}

#[test]
fn hostile_class_names_are_words_everywhere() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    let prompted = Wanted {
        method: "vp",
        ..Wanted::PROBE
    };
    edit(&prompted.make(&results), |record| {
        record["data"]["class_names"][1] = HOSTILE.into();
        record["data"]["name"] = HOSTILE.into();
        record["mapping"]["source_names"][1] = HOSTILE.into();
        record["spec"]["recipe"] = HOSTILE.into();
    });
    let options = ReportOptions {
        prompt_picture: |_, _| Ok(b"\x89PNG".to_vec()),
        ..plain()
    };
    let (_, files) = report(&[&results], &dir.path().join("out"), &options);
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
fn one_seed_is_compared_by_the_bootstrap() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    let results = path.join("results");
    let one = |dense| {
        Wanted {
            dense,
            ..Wanted::PROBE
        }
        .make(&results)
    };
    let (dense, _) = (one(true), one(false));
    let (_, files) = report(&[&results], &path.join("out"), &plain());
    let table = text(&files, "tables/differences.csv");
    let row = table.lines().nth(1).unwrap();
    assert!(row.ends_with(",bootstrap over test images"), "{row}");
    let cells: Vec<&str> = row.split(',').collect();
    let [mean, lo, hi] = [8, 9, 10].map(|at| cells[at].parse::<f64>().unwrap());
    assert!(lo <= mean && mean <= hi && lo < hi, "{row}");
    // Without the logits there is no interval, and the report says why.
    fs::remove_file(dense.join("logits.safetensors")).unwrap();
    let (_, files) = report(&[&results], &path.join("bare"), &plain());
    let table = text(&files, "tables/differences.csv");
    assert!(
        table.contains("no interval: the logits cannot be read"),
        "{table}"
    );
    assert!(!text(&files, "report.html").contains(path.to_str().unwrap()));
}

#[test]
fn every_dense_control_is_compared_and_what_varies_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    let all = two_networks(&results);
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
    let first = record(&all[0]);
    let upstream = serde_json::json!({
        "format_version": 1, "model": "resnet20_cifar100", "checkpoint": "5ec0d", "mask": null, "masking": "applied",
        "recipe": "V2", "density": 1.0, "dataset": "/home/someone/cifar100", "images_digest": "0", "preprocessing": "none",
        "scores": first["test"], "environment": first["environment"],
    });
    fs::create_dir(results.join("upstream")).unwrap();
    fs::write(results.join("upstream/v2.json"), upstream.to_string()).unwrap();
    let (_, files) = report(&[&results], &dir.path().join("out"), &plain());
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
    fs::write(results.join("upstream/v2.json"), "{").unwrap();
    let (counts, files) = report(&[&results], &dir.path().join("out"), &plain());
    assert_eq!(counts.unreadable, 1);
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
