//! Folders of runs without running anything: finished runs of an earlier version, changed as a test needs them, and reports of
//! them.

#![allow(dead_code, reason = "each test file uses its own part")]

pub mod compared;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rut_report::{ReportCounts, ReportOptions};
use serde_json::Value;

/// A class that no format takes as it is.
pub const HOSTILE: &str = "<script>&\"_%$";

/// Finished runs that the program of an earlier version wrote.
const EARLIER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../rut-cli/tests/fixtures/earlier/runs/digits-resnet20_cifar100-ticket8-"
);

/// The files of a report by their path in its folder.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A run that is to be there.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// `lp` or `vp`.
    pub method: &'a str,
    /// Whether its network has all weights; else it is the ticket of state 8.
    pub dense: bool,
    pub shots: u64,
    pub seed: u64,
    /// Added to the accuracy of the recorded run.
    pub gain: f64,
}

impl Wanted<'_> {
    /// A probe of the ticket.
    pub const PROBE: Self = Wanted {
        method: "lp",
        dense: false,
        shots: 4,
        seed: 4,
        gain: 0.0,
    };

    pub fn name(&self) -> String {
        let network = if self.dense { "dense" } else { "ticket8" };
        let Self {
            method,
            shots,
            seed,
            ..
        } = self;
        format!("digits-resnet20_cifar100-{network}-{method}-{shots}shot-seed{seed}")
    }

    /// Makes it in `results`, and gives its folder.
    pub fn make(&self, results: &Path) -> PathBuf {
        let recorded = |name: &str| PathBuf::from(format!("{EARLIER}{name}"));
        let from = match self.method {
            "vp" => recorded("vp-ilm-4shot-seed4-e392a91827"),
            _ => recorded("lp-4shot-seed4-e1faa72e77"),
        };
        let run = results.join(self.name());
        copy(&from, &run);
        if self.dense {
            // Other logits of the same test images.
            let other = recorded("lp-all-seed4-e9ba996c6f").join("logits.safetensors");
            fs::copy(other, run.join("logits.safetensors")).unwrap();
        }
        edit(&run, |record| {
            record["run_id"] = self.name().into();
            record["spec"]["seed"] = self.seed.into();
            record["spec"]["n_shot"] = self.shots.into();
            if self.dense {
                record["spec"]["network"] = "dense".into();
                record["spec"].as_object_mut().unwrap().remove("sparsity");
                record["network"]["mask"] = Value::Null;
                record["network"]["density"] = 1.0.into();
                record["network"]["density_without_stem_and_classifier"] = 1.0.into();
            }
            let accuracy = &mut record["test"]["raw"]["accuracy"];
            *accuracy = (accuracy.as_f64().unwrap() + self.gain).into();
        });
        run
    }
}

/// A dense network and a ticket by probing, two seeds each; their folders in order of their names.
pub fn two_networks(results: &Path) -> Vec<PathBuf> {
    let all = [
        (true, 1, 0.12),
        (true, 2, 0.10),
        (false, 1, 0.0),
        (false, 2, 0.01),
    ];
    let make = |(dense, seed, gain)| {
        let wanted = Wanted {
            dense,
            seed,
            gain,
            ..Wanted::PROBE
        };
        wanted.make(results)
    };
    all.map(make).to_vec()
}

/// Changes the record of `run`.
pub fn edit(run: &Path, change: impl FnOnce(&mut Value)) {
    let mut record = record(run);
    change(&mut record);
    fs::write(
        run.join("record.json"),
        serde_json::to_vec_pretty(&record).unwrap(),
    )
    .unwrap();
}

pub fn record(run: &Path) -> Value {
    serde_json::from_slice(&fs::read(run.join("record.json")).unwrap()).unwrap()
}

pub fn copy(from: &Path, to: &Path) {
    for (name, bytes) in files(from, "") {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// All files below `folder` by their path in it.
pub fn files(folder: &Path, prefix: &str) -> Files {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            found.extend(files(&path, &format!("{name}/")));
        } else {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
    found
}

/// The options of a report of which nothing in particular is asked.
pub fn plain() -> ReportOptions {
    ReportOptions::default()
}

/// A report of `folders` in `out`, and its files.
pub fn report(folders: &[&Path], out: &Path, options: &ReportOptions) -> (ReportCounts, Files) {
    let folders: Vec<PathBuf> = folders.iter().map(|folder| folder.to_path_buf()).collect();
    let written = rut_report::report(&folders, out, options).unwrap();
    (written, files(out, ""))
}

pub fn text(files: &Files, name: &str) -> String {
    String::from_utf8(files[name].clone()).unwrap()
}

/// The page holds one script, which has no address, and nothing of a name that asks for one.
pub fn assert_one_script(page: &str) {
    assert_eq!(page.matches("<script").count(), 1, "{page:.900}");
    assert!(page.contains("<script>//"), "{page:.900}");
}

/// Whether every element that is opened in `xml` is closed, in order, and every attribute is quoted; enough for what the
/// report writes.
pub fn assert_well_formed(xml: &str, name: &str) {
    let mut open = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>'), "{name}: a bare `>`");
        let end = start + rest[start..].find('>').expect("a tag that ends");
        let tag = &rest[start + 1..end];
        assert_eq!(tag.matches('"').count() % 2, 0, "{name}: {tag}");
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{name}");
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap());
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "{name}: {open:?} never closed");
    for entity in xml.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;", "apos;"];
        assert!(
            known.iter().any(|k| entity.starts_with(k)),
            "{name}: &{entity:.9}"
        );
    }
}
