//! Passes through the network, by its own interface: forward, backward, and both over a window. What trains on top stands
//! in `loops`.

use std::ops::Range;

use rut_adapt::{Extractor, Pass, Reporter, Silent, TrainingState};
use rut_models::{FrozenNetwork, OutputGrads, Windowed};
use rut_record::{FeatureType, Phase};

use crate::error::Result;
use crate::options::CheckedBench;
use crate::stand_in::{SameImages, noise};
use crate::timing::seconds;

/// Range of normalised pixels.
const NORMALISED: Range<f64> = -2.0..2.0;

/// Range of a loss's gradient.
const GRADIENT: Range<f64> = -1.0..1.0;

pub(super) fn forward(bench: &CheckedBench, network: &dyn FrozenNetwork) -> Result<Vec<f64>> {
    let images = images(bench)?;
    seconds(bench.options.repeats, || {
        network.infer(&images)?;
        Ok(())
    })
}

pub(super) fn backward(bench: &CheckedBench, network: &dyn FrozenNetwork) -> Result<Vec<f64>> {
    let (images, gradient) = (images(bench)?, gradient(bench, network)?);
    seconds(bench.options.repeats, || {
        let (_, trace) = network.trace(&images)?;
        trace.backward_to_input(&OutputGrads::of_logits(&gradient))?;
        Ok(())
    })
}

/// In the middle, where a padding prompt has its window.
pub(super) fn window(
    bench: &CheckedBench,
    network: &dyn FrozenNetwork,
    side: usize,
) -> Result<Vec<f64>> {
    let (canvas, seed) = (bench.image_size, bench.options.seed);
    let offset = (canvas - side).div_ceil(2);
    let shape = (bench.options.batch_size, 3, side, side);
    let windowed = Windowed {
        canvas: noise(seed, "bench/canvas", (3, canvas, canvas), NORMALISED)?,
        patches: noise(seed, "bench/patches", shape, NORMALISED)?,
        top: offset,
        left: offset,
    };
    let gradient = gradient(bench, network)?;
    seconds(bench.options.repeats, || {
        let (_, trace) = network.trace_window(&windowed)?;
        trace.backward_to_window(&OutputGrads::of_logits(&gradient))?;
        Ok(())
    })
}

/// One batch of images from memory, as the extraction of a run takes them.
pub(super) fn extract(bench: &CheckedBench, network: &dyn FrozenNetwork) -> Result<Vec<f64>> {
    let (batch, seed) = (bench.options.batch_size, bench.options.seed);
    let images = SameImages::new(seed, bench.image_size, batch, batch, 1);
    let extractor = Extractor {
        network,
        normalization: bench.model.normalization,
        kept: FeatureType::F32,
    };
    let pass = Pass {
        phase: Phase::Extract,
        step: 0,
        state: &TrainingState::default,
    };
    seconds(bench.options.repeats, || {
        extractor.extract(&images, &pass, &mut Reporter::new(&mut Silent))?;
        Ok(())
    })
}

fn images(bench: &CheckedBench) -> Result<candle_core::Tensor> {
    let side = bench.image_size;
    let shape = (bench.options.batch_size, 3, side, side);
    noise(bench.options.seed, "bench/images", shape, NORMALISED)
}

fn gradient(bench: &CheckedBench, network: &dyn FrozenNetwork) -> Result<candle_core::Tensor> {
    let shape = (bench.options.batch_size, network.classes());
    noise(bench.options.seed, "bench/gradient", shape, GRADIENT)
}
