//! The parts of a specification that every adaptation has.

use std::path::PathBuf;

use rut_data::{Budget, Skip};
use rut_metrics::{Batching, BinnedValues};

use crate::choices::{
    Interpolation, Masking, NetworkKind, ScheduleKind, Select, ShortClasses, Shuffle,
    ValidationFrom,
};

/// The images of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSpec {
    /// Name of a data set of the table, or a folder of class folders.
    pub dataset: String,
    /// Which of the data set's splits, or `stratified:SEED`; `None`: the data set's first.
    pub split: Option<String>,
    /// How many images that cannot be read are left out, or all; `None`: none, the first is an error. Every image is
    /// decoded for it before the run.
    pub skip_unreadable: Option<Skip>,
    /// Only these classes (names or indices), relabelled in this order; all if empty.
    pub classes: Vec<String>,
}

impl Default for DataSpec {
    fn default() -> Self {
        Self {
            dataset: "cifar10".into(),
            split: None,
            skip_unreadable: None,
            classes: Vec::new(),
        }
    }
}

/// How many labelled images, and for what.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelSpec {
    /// Which images are validated on. `None`: the data set's own where a user's data set has some. In a run's files it stands
    /// where they are its own; elsewhere they are drawn.
    pub validation: Option<ValidationFrom>,
    /// Training images per class, or all.
    pub n_shot: Budget,
    /// Instead of `n_shot`: this share of the training images, per class, above 0 and at most 1; a tenth of it is for
    /// validation, where nothing else is said.
    pub fraction: Option<f64>,
    /// Share of the training images, per class, that is kept for validation; with `fraction`, of those that it takes.
    pub val_fraction: Option<f64>,
    /// Validation images per class.
    pub val_shots: Option<usize>,
    /// What to do with classes that are too small.
    pub short_classes: ShortClasses,
}

impl Default for LabelSpec {
    fn default() -> Self {
        Self {
            validation: None,
            n_shot: Budget::All,
            fraction: None,
            val_fraction: None,
            val_shots: None,
            short_classes: ShortClasses::Refuse,
        }
    }
}

/// Which frozen network, what its input is, and what computes it.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSpec {
    /// Name of a model of the table.
    pub model: String,
    /// Dense, ticket or quantized.
    pub kind: NetworkKind,
    /// State of iterative pruning of a ticket found in `pretrained_dir`; `None`: 9.
    pub sparsity: Option<u32>,
    /// Bits of the weights of a quantized network found in `pretrained_dir`.
    pub bits: Option<u32>,
    /// Bits of its activations; `None`: activations are not rounded.
    pub activation_bits: Option<u32>,
    /// Where checkpoints and masks are looked for by model and state.
    pub pretrained_dir: PathBuf,
    /// A checkpoint by name, instead of `pretrained_dir`.
    pub checkpoint: Option<PathBuf>,
    /// Under which of the checkpoint's dictionaries and modules, joined by points, the network stands (`teacher.backbone`);
    /// `.` is the file itself. `None`: where the network's names fit, which must be at one place alone.
    pub checkpoint_key: Option<String>,
    /// A mask by name, beside `checkpoint`.
    pub mask: Option<PathBuf>,
    /// Whether the mask is applied.
    pub masking: Masking,
    /// How the network was trained, in words (`V2 recipe`), for readers of records and reports. It is no part of a run's
    /// identity.
    pub recipe: Option<String>,
    /// Number of source classes that the checkpoint's classifier must have; `None`: as many as it has.
    pub source_classes: Option<usize>,
    /// By what the network's input is normalised: mean of each channel (red, green, blue), in [0, 1]; `None`: the model's.
    pub mean: Option<[f64; 3]>,
    /// The same, standard deviation of each channel.
    pub std: Option<[f64; 3]>,
    /// What interpolates where images are resized; `None`: bilinear.
    pub interpolation: Option<Interpolation>,
    /// The engine that computes the frozen network, by its name in the table of engines. They agree but for the last bits.
    pub engine: String,
    /// In which precision, by its name in the table of precisions.
    pub precision: String,
}

impl Default for NetworkSpec {
    fn default() -> Self {
        Self {
            model: "resnet50".into(),
            kind: NetworkKind::Ticket,
            sparsity: None,
            bits: None,
            activation_bits: None,
            pretrained_dir: "checkpoints".into(),
            checkpoint: None,
            checkpoint_key: None,
            mask: None,
            masking: Masking::Applied,
            recipe: None,
            source_classes: None,
            mean: None,
            std: None,
            interpolation: None,
            engine: "auto".into(),
            precision: "f32".into(),
        }
    }
}

impl NetworkSpec {
    /// State of iterative pruning of a ticket found in `pretrained_dir`.
    pub fn state(&self) -> u32 {
        self.sparsity.unwrap_or(9)
    }

    /// All that says which weights it has: networks of the same text have the same files.
    pub fn weights_key(&self) -> String {
        let chosen = (
            &self.model,
            self.kind,
            self.sparsity,
            self.bits,
            self.activation_bits,
            self.masking,
        );
        let named = (
            &self.pretrained_dir,
            &self.checkpoint,
            &self.checkpoint_key,
            &self.mask,
        );
        format!("{chosen:?} {named:?}")
    }

    /// What names its weights, for readers: a file, or what kind of network of the folder it is.
    pub fn weights_title(&self) -> String {
        match (&self.checkpoint, self.kind) {
            (Some(path), _) => path.display().to_string(),
            (None, NetworkKind::Dense) => "dense".into(),
            (None, NetworkKind::Ticket) => format!("state {}", self.state()),
            (None, NetworkKind::Quantized) => self.quantized_title(),
        }
    }

    /// What a quantized network is called: by its bits, where they are named.
    pub fn quantized_title(&self) -> String {
        self.bits_name().unwrap_or_else(|| "quantized".to_owned())
    }

    /// What the files of a quantized network found in `pretrained_dir` are called by: `w4`, or `w4a8` where activations have
    /// few bits, too. `None` where no bits are named.
    pub fn bits_name(&self) -> Option<String> {
        let weights = self.bits?;
        let activations = self.activation_bits;
        let activations = activations.map_or_else(String::new, |bits| format!("a{bits}"));
        Some(format!("w{weights}{activations}"))
    }

    /// The precision, if it is not the one of files that name none.
    pub fn unusual_precision(&self) -> Option<&str> {
        let precision = self.precision.as_str();
        (precision != Self::default().precision).then_some(precision)
    }

    /// `, precision bf16` behind what a network is called; nothing where it is not unusual.
    pub fn precision_suffix(&self) -> String {
        let name = self.unusual_precision();
        name.map_or_else(String::new, |name| format!(", precision {name}"))
    }
}

/// How long and in what order whatever is adapted is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingSpec {
    /// Passes over the training images.
    pub epochs: u32,
    /// Instead of `epochs`: optimiser steps, the same for few images as for many. The last epoch ends where they do, and the
    /// learning rate falls at half and at 72 % of them.
    pub steps: Option<u32>,
    /// Images per step.
    pub batch_size: usize,
    /// The learning rate at the start.
    pub lr: f64,
    /// Seeds few-shot draws, orders and initial values.
    pub seed: u64,
    /// Whether the training images are shuffled every epoch.
    pub shuffle: Shuffle,
    /// Which epoch is selected.
    pub select: Select,
    /// Score the validation images every so many epochs; `None`: 1 for probing and for a selected epoch, else 10.
    pub eval_every: Option<u32>,
    /// How the learning rate changes.
    pub schedule: ScheduleKind,
    /// Steps at the start in which it rises from 0.
    pub warmup: u32,
    /// Shares of the training after which `multistep` takes a tenth; `None`: 0.5 and 0.72.
    pub milestones: Option<[f64; 2]>,
}

impl Default for TrainingSpec {
    fn default() -> Self {
        Self {
            epochs: 100,
            steps: None,
            batch_size: 128,
            lr: 0.01,
            seed: 4,
            shuffle: Shuffle::On,
            select: Select::Last,
            eval_every: None,
            schedule: ScheduleKind::MultiStep,
            warmup: 0,
            milestones: None,
        }
    }
}

/// How the ECE as published is taken, which stands in the record beside the metrics where this is not the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EceSpec {
    /// Which values are binned.
    pub values: BinnedValues,
    /// Over which images it is taken.
    pub batches: Batching,
}

impl Default for EceSpec {
    fn default() -> Self {
        Self {
            values: BinnedValues::Probabilities,
            batches: Batching::Whole,
        }
    }
}
