//! Tables for LaTeX: what is in bold, and that `pdflatex` takes every file and finds it no wider than it says.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{Files, HOSTILE, Wanted, edit, report, text, two_networks};
use rut_report::ReportOptions;

/// Two methods on two networks, on 1 to 16 images per class from three seeds each: prompting is clearly better on 16, and its
/// seeds differ too much for the rest.
fn study(results: &Path) {
    for (method, dense) in [("lp", true), ("vp", true), ("lp", false), ("vp", false)] {
        for shots in [1, 2, 4, 8, 16] {
            for seed in [1, 2, 3] {
                let spread = if shots == 16 { 0.001 } else { 0.12 };
                let better = if method == "vp" { 0.02 } else { 0.0 };
                let gain =
                    better + spread * (seed as f64 - 2.0) * if method == "vp" { 1.0 } else { -1.0 };
                let wanted = Wanted {
                    method,
                    dense,
                    shots,
                    seed,
                    gain,
                };
                wanted.make(results);
            }
        }
    }
}

#[test]
fn the_best_is_in_bold_only_where_the_paired_interval_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    study(&results);
    let out = dir.path().join("out");
    let (_, files) = report(&[&results], &out, &ReportOptions::default());
    let table = text(&files, "tables/methods-digits-accuracy.tex");
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.contains("& VP &") || line.contains("& LP &"))
        .collect();
    assert_eq!(rows.len(), 4, "{table}");
    for row in rows {
        let bold: Vec<bool> = row
            .split('&')
            .skip(2)
            .map(|cell| cell.contains("\\fontseries{b}"))
            .collect();
        let want = [false, false, false, false, row.contains("& VP")];
        assert_eq!(bold, want, "{row}");
    }
    assert!(
        table.contains("that the paired 95 \\% interval does not separate from it"),
        "{table}"
    );
    // By hand: accuracies 0.5983 + 0.02 and ±0.001 over three seeds; t of two degrees of freedom is 4.303.
    assert!(
        table.contains("\\fontseries{b}\\selectfont 61.8(2)"),
        "{table}"
    );
    let csv = text(&files, "tables/methods-digits-accuracy.csv");
    assert!(
        csv.starts_with("network,method,images_1,images_1_lo,images_1_hi,images_2,"),
        "{csv}"
    );
    assert!(text(&files, "report.html").contains("Methods by training images per class on digits"));
}

#[test]
fn one_method_compares_its_networks() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    two_networks(&results);
    let (_, files) = report(
        &[&results],
        &dir.path().join("out"),
        &ReportOptions::default(),
    );
    let table = text(&files, "tables/methods-digits-accuracy.tex");
    // Seeds differ by 0.12 and 0.09: t over two seeds separates nothing.
    assert!(
        table.contains("Networks by training images") && table.contains("Method: LP."),
        "{table}"
    );
    assert!(!table.contains("\\fontseries"), "{table}");
    assert!(table.contains("\\begin{table}[t]"), "{table}");
}

/// What `pdflatex` says of `tables`, whose texts may be `width` points wide.
fn compiled(dir: &Path, tables: &[&String], width: u32) -> String {
    let mut document = format!(
        "\\documentclass{{article}}\n\\usepackage{{booktabs,longtable,siunitx}}\n\
         \\setlength{{\\textwidth}}{{{width}pt}}\\setlength{{\\textheight}}{{650pt}}\\setlength{{\\topmargin}}{{-40pt}}\n\\begin{{document}}\n"
    );
    for table in tables {
        document.push_str(&format!("{table}\\clearpage\n"));
    }
    document.push_str("\\end{document}\n");
    fs::write(dir.join("paper.tex"), document).unwrap();
    let status = Command::new("pdflatex")
        .args(["-interaction=nonstopmode", "paper.tex"])
        .current_dir(dir)
        .env("max_print_line", "1000")
        .output()
        .unwrap()
        .status;
    let log = String::from_utf8_lossy(&fs::read(dir.join("paper.log")).unwrap()).into_owned();
    assert!(status.success(), "{log}");
    log
}

fn assert_fits(log: &str) {
    let bad = |line: &&str| {
        line.contains("Overfull") || line.starts_with('!') || line.contains("Float too large")
    };
    let found: Vec<&str> = log.lines().filter(bad).collect();
    assert!(found.is_empty(), "{found:?}\n{log}");
}

fn tables(files: &Files, kind: impl Fn(&str) -> bool) -> Vec<String> {
    let tables = files.keys().filter(|name| name.ends_with(".tex"));
    tables
        .map(|name| text(files, name))
        .filter(|table| kind(table))
        .collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "a test that is left out says so")]
fn pdflatex_takes_every_table_and_none_is_too_wide() {
    if Command::new("pdflatex").arg("--version").output().is_err() {
        println!("skipped: pdflatex is not installed");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    study(&results);
    // Hostile and long names, letters of other alphabets, and a run without a record.
    for (at, run) in fs::read_dir(&results).unwrap().enumerate() {
        edit(&run.unwrap().path(), |record| {
            record["data"]["class_names"][0] = HOSTILE.into();
            record["data"]["class_names"][1] = "Çà žluťoučký 中文 ‘--,,' ĳ Đ [x]".into();
            record["data"]["class_names"][2] = "W".repeat(60).into();
            record["spec"]["recipe"] = format!("a-recipe_with/parts, {}", "m".repeat(40)).into();
            record["training"]["notes"] =
                vec![format!("{HOSTILE} no probability {}", "m".repeat(90)); at % 2].into();
        });
    }
    let begun = results.join("begun");
    fs::create_dir(&begun).unwrap();
    fs::write(begun.join("failure.json"), "{").unwrap();
    let (_, files) = report(
        &[&results],
        &dir.path().join("out"),
        &ReportOptions::default(),
    );
    let is_narrow = |table: &str| table.contains("\\begin{table}");
    let (narrow, wide) = (
        tables(&files, is_narrow),
        tables(&files, |table| !is_narrow(table)),
    );
    assert!(
        narrow.len() >= 2 && wide.len() >= 4,
        "{} {}",
        narrow.len(),
        wide.len()
    );
    assert!(wide.iter().any(|table| table.contains("longtable}")));
    for (tables, width) in [(narrow, 234), (wide, 397)] {
        assert_fits(&compiled(
            dir.path(),
            &tables.iter().collect::<Vec<_>>(),
            width,
        ));
    }
    // The check finds what does not fit.
    let wide = "\\begin{tabular}{l}".to_owned() + &"m".repeat(99) + "\\end{tabular}";
    assert!(compiled(dir.path(), &[&wide], 234).contains("Overfull"));
}
