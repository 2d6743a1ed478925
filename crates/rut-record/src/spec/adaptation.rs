//! What is adapted, and how: a variant for each adaptation, with what it alone uses.

use serde::{Deserialize, Serialize};

use super::RunSpec;
use crate::choices::{FeatureType, Optimizer};
use crate::options::Options;

/// The name of an adaptation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Linear probing.
    Lp,
    /// Visual prompting.
    Vp,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Lp, Self::Vp];

    /// The word for it in files, commands and names of runs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lp => "lp",
            Self::Vp => "vp",
        }
    }

    /// The file of a run's folder that holds what it trained.
    pub(crate) fn trained_file(self) -> &'static str {
        match self {
            Self::Lp => "head.safetensors",
            Self::Vp => "prompt.safetensors",
        }
    }

    /// What it is called in figures.
    pub fn abbreviation(self) -> &'static str {
        match self {
            Self::Lp => "LP",
            Self::Vp => "VP",
        }
    }

    /// What it does, in a line.
    pub fn about(self) -> &'static str {
        match self {
            Self::Lp => "Linear probing: train a linear head on the frozen features",
            Self::Vp => {
                "Visual prompting (ILM-VP): train a border around the image, and map labels"
            }
        }
    }

    /// What it is called in a sentence.
    pub fn title(self) -> &'static str {
        match self {
            Self::Lp => "linear probing",
            Self::Vp => "visual prompting",
        }
    }
}

/// What is trained beside the frozen network.
#[derive(Clone, Debug, PartialEq)]
pub enum Adaptation {
    /// A linear head on frozen features.
    Probe(ProbeSpec),
    /// A change of the input, with a label map.
    Prompt(PromptSpec),
}

impl Adaptation {
    /// The adaptation of `method`, with its defaults.
    pub fn of(method: Method) -> Self {
        match method {
            Method::Lp => Self::Probe(ProbeSpec::default()),
            Method::Vp => Self::Prompt(PromptSpec::default()),
        }
    }

    /// Its name.
    pub fn method(&self) -> Method {
        match self {
            Self::Probe(_) => Method::Lp,
            Self::Prompt(_) => Method::Vp,
        }
    }
}

impl Default for Adaptation {
    fn default() -> Self {
        Self::of(Method::Vp)
    }
}

impl RunSpec {
    /// The name of its adaptation.
    pub fn method(&self) -> Method {
        self.adaptation.method()
    }

    /// How a head is trained, if one is.
    pub fn probe(&self) -> Option<&ProbeSpec> {
        match &self.adaptation {
            Adaptation::Probe(probe) => Some(probe),
            Adaptation::Prompt(_) => None,
        }
    }

    /// How a prompt is trained, if one is.
    pub fn prompt(&self) -> Option<&PromptSpec> {
        match &self.adaptation {
            Adaptation::Prompt(prompt) => Some(prompt),
            Adaptation::Probe(_) => None,
        }
    }

    /// The method, and the label mapping where there is one, joined by `separator`: `lp`, `vp-ilm`.
    pub fn method_title(&self, separator: &str) -> String {
        let method = self.method().name();
        match self.prompt() {
            Some(prompt) => format!("{method}{separator}{}", prompt.mapping),
            None => method.to_owned(),
        }
    }
}

/// How a linear head is trained.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProbeSpec {
    /// What trains it. With L-BFGS, `epochs` is the most iterations, and batches and learning rates have no meaning.
    pub optimizer: Optimizer,
    /// Adam's weight decay: times the parameters, added to their gradients. With L-BFGS, that times half the square of the
    /// weights, without the biases, is added to the mean loss.
    pub weight_decay: f64,
    /// Instead of `lr`: learning rates that are trained in one pass and chosen from on the validation images.
    pub lr_grid: Option<Vec<f64>>,
    /// Instead of `weight_decay`: as `lr_grid`; with it, every pair of both.
    pub weight_decay_grid: Option<Vec<f64>>,
    /// The precision that extracted features are kept in, on disk and in memory.
    pub cache_dtype: FeatureType,
    /// Side that the shorter side of an image is resized to before the middle is taken, pixels; `None` beside `crop`: as the
    /// model's weights were evaluated. Without both, images are resized to the network's own square.
    pub resize: Option<u32>,
    /// Side of the middle that is taken, pixels; `None` beside `resize`: as the model's weights were evaluated.
    pub crop: Option<u32>,
    /// Side that images are resized to before anything else (the control for D20), pixels; in files it is `image_size`.
    pub first_resize: Option<u32>,
}

/// How a prompt is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptSpec {
    /// Name of a prompt of the table.
    pub prompt: String,
    /// Name of a label mapping of the table.
    pub mapping: String,
    /// Options that the rows of prompt and mapping own, where they are not the defaults.
    pub options: Options,
}

impl Default for PromptSpec {
    fn default() -> Self {
        Self {
            prompt: "padding".into(),
            mapping: "ilm".into(),
            options: Options::default(),
        }
    }
}
