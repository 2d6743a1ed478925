//! `rut metrics`: logits are logits and probabilities are probabilities, whatever the file calls them.

use std::fs;
use std::path::Path;

use rut::tensors::Tensors;
use rut::{ends, refuses, root, rut, shared};

mod rut;

/// The softmax of `logits.npz`, called `logits`; `make_logits.py` made both.
const PROBABILITIES: &str = "crates/rut-cli/tests/fixtures/probabilities.npz";

/// A file of `rows` in the entry `name`, all of class 0; of `part`, if one is given.
fn file(path: &Path, name: &str, rows: &[&[f32]]) -> String {
    let about = |dtype: &str, shape: &[usize]| serde_json::json!({"dtype": dtype, "shape": shape});
    let values = rows.concat().iter().flat_map(|v| v.to_le_bytes()).collect();
    let prefix = name.rsplit_once('.').map_or("", |(part, _)| part);
    let labels = [prefix, "labels"].join(if prefix.is_empty() { "" } else { "." });
    let tensors = [
        (
            name.to_owned(),
            (about("F32", &[rows.len(), rows[0].len()]), values),
        ),
        (
            labels,
            (about("I64", &[rows.len()]), vec![0; 8 * rows.len()]),
        ),
    ];
    fs::write(path, Tensors(tensors.into()).bytes()).unwrap();
    path.display().to_string()
}

fn json(dir: &Path, line: &str) -> serde_json::Value {
    serde_json::from_str(&ends(rut(dir, line), 0).0).unwrap()
}

#[test]
fn probabilities_called_logits_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = root().join(PROBABILITIES).display().to_string();
    let says = ["probabilities.npz", "sum to 1", "`--probabilities`"];
    refuses(dir.path(), &format!("metrics {file}"), 1, &says);
    let logits = file.replace("probabilities", "logits");
    let against = format!("metrics {logits} --against {file}");
    refuses(dir.path(), &against, 1, &says);
    let Some(shown) = shared("trouble/05_probabilities_as_logits") else {
        return;
    };
    let line = |name: &str| format!("metrics {}", shown.join(name).display());
    refuses(
        dir.path(),
        &line("probs_as_logits.npz"),
        1,
        &["`--probabilities`"],
    );
    let ece = |line: &str| {
        let found = json(dir.path(), &format!("{line} --json"));
        found["summary"]["ece"].as_f64().unwrap()
    };
    let of_logits = ece(&line("ok.npz"));
    assert!((of_logits - 0.2311).abs() < 5e-5, "{of_logits}");
    let of_probabilities = ece(&(line("probs_as_logits.npz") + " --probabilities"));
    assert!((of_probabilities - of_logits).abs() < 1e-6);
}

/// NumPy 2.4.6 and SciPy's bounded minimum of the NLL over ln T, on the same file.
#[test]
fn probabilities_have_the_figures_of_their_logits() {
    let dir = tempfile::tempdir().unwrap();
    let file = root().join(PROBABILITIES).display().to_string();
    let found = json(
        dir.path(),
        &format!("metrics {file} --probabilities --against {file} --convention netcal --json"),
    );
    let close = |pointer: &str, want: f64, within: f64| {
        let got = found.pointer(pointer).unwrap().as_f64().unwrap();
        assert!((got - want).abs() < within, "{pointer}: {got}, not {want}");
    };
    close("/summary/ece", 0.3693815830860016, 1e-12);
    close("/summary/nll", 1.9659299696375974, 1e-12);
    close("/summary/brier", 0.9379873647468279, 1e-12);
    close(
        "/temperature_on_itself/temperature",
        5.598945017185657,
        1e-5,
    );
    close(
        "/temperature_on_itself/nll_after",
        1.3397075049836582,
        1e-12,
    );
    close("/difference/nll/hi", 0.0, 1e-15);
    let (out, _) = ends(
        rut(dir.path(), &format!("metrics {file} --probabilities")),
        0,
    );
    assert!(out.contains("5.599"), "{out}");
}

#[test]
fn the_rule_holds_for_every_form_and_no_logits_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.safetensors");
    let refused: [(&str, &[&[f32]]); 6] = [
        ("logits", &[&[0.25, 0.75], &[1.0, 0.0]]),
        ("test.logits", &[&[0.5, 0.5]]),
        // Rounded to two decimals.
        ("logits", &[&[0.33, 0.33, 0.33], &[0.14, 0.29, 0.58]]),
        ("logits", &[&[1.0]]),
        ("probs", &[&[0.25, 0.75]]),
        ("probabilities", &[&[0.25, 0.75]]),
    ];
    for (name, rows) in refused {
        let part = name.strip_suffix(".logits").unwrap_or_default();
        let part = if part.is_empty() {
            String::new()
        } else {
            format!("--part {part}")
        };
        let line = format!("metrics {} {part}", file(&path, name, rows));
        refuses(
            dir.path(),
            &line,
            1,
            &["a.safetensors", "`--probabilities`"],
        );
    }
    let taken: [&[&[f32]]; 5] = [
        // Logarithms of probabilities are logits.
        &[&[-0.105, -2.303], &[-0.693, -0.693]],
        &[&[0.25, 0.75], &[1.0, 0.5]],
        &[&[1.25, -0.25]],
        &[&[0.0, 0.0]],
        &[&[7.0], &[3.0]],
    ];
    for rows in taken {
        let line = format!("metrics {}", file(&path, "logits", rows));
        ends(rut(dir.path(), &line), 0);
    }
}

#[test]
fn what_is_no_probability_is_refused_as_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.safetensors");
    let cases: [(&[&[f32]], &[&str]); 5] = [
        (
            &[&[2.0, -1.0]],
            &["row 0, column 0", "`--probabilities`", "logits"],
        ),
        (
            &[&[0.5, 0.5], &[0.5, f32::NAN]],
            &["row 1, column 1", "NaN"],
        ),
        (&[&[0.5, 0.25]], &["row 0", "0.75", "normalise"]),
        (&[&[0.0, 1.0]], &["true class 0", "logits"]),
        (&[&[0.3]], &["a column per class", "[1 - p, p]"]),
    ];
    for (rows, says) in cases {
        let line = format!("metrics {} --probabilities", file(&path, "logits", rows));
        refuses(dir.path(), &line, 1, says);
    }
    let nan = format!(
        "metrics {}",
        file(&path, "logits", &[&[0.5, 0.5], &[0.5, f32::NAN]])
    );
    refuses(dir.path(), &nan, 1, &["row 1, column 1", "NaN"]);
    let infinite = file(&path, "logits", &[&[0.0, f32::NEG_INFINITY]]);
    refuses(
        dir.path(),
        &format!("metrics {infinite}"),
        1,
        &["logarithm of a probability of 0"],
    );
}

#[test]
fn a_hint_names_a_flag_that_exists() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.safetensors");
    let line = format!("metrics {}", file(&path, "test.logits", &[&[2.0, -1.0]]));
    refuses(
        dir.path(),
        &line,
        1,
        &["an entry `logits`", "`--part test`"],
    );
    ends(rut(dir.path(), &format!("{line} --part test")), 0);
    let line = format!("metrics {}", file(&path, "scores", &[&[2.0, -1.0]]));
    refuses(
        dir.path(),
        &line,
        1,
        &["an entry `logits`", "found labels, scores"],
    );
    let (help, _) = ends(rut(dir.path(), "metrics --help"), 0);
    assert!(
        help.contains("--part") && help.contains("--probabilities"),
        "{help}"
    );
}
