//! What visual prompting and joint training share: the prompt of a specification, its images, its splits.

use std::sync::Arc;

use candle_core::Tensor;
use rut_adapt::{
    LabelledImages, Prompt, PromptShape, PromptSplits, Prompted, PromptedNetwork, Seed,
};
use rut_data::{Augmentation, Augmented, Dataset, ImageRegion, Prepared};
use rut_formats::regular;
use rut_images::{ColorOrder, Transform};
use rut_models::{ModelSpec, Normalization, Placement};
use rut_record::{PromptSpec, Record, RunDir, RunSpec};

use super::TrainingContext;
use crate::checked::CheckedRunSpec;
use crate::error::{Error, Result, file};
use crate::images::{MEMORY_CAP, prepare};
use crate::names::{find_model, find_prompt};
use crate::transform::normalization;

/// What `spec` says of the prompt.
pub(super) fn prompt(spec: &RunSpec) -> PromptSpec {
    spec.prompt().cloned().unwrap_or_default()
}

/// Side of the image on the canvas, pixels.
pub(super) fn image_size(spec: &RunSpec, model: &ModelSpec, dataset: &Dataset) -> Result<usize> {
    let prompt = prompt(spec);
    let row = find_prompt(&prompt.prompt)?;
    let own = dataset.prompt_size.map(|side| side as usize);
    let canvas = model.input_size as usize;
    let image_size = (row.image_size)(&prompt.options, canvas, own)?;
    // What is wrong with the prompt's options is found before the run.
    let shape = PromptShape {
        canvas,
        image_size,
        region: dataset.region,
        normalization: model.normalization,
    };
    untrained(spec, shape, &Placement::default())?;
    Ok(image_size)
}

/// How images reach the canvas.
pub(super) fn transform(model: &ModelSpec, image_size: Option<usize>) -> Transform {
    let side = image_size.map_or(model.input_size, |side| side as u32);
    Transform::squash(side, ColorOrder::RgbThenResize)
}

/// What is trained in front of the network, in words.
pub(super) fn describe(run: &CheckedRunSpec) -> String {
    let prompt = prompt(&run.spec);
    let named = match prompt.is_usual() {
        true => String::new(),
        false => format!("{} prompt, ", prompt.prompt),
    };
    format!(
        "{named}{}-pixel images on a {}-pixel canvas",
        run.image_size.unwrap_or(0),
        run.model.input_size,
    )
}

/// Where a batch's inputs differ, in words: found by applying the prompt to an image.
pub(super) fn window(run: &CheckedRunSpec) -> Result<String> {
    let placement = Placement::default();
    let shape = shape(run, run.model.normalization);
    let prompt = untrained(&run.spec, shape, &placement)?;
    let side = shape.image_size;
    let image = Tensor::zeros((1, 3, side, side), placement.dtype, &placement.device);
    let input = image.and_then(|image| prompt.apply(&prompt.values(), &image));
    Ok(match input.map_err(rut_adapt::Error::from)? {
        Prompted::Window(input) => {
            let (top, left) = (input.top, input.left);
            format!(
                "{side} × {side} pixels from row {top}, column {left}; the rest is the same for all images of a batch"
            )
        }
        Prompted::Images(_) => {
            "none: every pixel changes, each step computes the whole input".to_owned()
        }
    })
}

/// The images of `run` on their canvas.
fn shape(run: &CheckedRunSpec, normalization: Normalization) -> PromptShape {
    let canvas = run.model.input_size as usize;
    PromptShape {
        canvas,
        image_size: run.image_size.unwrap_or(canvas),
        region: run.dataset.region,
        normalization,
    }
}

/// How training images are varied.
pub(crate) fn augmentation(prompt: &PromptSpec) -> Result<Augmentation> {
    let list = match prompt.augment.as_slice() {
        [] => return Ok(Augmentation::default()),
        list => list.join(","),
    };
    Ok(list.parse()?)
}

/// Images through the passes of validation while training, as often as `spec` says.
pub(super) fn validated(spec: &RunSpec, epochs: f64, images: usize) -> f64 {
    let scorings = match spec.eval_interval(epochs.ceil() as u32) {
        0 => 0.0,
        every => epochs / f64::from(every),
    };
    scorings * images as f64
}

/// The prepared images of a run.
pub(super) struct PreparedSplits {
    train: Augmented,
    validation: Option<Prepared>,
    test: Prepared,
    source_names: Vec<String>,
}

impl PreparedSplits {
    /// Those of `run`.
    pub(super) fn of(run: &CheckedRunSpec) -> Result<Self> {
        let transform = &run.transform;
        let validation = if run.validation.is_empty() {
            None
        } else {
            Some(prepare(&run.validation, transform)?)
        };
        let names = run.model.upstream.class_names();
        let plain = prepare(&run.train, transform)?;
        let augmentation = augmentation(&prompt(&run.spec))?;
        let seed = Seed(run.spec.training.seed);
        Ok(Self {
            train: Augmented::new(plain, augmentation, seed, MEMORY_CAP)?,
            validation,
            test: prepare(&run.dataset.test, transform)?,
            source_names: names.iter().map(|name| (*name).to_owned()).collect(),
        })
    }

    /// The same as the loops take them.
    pub(super) fn splits<'a>(&'a self, run: &'a CheckedRunSpec) -> PromptSplits<'a> {
        let images = |images: &'a Prepared| images as &dyn LabelledImages;
        PromptSplits {
            train: &self.train,
            validation: self.validation.as_ref().map(images),
            test: &self.test,
            classes: run.targets(),
            target_names: &run.dataset.class_names,
            source_names: &self.source_names,
        }
    }
}

/// The network of a run behind its prompt before training.
pub(super) fn start(means: &TrainingContext<'_>) -> Result<PromptedNetwork> {
    let (run, network) = (means.run, means.network);
    let shape = shape(run, network.normalization);
    Ok(PromptedNetwork {
        network: network.network.clone(),
        prompt: untrained(&run.spec, shape, &run.computing.placement)?,
    })
}

/// The prompt of `spec` before training.
///
/// # Errors
/// If it leaves nothing to train.
pub(super) fn untrained(
    spec: &RunSpec,
    shape: PromptShape,
    placement: &Placement,
) -> Result<Arc<dyn Prompt>> {
    let prompt = prompt(spec);
    let row = find_prompt(&prompt.prompt)?;
    let seed = Seed(spec.training.seed);
    Ok((row.new)(shape, &prompt.options, seed, placement)?)
}

/// The prompt of a finished run before it was trained.
pub(super) fn recorded(
    record: &Record,
    model: &ModelSpec,
    normalization: Normalization,
    placement: &Placement,
) -> Result<Arc<dyn Prompt>> {
    let known = rut_data::find(&record.spec.data.dataset);
    let shape = PromptShape {
        canvas: model.input_size as usize,
        image_size: record.data.image_size.unwrap_or(model.input_size as usize),
        region: known.map_or(ImageRegion::Whole, |dataset| dataset.region),
        normalization,
    };
    untrained(&record.spec, shape, placement)
}

/// The prompt of the finished run in `dir` as a PNG file, drawn from what it trained. `prompt.png` beside it is for people: no
/// checksum covers it.
///
/// # Errors
/// If its file cannot be read.
pub fn draw_prompt(dir: &RunDir, record: &Record) -> rut_record::Result<Vec<u8>> {
    let path = dir.prompt();
    let draw = || -> Result<Vec<u8>> {
        let bytes = regular::read(&path, regular::WEIGHTS).map_err(file("read", &path))?;
        let model = find_model(&record.spec.network.model)?;
        let normalization = normalization(&record.spec, model);
        let untrained = recorded(record, model, normalization, &Placement::default())?;
        let (prompt, _) = untrained.from_bytes(&bytes)?;
        Ok(rut_images::encode_png(&prompt.picture()?)?)
    };
    draw().map_err(|error| match error {
        Error::Record(error) => error,
        error => rut_record::Error::broken(&path, error.to_string()),
    })
}
