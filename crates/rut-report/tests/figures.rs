//! Figures in the formats that are asked for.

#![cfg(feature = "pdf")]

mod common;

use std::collections::BTreeSet;

use common::{Files, HOSTILE, Wanted, edit, plain, report, text, two_networks};
use rut_report::{FigureFormat, ReportOptions};

/// Names of figures without their ending, by which they end in.
fn named(files: &Files, ending: &str) -> BTreeSet<String> {
    let figures = files
        .keys()
        .filter_map(|name| name.strip_prefix("figures/"));
    let own = figures.filter_map(|name| name.strip_suffix(ending));
    own.map(str::to_owned).collect()
}

#[test]
fn every_figure_is_there_in_every_format() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    two_networks(&results);
    let prompted = Wanted {
        method: "vp",
        ..Wanted::PROBE
    };
    edit(&prompted.make(&results), |record| {
        record["data"]["class_names"][1] = HOSTILE.into();
    });
    let options = |formats: &[FigureFormat]| ReportOptions {
        figure_width: Some(3.25),
        figure_formats: formats.iter().copied().collect(),
        ..plain()
    };
    let out = dir.path().join("out");
    let (_, files) = report(&[&results], &out, &options(FigureFormat::ALL));
    let drawn = named(&files, ".svg");
    assert!(
        drawn.len() > 10 && drawn == named(&files, ".pdf"),
        "{drawn:?}"
    );
    for name in &drawn {
        let pdf = &files[&format!("figures/{name}.pdf")];
        assert!(pdf.starts_with(b"%PDF-"), "{name}");
        // Words are text in the font of this crate.
        let shown = String::from_utf8_lossy(pdf);
        assert!(
            shown.contains("/FontFile2") && shown.contains("DejaVuSans"),
            "{name}"
        );
    }
    // 3.25 inches of 72 points.
    let pdf = String::from_utf8_lossy(&files["figures/weights-digits-lp-ece.pdf"]).into_owned();
    assert!(pdf.contains("/MediaBox [0 0 234 "), "{pdf:.400}");
    // One format leaves nothing of the other from before, and the page stays as it is.
    let (_, only) = report(&[&results], &out, &options(&[FigureFormat::Pdf]));
    assert!(named(&only, ".svg").is_empty() && named(&only, ".pdf") == drawn);
    assert_eq!(text(&only, "report.html"), text(&files, "report.html"));
}
