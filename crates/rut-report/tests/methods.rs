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

#[test]
fn methods_stand_side_by_side_in_a_table_and_in_figures() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    study(&results);
    let note = "the scores are no logits: the ECE at T = 1 is of no probability";
    for seed in [1, 2] {
        edit(&results.join(format!("ridge-seed{seed}")), |record| {
            record["training"]["notes"] = json!([note]);
        });
        edit(&results.join(format!("smm-seed{seed}")), |record| {
            record["training"]["trained_values"] = 17.into();
            record["cost"]["total_seconds"] = (10 * seed).into();
        });
    }
    let files = reported(dir.path(), &plain());
    let table = text(&files, "tables/methods-digits.csv");
    assert_eq!(column(&table, "method").len(), 5, "{table}");
    let accuracies: Vec<f64> = column(&table, "accuracy")
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    assert!(accuracies.is_sorted_by(|a, b| a >= b), "{table}");
    let smm = "VP, prompt smm, default map sources";
    let at = column(&table, "method").iter().position(|name| name == smm);
    let at = at.unwrap();
    assert_eq!(column(&table, "trained_values")[at], "17");
    assert_eq!(column(&table, "seconds")[at], "15.0");
    // The ECE of ridge at T = 1 has its footnote, on the page and in LaTeX; nothing else has one.
    let page = text(&files, "report.html");
    let section = page.split("id=\"methods\"").nth(1).unwrap();
    let section = section.split("</section>").next().unwrap();
    let rows: Vec<&str> = section.split("<tr>").collect();
    let marked: Vec<&&str> = rows.iter().filter(|row| row.contains("†<")).collect();
    assert!(!marked.is_empty() && marked.iter().all(|row| row.contains("LP, head ridge")));
    assert!(
        section.contains("† The scores as they are give no probability"),
        "{section:.2000}"
    );
    let latex = text(&files, "tables/methods-digits.tex");
    assert_eq!(latex.matches("\\textdagger}}}").count(), 1, "{latex}");
    assert!(latex.contains("\\textdagger{} The scores"), "{latex}");
    // A row of the figure for each method, with its values; both scatters, with bars in both directions.
    let dots = text(&files, "figures/methods-digits-4-shots.svg");
    assert_eq!(dots.matches("<title>LP, head ridge: ").count(), 2, "{dots}");
    assert_eq!(
        dots.matches("<circle").count() + dots.matches("<polygon").count(),
        10,
        "{dots}"
    );
    for metric in ["ece", "ece_at_temperature"] {
        let name = format!("figures/methods-digits-4-shots-accuracy-{metric}.svg");
        let scatter = text(&files, &name);
        assert_eq!(
            scatter.matches("; VP, prompt smm, map sources 3: ").count(),
            1,
            "{scatter}"
        );
    }
    // Nothing in which two runs of one specification differ.
    let options = rut_report::ReportOptions {
        costs: rut_report::Costs::Omitted,
        ..plain()
    };
    let table = text(&reported(dir.path(), &options), "tables/methods-digits.csv");
    assert!(!table.contains("seconds"), "{table}");
}

#[test]
fn methods_on_several_networks_share_a_row() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    common::two_networks(&results);
    runs(&results, "vp", "padding", json!({}));
    let files = reported(dir.path(), &plain());
    // By the mean over networks; prompting was run on the ticket alone.
    let table = text(&files, "tables/methods-digits.csv");
    assert_eq!(column(&table, "method"), ["VP", "LP", "LP"], "{table}");
    assert_eq!(column(&table, "network"), ["state 8", "dense", "state 8"]);
    let dots = text(&files, "figures/methods-digits-4-shots.svg");
    assert_eq!(dots.matches(">LP</text>").count(), 1, "{dots}");
    assert_eq!(
        dots.matches("<title>LP: dense, 4 shots: ").count(),
        2,
        "{dots}"
    );
    // Colours are of methods, shapes of networks, which a legend names.
    assert!(
        dots.contains(">dense</text>") && dots.contains(">state 8</text>"),
        "{dots}"
    );
    assert!(text(&files, "report.html").contains("Colours are methods, shapes networks."));
}

#[test]
fn weighted_label_maps_are_drawn_with_their_signs() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    runs(&results, "vp", "full", json!({"mapping": "full"}));
    for seed in [1, 2] {
        edit(&results.join(format!("full-seed{seed}")), |record| {
            // Of three classes, the first has two sources, the others one.
            let mut largest = vec![json!([[7, -0.8], [3, 0.5]])];
            largest.extend((1..3).map(|target| json!([[10 + target, 0.25 * seed as f64]])));
            record["mapping"]["sources"] = json!([]);
            record["mapping"]["source_names"] = json!([]);
            record["mapping"]["weights"] = json!({"digest": "00", "largest": largest});
        });
    }
    let options = rut_report::ReportOptions {
        source_name: |_, source| (source == 7).then_some("crane"),
        ..plain()
    };
    let files = reported(dir.path(), &options);
    let table = text(&files, "tables/label-map-digits-vp-1.csv");
    assert!(table.starts_with("source,target,weight\n"), "{table}");
    assert_eq!(column(&table, "source").len(), 4, "{table}");
    assert!(
        table.contains("crane,0,-0.8\n") && table.contains("class 11,1,0.25\n"),
        "{table}"
    );
    let map = text(&files, "figures/label-map-digits-vp-1.svg");
    assert!(map.contains("crane for 0: weight -0.8000"), "{map:.3000}");
    assert!(map.contains("darkest: 0.800"), "{map:.3000}");
    // One cell below 0; shades are by the largest of either sign.
    assert_eq!(map.matches("#a34700").count(), 1, "{map}");
    assert_eq!(map.matches("fill=\"#005282\"").count(), 3, "{map}");
    let page = text(&files, "report.html");
    assert!(page.contains("of each target class only the five largest"));
}
