//! Passes over a split without training: logits of every image, and the few scores that a loop
//! wants while it runs. For the full set of metrics, see `rut-metrics`.

use std::sync::mpsc::{SyncSender, sync_channel};

use candle_core::{DType, Tensor};
use rut_data::{Order, batches};
use rut_models::Placement;
use rut_record::Phase;

use crate::error::Result;
use crate::images::{LabelledImages, image_tensor};
use crate::progress::{At, Reporter};
use crate::state::TrainingState;

/// Images per step of a pass without training. A frozen network treats images one by one, but for the last bits: matrix
/// products round by their shape. It is therefore fixed, and no option.
pub const PASS_BATCH: usize = 32;

/// The values of a tensor as f32, row-major.
///
/// # Errors
/// If it cannot be read.
pub fn flat(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?)
}

/// A pass: which phase it belongs to and where a resumed loop would go on if it were stopped in it.
pub struct Pass<'a> {
    /// The phase.
    pub phase: Phase,
    /// Optimiser steps taken before.
    pub step: u64,
    /// The loop's state, which the pass does not change.
    pub state: &'a dyn Fn() -> TrainingState,
}

impl Pass<'static> {
    /// A test of what was trained before, by no loop.
    pub fn test() -> Self {
        Self {
            phase: Phase::Test,
            step: 0,
            state: &TrainingState::default,
        }
    }
}

/// Batches that are prepared ahead of the network.
const AHEAD: usize = 1;

/// Runs `network` over all images in order and hands each batch's images, [n, 3, s, s] in [0, 1] as `placement` says, and
/// labels to it. While
/// it computes, another thread reads, decodes and resizes the next batch.
///
/// # Errors
/// If an image cannot be read, `network` fails, or the observer wants to stop.
pub fn each_batch(
    images: &dyn LabelledImages,
    placement: &Placement,
    pass: &Pass<'_>,
    reporter: &mut Reporter<'_>,
    mut network: impl FnMut(&Tensor, &[u32]) -> Result<()>,
) -> Result<()> {
    std::thread::scope(|scope| {
        // The receiver goes with this closure: where it ends early, the other thread cannot send and ends too.
        let (ready, prepared) = sync_channel(AHEAD);
        scope.spawn(move || prepare(images, placement, &ready));
        let mut done = 0;
        for batch in prepared {
            let (images_tensor, labels) = batch?;
            network(&images_tensor, &labels)?;
            done += labels.len();
            let at = At {
                phase: pass.phase,
                done,
                total: images.len(),
                step: pass.step,
            };
            reporter.batch(at, || Ok((pass.state)()))?;
        }
        Ok(())
    })
}

type Prepared = Result<(Tensor, Vec<u32>)>;

/// Sends every batch in order, up to the first error, as long as the receiver exists.
fn prepare(images: &dyn LabelledImages, placement: &Placement, ready: &SyncSender<Prepared>) {
    for indices in batches(images.len(), PASS_BATCH, Order::Sequential) {
        let batch = images.batch(&indices).and_then(|batch| {
            let tensor = image_tensor(&batch, images.side(), placement)?;
            Ok((tensor, batch.labels))
        });
        let failed = batch.is_err();
        if ready.send(batch).is_err() || failed {
            return;
        }
    }
}
