//! Heads that are computed and not trained, and the search for C, on the bundled digits and network.

mod rut;

use std::path::Path;

use rut::{ends, record, refuses, rut};

const HEADS: [&str; 3] = ["knn", "prototype", "ridge"];

fn fit(dir: &Path, name: &str, more: &str) -> String {
    let results = dir.join("results");
    let line = format!(
        "lp --run-name {name} --results-path {} {more}",
        results.display()
    );
    ends(rut(dir, &line), 0).0
}

#[test]
fn a_head_is_better_than_chance_and_eval_and_predict_agree_with_its_run() {
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("grey.pgm");
    std::fs::write(&image, [b"P5 8 8 255\n".as_slice(), &[90; 64]].concat()).unwrap();
    for head in HEADS {
        fit(dir.path(), head, &format!("--head {head} --n-shot 10"));
        let run = dir.path().join("results").join(head);
        let found = record(&run);
        let training = &found["training"];
        assert_eq!(training["steps"], 0);
        let want = match head {
            "knn" => 100 * 65,
            "prototype" => 10 * 64,
            _ => 10 * 65,
        };
        assert_eq!(training["trained_values"], want, "{head}");
        let noted = training["notes"].to_string().contains("no logits");
        assert_eq!(noted, head == "ridge", "{training}");
        let accuracy = found["test"]["raw"]["accuracy"].as_f64().unwrap();
        assert!(accuracy > 0.4, "{head}: {accuracy}");
        assert!(found["temperature"]["temperature"].as_f64().unwrap() > 0.0);
        for part in ["test", "validation"] {
            let line = format!("eval {} --part {part} --json", run.display());
            let (out, _) = ends(rut(dir.path(), &line), 0);
            let again: serde_json::Value = serde_json::from_str(&out).unwrap();
            assert_eq!(again, found[part], "{head}");
        }
        let line = format!("predict {} {} --json", run.display(), image.display());
        let (out, _) = ends(rut(dir.path(), &line), 0);
        let found: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert!(found[0]["confidence"].as_f64().unwrap() >= 0.1, "{out}");
    }
    let results = dir.path().join("results");
    let report = dir.path().join("report");
    let line = format!("report {} --out {}", results.display(), report.display());
    ends(rut(dir.path(), &line), 0);
    let page = std::fs::read_to_string(report.join("report.html")).unwrap();
    assert!(
        page.contains("lp-knn") || page.contains("LP-knn"),
        "no nearest neighbours"
    );
}

#[test]
fn threads_change_no_bit_and_half_precision_features_will_do() {
    let dir = tempfile::tempdir().unwrap();
    for head in HEADS {
        let with = |threads: u32| {
            let name = format!("{head}-{threads}");
            let more = format!("--head {head} --n-shot 4 --cache-dtype f16 --threads {threads}");
            fit(dir.path(), &name, &more);
            let run = dir.path().join("results").join(name);
            let read = |name: &str| std::fs::read(run.join(name)).unwrap();
            (
                record(&run)["test"].clone(),
                read("logits.safetensors"),
                read("head.safetensors"),
            )
        };
        assert!(with(1) == with(2), "{head}");
    }
}

#[test]
fn the_search_for_c_is_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let search = "--optimizer lbfgs --c-search coop --n-shot 8 --epochs 200";
    let out = fit(dir.path(), "search", search);
    assert!(
        out.contains("weight decay") && out.contains("kept"),
        "{out}"
    );
    let grid = &record(&dir.path().join("results/search"))["training"]["grid"];
    let members = grid["members"].as_array().unwrap();
    assert!((9..=16).contains(&members.len()), "{grid}");
    // C from 1e6 on, of 80 images.
    let decay = |at: usize| members[at]["weight_decay"].as_f64().unwrap();
    for (at, c) in [1e6, 1e4, 1e2, 1.0, 1e-2, 1e-4, 1e-6]
        .into_iter()
        .enumerate()
    {
        assert!((decay(at) * c * 80.0 - 1.0).abs() < 1e-12, "{grid}");
    }
    let chosen = &members[grid["chosen"].as_u64().unwrap() as usize];
    let alone = format!(
        "--optimizer lbfgs --n-shot 8 --epochs 200 --weight-decay {}",
        chosen["weight_decay"]
    );
    fit(dir.path(), "alone", &alone);
    let head = |name: &str| {
        std::fs::read(
            dir.path()
                .join("results")
                .join(name)
                .join("head.safetensors"),
        )
        .unwrap()
    };
    assert!(head("search") == head("alone"));
}

#[test]
fn what_does_not_go_together_is_refused_by_its_flag() {
    let dir = tempfile::tempdir().unwrap();
    for (line, texts) in [
        ("lp --head knn --lr 1", ["lr = 1", "knn makes no use of it"]),
        (
            "lp --head knn --neighbours 0",
            ["neighbours = 0", "at least 1"],
        ),
        (
            "lp --head ridge --ridge-alpha 0",
            ["ridge_alpha = 0", "positive"],
        ),
        ("lp --neighbours 3", ["neighbours = 3", "a linear head"]),
        (
            "lp --c-search coop",
            ["c_search = coop", "Adam makes no use"],
        ),
        (
            "lp --optimizer lbfgs --c-search coop --val-shots 0",
            ["c_search = none", "validation images"],
        ),
        (
            "lp --optimizer lbfgs --c-search coop --weight-decay 1",
            ["--c-search", "--weight-decay"],
        ),
    ] {
        refuses(dir.path(), line, 2, &texts);
    }
}
