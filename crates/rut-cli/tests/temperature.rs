//! A temperature fitted on few images is marked, wherever it is shown; on many that show a gain it is not.

use std::fs;
use std::path::Path;

use rut::{ends, only_run, record, root, rut, small};
use serde_json::Value;

mod rut;

/// The advice where a fitted temperature cannot be used.
const REMEDY: &str = "read the figures at T = 1";

fn report(dir: &Path) -> (String, Value) {
    let (results, out) = (dir.join("results"), dir.join("report"));
    let line = format!("report {} --out {}", results.display(), out.display());
    ends(rut(dir, &line), 0);
    let index = fs::read_to_string(out.join("runs.jsonl")).unwrap();
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    (
        page,
        serde_json::from_str(index.lines().next().unwrap()).unwrap(),
    )
}

#[test]
fn few_validation_images_put_a_temperature_in_doubt() {
    let dir = tempfile::tempdir().unwrap();
    let (out, _) = ends(small(dir.path(), "lp", "--epochs 1"), 0);
    assert!(out.contains(REMEDY) && out.contains("T = 1  "), "{out}");
    let run = only_run(dir.path());
    let found = record(&run);
    let intervals = &found["temperature_intervals"];
    assert_eq!(
        (&intervals["n"], &intervals["resamples"]),
        (&12.into(), &2000.into())
    );
    let fit = &found["temperature"];
    assert_eq!(intervals["temperature"]["estimate"], fit["temperature"]);
    let gain = fit["nll_before"].as_f64().unwrap() - fit["nll_after"].as_f64().unwrap();
    assert_eq!(intervals["gain"]["estimate"], gain);
    // The validation images' logits give the same, and nothing else goes into it.
    let line = format!(
        "metrics {}/logits.safetensors --part validation --json",
        run.display()
    );
    let again: Value = serde_json::from_str(&ends(rut(dir.path(), &line), 0).0).unwrap();
    assert_eq!(&again["temperature_intervals"], intervals);

    let (out, _) = ends(rut(dir.path(), &format!("eval {}", run.display())), 0);
    assert!(
        out.contains(REMEDY) && out.contains("equal to the record"),
        "{out}"
    );
    let image = dir.path().join("grey.pgm");
    fs::write(&image, [b"P5 8 8 255\n".as_slice(), &[90; 64]].concat()).unwrap();
    let line = format!("predict {} {}", run.display(), image.display());
    let (out, _) = ends(rut(dir.path(), &line), 0);
    let heads = out.lines().next().unwrap();
    let at = |text: &str| {
        heads
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {heads}"))
    };
    assert!(at("confidence") < at("at the fitted temperature (in doubt)"));
    assert!(out.contains(REMEDY), "{out}");

    let (page, row) = report(dir.path());
    assert!(
        page.contains("Read figures at T = 1 first: in 1 of 1 runs"),
        "{page}"
    );
    assert!(page.contains("1 of 1") && page.contains(REMEDY));
    assert_eq!(row["temperature_gain_lo"], intervals["gain"]["lo"]);
    assert_eq!(row["temperature_hi"], intervals["temperature"]["hi"]);
}

#[test]
fn a_record_of_an_earlier_version_is_read_without_intervals() {
    let dir = tempfile::tempdir().unwrap();
    ends(small(dir.path(), "lp", "--epochs 1"), 0);
    let run = only_run(dir.path());
    let path = run.join("record.json");
    let mut found: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let fields = found.as_object_mut().unwrap();
    fields.remove("temperature_intervals").unwrap();
    fields["temperature"]["minimum"] = "inside".into();
    // Its checksum would tell that it was edited.
    fields["cost"].as_object_mut().unwrap().remove("checksum");
    fs::write(&path, serde_json::to_vec(&found).unwrap()).unwrap();
    let (out, _) = ends(rut(dir.path(), &format!("eval {}", run.display())), 0);
    assert!(!out.contains(REMEDY), "{out}");
    let (page, row) = report(dir.path());
    assert!(!page.contains("Read figures at T = 1"), "{page}");
    assert_eq!(row["temperature_gain_lo"], Value::Null);
}

#[test]
fn a_temperature_with_a_clear_gain_is_not_in_doubt() {
    let dir = tempfile::tempdir().unwrap();
    let file = root().join("crates/rut-cli/tests/fixtures/logits.npz");
    let (out, _) = ends(rut(dir.path(), &format!("metrics {}", file.display())), 0);
    assert!(
        out.contains("5.599, 95 % interval") && !out.contains(REMEDY),
        "{out}"
    );
}
