//! Statistics of a network on images of a data set: those of its batch norms, and the ranges of its activations. The
//! arithmetic is `rut-models`'s and `rut-compress`'s.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use rut_compress::{Calibration, Calibrator};
use rut_data::ImageSet;
use rut_images::Transform;
use rut_models::{Array, Graph, Normalization, Recalibration, Weights};

use crate::error::Result;
use crate::images::prepare_once;

/// How images are handed to a network for its recalibration.
#[derive(Clone, Debug)]
pub struct CalibrationInput {
    /// What is done to them first.
    pub transform: Transform,
    /// What they are normalised by.
    pub normalization: Normalization,
    /// Images in a batch, at least 1; the last may be smaller.
    pub batch_size: usize,
}

/// `running_mean` and `running_var` of every batch norm, by parameter, averaged over batches of `images` in their order. Labels
/// are not used.
///
/// # Errors
/// If the network has no batch norm, there are no images, or one cannot be read.
pub fn recalibrate(
    graph: &Graph,
    weights: &Weights,
    images: &ImageSet,
    input: &CalibrationInput,
) -> Result<BTreeMap<String, Array>> {
    // Before images are read.
    let mut recalibration = Recalibration::new(graph, weights, DType::F32)?;
    each_batch(images, input, &mut |batch| Ok(recalibration.add(batch)?))?;
    Ok(recalibration.finish()?)
}

/// The ranges of a network's activations on `images`. Labels are not used.
///
/// # Errors
/// If there are no images, or one cannot be read, or the range cannot be.
pub fn calibrate(
    graph: &Graph,
    weights: &Weights,
    images: &ImageSet,
    input: &CalibrationInput,
    range: Calibration,
) -> Result<Calibrator> {
    let mut calibrator = Calibrator::new(graph, weights, range)?;
    for _ in 0..range.passes() {
        each_batch(images, input, &mut |batch| Ok(calibrator.observe(batch)?))?;
        calibrator.end_pass();
    }
    Ok(calibrator)
}

/// Hands over `images` in batches, in their order, normalised, `[n, 3, h, w]`.
fn each_batch(
    images: &ImageSet,
    input: &CalibrationInput,
    network: &mut dyn FnMut(&Tensor) -> Result<()>,
) -> Result<()> {
    let prepared = prepare_once(images, &input.transform)?;
    let side = prepared.side();
    let Normalization { mean, std } = input.normalization;
    let indices: Vec<usize> = (0..images.len()).collect();
    for indices in indices.chunks(input.batch_size.max(1)) {
        let batch = prepared.batch(indices)?;
        let normalized = || {
            let channel =
                |values: [f32; 3]| Tensor::new(&values, &Device::Cpu)?.reshape((1, 3, 1, 1));
            Tensor::from_vec(batch.images, (indices.len(), 3, side, side), &Device::Cpu)?
                .broadcast_sub(&channel(mean)?)?
                .broadcast_div(&channel(std)?)
        };
        network(&normalized().map_err(rut_adapt::Error::from)?)?;
    }
    Ok(())
}
