//! Commands without training: features and logits of a network, and logits of other programs.

mod rut;

use std::fs;
use std::path::Path;

use rut::{ends, root, rut};

const TICKET: &str = "--model resnet20_cifar100 --sparsity 8";

/// Shape and values of an f32 tensor of a safetensors file.
fn tensor(file: &Path, name: &str) -> (Vec<u64>, Vec<f32>) {
    let bytes = fs::read(file).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let about = &header[name];
    let at = |i: usize| 8 + length + about["data_offsets"][i].as_u64().unwrap() as usize;
    let values = bytes[at(0)..at(1)]
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()));
    (
        serde_json::from_value(about["shape"].clone()).unwrap(),
        values.collect(),
    )
}

#[test]
fn features_and_logits_of_a_data_set_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("digits.safetensors");
    let line = format!(
        "extract {TICKET} --dataset digits --classes 0-1 --output {}",
        file.display()
    );
    let (out, _) = ends(rut(dir.path(), &line), 0);
    assert!(
        out.contains("features [") && out.contains("64]") && out.contains("100]"),
        "{out}"
    );
    let (shape, features) = tensor(&file, "features");
    assert_eq!(shape[1], 64);
    assert!(
        features.iter().all(|v| v.is_finite() && *v >= 0.0),
        "averages of what a ReLU lets through"
    );
    assert_eq!(tensor(&file, "logits").0, [shape[0], 100]);
    assert_eq!(tensor(&file, "labels").0, [shape[0]]);
}

#[test]
fn a_folder_of_images_without_classes_will_do() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("photos");
    fs::create_dir(&folder).unwrap();
    for value in [10u8, 200] {
        let image = [b"P5 8 8 255\n".as_slice(), &[value; 64]].concat();
        fs::write(folder.join(format!("{value}.pgm")), image).unwrap();
    }
    let file = dir.path().join("photos.safetensors");
    let line = format!(
        "extract {TICKET} --dataset {} --output {}",
        folder.display(),
        file.display()
    );
    ends(rut(dir.path(), &line), 0);
    let (shape, features) = tensor(&file, "features");
    assert_eq!(shape, [2, 64]);
    assert_ne!(features[..64], features[64..], "two images, two rows");
}

#[test]
fn upstream_asks_for_the_network_s_own_classes_and_takes_a_folder_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (_, err) = ends(
        rut(dir.path(), &format!("upstream {TICKET} --dataset digits")),
        2,
    );
    assert!(
        err.contains("100 classes") && err.contains("dataset = 10 classes"),
        "{err}"
    );
    let folder = dir.path().join("hundred");
    for class in 0..100 {
        let class = folder.join(format!("{class:02}"));
        fs::create_dir_all(&class).unwrap();
        fs::write(
            class.join("a.pgm"),
            [b"P5 8 8 255\n".as_slice(), &[90; 64]].concat(),
        )
        .unwrap();
    }
    let line = format!("upstream {TICKET} --dataset {} --json", folder.display());
    let found: serde_json::Value =
        serde_json::from_str(&ends(rut(dir.path(), &line), 0).0).unwrap();
    // All hundred images are the same, so exactly one of the hundred classes is right.
    assert_eq!(
        (&found["raw"]["n"], &found["raw"]["accuracy"]),
        (&100.into(), &0.01.into())
    );
}

/// `tests/fixtures/make_logits.py` says what PyTorch says.
#[test]
fn metrics_of_an_npz_are_computed_at_its_own_precision() {
    let dir = tempfile::tempdir().unwrap();
    let file = root().join("crates/rut-cli/tests/fixtures/logits.npz");
    let line = format!("metrics {0} --against {0} --json", file.display());
    let found: serde_json::Value =
        serde_json::from_str(&ends(rut(dir.path(), &line), 0).0).unwrap();
    let nll = found["summary"]["nll"].as_f64().unwrap();
    assert!((nll - NLL).abs() < 1e-12, "{nll}");
    assert_eq!(found["summary"]["accuracy"], ACCURACY);
    assert_eq!(found["difference"]["ece"]["hi"], 0.0);
    let (out, _) = ends(
        rut(
            dir.path(),
            &format!("metrics {} --convention torchmetrics", file.display()),
        ),
        0,
    );
    assert!(
        out.contains("ECE (torchmetrics, 15 bins)") && out.contains("95 % interval"),
        "{out}"
    );
}

#[test]
fn column_major_logits_are_read_as_they_are_meant_and_other_entries_do_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    let file = root().join("crates/rut-cli/tests/fixtures/columns.npz");
    let line = format!("metrics {} --json", file.display());
    let found: serde_json::Value =
        serde_json::from_str(&ends(rut(dir.path(), &line), 0).0).unwrap();
    assert_eq!(found["summary"]["accuracy"], ACCURACY);
    let (columns, _) = ends(rut(dir.path(), &format!("{line} --part columns")), 0);
    let columns: serde_json::Value = serde_json::from_str(&columns).unwrap();
    assert_eq!(columns["summary"], found["summary"]);
}

const NLL: f64 = 1.9659299696375974;
const ACCURACY: f64 = 22.0 / 60.0;

/// The quickstart's two runs, and that they learn: chance is 10 %.
#[test]
fn the_quickstart_learns_to_read_digits() {
    let dir = tempfile::tempdir().unwrap();
    for (method, least) in [("lp", 0.8), ("vp", 0.6)] {
        let line = format!(
            "{method} --results-path {} --json",
            dir.path().join("results").display()
        );
        let (out, err) = ends(rut(dir.path(), &line), 0);
        let found: serde_json::Value = serde_json::from_str(&out).unwrap();
        let accuracy = found["test"]["raw"]["accuracy"].as_f64().unwrap();
        assert!(accuracy > least, "{method}: {accuracy}");
        assert!(
            err.contains("quickstart") && err.contains("Try next"),
            "{err}"
        );
    }
}
