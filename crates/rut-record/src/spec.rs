//! The one description of a run that is ever written down. Checking it against files is `checked`'s, naming it `run_id`'s.

use std::path::PathBuf;

use rut_data::{Budget, Share, Skip};
use rut_metrics::{Batching, BinnedValues};
use serde::{Deserialize, Serialize};

use crate::choices::{
    FeatureType, Interpolation, Masking, Method, NetworkKind, Optimizer, Remap, Select,
    ShortClasses, Shuffle, Ties, ValidationFrom,
};
use crate::error::{Error, Result};
use crate::text_file::toml_problem;

/// A run: what is adapted, to what, on how many labels, how, and from which seed. Field names are the keys of a TOML file;
/// every key may be left out, and unknown keys are refused. The defaults are the paper's.
///
/// Paths say where to look; a run's identity is the content found there (see [`RunId`](crate::RunId)).
///
/// ```
/// let spec = rut_record::RunSpec::from_toml("method = 'vp'\ndataset = 'digits'\nn_shot = 16")?;
/// assert_eq!((spec.epochs, spec.batch_size, spec.lr, spec.seed), (100, 128, 0.01, 4));
/// # Ok::<(), rut_record::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunSpec {
    /// Linear probing or visual prompting.
    pub method: Method,
    /// Name of a data set of the table, or a folder of class folders.
    pub dataset: String,
    /// Which of the data set's splits, or `stratified:SEED`; left out, the data set's first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// How many images that cannot be read are left out, or `all`; left out, none: the first is an error. Every image is
    /// decoded for it before the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip_unreadable: Option<Skip>,
    /// Only these classes (names or indices), relabelled in this order; all if empty.
    pub classes: Vec<String>,
    /// Which images are validated on. Left out, `own` where a user's data set has some. In a run's files it stands where
    /// they are its own; elsewhere they are drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<ValidationFrom>,
    /// Training images per class, or all.
    #[serde(with = "budget_text")]
    pub n_shot: Budget,
    /// Instead of `n_shot`: this share of the training images, per class, above 0 and at most 1; a tenth of it is for
    /// validation, where nothing else is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fraction: Option<f64>,
    /// Share of the training images, per class, that is kept for validation; with `fraction`, of those that it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_fraction: Option<f64>,
    /// Validation images per class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_shots: Option<usize>,
    /// What to do with classes that are too small.
    pub short_classes: ShortClasses,
    /// Name of a model of the table.
    pub model: String,
    /// Dense or ticket.
    pub network: NetworkKind,
    /// State of iterative pruning of a ticket found in `pretrained_dir`; left out, 9.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sparsity: Option<u32>,
    /// Where checkpoints and masks are looked for by model and state.
    pub pretrained_dir: PathBuf,
    /// A checkpoint by name, instead of `pretrained_dir`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<PathBuf>,
    /// Under which of the checkpoint's dictionaries and modules, joined by points, the network stands (`teacher.backbone`);
    /// `.` is the file itself. Left out, where the network's names fit, which must be at one place alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_key: Option<String>,
    /// A mask by name, beside `checkpoint`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<PathBuf>,
    /// Whether the mask is applied.
    pub masking: Masking,
    /// How the network was trained, in words (`V2 recipe`), for readers of records and reports. It is no part of a run's
    /// identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    /// Number of source classes that the checkpoint's classifier must have; left out, as many as it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_classes: Option<usize>,
    /// By what the network's input is normalised: mean of each channel (red, green, blue), in [0, 1]; left out, the model's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<[f64; 3]>,
    /// The same, standard deviation of each channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std: Option<[f64; 3]>,
    /// Side that the shorter side of an image is resized to before the middle is taken, pixels; left out beside `crop`, as the
    /// model's weights were evaluated. Without both, images are resized to the network's own square (probing only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<u32>,
    /// Side of the middle that is taken, pixels; left out beside `resize`, as the model's weights were evaluated (probing only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crop: Option<u32>,
    /// What interpolates where images are resized; left out, bilinear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpolation: Option<Interpolation>,
    /// What computes the frozen network, by its name in the table of engines. They agree but for the last bits.
    pub engine: String,
    /// Passes over the training images.
    pub epochs: u32,
    /// Instead of `epochs`: optimiser steps, the same for few images as for many. The last epoch ends where they do, and the
    /// learning rate falls at half and at 72 % of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
    /// Images per step.
    pub batch_size: usize,
    /// Adam's learning rate at the start.
    pub lr: f64,
    /// How a head is trained (probing only). With `lbfgs`, `epochs` is the most iterations, and batches and learning rates
    /// have no meaning.
    pub optimizer: Optimizer,
    /// Adam's weight decay: times the parameters, added to their gradients. With `lbfgs`, that times half the square of the
    /// weights, without the biases, is added to the mean loss (probing only).
    pub weight_decay: f64,
    /// Instead of `lr`: learning rates that are trained in one pass and chosen from on the validation images (probing only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lr_grid: Option<Vec<f64>>,
    /// Instead of `weight_decay`: as `lr_grid`; with it, every pair of both (probing only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay_grid: Option<Vec<f64>>,
    /// The precision that extracted features are kept in, on disk and in memory (probing only).
    pub cache_dtype: FeatureType,
    /// Seeds few-shot draws, orders and initial values.
    pub seed: u64,
    /// Whether the training images are shuffled every epoch.
    pub shuffle: Shuffle,
    /// Which epoch is kept.
    pub select: Select,
    /// Score the validation images every so many epochs; left out, 1 for probing and for a selected epoch, else 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_every: Option<u32>,
    /// Label mapping (prompting only).
    pub mapping: String,
    /// Make the label map again every so many epochs (prompting only).
    pub mapping_interval: u32,
    /// What decides between equal counts of a label map (prompting only).
    pub ties: Ties,
    /// Whether the label map is made again after the last epoch (prompting only).
    pub remap: Remap,
    /// Prompting: side of the image on the canvas, pixels; left out, the data set's if that is smaller than the canvas,
    /// else half the canvas. Probing: images are first resized to this side (the control for D20); left out, they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size: Option<u32>,
    /// Which values the ECE as published bins: it stands in the record beside the metrics, where this or `ece_batches` is set.
    pub ece_values: BinnedValues,
    /// Over which images the ECE as published is taken.
    pub ece_batches: Batching,
}

impl Default for RunSpec {
    fn default() -> Self {
        Self {
            method: Method::Vp,
            dataset: "cifar10".into(),
            split: None,
            skip_unreadable: None,
            classes: Vec::new(),
            validation: None,
            n_shot: Budget::All,
            fraction: None,
            val_fraction: None,
            val_shots: None,
            short_classes: ShortClasses::Refuse,
            model: "resnet50".into(),
            network: NetworkKind::Ticket,
            sparsity: None,
            pretrained_dir: "checkpoints".into(),
            checkpoint: None,
            checkpoint_key: None,
            mask: None,
            masking: Masking::Applied,
            recipe: None,
            source_classes: None,
            mean: None,
            std: None,
            resize: None,
            crop: None,
            interpolation: None,
            engine: "auto".into(),
            epochs: 100,
            steps: None,
            batch_size: 128,
            lr: 0.01,
            optimizer: Optimizer::Adam,
            weight_decay: 0.0,
            lr_grid: None,
            weight_decay_grid: None,
            cache_dtype: FeatureType::F32,
            seed: 4,
            shuffle: Shuffle::On,
            select: Select::Last,
            eval_every: None,
            mapping: "ilm".into(),
            mapping_interval: 1,
            ties: Ties::Mass,
            remap: Remap::On,
            image_size: None,
            ece_values: BinnedValues::Probabilities,
            ece_batches: Batching::Whole,
        }
    }
}

impl RunSpec {
    /// The specification that a TOML text describes.
    ///
    /// # Errors
    /// If a key is unknown or a value is of the wrong kind.
    pub fn from_toml(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|e| Error::Spec(toml_problem(&e)))
    }

    /// The specification as TOML.
    ///
    /// # Errors
    /// If a path is not UTF-8.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|e| Error::Spec(e.to_string()))
    }

    /// How many training images are used.
    ///
    /// # Errors
    /// If both a number of shots and a fraction are given, or the fraction is none.
    pub fn budget(&self) -> Result<Budget> {
        match (self.n_shot, self.fraction) {
            (shots, None) => Ok(shots),
            (Budget::All, Some(fraction)) => Ok(Budget::Fraction(Share::new(fraction)?)),
            (_, Some(_)) => Err(Error::Field {
                field: "fraction",
                expected: "one of `n_shot` and `fraction`".into(),
                found: "both".into(),
            }),
        }
    }

    /// State of iterative pruning of a ticket found in `pretrained_dir`.
    pub fn state(&self) -> u32 {
        self.sparsity.unwrap_or(9)
    }

    /// How often the validation images are scored in a run of `epochs` epochs, in epochs; 0 for never. Where steps are given,
    /// epochs may be many and short: without a word on it, there are at most about ten scorings for prompting and a hundred
    /// else.
    pub fn eval_interval(&self, epochs: u32) -> u32 {
        let every = |times: u32| epochs.div_ceil(times).max(1);
        match (self.eval_every, self.method, self.select) {
            (Some(interval), _, _) => interval,
            (None, Method::Vp, Select::Last) if self.steps.is_some() => every(10),
            (None, Method::Vp, Select::Last) => 10,
            (None, _, _) if self.steps.is_some() => every(100),
            (None, _, _) => 1,
        }
    }
}

/// Names of the fields of a [`RunSpec`], in their order.
pub fn field_names() -> &'static [&'static str] {
    let mut names: &[&str] = &[];
    // Asks what deserialisation would, and stops there.
    let _ = RunSpec::deserialize(FieldNames(&mut names));
    names
}

/// A deserialiser that hears a struct's fields and gives nothing.
struct FieldNames<'a>(&'a mut &'static [&'static str]);

impl<'de> serde::Deserializer<'de> for FieldNames<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: serde::de::Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(serde::de::Error::custom("there is no value"))
    }

    fn deserialize_struct<V: serde::de::Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// A budget as TOML and JSON hold it: `"all"` or a whole number.
mod budget_text {
    use rut_data::{Budget, Shots};
    use serde::de::{Deserializer, Error};
    use serde::ser::Error as _;
    use serde::{Deserialize, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Text {
        Number(i64),
        Float(f64),
        Word(String),
    }

    pub(super) fn serialize<S: Serializer>(
        budget: &Budget,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match budget {
            Budget::All => "all".serialize(serializer),
            Budget::PerClass(Shots(shots)) => shots.serialize(serializer),
            Budget::Fraction(_) => Err(S::Error::custom("a fraction is the key `fraction`'s")),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Budget, D::Error> {
        let text = match Text::deserialize(deserializer)? {
            Text::Number(number) => number.to_string(),
            Text::Float(number) => number.to_string(),
            Text::Word(word) => word,
        };
        text.parse().map_err(D::Error::custom)
    }
}
