//! Averages of the claims over settings: from figures made up for it, against scipy's and statsmodels' p-values.

mod common;

use common::compared::{PROMPTED, QUANTIZED, TICKET, csv_rows, make, make_by, none};
use common::{Wanted, plain, report, text};

/// An average is over what both networks have, seed by seed: over all conditions, and over the settings on each number of images.
#[test]
fn averages_have_the_p_values_of_scipy_adjusted_as_statsmodels_does() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    make(&results, "ticket", &TICKET);
    make(&results, "dense", &none());
    make_by("vp", &results, "ticket", &PROMPTED);
    make_by("vp", &results, "dense", &none());
    let averages = |out: &str| -> Vec<(String, String, String, [f64; 3])> {
        let (_, files) = report(&[&results], &dir.path().join(out), &plain());
        let rows = csv_rows(&text(&files, "tables/claims-averages.csv"));
        let accuracy = rows.iter().filter(|row| row["figure"] == "accuracy");
        accuracy
            .map(|row| {
                let [claim, labels, conditions, seeds] =
                    ["claim", "labels", "conditions", "seeds"].map(|key| row[key].clone());
                let numbers =
                    ["difference", "p", "p_adjusted"].map(|key| row[key].parse().unwrap());
                (
                    claim,
                    labels,
                    format!("{conditions} of {seeds} seeds"),
                    numbers,
                )
            })
            .collect()
    };
    let check = |out: &str, golden: &[(&str, &str, &str, [f64; 3])]| {
        let found = averages(out);
        assert_eq!(found.len(), golden.len(), "{found:?}");
        for (found, want) in found.iter().zip(golden) {
            assert_eq!((&*found.0, &*found.1, &*found.2), (want.0, want.1, want.2));
            let near = found
                .3
                .iter()
                .zip(want.3)
                .all(|(a, b)| (a - b).abs() < 1e-9);
            assert!(near, "{found:?}, not {want:?}");
        }
    };
    // scipy 1.17.1: ttest_1samp of the means; statsmodels 0.15.0: multipletests(p, method="holm"), of each claim.
    check(
        "whole",
        &[
            (
                "1a",
                "",
                "4 of 4 seeds",
                [-0.045, 0.00047040523127184816, 0.0009408104625436963],
            ),
            (
                "1a",
                "4",
                "2 of 4 seeds",
                [-0.0775, 7.374985051017138e-05, 0.00022124955153051415],
            ),
            (
                "1a",
                "16",
                "2 of 4 seeds",
                [-0.0125, 0.030466291662170977, 0.030466291662170977],
            ),
            (
                "1b",
                "",
                "2 of 4 seeds",
                [-0.065, 6.805720134518554e-05, 6.805720134518554e-05],
            ),
        ],
    );
    let (_, files) = report(&[&results], &dir.path().join("page"), &plain());
    let page = text(&files, "report.html");
    for said in [
        "aria-label=\"Difference in accuracy, averages\"",
        "all settings<span class=\"ends\">4 shots</span>",
        "<span class=\"ends\">4 conditions, 4 seeds</span>",
        "Single settings: 4 comparisons",
    ] {
        assert!(page.contains(said), "{said}");
    }
    let figure = text(&files, "figures/claims-averages-accuracy.svg");
    // scipy: the 95 % interval of those means.
    let said = "state 8 − dense: accuracy −4.5 (−5.4 to −3.6); 4 conditions, 4 seeds";
    assert!(figure.contains(said), "{figure}");
    // A seed that one condition lacks is left out of the averages that the condition has part in.
    let lacking = Wanted {
        method: "vp",
        shots: 16,
        seed: 4,
        ..Wanted::PROBE
    };
    std::fs::remove_dir_all(results.join(lacking.name())).unwrap();
    check(
        "lacking",
        &[
            (
                "1a",
                "",
                "4 of 3 seeds",
                [-0.0458333333333, 0.006222428193021023, 0.012444856386042046],
            ),
            (
                "1a",
                "4",
                "2 of 4 seeds",
                [-0.0775, 7.374985051017138e-05, 0.00022124955153051415],
            ),
            (
                "1a",
                "16",
                "2 of 3 seeds",
                [-0.0133333333333, 0.09417837268432341, 0.09417837268432341],
            ),
            (
                "1b",
                "",
                "2 of 3 seeds",
                [-0.065, 0.00196657024149706, 0.00196657024149706],
            ),
        ],
    );
}

/// Where networks differ in what they have, each average says over how much it is. One number of images is no row of its own for
/// one network and the total for another; a condition of one seed, and a setting alone, have no part.
#[test]
fn averages_of_a_study_that_is_not_complete_say_over_how_much() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    // One setting of another network, whose runs are made of the ticket's.
    make(&results, "w4", &QUANTIZED);
    make(&results, "dense", &none());
    make_by("vp", &results, "dense", &none());
    make(&results, "ticket", &TICKET);
    // Of the second setting, all seeds at 4 shots and one at 16.
    make_by("vp", &results, "ticket", &PROMPTED);
    for seed in 2..5 {
        let gone = Wanted {
            method: "vp",
            shots: 16,
            seed,
            ..Wanted::PROBE
        };
        std::fs::remove_dir_all(results.join(gone.name())).unwrap();
    }
    let (_, files) = report(&[&results], &dir.path().join("out"), &plain());
    let rows = csv_rows(&text(&files, "tables/claims-averages.csv"));
    let found: Vec<[&str; 5]> = rows
        .iter()
        .map(|row| ["claim", "figure", "labels", "conditions", "seeds"].map(|key| &*row[key]))
        .collect();
    // Claim 1b has one setting, and the ECE is as the accuracy.
    assert_eq!(
        found,
        [
            ["1a", "accuracy", "", "3", "4"],
            ["1a", "accuracy", "4", "2", "4"],
            ["2", "ECE", "", "3", "4"],
            ["2", "ECE", "4", "2", "4"],
            ["2", "ECE at T", "", "3", "4"],
            ["2", "ECE at T", "4", "2", "4"],
        ]
    );
    // Higher is worse: scipy: ttest_1samp of the means at 4 shots.
    let ece = &rows[3];
    let number = |key: &str| ece[key].parse::<f64>().unwrap();
    assert!((number("difference") - 0.03).abs() < 1e-9, "{ece:?}");
    assert!(
        (number("p") - 0.0006832802205681929).abs() < 1e-9,
        "{ece:?}"
    );

    // The second setting of the quantized network, at 4 shots alone.
    let more = dir.path().join("more");
    std::fs::create_dir(&more).unwrap();
    make_by("vp", &more, "w4", &QUANTIZED[..1]);
    let (_, files) = report(&[&results, &more], &dir.path().join("both"), &plain());
    let rows = csv_rows(&text(&files, "tables/claims-averages.csv"));
    let quantized: Vec<[&str; 3]> = rows
        .iter()
        .filter(|row| row["claim"] == "3" && row["figure"] == "ECE")
        .map(|row| ["labels", "conditions", "compressed"].map(|key| &*row[key]))
        .collect();
    assert_eq!(quantized, [["", "3", "W4"], ["4", "2", "W4"]]);
}
