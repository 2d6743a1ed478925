//! Folders of results: records, plans, events and measurements, one by one and as a report gathers them.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use rut_fuzz::{put, checked, within_contents};
use rut_record::{Failure, Plan, RunDir, UpstreamRecord};
use rut_report::{ReportOptions, report};

/// The folder of a sound run.
macro_rules! sound {
    ($file:literal) => {
        include_bytes!(concat!(
            "../../crates/rut-cli/tests/fixtures/earlier/runs/digits-resnet20_cifar100-ticket8-vp-ilm-4shot-seed4-e392a91827/",
            $file
        ))
    };
}

fuzz_target!(|bytes: &[u8]| {
    let folder = put(&[
        ("results/plan.jsonl", bytes),
        ("results/upstream/a.json", bytes),
        ("results/one/record.json", bytes),
        ("results/two/record.json", sound!("record.json")),
        ("results/two/events.jsonl", bytes),
        (
            "results/two/logits.safetensors",
            sound!("logits.safetensors"),
        ),
        ("results/two/prompt.safetensors", bytes),
        ("results/three/failed.json", bytes),
    ]);
    let results = folder.join("results");
    within_contents(0, bytes, || checked(Plan::read(&results.join("plan.jsonl"))));
    within_contents(0, bytes, || {
        checked(UpstreamRecord::read(&results.join("upstream/a.json")))
    });
    within_contents(0, bytes, || {
        let run = RunDir::at(results.join("one"));
        let record = checked(run.read_record())?;
        let _ = record.temperature_doubt();
        checked(run.check_files(&record))
    });
    within_contents(0, bytes, || {
        checked(Failure::read(&RunDir::at(results.join("three"))))
    });
    // Six files that are one.
    within_contents(20 * bytes.len(), bytes, || {
        checked(report(
            &[results],
            &folder.join("report"),
            &ReportOptions::default(),
        ))
    });
    let _ = fs::remove_dir_all(folder.join("report"));
});
