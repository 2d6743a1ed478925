//! All measurements of one call, and the report of them that is written down.

use std::path::Path;
use std::sync::Arc;

use rut_models::{EngineInfo, FrozenNetwork, Precision};
use rut_record::{cpu, peak_memory, platform, write_whole};
use serde::Serialize;

use crate::error::{Result, refused};
use crate::measurement::Measurement;
use crate::options::{CheckedBench, HeadShape};
use crate::subject::BenchedNetwork;
use crate::timing::{Repeats, Timing};
use crate::{loops, passes, subject};

/// The layout of [`BenchReport`].
const FORMAT_VERSION: u32 = 1;

/// What was measured, on what, and with what.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BenchReport {
    /// The layout of this report.
    pub format_version: u32,
    /// Version of rut.
    pub rut: String,
    /// Commit that it was built from, or `unknown`.
    pub commit: String,
    /// The processor, where the system reports it.
    pub cpu: Option<String>,
    /// Operating system and processor architecture.
    pub platform: String,
    /// Threads that computed.
    pub threads: usize,
    /// What computed the network; absent where none was asked.
    pub engine: Option<String>,
    /// In which precision, if not in f32.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<&'static str>,
    /// Instruction set that it used.
    pub isa: Option<String>,
    /// The network; absent where none was asked.
    pub network: Option<BenchedNetwork>,
    /// Images per pass or step through the network.
    pub batch_size: usize,
    /// Side of the input, pixels.
    pub image_size: usize,
    /// The head.
    pub head: HeadShape,
    /// How often each thing was done.
    #[serde(flatten)]
    pub repeats: Repeats,
    /// Seed of everything that was drawn.
    pub seed: u64,
    /// What was found, in the order in which it was measured.
    pub measurements: Vec<Measured>,
}

/// What was found of one measurement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// Its name in the table.
    pub name: &'static str,
    /// Side of the window, pixels.
    pub window: Option<usize>,
    /// The prompt of a step of one that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<&'static str>,
    /// Images of one repetition; for the head, rows of an epoch.
    pub images: usize,
    /// Seconds of one repetition: a pass, a step, or an epoch of the head.
    pub seconds: Timing,
    /// Images per second; absent for the head, of which seconds per epoch are reported.
    pub images_per_second: Option<Timing>,
    /// The most memory that the process has held so far, bytes, where the system reports it: of the measurement alone only
    /// where it is the only one.
    pub peak_memory_bytes: Option<u64>,
}

/// The program that measures.
#[derive(Clone, Copy, Debug)]
pub struct Built<'a> {
    /// Commit that it was built from.
    pub commit: &'a str,
    /// Threads that it computes with.
    pub threads: usize,
}

/// Measures everything that was asked for. `announce` is called before each measurement.
///
/// # Errors
/// If a file of weights is missing or broken, or the network cannot take the images.
pub fn bench(
    bench: &CheckedBench,
    built: Built<'_>,
    announce: &mut dyn FnMut(&str),
) -> Result<BenchReport> {
    let asks = bench.measurements.iter().any(|m| m.has_network());
    let subject = if asks {
        Some(subject::load(bench)?)
    } else {
        None
    };
    let network = subject.as_ref().map(|(network, _)| network);
    let mut measurements = Vec::new();
    for &measurement in &bench.measurements {
        if let (Measurement::PromptStep, Some(network)) = (measurement, network) {
            for row in &bench.prompts {
                announce(&format!("measuring a step of {}", row.name));
                let laps = loops::prompt_steps(bench, network, row)?;
                let measured = measured(bench, measurement, &laps);
                measurements.push(Measured {
                    prompt: Some(row.name),
                    ..measured
                });
            }
            continue;
        }
        let windows = bench.windows.iter().copied().map(Some);
        let windows: Vec<_> = if measurement.has_window() {
            windows.collect()
        } else {
            vec![None]
        };
        for window in windows {
            let of = window.map_or(String::new(), |side| format!(", window {side}"));
            announce(&format!("measuring {}{of}", measurement.name()));
            measurements.push(measure(bench, network, measurement, window)?);
        }
    }
    let engine: Option<EngineInfo> = network.map(|network| network.engine());
    Ok(BenchReport {
        format_version: FORMAT_VERSION,
        rut: env!("CARGO_PKG_VERSION").into(),
        commit: built.commit.into(),
        cpu: cpu(),
        platform: platform(),
        threads: built.threads,
        engine: engine.map(|engine| engine.name.into()),
        precision: network.map(|network| network.precision()).and_then(named),
        isa: engine.map(|engine| engine.isa.into()),
        network: subject.map(|(_, about)| about),
        batch_size: bench.options.batch_size,
        image_size: bench.image_size,
        head: bench.options.head,
        repeats: bench.options.repeats,
        seed: bench.options.seed.0,
        measurements,
    })
}

/// The name of a precision that is not the default.
fn named(precision: Precision) -> Option<&'static str> {
    (precision != Precision::default()).then(|| precision.spec().name)
}

fn measure(
    bench: &CheckedBench,
    network: Option<&Arc<dyn FrozenNetwork>>,
    measurement: Measurement,
    window: Option<usize>,
) -> Result<Measured> {
    let side = window.unwrap_or(0);
    let laps = match (measurement, network) {
        (Measurement::Head, _) => loops::head_epochs(bench),
        (_, None) => Err(refused("only", "a network for it", measurement.name())),
        (Measurement::Forward, Some(network)) => passes::forward(bench, &**network),
        (Measurement::Backward, Some(network)) => passes::backward(bench, &**network),
        (Measurement::Window, Some(network)) => passes::window(bench, &**network, side),
        (Measurement::VpStep, Some(network)) => loops::vp_steps(bench, network, side),
        (Measurement::Extract, Some(network)) => passes::extract(bench, &**network),
        // One for each prompt, by the caller.
        (Measurement::PromptStep, Some(_)) => Ok(Vec::new()),
    }?;
    Ok(Measured {
        window,
        ..measured(bench, measurement, &laps)
    })
}

fn measured(bench: &CheckedBench, measurement: Measurement, laps: &[f64]) -> Measured {
    let images = match measurement {
        Measurement::Head => bench.options.head.images,
        _ => bench.options.batch_size,
    };
    let seconds = Timing::of(laps);
    Measured {
        name: measurement.name(),
        window: None,
        prompt: None,
        images,
        seconds,
        images_per_second: measurement.has_network().then(|| seconds.rates(images)),
        peak_memory_bytes: peak_memory(),
    }
}

impl BenchReport {
    /// Writes the report as JSON, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|e| rut_record::Error::broken(path, e.to_string()))?;
        text.push('\n');
        Ok(write_whole(path, text.as_bytes())?)
    }
}
