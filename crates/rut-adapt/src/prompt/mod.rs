//! What is put around or onto an image before a frozen network sees it.

mod additive;
mod affine;
mod batch;
mod canvas;
mod lowrank;
mod mask_network;
mod options;
mod padding;
mod patches;
mod precomputed;
mod real;
mod scale;
mod smm;
mod spare;
mod warp;

pub use padding::PaddingPrompt;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use candle_core::Tensor;
use rut_data::{ImageRegion, Seed};
use rut_images::RgbImage;
use rut_models::{Normalization, Placement, Windowed};
use rut_record::{Field, Options};

use crate::error::Result;
use crate::schedule::Rate;
use crate::state::{self, TrainingState, unfit};

/// The metadata entry of a prompt's file that says of which kind it is.
const KEY: &str = "rut.prompt";

/// A change of the input that is trained.
pub trait Prompt: fmt::Debug + Send + Sync {
    /// Kind and version of its files.
    fn version(&self) -> &'static str;

    /// What is trained, by name, in the order in which [`apply`](Self::apply) takes it.
    fn parameters(&self) -> Vec<(String, Tensor)>;

    /// The same prompt with other values of its parameters, in the same order.
    fn with_parameters(&self, values: &[Tensor]) -> Arc<dyn Prompt>;

    /// What training changes without a gradient (running statistics), by name.
    fn buffers(&self) -> Vec<(String, Tensor)> {
        Vec::new()
    }

    /// The same prompt with other values of its buffers, in the same order; `None` where it has none.
    fn with_buffers(&self, _: &[Tensor]) -> Option<Arc<dyn Prompt>> {
        None
    }

    /// The learning rates of its parameters where a schedule is at `rate`.
    fn rates(&self, rate: Rate) -> Vec<f64> {
        vec![rate.learning_rate(); self.parameters().len()]
    }

    /// Number of values of the parameters that reach the network.
    fn trainable(&self) -> usize;

    /// The network's input for `images` [n, 3, s, s] in [0, 1], with `parameters` in place of its own. Differentiable in
    /// them, once; not in the images.
    ///
    /// # Errors
    /// If the images have another size, or lie on another device than the CPU.
    fn apply(&self, parameters: &[Tensor], images: &Tensor) -> candle_core::Result<Prompted>;

    /// The same in a training step, and the buffers after it.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    fn train(
        &self,
        parameters: &[Tensor],
        images: &Tensor,
    ) -> candle_core::Result<(Prompted, Vec<Tensor>)> {
        Ok((self.apply(parameters, images)?, Vec::new()))
    }

    /// The gradients of its parameters, 0 where nothing is trained.
    ///
    /// # Errors
    /// If a gradient has another shape.
    fn mask_gradients(&self, gradients: Vec<Tensor>) -> candle_core::Result<Vec<Tensor>> {
        Ok(gradients)
    }

    /// How it looks, before it is normalised; grey where it changes nothing.
    ///
    /// # Errors
    /// If a tensor cannot be read.
    fn picture(&self) -> Result<RgbImage>;
}

/// What a prompt makes of images, normalised.
#[derive(Debug)]
pub enum Prompted {
    /// A canvas that all images share, and what each has in a window of it.
    Window(Windowed),
    /// Images [n, 3, S, S], each changed everywhere.
    Images(Tensor),
}

/// Images and the network's input that a prompt is made for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PromptShape {
    /// Side of the network's input, pixels.
    pub canvas: usize,
    /// Side of the images, pixels.
    pub image_size: usize,
    /// What the images fill of their square, at this size. The rest of it is changed as well as what is outside of it.
    pub region: ImageRegion,
    /// How the network's images are normalised.
    pub normalization: Normalization,
}

/// Makes a prompt of a shape and options, before training; the seed is the run's.
pub type NewPrompt = fn(PromptShape, &Options, Seed, &Placement) -> Result<Arc<dyn Prompt>>;

/// A prompt of the table.
#[derive(Clone, Copy, Debug)]
pub struct PromptRow {
    /// What a user types.
    pub name: &'static str,
    /// One line.
    pub title: &'static str,
    /// The options that it reads.
    pub options: &'static [Field],
    /// Side that images are resized to for it, pixels, on a canvas of the first number; the second is the data set's own
    /// side.
    pub image_size: fn(&Options, usize, Option<usize>) -> Result<usize>,
    /// The prompt before training.
    pub new: NewPrompt,
}

/// All prompts, the default first.
pub static PROMPTS: &[PromptRow] = &[
    padding::PADDING,
    additive::FRAME,
    additive::WATERMARK,
    additive::PATCH,
    scale::SCALE,
    lowrank::LOW_RANK,
    smm::SMM,
    affine::AFFINE,
];

/// The prompt called `name`, in any case.
pub fn find_prompt(name: &str) -> Option<&'static PromptRow> {
    PROMPTS
        .iter()
        .find(|prompt| prompt.name.eq_ignore_ascii_case(name))
}

impl dyn Prompt {
    /// The values of its parameters.
    pub fn values(&self) -> Vec<Tensor> {
        let parameters = self.parameters().into_iter();
        parameters.map(|(_, value)| value).collect()
    }

    /// Parameters and buffers by name.
    fn tensors(&self) -> Vec<(String, Tensor)> {
        let parameters = self.parameters().into_iter();
        parameters.chain(self.buffers()).collect()
    }

    /// The same prompt with these values of its parameters and buffers.
    fn with_tensors(&self, mut values: Vec<Tensor>) -> Arc<dyn Prompt> {
        let buffers = values.split_off(self.parameters().len());
        let prompt = self.with_parameters(&values);
        prompt.with_buffers(&buffers).unwrap_or(prompt)
    }

    /// Writes its parameters and buffers into `state` under `name`.
    pub fn save(&self, name: &str, state: &mut TrainingState) {
        for (part, value) in self.tensors() {
            state.put_tensor(&format!("{name}.{part}"), &value);
        }
    }

    /// The prompt that `save` wrote, of the shape of `self`.
    ///
    /// # Errors
    /// If a parameter is missing or of another shape.
    pub fn restore(&self, name: &str, state: &TrainingState) -> Result<Arc<dyn Prompt>> {
        let read =
            |(part, value): (String, Tensor)| state.tensor_like(&format!("{name}.{part}"), &value);
        let values = self.tensors().into_iter().map(read);
        Ok(self.with_tensors(values.collect::<Result<_>>()?))
    }

    /// A safetensors file with parameters and buffers by name, and what `beside` holds besides: a label map, a head.
    ///
    /// # Errors
    /// If a tensor is neither f32 nor f64.
    pub fn to_bytes(&self, beside: BTreeMap<String, Tensor>) -> Result<Vec<u8>> {
        let mut tensors = beside;
        tensors.extend(self.tensors());
        state::serialize(&tensors, KEY, self.version())
    }

    /// The prompt that `to_bytes` wrote, everything but parameters and buffers as in `self`; and all tensors of the file.
    ///
    /// # Errors
    /// If the bytes hold no prompt of this shape.
    pub fn from_bytes(&self, bytes: &[u8]) -> Result<(Arc<dyn Prompt>, BTreeMap<String, Tensor>)> {
        let (tensors, version) = state::deserialize(bytes, KEY)?;
        if version != self.version() {
            return Err(unfit(KEY, self.version(), &version));
        }
        let describe = |t: &Tensor| format!("{:?} of shape {:?}", t.dtype(), t.dims());
        let mut values = Vec::new();
        for (name, own) in self.tensors() {
            let found = tensors
                .get(&name)
                .ok_or_else(|| unfit(&name, "a tensor", "none"))?;
            if found.dims() != own.dims() || found.dtype() != own.dtype() {
                return Err(unfit(&name, &describe(&own), &describe(found)));
            }
            values.push(found.clone());
        }
        Ok((self.with_tensors(values), tensors))
    }
}
