//! `rut bench` on a small network: every measurement, the keys of its JSON, and what it refuses.

mod rut;

use std::collections::BTreeSet;
use std::path::Path;

use rut::{ends, root, rut};
use serde_json::Value;

const SMALL: &str = "bench --model resnet20_cifar100 --batch-size 3 --warmup 1 --repeat 2";

fn json(dir: &Path, line: &str) -> (Value, String) {
    let file = dir.join("bench.json");
    let (out, _) = ends(rut(dir, &format!("{line} --json {}", file.display())), 0);
    let text = std::fs::read_to_string(file).unwrap();
    (serde_json::from_str(&text).unwrap(), out)
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn every_measurement_is_made_and_written_down() {
    let dir = tempfile::tempdir().unwrap();
    let line = format!("{SMALL} --window 8,16 --head 300,16,4 --density 0.3 --threads 2");
    let (found, out) = json(dir.path(), &line);
    let names = "batch_size commit cpu engine format_version head image_size isa measurements network platform repeat \
                 rut seed threads warmup";
    assert_eq!(keys(&found), names.split_whitespace().collect());
    assert_eq!(found["engine"], "cpu-auto-1");
    assert_eq!(
        (&found["threads"], &found["image_size"]),
        (&2.into(), &32.into())
    );
    let network = &found["network"];
    assert_eq!(network["mask_kind"], "magnitude");
    let body = network["density_without_stem_and_classifier"].as_f64();
    assert!((body.unwrap() - 0.3).abs() < 1e-4, "{network}");
    let measured: Vec<String> = found["measurements"]
        .as_array()
        .unwrap()
        .iter()
        .map(checked)
        .collect();
    let want = "forward,extract,window 8,window 16,vp-step 8,vp-step 16,backward,head";
    assert_eq!(measured.join(","), want);
    for text in want.split(',') {
        assert!(out.contains(text), "no {text:?} in:\n{out}");
    }
}

/// Name and window of a measurement whose figures make sense.
fn checked(measured: &Value) -> String {
    let names = "images images_per_second name peak_memory_bytes seconds window";
    assert_eq!(keys(measured), names.split_whitespace().collect());
    let seconds = ["minimum", "median", "maximum"].map(|key| measured["seconds"][key].as_f64());
    assert!(seconds.is_sorted() && seconds[0] > Some(0.0), "{measured}");
    if cfg!(target_os = "linux") {
        assert!(measured["peak_memory_bytes"].as_u64() > Some(1 << 20));
    }
    let name = measured["name"].as_str().unwrap();
    let head = name == "head";
    assert_eq!(measured["images_per_second"].is_null(), head);
    assert_eq!(measured["images"], if head { 300 } else { 3 });
    match measured["window"].as_u64() {
        Some(side) => format!("{name} {side}"),
        None => name.to_owned(),
    }
}

#[test]
fn files_will_do_and_a_head_needs_no_network() {
    let dir = tempfile::tempdir().unwrap();
    let file = |what: &str| {
        let name = format!("checkpoints/resnet20_cifar100_8_{what}.safetensors");
        root().join(name).display().to_string()
    };
    let files = format!(
        "--checkpoint {} --mask {}",
        file("checkpoint"),
        file("mask")
    );
    let line = format!("{SMALL} --only forward --engine sparse {files}");
    let (found, _) = json(dir.path(), &line);
    assert_eq!(found["network"]["mask"].as_str().unwrap().len(), 64);
    assert_eq!(found["measurements"].as_array().unwrap().len(), 1);
    let line = "bench --only head --head 200,8,2 --repeat 1";
    let (found, _) = json(dir.path(), line);
    assert!(found["network"].is_null() && found["engine"].is_null());
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (more, texts) in [
        ("--only backwards", ["backwards", "backward"]),
        ("--engine fast", ["fast", "reference"]),
        ("--mask-kind random", ["--density", "required"]),
        ("--density 0.3 --mask-kind l0", ["l0", "magnitude"]),
        ("--density 1.5", ["density", "at most 1"]),
        ("--window 32", ["window", "1 to 31"]),
        ("--window x", ["window", "whole number"]),
        (
            "--window 16 --prompt watermark --only prompt-step",
            [
                "only = prompt-step",
                "(window,vp-step), because `window` is given",
            ],
        ),
        ("--batch-size -1", ["batch-size", "whole number"]),
        ("--head 1,2", ["head", "images,features,classes"]),
        ("--head 0,2,2", ["head", "at least 1"]),
        ("--repeat 0", ["repeat", "at least 1"]),
        ("--batch-size 0", ["batch_size", "at least 1"]),
        ("--threads 0", ["threads", "1..=1024"]),
        ("--model resnet21", ["resnet21", "resnet20_cifar100"]),
        ("--mask a.pth", ["--checkpoint", "required"]),
        ("--json nowhere/a.json", ["nowhere", "no folder"]),
    ] {
        let model = if more.contains("--model") {
            ""
        } else {
            "--model resnet20_cifar100"
        };
        let (_, err) = ends(rut(dir.path(), &format!("bench {model} {more}")), 2);
        for text in texts {
            assert!(err.contains(text), "`{more}` does not say {text:?}:\n{err}");
        }
    }
    let absent = format!("{SMALL} --checkpoint absent.pth");
    let (_, err) = ends(rut(dir.path(), &absent), 3);
    assert!(err.contains("absent.pth"), "{err}");
}
