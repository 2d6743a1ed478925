//! What is adapted, and how: a variant for each adaptation, with what it alone uses.

use serde::{Deserialize, Serialize};

use super::RunSpec;
use crate::choices::{CSearchRule, FeatureType, HeadKind, Optimizer};
use crate::options::Options;

/// The name of an adaptation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Linear probing.
    Lp,
    /// Visual prompting.
    Vp,
    /// A prompt and a linear head together.
    Joint,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Lp, Self::Vp, Self::Joint];

    /// The word for it in files, commands and names of runs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lp => "lp",
            Self::Vp => "vp",
            Self::Joint => "joint",
        }
    }

    /// The file of a run's folder that holds what it trained.
    pub(crate) fn trained_file(self) -> &'static str {
        match self {
            Self::Lp => "head.safetensors",
            Self::Vp | Self::Joint => "prompt.safetensors",
        }
    }

    /// What it is called in figures.
    pub fn abbreviation(self) -> &'static str {
        match self {
            Self::Lp => "LP",
            Self::Vp => "VP",
            Self::Joint => "VP+LP",
        }
    }

    /// What it does, in a line.
    pub fn about(self) -> &'static str {
        match self {
            Self::Lp => {
                "Linear probing: train a linear head on the frozen features, or fit a baseline on them"
            }
            Self::Vp => {
                "Visual prompting (ILM-VP and others): train a change of the input, and map labels"
            }
            Self::Joint => {
                "Prompt and head together: train a change of the input and a linear head on the features"
            }
        }
    }

    /// What it is called in a sentence.
    pub fn title(self) -> &'static str {
        match self {
            Self::Lp => "linear probing",
            Self::Vp => "visual prompting",
            Self::Joint => "training prompt and head together",
        }
    }
}

/// What is trained beside the frozen network.
#[derive(Clone, Debug, PartialEq)]
pub enum Adaptation {
    /// A linear head on frozen features, or another fit.
    Probe(ProbeSpec),
    /// A change of the input, with a label map.
    Prompt(MappedSpec),
    /// A change of the input, with a linear head.
    Joint(PromptSpec),
}

impl Adaptation {
    /// The adaptation of `method`, with its defaults.
    pub fn of(method: Method) -> Self {
        match method {
            Method::Lp => Self::Probe(ProbeSpec::default()),
            Method::Vp => Self::Prompt(MappedSpec::default()),
            Method::Joint => Self::Joint(PromptSpec::default()),
        }
    }

    /// Its name.
    pub fn method(&self) -> Method {
        match self {
            Self::Probe(_) => Method::Lp,
            Self::Prompt(_) => Method::Vp,
            Self::Joint(_) => Method::Joint,
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

    /// How a head is fitted on features, if one is.
    pub fn probe(&self) -> Option<&ProbeSpec> {
        match &self.adaptation {
            Adaptation::Probe(probe) => Some(probe),
            Adaptation::Prompt(_) | Adaptation::Joint(_) => None,
        }
    }

    /// How a prompt is trained, if one is.
    pub fn prompt(&self) -> Option<&PromptSpec> {
        match &self.adaptation {
            Adaptation::Prompt(mapped) => Some(&mapped.prompt),
            Adaptation::Joint(prompt) => Some(prompt),
            Adaptation::Probe(_) => None,
        }
    }

    /// The same, to be changed.
    pub fn prompt_mut(&mut self) -> Option<&mut PromptSpec> {
        match &mut self.adaptation {
            Adaptation::Prompt(mapped) => Some(&mut mapped.prompt),
            Adaptation::Joint(prompt) => Some(prompt),
            Adaptation::Probe(_) => None,
        }
    }

    /// The label mapping, if there is one.
    pub fn mapping(&self) -> Option<&str> {
        match &self.adaptation {
            Adaptation::Prompt(mapped) => Some(&mapped.mapping),
            Adaptation::Probe(_) | Adaptation::Joint(_) => None,
        }
    }

    /// What trains head or prompt.
    pub fn optimizer(&self) -> Optimizer {
        match &self.adaptation {
            Adaptation::Probe(probe) => probe.optimizer,
            Adaptation::Prompt(MappedSpec { prompt, .. }) | Adaptation::Joint(prompt) => {
                prompt.optimizer
            }
        }
    }

    /// The method, and the label mapping, head or prompt where it is not the usual one, joined by `separator`: `lp`, `lp-knn`,
    /// `vp-ilm`, `vp-blm-smm`, `joint-lowrank`.
    pub fn method_title(&self, separator: &str) -> String {
        let mut parts = vec![self.method().name().to_owned()];
        parts.extend(self.mapping().map(str::to_owned));
        if let Some(prompt) = self.prompt().filter(|prompt| !prompt.is_usual()) {
            parts.push(prompt.prompt.clone());
        }
        if let Some(probe) = self.probe().filter(|probe| probe.head != HeadKind::Linear) {
            parts.push(probe.head.name().to_owned());
        }
        parts.join(separator)
    }
}

/// How a head is fitted on frozen features.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeSpec {
    /// What is fitted.
    pub head: HeadKind,
    /// k: the nearest training images that `knn` takes.
    pub neighbours: u32,
    /// τ: what `knn` divides cosines by.
    pub knn_temperature: f64,
    /// The penalty of `ridge`.
    pub ridge_alpha: f64,
    /// What trains a linear head. With L-BFGS, `epochs` is the most iterations, and batches and learning rates have no meaning.
    pub optimizer: Optimizer,
    /// Adam's weight decay: times the parameters, added to their gradients. With L-BFGS, that times half the square of the
    /// weights, without the biases, is added to the mean loss.
    pub weight_decay: f64,
    /// Instead of `lr`: learning rates that are trained in one pass and chosen from on the validation images.
    pub lr_grid: Option<Vec<f64>>,
    /// Instead of `weight_decay`: as `lr_grid`; with it, every pair of both.
    pub weight_decay_grid: Option<Vec<f64>>,
    /// Instead of `weight_decay` and its grid, with L-BFGS: how it is searched for on the validation images.
    pub c_search: Option<CSearchRule>,
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

impl Default for ProbeSpec {
    fn default() -> Self {
        Self {
            head: HeadKind::Linear,
            neighbours: 20,
            knn_temperature: 0.07,
            ridge_alpha: 1.0,
            optimizer: Optimizer::Adam,
            weight_decay: 0.0,
            lr_grid: None,
            weight_decay_grid: None,
            c_search: None,
            cache_dtype: FeatureType::default(),
            resize: None,
            crop: None,
            first_resize: None,
        }
    }
}

impl ProbeSpec {
    /// Whether a linear head is trained by steps.
    pub fn has_steps(&self) -> bool {
        self.head == HeadKind::Linear && self.optimizer != Optimizer::Lbfgs
    }
}

/// How a prompt is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptSpec {
    /// Name of a prompt of the table.
    pub prompt: String,
    /// What trains it.
    pub optimizer: Optimizer,
    /// Times the parameters, added to their gradients.
    pub weight_decay: f64,
    /// How training images are augmented, in this order.
    pub augment: Vec<String>,
    /// Options that the rows of prompt, mapping and optimiser own, where they are not the defaults.
    pub options: Options,
}

impl PromptSpec {
    /// Whether the prompt is the one of runs that name none.
    pub fn is_usual(&self) -> bool {
        self.prompt == Self::default().prompt
    }
}

impl Default for PromptSpec {
    fn default() -> Self {
        Self {
            prompt: "padding".into(),
            optimizer: Optimizer::Adam,
            weight_decay: 0.0,
            augment: Vec::new(),
            options: Options::default(),
        }
    }
}

/// How a prompt is trained in front of a label map.
#[derive(Clone, Debug, PartialEq)]
pub struct MappedSpec {
    /// The prompt.
    pub prompt: PromptSpec,
    /// Name of a label mapping of the table.
    pub mapping: String,
}

impl Default for MappedSpec {
    fn default() -> Self {
        Self {
            prompt: PromptSpec::default(),
            mapping: "ilm".into(),
        }
    }
}
