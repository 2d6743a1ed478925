//! What a report says of the claims on compressed networks: from figures made up for it, against scipy's and statsmodels' p-values.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{Wanted, assert_one_script, edit, plain, report, text};
use serde_json::json;

/// Compressed minus dense, by seed.
struct Differences {
    accuracy: [f64; 4],
    ece: [f64; 4],
    ece_at_temperature: [f64; 4],
}

const TICKET: [(u64, Differences); 2] = [
    (
        4,
        Differences {
            accuracy: [-0.10, -0.12, -0.11, -0.13],
            ece: [0.05, 0.06, 0.04, 0.07],
            ece_at_temperature: [0.02, 0.01, 0.03, 0.015],
        },
    ),
    (
        16,
        Differences {
            accuracy: [-0.02, -0.01, -0.03, 0.01],
            ece: [0.01, -0.01, 0.02, -0.03],
            ece_at_temperature: [0.01, -0.01, 0.02, -0.03],
        },
    ),
];

const QUANTIZED: [(u64, Differences); 2] = [
    (
        4,
        Differences {
            accuracy: [0.0, 0.01, 0.0, -0.01],
            ece: [0.001, -0.001, 0.002, -0.001],
            ece_at_temperature: [0.001, -0.001, 0.002, -0.001],
        },
    ),
    (
        16,
        Differences {
            accuracy: [0.0, 0.01, 0.0, -0.01],
            ece: [0.004, 0.001, -0.002, 0.0],
            ece_at_temperature: [0.004, 0.001, -0.002, 0.0],
        },
    ),
];

/// Those of the ticket by prompting.
const PROMPTED: [(u64, Differences); 2] = [
    (
        4,
        Differences {
            accuracy: [-0.05, -0.03, -0.06, -0.02],
            ece: [0.0, 0.01, 0.02, -0.01],
            ece_at_temperature: [0.0, 0.01, 0.02, -0.01],
        },
    ),
    (
        16,
        Differences {
            accuracy: [0.01, -0.02, -0.01, -0.03],
            ece: [0.01, 0.03, 0.02, 0.01],
            ece_at_temperature: [0.01, 0.03, 0.02, 0.01],
        },
    ),
];

/// Four seeds of a probe of `network` with the dense network's figures and `differences`.
fn make(results: &Path, network: &str, differences: &[(u64, Differences)]) {
    make_by("lp", results, network, differences);
}

fn make_by(method: &str, results: &Path, network: &str, differences: &[(u64, Differences)]) {
    for (shots, differences) in differences {
        for seed in 0..4 {
            let wanted = Wanted {
                method,
                dense: network == "dense",
                shots: *shots,
                seed: seed as u64 + 1,
                ..Wanted::PROBE
            };
            let run = wanted.make(results);
            edit(&run, |record| {
                // Seeds differ, whatever the network.
                let base = 0.01 * seed as f64;
                let test = &mut record["test"];
                test["raw"]["accuracy"] = json!(0.6 + base + differences.accuracy[seed]);
                test["raw"]["ece"] = json!(0.1 + base + differences.ece[seed]);
                let scaled = &mut test["at_temperature"];
                scaled["ece"] = json!(0.05 + base + differences.ece_at_temperature[seed]);
                if network == "w4" {
                    let id = record["run_id"].as_str().unwrap().replace("ticket8", "w4");
                    record["run_id"] = id.into();
                    let spec = record["spec"].as_object_mut().unwrap();
                    spec.remove("sparsity");
                    spec.insert("network".into(), "quantized".into());
                    spec.insert("bits".into(), 4.into());
                    let network = record["network"].as_object_mut().unwrap();
                    network.insert("mask".into(), json!(null));
                    network.insert("checkpoint".into(), "44".into());
                    network.insert("density".into(), 1.0.into());
                    network.insert("density_without_stem_and_classifier".into(), 1.0.into());
                    let bits = json!({"weight_bits": 4, "kept": [], "made_of": "00"});
                    network.insert("quantization".into(), bits);
                }
            });
            if network == "w4" {
                let name = run.file_name().unwrap().to_str().unwrap();
                let renamed = results.join(name.replace("ticket8", "w4"));
                std::fs::rename(&run, renamed).unwrap();
            }
        }
    }
}

fn none() -> [(u64, Differences); 2] {
    [4, 16].map(|shots| {
        let zero = [0.0; 4];
        let differences = Differences {
            accuracy: zero,
            ece: zero,
            ece_at_temperature: zero,
        };
        (shots, differences)
    })
}

#[test]
fn claims_have_the_p_values_of_scipy_adjusted_as_statsmodels_does() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    // Tickets after the quantized network, whose runs are made of theirs.
    make(&results, "w4", &QUANTIZED);
    make(&results, "ticket", &TICKET);
    make(&results, "dense", &none());
    let (counts, files) = report(&[&results], &dir.path().join("out"), &plain());
    assert_eq!(counts.runs, 24);
    let table = text(&files, "tables/claims.csv");
    let mut rows = csv_rows(&table);
    let mut take = |claim: &str, figure: &str, labels: &str| -> (String, f64, f64, f64) {
        let at = rows.iter().position(|row| {
            row["claim"] == claim && row["figure"] == figure && row["labels"] == labels
        });
        let row = rows.remove(at.unwrap_or_else(|| panic!("{claim} {figure} {labels}: {table}")));
        let number = |key: &str| row[key].parse::<f64>().unwrap();
        assert_eq!((&*row["dense"], &*row["seeds"]), ("dense", "4"));
        let (difference, p) = (number("difference"), number("p"));
        (
            row["compressed"].clone(),
            difference,
            p,
            number("p_adjusted"),
        )
    };
    // scipy 1.17.1: ttest_1samp(differences, 0); statsmodels 0.15.0: multipletests(p, method="holm"), of each claim and figure.
    let golden = [
        (
            "1a",
            "accuracy",
            "4",
            "state 8",
            -0.115,
            0.0003856171515912925,
            0.000771234303182585,
        ),
        (
            "1a",
            "accuracy",
            "16",
            "state 8",
            -0.0125,
            0.23944259863600298,
            0.23944259863600298,
        ),
        (
            "1b",
            "accuracy",
            "4",
            "state 8",
            -0.1025,
            0.005662634351331553,
            0.005662634351331553,
        ),
        (
            "2",
            "ECE",
            "4",
            "state 8",
            0.055,
            0.0033957770638589793,
            0.006791554127717959,
        ),
        (
            "2",
            "ECE",
            "16",
            "state 8",
            -0.0025,
            0.8360832258079628,
            0.8360832258079628,
        ),
        (
            "2",
            "ECE at T",
            "4",
            "state 8",
            0.01875,
            0.021875398782757818,
            0.043750797565515635,
        ),
        (
            "2",
            "ECE at T",
            "16",
            "state 8",
            -0.0025,
            0.8360832258079628,
            0.8360832258079628,
        ),
        ("3", "ECE", "4", "W4", 0.00025, 0.7608203755145106, 1.0),
        ("3", "ECE", "16", "W4", 0.00075, 0.5908012080539892, 1.0),
        ("3", "ECE at T", "4", "W4", 0.00025, 0.7608203755145106, 1.0),
        (
            "3",
            "ECE at T",
            "16",
            "W4",
            0.00075,
            0.5908012080539892,
            1.0,
        ),
        ("3b", "accuracy", "4", "W4", 0.0, 1.0, 1.0),
        ("3b", "accuracy", "16", "W4", 0.0, 1.0, 1.0),
    ];
    for (claim, figure, labels, network, difference, p, adjusted) in golden {
        let found = take(claim, figure, labels);
        assert_eq!(found.0, network, "{claim} {figure} {labels}");
        let near = |got: f64, want: f64| (got - want).abs() < 1e-9;
        assert!(
            near(found.1, difference) && near(found.2, p) && near(found.3, adjusted),
            "{claim} {figure} {labels}: {found:?}"
        );
    }
    assert!(rows.is_empty(), "{rows:?}");
    let page = text(&files, "report.html");
    assert_one_script(&page);
    let section = page.split_once("id=\"claims\"").unwrap().1;
    let section = section.split_once("</section>").unwrap().0;
    for said in [
        "(1a) A ticket transfers worse",
        "2 comparisons: <span class=\"\">0 better</span>, <span class=\"worse\">1 worse</span>, <span class=\"undecided\">1 undecided</span>",
        "by unadjusted p-values: 0 better, 1 worse.",
        "Worse by training images per class: 1 of 1 (4 shots), 0 of 1 (16 shots).",
        "<span class=\"worse\" title=\"worse: p &lt; 0.001, adjusted &lt; 0.001; 4 seeds, N = 239\">▼\u{a0}−11.5</span>",
        "<span class=\"undecided\" title=\"undecided: p = 0.24, adjusted = 0.24; 4 seeds, N = 239\">−1.3</span>",
        "(1b) It loses the most with few training images",
        "4 shots against the most",
        "title=\"worse: p = 0.022, adjusted = 0.044; 4 seeds, N = 239\">▲\u{a0}+1.9",
        "(3) A quantized network is not worse calibrated",
    ] {
        assert!(section.contains(said), "{said}: {section}");
    }
}

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

/// Of two dense networks a quantized one is compared with that which it was made of. A ticket without its mask is none, a
/// quantized ticket shows what pruning costs, too, and a condition of one seed has no part in what few labels cost.
#[test]
fn only_what_a_claim_is_about_counts() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    make(&results, "w4", &QUANTIZED);
    make(&results, "ticket", &TICKET);
    make(&results, "dense", &none());
    let again = |from: &str, to: &str, change: &dyn Fn(&mut serde_json::Value)| {
        for (shots, seed) in [4, 16]
            .into_iter()
            .flat_map(|shots| (1..5).map(move |seed| (shots, seed)))
        {
            let name = |network: &str| {
                format!("digits-resnet20_cifar100-{network}-lp-{shots}shot-seed{seed}")
            };
            let run = results.join(name(to));
            common::copy(&results.join(name(from)), &run);
            edit(&run, |record| {
                record["run_id"] = name(to).into();
                change(record);
            });
        }
    };
    again("dense", "other", &|record| {
        record["spec"]["recipe"] = "other".into();
        record["network"]["checkpoint"] = "00".into();
    });
    again("ticket8", "dropped", &|record| {
        record["spec"]["masking"] = "dropped".into();
        record["network"]["density_without_stem_and_classifier"] = 1.0.into();
    });
    again("w4", "pruned", &|record| {
        record["network"]["checkpoint"] = "45".into();
        record["network"]["density_without_stem_and_classifier"] = 0.4.into();
    });
    // One shot from one seed.
    let one = Wanted {
        shots: 1,
        seed: 1,
        ..Wanted::PROBE
    };
    one.make(&results);
    Wanted { dense: true, ..one }.make(&results);
    let (_, files) = report(&[&results], &dir.path().join("out"), &plain());
    let rows = csv_rows(&text(&files, "tables/claims.csv"));
    let of = |claim: &str| -> Vec<(String, String, String, String)> {
        let own = rows
            .iter()
            .filter(|row| row["claim"] == claim && row["figure"] != "ECE at T");
        let mut own: Vec<_> = own
            .map(|row| {
                ["dense", "compressed", "labels", "minus_labels"]
                    .map(|key| row[key].clone())
                    .into()
            })
            .collect();
        own.sort();
        own
    };
    let row = |dense: &str, network: &str, labels: &str, minus: &str| {
        [dense, network, labels, minus].map(str::to_owned).into()
    };
    let tickets = [
        ("dense", "16"),
        ("dense", "4"),
        ("other", "16"),
        ("other", "4"),
    ];
    let tickets: Vec<_> = tickets
        .map(|(dense, labels)| row(dense, "state 8", labels, ""))
        .to_vec();
    assert_eq!(of("1a"), tickets);
    assert_eq!(of("2"), tickets);
    let few = ["dense", "other"].map(|dense| row(dense, "state 8", "4", "16"));
    assert_eq!(of("1b"), few);
    assert_eq!(
        of("3"),
        [
            row("other", "W4 (44)", "16", ""),
            row("other", "W4 (44)", "4", "")
        ]
    );
}

/// One seed has no p-value, and without a dense network there is nothing to compare.
#[test]
fn without_seeds_or_pairs_nothing_is_claimed() {
    let dir = tempfile::tempdir().unwrap();
    let results = dir.path().join("results");
    for dense in [true, false] {
        let wanted = Wanted {
            dense,
            ..Wanted::PROBE
        };
        wanted.make(&results);
        let (_, files) = report(&[&results], &dir.path().join("out"), &plain());
        let page = text(&files, "report.html");
        assert!(page.contains(
            "No compressed network stands beside a dense one with two seeds that differ"
        ));
        assert!(!files.contains_key("tables/claims.csv"));
    }
}

fn csv_rows(table: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = table.lines().map(|line| line.split(','));
    let heads: Vec<&str> = lines.next().unwrap().collect();
    let row = |cells: std::str::Split<'_, char>| {
        let cells = cells.map(str::to_owned);
        heads
            .iter()
            .map(|head| head.to_string())
            .zip(cells)
            .collect()
    };
    lines.map(row).collect()
}
