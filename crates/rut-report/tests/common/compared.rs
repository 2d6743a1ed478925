//! Runs of compressed networks and of their dense one, whose figures differ by given amounts.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::{Wanted, edit};

/// Compressed minus dense, by seed.
pub struct Differences {
    pub accuracy: [f64; 4],
    pub ece: [f64; 4],
    pub ece_at_temperature: [f64; 4],
}

pub const TICKET: [(u64, Differences); 2] = [
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

pub const QUANTIZED: [(u64, Differences); 2] = [
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
pub const PROMPTED: [(u64, Differences); 2] = [
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
pub fn make(results: &Path, network: &str, differences: &[(u64, Differences)]) {
    make_by("lp", results, network, differences);
}

pub fn make_by(method: &str, results: &Path, network: &str, differences: &[(u64, Differences)]) {
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

pub fn none() -> [(u64, Differences); 2] {
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

/// The rows of a table, by the names of columns.
pub fn csv_rows(table: &str) -> Vec<BTreeMap<String, String>> {
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
