//! Methods on average over data sets: which runs count, means and intervals, and what is in bold.

mod common;

use std::path::Path;

use common::{Files, Wanted, copy, edit, plain, report, text};
use serde_json::json;

/// Accuracies by seed, from seed 1.
type Accuracies<'a> = &'a [f64];

/// Runs of a probe of the ticket with `head` on `dataset`.
fn runs(results: &Path, dataset: &str, head: &str, accuracies: Accuracies<'_>) {
    runs_of(false, results, dataset, head, accuracies);
}

/// The same of the dense network or the ticket.
fn runs_of(dense: bool, results: &Path, dataset: &str, head: &str, accuracies: Accuracies<'_>) {
    for (seed, &accuracy) in (1..).zip(accuracies) {
        let wanted = Wanted {
            dense,
            seed,
            ..Wanted::PROBE
        };
        let made = results.join("made");
        let name = format!("{dataset}-{head}-{dense}-seed{seed}");
        let run = results.join(&name);
        copy(&wanted.make(&made), &run);
        std::fs::remove_dir_all(&made).unwrap();
        edit(&run, |record| {
            record["run_id"] = name.into();
            record["spec"]["head"] = head.into();
            record["spec"]["dataset"] = dataset.into();
            record["data"]["name"] = dataset.into();
            let digest = if dataset == "digits" { "1" } else { "2" };
            record["data"]["test_digest"] = digest.repeat(64).into();
            record["test"]["raw"]["accuracy"] = accuracy.into();
        });
    }
}

fn reported(dir: &Path) -> Files {
    report(&[&dir.join("results")], &dir.join("out"), &plain()).1
}

#[test]
fn an_average_is_over_the_seeds_that_all_data_sets_have() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    // Seed 4 is on one data set alone.
    runs(&results, "digits", "linear", &[0.80, 0.82, 0.84, 0.10]);
    runs(&results, "gtsrb", "linear", &[0.40, 0.44, 0.42]);
    runs(&results, "digits", "knn", &[0.79, 0.83, 0.83]);
    runs(&results, "gtsrb", "knn", &[0.40, 0.45, 0.41]);
    runs(&results, "digits", "ridge", &[0.70, 0.71, 0.72]);
    runs(&results, "gtsrb", "ridge", &[0.30, 0.29, 0.34]);
    // On one data set alone.
    runs(&results, "digits", "prototype", &[0.99, 0.98, 0.97]);
    let note = "the scores are no logits: the ECE at T = 1 is of no probability";
    edit(&results.join("gtsrb-ridge-false-seed2"), |record| {
        record["training"]["notes"] = json!([note]);
    });
    let files = reported(dir.path());

    let table = text(&files, "tables/methods-average-accuracy.csv");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let heads = ["method", "images_4", "images_4_lo", "images_4_hi"];
    assert_eq!(reader.headers().unwrap(), heads.as_slice());
    let found: Vec<(String, [f64; 3])> = reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            (row[0].into(), [1, 2, 3].map(|at| row[at].parse().unwrap()))
        })
        .collect();
    // scipy 1.17: mean of the seeds' averages, and t.interval(0.95, 2, mean, sem).
    let wanted = [
        (
            "LP, head knn",
            [0.618333333333, 0.562325346520, 0.674341320147],
        ),
        ("LP, head linear", [0.62, 0.576973472703, 0.663026527297]),
        ("LP, head ridge", [0.51, 0.466973472703, 0.553026527297]),
    ];
    assert_eq!(found.len(), wanted.len(), "{table}");
    for ((method, numbers), (name, expected)) in found.iter().zip(wanted) {
        assert_eq!(method, name);
        for (found, expected) in numbers.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{name}: {numbers:?}");
        }
    }

    // Linear and nearest neighbours differ by 0.2 points (−2.4 to 2.8), linear and ridge by 11.0 (6.7 to 15.3).
    let latex = text(&files, "tables/methods-average-accuracy.tex");
    let bold = |name: &str| {
        let row = latex.lines().find(|line| line.starts_with(name)).unwrap();
        row.contains("\\fontseries{b}")
    };
    assert!(bold("LP, head linear") && bold("LP, head knn"), "{latex}");
    assert!(!bold("LP, head ridge"), "{latex}");
    let caption = "on average over 2 data sets (digits, gtsrb): accuracy in \\%, mean over the 3 seeds that every data set has (N = 239 test images; without 1 row that not every data set has).";
    assert!(latex.contains(caption), "{latex}");

    // One run whose scores are no logits marks the average.
    let latex = text(&files, "tables/methods-average-ece.tex");
    let marked: Vec<&str> = latex
        .lines()
        .filter(|line| line.contains("\\textdagger}}}"))
        .collect();
    assert!(
        marked.len() == 1 && marked[0].starts_with("LP, head ridge"),
        "{latex}"
    );

    let page = text(&files, "report.html");
    assert!(page.contains("<h3>On average over 2 data sets</h3>"));
}

#[test]
fn there_is_no_average_of_one_data_set_or_of_one_row() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    runs(&results, "digits", "linear", &[0.80, 0.82]);
    runs(&results, "digits", "knn", &[0.79, 0.83]);
    let none = |files: &Files| !files.keys().any(|name| name.contains("methods-average"));
    assert!(none(&reported(dir.path())));
    // Of another method on each.
    runs(&results, "gtsrb", "linear", &[0.40, 0.44]);
    runs(&results, "gtsrb", "ridge", &[0.30, 0.29]);
    std::fs::remove_dir_all(dir.path().join("out")).unwrap();
    let files = reported(dir.path());
    assert!(files.contains_key("tables/methods-gtsrb-accuracy.csv"));
    assert!(none(&files));
    // By the same name, and by another batch size.
    std::fs::remove_dir_all(dir.path().join("out")).unwrap();
    runs(&results, "gtsrb", "knn", &[0.39, 0.41]);
    for seed in [1, 2] {
        edit(
            &results.join(format!("gtsrb-knn-false-seed{seed}")),
            |record| {
                record["spec"]["batch_size"] = 7.into();
            },
        );
    }
    assert!(none(&reported(dir.path())));
    // Of no common seed.
    std::fs::remove_dir_all(dir.path().join("out")).unwrap();
    runs(&results, "gtsrb", "knn", &[0.39, 0.41]);
    for seed in [1, 2] {
        edit(
            &results.join(format!("gtsrb-knn-false-seed{seed}")),
            |record| {
                record["spec"]["seed"] = (seed + 10).into();
            },
        );
    }
    assert!(none(&reported(dir.path())));
}

/// The rows of a LaTeX table, and whether each has a figure in bold.
fn bold(latex: &str) -> Vec<(&str, bool)> {
    let body = latex.split("\\midrule\n").nth(1).unwrap();
    let rows = body
        .lines()
        .take_while(|line| !line.starts_with("\\bottomrule"));
    let rows = rows.filter(|line| line.contains(" & "));
    rows.map(|row| (row, row.contains("\\fontseries{b}")))
        .collect()
}

#[test]
fn figures_of_no_probability_are_not_compared() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    for (head, ece) in [("linear", 0.30), ("knn", 0.20), ("ridge", 0.01)] {
        for dataset in ["digits", "gtsrb"] {
            runs(&results, dataset, head, &[0.5, 0.6, 0.7]);
            for seed in 1..=3 {
                let run = results.join(format!("{dataset}-{head}-false-seed{seed}"));
                // Their differences vary with the seed.
                let step = if head == "linear" { 0.002 } else { 0.001 };
                edit(&run, |record| {
                    record["test"]["raw"]["ece"] = (ece + step * f64::from(seed)).into();
                    if head == "ridge" {
                        let note =
                            "the scores are no logits: the ECE at T = 1 is of no probability";
                        record["training"]["notes"] = json!([note]);
                    }
                });
            }
        }
    }
    // Ridge has the least, and the nearest neighbours the least that is compared.
    let files = reported(dir.path());
    for name in ["average", "digits"] {
        let latex = text(&files, &format!("tables/methods-{name}-ece.tex"));
        let found = bold(&latex);
        assert_eq!(found.len(), 3, "{latex}");
        for (row, is_bold) in found {
            assert_eq!(is_bold, row.starts_with("LP, head knn"), "{latex}");
        }
    }
}

#[test]
fn methods_are_compared_on_each_network() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    let of = |dense, head, digits: Accuracies<'_>, gtsrb: Accuracies<'_>| {
        runs_of(dense, &results, "digits", head, digits);
        runs_of(dense, &results, "gtsrb", head, gtsrb);
    };
    of(true, "linear", &[0.80, 0.82], &[0.40, 0.42]);
    of(true, "knn", &[0.90, 0.92], &[0.50, 0.52001]);
    of(false, "linear", &[0.30, 0.32], &[0.20, 0.22]);
    of(false, "knn", &[0.10, 0.12], &[0.10, 0.12001]);
    let files = reported(dir.path());
    let table = text(&files, "tables/methods-average-accuracy.csv");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let found: Vec<(String, String, f64)> = reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            (row[0].into(), row[1].into(), row[2].parse().unwrap())
        })
        .collect();
    let wanted = [
        ("dense", "LP, head knn", 0.7100025),
        ("dense", "LP, head linear", 0.61),
        ("state 8", "LP, head knn", 0.1100025),
        ("state 8", "LP, head linear", 0.26),
    ];
    assert_eq!(found.len(), wanted.len(), "{table}");
    for ((network, method, mean), expected) in found.iter().zip(wanted) {
        assert_eq!((&**network, &**method), (expected.0, expected.1), "{table}");
        assert!((mean - expected.2).abs() < 1e-9, "{table}");
    }
    let latex = text(&files, "tables/methods-average-accuracy.tex");
    let is_bold: Vec<bool> = bold(&latex).into_iter().map(|(_, bold)| bold).collect();
    assert_eq!(is_bold, [true, false, false, true], "{latex}");
}

/// Of the same test images under two lists of classes: no row of another data set is left to be counted twice.
#[test]
fn two_settings_may_be_the_same_but_for_their_classes() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    for head in ["linear", "knn"] {
        for classes in ["0-1", "0,1"] {
            runs(&results, "digits", head, &[0.5, 0.6]);
            for seed in 1..=2 {
                let from = results.join(format!("digits-{head}-false-seed{seed}"));
                let run = results.join(format!("digits-{head}-{classes}-seed{seed}"));
                std::fs::rename(from, &run).unwrap();
                edit(&run, |record| {
                    record["run_id"] = format!("digits-{head}-{classes}-seed{seed}").into();
                    record["spec"]["classes"] = json!([classes]);
                });
            }
        }
        runs(&results, "gtsrb", head, &[0.3, 0.4]);
    }
    let table = text(&reported(dir.path()), "tables/methods-average-accuracy.csv");
    assert_eq!(table.lines().count(), 1 + 4, "{table}");
}
