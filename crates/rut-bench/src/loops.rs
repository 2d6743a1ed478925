//! Steps and epochs of the training loops of `rut-adapt`, timed from outside by their events.

use std::sync::Arc;
use std::time::Instant;

use candle_core::{DType, Device};
use rut_adapt::{
    Descent, FeatureMatrix, LABEL_MAPPINGS, LabelledFeatures, LinearHead, LoopOptions,
    MappingChoice, Observer, ObserverError, PaddingPrompt, ProbeSplits, Prompt, PromptOptions,
    PromptRow, PromptShape, PromptSplits, PromptedNetwork, Refresh, ScheduleOptions, linear_probe,
    visual_prompt,
};
use rut_data::ImageRegion;
use rut_models::FrozenNetwork;
use rut_record::{Event, Options, Select, Shuffle};

use crate::error::{Error, Result, refused};
use crate::options::{CheckedBench, HeadShape};
use crate::stand_in::{SameImages, labels, noise};

/// Images per step of a head, as `rut lp` has them.
const HEAD_BATCH: usize = 128;

/// Adam's learning rate, the runs' own default.
const LEARNING_RATE: f64 = 0.01;

/// Target classes of a prompted network, as far as it has so many.
const TARGETS: usize = 10;

/// Seconds of each step that counts: one epoch with a random label map, which needs no pass of its own.
pub(super) fn vp_steps(
    bench: &CheckedBench,
    network: &Arc<dyn FrozenNetwork>,
    side: usize,
) -> Result<Vec<f64>> {
    let shape = shape(bench, side);
    let prompt = PaddingPrompt::new(shape, network.dtype(), network.device())?;
    steps(bench, network, shape, Arc::new(prompt))
}

/// The same with a prompt of the table, at its defaults on whole images.
pub(super) fn prompt_steps(
    bench: &CheckedBench,
    network: &Arc<dyn FrozenNetwork>,
    row: &PromptRow,
) -> Result<Vec<f64>> {
    let options = Options::default();
    let side = (row.image_size)(&options, bench.image_size, None)?;
    let shape = shape(bench, side);
    let prompt = (row.new)(shape, &options, bench.options.seed, &network.placement())?;
    steps(bench, network, shape, prompt)
}

fn shape(bench: &CheckedBench, side: usize) -> PromptShape {
    PromptShape {
        canvas: bench.image_size,
        image_size: side,
        region: ImageRegion::Whole,
        normalization: bench.model.normalization,
    }
}

fn steps(
    bench: &CheckedBench,
    network: &Arc<dyn FrozenNetwork>,
    shape: PromptShape,
    prompt: Arc<dyn Prompt>,
) -> Result<Vec<f64>> {
    let (repeats, batch) = (bench.options.repeats, bench.options.batch_size);
    let (seed, classes) = (bench.options.seed, TARGETS.min(network.classes()));
    let steps = repeats.warmup + repeats.repeat;
    let images = SameImages::new(seed, shape.image_size, batch, batch * steps, classes);
    let splits = PromptSplits {
        train: &images,
        validation: None,
        test: &images,
        classes,
        target_names: &[],
        source_names: &[],
    };
    let mut choices = LABEL_MAPPINGS.iter().map(MappingChoice::of);
    let random = choices.find(|choice| matches!(choice.refresh(), Ok(Refresh::Never)));
    let options = PromptOptions {
        training: looped(bench, 1, batch),
        descent: Descent::default(),
        mapping: random.ok_or_else(no_random_map)?,
    };
    let start = PromptedNetwork {
        network: network.clone(),
        prompt,
    };
    let mut stopwatch = Stopwatch::of(|event| matches!(event, Event::Step { .. }));
    visual_prompt(start, splits, &options, None, &mut stopwatch)?;
    Ok(stopwatch.laps.split_off(repeats.warmup))
}

/// Seconds of each epoch that counts.
pub(super) fn head_epochs(bench: &CheckedBench) -> Result<Vec<f64>> {
    let HeadShape {
        images,
        width,
        classes,
    } = bench.options.head;
    let (repeats, seed) = (bench.options.repeats, bench.options.seed);
    let drawn = noise(seed, "bench/features", images * width, 0.0..1.0)?.to_vec1();
    let features = LabelledFeatures {
        features: FeatureMatrix::from_f32(drawn.map_err(rut_models::Error::from)?, width)?,
        labels: labels(images, classes),
    };
    let splits = ProbeSplits {
        train: &features,
        validation: None,
        test: &features,
    };
    let head = LinearHead::init(width, classes, seed, DType::F32, &Device::Cpu)?;
    let epochs = u32::try_from(repeats.warmup + repeats.repeat).unwrap_or(u32::MAX);
    let options = looped(bench, epochs, HEAD_BATCH);
    let mut stopwatch = Stopwatch::of(|event| matches!(event, Event::Epoch { .. }));
    linear_probe(splits, head, &options, None, &mut stopwatch)?;
    Ok(stopwatch.laps.split_off(repeats.warmup))
}

fn looped(bench: &CheckedBench, epochs: u32, batch_size: usize) -> LoopOptions {
    LoopOptions {
        epochs,
        steps: None,
        batch_size,
        learning_rate: LEARNING_RATE,
        schedule: ScheduleOptions::default(),
        seed: bench.options.seed,
        shuffle: Shuffle::On,
        select: Select::Last,
        eval_every: 0,
    }
}

fn no_random_map() -> Error {
    refused(
        "mapping",
        "a label mapping that needs no pass over the images",
        "none in the table",
    )
}

/// Times between two events of one kind; the first, from its making on.
struct Stopwatch {
    counts: fn(&Event) -> bool,
    last: Instant,
    laps: Vec<f64>,
}

impl Stopwatch {
    fn of(counts: fn(&Event) -> bool) -> Self {
        Self {
            counts,
            last: Instant::now(),
            laps: Vec::new(),
        }
    }
}

impl Observer for Stopwatch {
    fn event(&mut self, event: &Event) -> std::result::Result<(), ObserverError> {
        if (self.counts)(event) {
            self.laps.push(self.last.elapsed().as_secs_f64());
            self.last = Instant::now();
        }
        Ok(())
    }
}
