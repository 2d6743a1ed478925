//! Methods side by side: what tells them apart, and how they are compared.

mod common;

use std::path::Path;

use common::{Files, Wanted, copy, edit, plain, report, text};
use serde_json::{Value, json};

/// Two seeds of `Wanted::PROBE`'s ticket by `method`, called `name`, with `fields` in their specification.
fn runs(results: &Path, method: &str, name: &str, fields: Value) {
    for seed in [1, 2] {
        let wanted = Wanted {
            method,
            seed,
            gain: 0.01 * seed as f64,
            ..Wanted::PROBE
        };
        let made = results.join("made");
        let run = results.join(format!("{name}-seed{seed}"));
        copy(&wanted.make(&made), &run);
        std::fs::remove_dir_all(&made).unwrap();
        edit(&run, |record| {
            record["run_id"] = format!("{name}-seed{seed}").into();
            for (key, value) in fields.as_object().unwrap() {
                record["spec"][key] = value.clone();
            }
        });
    }
}

/// Two prompts with one mapping, one of them with several numbers of sources, and two heads.
fn study(results: &Path) {
    runs(results, "lp", "linear", json!({}));
    runs(results, "lp", "ridge", json!({"head": "ridge"}));
    runs(results, "vp", "padding", json!({}));
    runs(
        results,
        "vp",
        "smm",
        json!({"prompt": "smm", "smm_patch": 4}),
    );
    let several = json!({"prompt": "smm", "smm_patch": 4, "map_sources": 3});
    runs(results, "vp", "several", several);
}

fn reported(dir: &Path, options: &rut_report::ReportOptions) -> Files {
    report(&[&dir.join("results")], &dir.join("out"), options).1
}

/// A column of a table of CSV.
fn column(csv: &str, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let heads = reader.headers().unwrap().clone();
    let at = heads.iter().position(|head| head == name).unwrap();
    reader
        .records()
        .map(|row| row.unwrap()[at].to_owned())
        .collect()
}

#[test]
fn prompts_heads_and_numbers_of_sources_are_methods_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    study(&dir.path().join("results"));
    let files = reported(dir.path(), &plain());
    let results = text(&files, "tables/results.csv");
    assert_eq!(column(&results, "seeds"), ["2"; 5], "{results}");
    let apart = column(&results, "setting");
    let want = [
        "head linear",
        "head ridge",
        "prompt padding",
        "prompt smm, default map sources",
        "prompt smm, map sources 3",
    ];
    assert_eq!(apart, want, "{results}");
    let page = text(&files, "report.html");
    assert!(
        page.contains("visual prompting (VP, prompt padding; VP, prompt smm)"),
        "{page:.3000}"
    );
    // What is usual is named beside what is not.
    let index = text(&files, "runs.csv");
    assert_eq!(column(&index, "prompt")[4..6], ["padding", "padding"]);
    assert_eq!(column(&index, "head")[0..2], ["linear", "linear"]);
    // Files are called by what tells methods apart.
    assert!(
        files.contains_key("figures/label-map-digits-vp-padding-1.svg"),
        "{:?}",
        files.keys()
    );
}
