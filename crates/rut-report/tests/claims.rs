//! What a report says of the claims on compressed networks: from figures made up for it, against scipy's and statsmodels' p-values.

mod common;

use common::compared::{QUANTIZED, TICKET, csv_rows, make, none};
use common::{Wanted, assert_one_script, edit, plain, report, text};

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
