//! `rut quantize` on the bundled network, and what other commands make of it.

mod rut;

use std::path::Path;

use rut::{checkpoint, ends, only_run, record, refuses, rut};
use serde_json::Value;

/// The dense network.
const DENSE: &str = "--model resnet20_cifar100 --sparsity 0 --pretrained-dir bundled:";

fn quantize(dir: &Path, flags: &str) -> Value {
    let line = format!(
        "quantize {DENSE} {flags} --json -o {}",
        dir.join("q").display()
    );
    serde_json::from_str(&ends(rut(dir, &line), 0).0).unwrap()
}

#[test]
fn bits_stand_in_names_ids_and_records() {
    let dir = tempfile::tempdir().unwrap();
    let made = quantize(dir.path(), "--bits 4");
    let path = dir
        .path()
        .join("q/resnet20_cifar100_w4_checkpoint.safetensors");
    assert_eq!(made["checkpoint"], path.display().to_string());
    assert_eq!(made["weight_bits"], 4);
    assert_eq!(made["kept"], serde_json::json!([]));
    let flags = "--bits 4 --activation-bits 6 --calibrate digits --calibration-images 64 --range percentile:99.9 --keep stem";
    let made = quantize(dir.path(), flags);
    assert_eq!(made["kept"], serde_json::json!(["conv1.weight"]));
    let activations = &made["activations"];
    assert_eq!(activations["scales"].as_array().unwrap().len(), 19);
    assert_eq!(activations["calibration"], "percentile 99.9");
    assert_eq!(activations["images"], 64);
    let inspect = format!(
        "ticket inspect --model resnet20_cifar100 --network quantized --bits 4 --activation-bits 6 --pretrained-dir {}",
        dir.path().join("q").display()
    );
    let (text, _) = ends(rut(dir.path(), &inspect), 0);
    assert!(
        text.contains("bits of a weight                          4, all bits in 1 layer\nbits of an activation                     6\n"),
        "{text}"
    );
    for (bits, name, activation_bits) in [
        ("--bits 4", "w4", Value::Null),
        ("--bits 4 --activation-bits 6", "w4a6", 6.into()),
    ] {
        let results = dir.path().join(name);
        let line = format!(
            "vp --dataset digits --n-shot 2 --epochs 1 --model resnet20_cifar100 --network quantized {bits} --pretrained-dir {} \
             --results-path {}",
            dir.path().join("q").display(),
            results.join("results").display()
        );
        let (out, _) = ends(rut(dir.path(), &line), 0);
        assert!(out.contains("accuracy"), "{out}");
        let run = only_run(&results);
        let id = run.file_name().unwrap().to_string_lossy().into_owned();
        assert!(id.contains(&format!("-{name}-vp-")), "{id}");
        let network = &record(&run)["network"];
        assert_eq!(network["density"], 1.0);
        assert_eq!(network["quantization"]["weight_bits"], 4);
        let found = network["quantization"].get("activation_bits");
        assert_eq!(found.cloned().unwrap_or_default(), activation_bits);
        // It is taken up again as it was.
        ends(rut(dir.path(), &format!("eval {}", run.display())), 0);
    }
}

/// A sweep over bits runs each network on its own, and its report draws them.
#[test]
fn a_sweep_over_bits_runs_each_and_its_report_names_them() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    quantize(dir, "--bits 4");
    quantize(dir, "--bits 8");
    quantize(
        dir,
        "--bits 4 --activation-bits 8 --calibrate digits --calibration-images 64",
    );
    let (study, results) = (dir.join("study.toml"), dir.join("results"));
    let text = format!(
        "[base]\ndataset = 'digits'\nn_shot = 2\nmodel = 'resnet20_cifar100'\n[axes]\nmethod = ['lp']\nnetwork = [\
         {{ network = 'dense', pretrained_dir = 'bundled:' }}, \
         {{ network = 'quantized', bits = 8, pretrained_dir = '{q}' }}, \
         {{ network = 'quantized', bits = 4, pretrained_dir = '{q}' }}, \
         {{ network = 'quantized', bits = 4, activation_bits = 8, pretrained_dir = '{q}' }}]\n",
        q = dir.join("q").display()
    );
    std::fs::write(&study, text).unwrap();
    let sweep = |words: &str| {
        let (study, results) = (study.display(), results.display());
        ends(
            rut(
                dir,
                &format!("sweep {words} {study} --results-path {results}"),
            ),
            0,
        )
    };
    sweep("run");
    let (status, _) = sweep("status");
    for bits in ["w8 ", "w4 ", "w4a8 "] {
        assert!(status.contains(bits), "{status}");
    }
    let mut found: Vec<(Value, String)> = std::fs::read_dir(&results)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|run| {
            let network = record(&run)["network"].clone();
            let digest = network["checkpoint"].as_str().unwrap().to_owned();
            (network["quantization"]["weight_bits"].clone(), digest)
        })
        .collect();
    found.sort_by_key(|(bits, _)| bits.as_u64());
    let bits: Vec<&Value> = found.iter().map(|(bits, _)| bits).collect();
    assert_eq!(bits, [&Value::Null, &4.into(), &4.into(), &8.into()]);
    let digests: std::collections::BTreeSet<&String> = found.iter().map(|(_, file)| file).collect();
    assert_eq!(digests.len(), 4, "{found:?}");
    let out = dir.join("report");
    let line = format!("report {} --out {}", results.display(), out.display());
    ends(rut(dir, &line), 0);
    let networks = std::fs::read_to_string(out.join("tables/networks.csv")).unwrap();
    let names: Vec<&str> = networks
        .lines()
        .skip(1)
        .map(|row| row.split(',').next().unwrap())
        .collect();
    assert_eq!(names, ["dense", "W8", "W4", "W4A8"]);
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    // Once more than in the list of abbreviations.
    for (words, least) in [
        ("weights of 4 bits, activations of 8 bits", 2),
        ("remaining bits of weights (%)", 1),
    ] {
        assert!(page.matches(words).count() >= least, "{words}");
    }
}

/// Both engines, which add in another order, on activations of few bits.
#[test]
fn the_reference_and_the_fast_engine_give_the_same_figures() {
    let dir = tempfile::tempdir().unwrap();
    quantize(
        dir.path(),
        "--bits 8 --activation-bits 8 --calibrate digits --calibration-images 64",
    );
    let probe = |engine: &str| {
        let results = dir.path().join(engine);
        let line = format!(
            "lp --dataset digits --n-shot 2 --epochs 2 --model resnet20_cifar100 --network quantized --bits 8 \
             --activation-bits 8 --pretrained-dir {} --results-path {} --engine {engine}",
            dir.path().join("q").display(),
            results.join("results").display()
        );
        ends(rut(dir.path(), &line), 0);
        record(&only_run(&results))["test"]["raw"]["nll"]
            .as_f64()
            .unwrap()
    };
    let (fast, reference) = (probe("auto"), probe("reference"));
    // A value near a half may be rounded to either side.
    assert!(
        (fast - reference).abs() < 1e-2 * reference,
        "{fast} {reference}"
    );
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    quantize(dir, "--bits 4");
    let q = dir.join("q");
    let q = q.display();
    let file = format!("{q}/resnet20_cifar100_w4_checkpoint.safetensors");
    let lp = "lp --dataset digits --n-shot 2 --epochs 1 --model resnet20_cifar100";
    let dense = checkpoint(0);
    let dense = dense.display();
    let make = |flags: &str| format!("quantize {DENSE} -o {q} {flags}");
    let runs = |flags: &str| format!("{lp} {flags}");
    for (line, code, texts) in [
        (make("--bits 4"), 2, vec!["w4_checkpoint.safetensors is there already", "--overwrite"]),
        (make("--bits 4 --label other"), 2, vec!["neither is found"]),
        (make("--bits 8 --label a/b"), 2, vec!["name the files of a network", "--label", "a/b"]),
        (make("--bits 1"), 2, vec!["`--bits`", "2 to 16", "found 1"]),
        (make("--bits 17"), 2, vec!["`--bits`", "found 17"]),
        (make("--bits 8 --keep head"), 2, vec!["`--keep`", "`head`"]),
        (make("--bits 8 --activation-bits 8"), 2, vec!["--calibrate"]),
        (make("--bits 8 --calibrate digits"), 2, vec!["--activation-bits"]),
        (make("--bits 8 --activation-bits 0 --calibrate digits"), 2, vec!["1 to 16"]),
        (
            make("--bits 8 --activation-bits 8 --calibrate digits --calibration-images 0"),
            2,
            vec!["at least 1 image"],
        ),
        (
            make("--bits 8 --activation-bits 8 --calibrate digits --range percentile:0"),
            2,
            vec!["`--range`", "percentile:0"],
        ),
        (runs(&format!("--network quantized --pretrained-dir {q}")), 2, vec!["bits", "none"]),
        (runs(&format!("--network quantized --bits 5 --pretrained-dir {q}")), 3, vec!["resnet20_cifar100, w5"]),
        (runs(&format!("--network dense --checkpoint {file}")), 2, vec!["--network quantized", "4 bits"]),
        (runs(&format!("--network quantized --checkpoint {dense}")), 2, vec!["rut.quantization", "rut quantize"]),
        (runs(&format!("--network quantized --bits 4 --checkpoint {file}")), 2, vec!["bits", "checkpoint"]),
        (runs("--sparsity 4 --bits 4"), 2, vec!["--network quantized"]),
        (
            format!("quantize --model resnet20_cifar100 --network quantized --checkpoint {file} --bits 3 -o {q}"),
            2,
            vec!["rounded to 4 bits already"],
        ),
        (
            format!("lp --dataset digits --n-shot 2 --model resnet20_cifar10 --network quantized --checkpoint {file}"),
            1,
            vec!["resnet20_cifar100", "resnet20_cifar10"],
        ),
    ] {
        refuses(dir, &line, code, &texts);
    }
}

/// An image that is none: the message names it.
#[test]
fn an_unreadable_calibration_image_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let photos = dir.path().join("photos/train");
    for class in ["a", "b"] {
        std::fs::create_dir_all(photos.join(class)).unwrap();
        std::fs::write(photos.join(class).join("broken.png"), b"no image").unwrap();
    }
    std::fs::create_dir_all(dir.path().join("photos/test/a")).unwrap();
    let line = format!(
        "quantize {DENSE} --bits 8 --activation-bits 8 --calibrate {} -o {}",
        dir.path().join("photos").display(),
        dir.path().join("q").display()
    );
    let output = rut(dir.path(), &line).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && text.contains("broken.png"),
        "{text}"
    );
}
