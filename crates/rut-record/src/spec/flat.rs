//! The flat form of a specification: keys and values as TOML, JSON and flags have them, and ids are hashed over.

mod budget_text;

use std::collections::BTreeMap;
use std::path::PathBuf;

use rut_data::{Budget, Skip};
use rut_metrics::{Batching, BinnedValues};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Adaptation, DataSpec, EceSpec, LabelSpec, MappedSpec, Method, NetworkSpec, ProbeSpec,
    PromptSpec, RunSpec, TrainingSpec,
};
use crate::choices::{
    CSearchRule, FeatureType, HeadKind, Interpolation, Masking, NetworkKind, Optimizer,
    ScheduleKind, Select, ShortClasses, Shuffle, ValidationFrom,
};
use crate::error::{Error, Result};
use crate::options::Options;

/// A key, and its default.
type Written = (&'static str, fn() -> Value);

/// Options of rows that every run's files hold, used or not, and their defaults there: files are older than rows with options
/// of their own. Options of other rows stand in files only where they are set.
const WRITTEN: [Written; 3] = [
    ("mapping_interval", || 1.into()),
    ("ties", || "mass".into()),
    ("remap", || "on".into()),
];

/// Keys of files that every run has or may have, in their order. Options of rows that are not among them follow, by name.
pub const FILE_KEYS: [&str; 47] = [
    "method",
    "dataset",
    "split",
    "skip_unreadable",
    "classes",
    "validation",
    "n_shot",
    "fraction",
    "val_fraction",
    "val_shots",
    "short_classes",
    "model",
    "network",
    "sparsity",
    "pretrained_dir",
    "checkpoint",
    "checkpoint_key",
    "mask",
    "masking",
    "recipe",
    "source_classes",
    "mean",
    "std",
    "resize",
    "crop",
    "interpolation",
    "engine",
    "epochs",
    "steps",
    "batch_size",
    "lr",
    "optimizer",
    "weight_decay",
    "lr_grid",
    "weight_decay_grid",
    "cache_dtype",
    "seed",
    "shuffle",
    "select",
    "eval_every",
    "mapping",
    "mapping_interval",
    "ties",
    "remap",
    "image_size",
    "ece_values",
    "ece_batches",
];

/// A specification as files have it. The order of the fields is that of the keys in files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Flat {
    method: Method,
    dataset: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    split: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_unreadable: Option<Skip>,
    classes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<ValidationFrom>,
    #[serde(with = "budget_text")]
    n_shot: Budget,
    #[serde(skip_serializing_if = "Option::is_none")]
    fraction: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    val_fraction: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    val_shots: Option<usize>,
    short_classes: ShortClasses,
    model: String,
    network: NetworkKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    sparsity: Option<u32>,
    pretrained_dir: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mask: Option<PathBuf>,
    masking: Masking,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipe: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_classes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<[f64; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    std: Option<[f64; 3]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resize: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crop: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interpolation: Option<Interpolation>,
    engine: String,
    epochs: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<u32>,
    batch_size: usize,
    lr: f64,
    optimizer: Optimizer,
    weight_decay: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lr_grid: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight_decay_grid: Option<Vec<f64>>,
    cache_dtype: FeatureType,
    seed: u64,
    shuffle: Shuffle,
    select: Select,
    #[serde(skip_serializing_if = "Option::is_none")]
    eval_every: Option<u32>,
    mapping: String,
    mapping_interval: Value,
    ties: Value,
    remap: Value,
    /// An option of prompts, and of probing.
    #[serde(skip_serializing_if = "Option::is_none")]
    image_size: Option<u32>,
    ece_values: BinnedValues,
    ece_batches: Batching,
    #[serde(skip_serializing_if = "is_usual_precision")]
    precision: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation_bits: Option<u32>,
    #[serde(skip_serializing_if = "is_usual_prompt")]
    prompt: String,
    #[serde(skip_serializing_if = "is_usual::<ScheduleKind>")]
    schedule: ScheduleKind,
    #[serde(skip_serializing_if = "is_usual::<u32>")]
    warmup: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    milestones: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    augment: Vec<String>,
    #[serde(skip_serializing_if = "is_usual::<HeadKind>")]
    head: HeadKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    neighbours: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    knn_temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ridge_alpha: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    c_search: Option<CSearchRule>,
    /// Options of the rows of prompt and mapping.
    #[serde(flatten)]
    options: BTreeMap<String, Value>,
}

/// Whether this is the default, which files leave out.
fn is_usual<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Whether this is the prompt of files that name none.
fn is_usual_prompt(prompt: &str) -> bool {
    prompt == PromptSpec::default().prompt
}

/// Whether this is the precision of files that name none.
fn is_usual_precision(precision: &str) -> bool {
    precision == NetworkSpec::default().precision
}

impl Default for Flat {
    fn default() -> Self {
        RunSpec::default().into()
    }
}

impl From<RunSpec> for Flat {
    fn from(spec: RunSpec) -> Self {
        let method = spec.method();
        let RunSpec {
            data,
            labels,
            network,
            training,
            adaptation,
            ece,
        } = spec;
        // What the adaptation has no use for stands in files at its default.
        let usual = ProbeSpec::default();
        let (probe, MappedSpec { prompt, mapping }) = match adaptation {
            Adaptation::Probe(probe) => (probe, MappedSpec::default()),
            Adaptation::Prompt(mapped) => (of_prompt(&mapped.prompt), mapped),
            Adaptation::Joint(prompt) => {
                let probe = of_prompt(&prompt);
                let mapping = MappedSpec::default().mapping;
                (probe, MappedSpec { prompt, mapping })
            }
        };
        let mut options = prompt.options.into_map();
        let [mapping_interval, ties, remap] =
            WRITTEN.map(|(key, default)| options.remove(key).unwrap_or_else(default));
        let image_size = options.remove("image_size");
        let side = |value: Value| value.as_u64().and_then(|side| u32::try_from(side).ok());
        Self {
            method,
            dataset: data.dataset,
            split: data.split,
            skip_unreadable: data.skip_unreadable,
            classes: data.classes,
            validation: labels.validation,
            n_shot: labels.n_shot,
            fraction: labels.fraction,
            val_fraction: labels.val_fraction,
            val_shots: labels.val_shots,
            short_classes: labels.short_classes,
            model: network.model,
            network: network.kind,
            sparsity: network.sparsity,
            bits: network.bits,
            activation_bits: network.activation_bits,
            pretrained_dir: network.pretrained_dir,
            checkpoint: network.checkpoint,
            checkpoint_key: network.checkpoint_key,
            mask: network.mask,
            masking: network.masking,
            recipe: network.recipe,
            source_classes: network.source_classes,
            mean: network.mean,
            std: network.std,
            resize: probe.resize,
            crop: probe.crop,
            interpolation: network.interpolation,
            engine: network.engine,
            precision: network.precision,
            epochs: training.epochs,
            steps: training.steps,
            batch_size: training.batch_size,
            lr: training.lr,
            optimizer: probe.optimizer,
            weight_decay: probe.weight_decay,
            lr_grid: probe.lr_grid,
            weight_decay_grid: probe.weight_decay_grid,
            cache_dtype: probe.cache_dtype,
            seed: training.seed,
            shuffle: training.shuffle,
            select: training.select,
            eval_every: training.eval_every,
            mapping,
            mapping_interval,
            ties,
            remap,
            image_size: image_size.and_then(side).or(probe.first_resize),
            ece_values: ece.values,
            ece_batches: ece.batches,
            prompt: prompt.prompt,
            schedule: training.schedule,
            warmup: training.warmup,
            milestones: training.milestones,
            augment: prompt.augment,
            head: probe.head,
            neighbours: (probe.neighbours != usual.neighbours).then_some(probe.neighbours),
            knn_temperature: (probe.knn_temperature != usual.knn_temperature)
                .then_some(probe.knn_temperature),
            ridge_alpha: (probe.ridge_alpha != usual.ridge_alpha).then_some(probe.ridge_alpha),
            c_search: probe.c_search,
            options,
        }
    }
}

/// What `prompt` and probes have in common in files.
fn of_prompt(prompt: &PromptSpec) -> ProbeSpec {
    ProbeSpec {
        optimizer: prompt.optimizer,
        weight_decay: prompt.weight_decay,
        ..ProbeSpec::default()
    }
}

impl Flat {
    /// The typed form. Keys that the adaptation has no use for are left out.
    pub(crate) fn into_spec(self) -> RunSpec {
        let usual = ProbeSpec::default();
        let adaptation = match self.method {
            Method::Lp => Adaptation::Probe(ProbeSpec {
                head: self.head,
                neighbours: self.neighbours.unwrap_or(usual.neighbours),
                knn_temperature: self.knn_temperature.unwrap_or(usual.knn_temperature),
                ridge_alpha: self.ridge_alpha.unwrap_or(usual.ridge_alpha),
                optimizer: self.optimizer,
                weight_decay: self.weight_decay,
                lr_grid: self.lr_grid,
                weight_decay_grid: self.weight_decay_grid,
                c_search: self.c_search,
                cache_dtype: self.cache_dtype,
                resize: self.resize,
                crop: self.crop,
                first_resize: self.image_size,
            }),
            Method::Vp | Method::Joint => {
                let mut options = self.options;
                let written = [self.mapping_interval, self.ties, self.remap];
                for ((key, default), value) in WRITTEN.into_iter().zip(written) {
                    if value != default() {
                        options.insert(key.into(), value);
                    }
                }
                options.extend(
                    self.image_size
                        .map(|side| ("image_size".into(), side.into())),
                );
                let prompt = PromptSpec {
                    prompt: self.prompt,
                    optimizer: self.optimizer,
                    weight_decay: self.weight_decay,
                    augment: self.augment,
                    options: Options::of_map(options),
                };
                let mapping = self.mapping;
                match self.method {
                    Method::Joint => Adaptation::Joint(prompt),
                    _ => Adaptation::Prompt(MappedSpec { prompt, mapping }),
                }
            }
        };
        RunSpec {
            data: DataSpec {
                dataset: self.dataset,
                split: self.split,
                skip_unreadable: self.skip_unreadable,
                classes: self.classes,
            },
            labels: LabelSpec {
                validation: self.validation,
                n_shot: self.n_shot,
                fraction: self.fraction,
                val_fraction: self.val_fraction,
                val_shots: self.val_shots,
                short_classes: self.short_classes,
            },
            network: NetworkSpec {
                model: self.model,
                kind: self.network,
                sparsity: self.sparsity,
                bits: self.bits,
                activation_bits: self.activation_bits,
                pretrained_dir: self.pretrained_dir,
                checkpoint: self.checkpoint,
                checkpoint_key: self.checkpoint_key,
                mask: self.mask,
                masking: self.masking,
                recipe: self.recipe,
                source_classes: self.source_classes,
                mean: self.mean,
                std: self.std,
                interpolation: self.interpolation,
                engine: self.engine,
                precision: self.precision,
            },
            training: TrainingSpec {
                epochs: self.epochs,
                steps: self.steps,
                batch_size: self.batch_size,
                lr: self.lr,
                seed: self.seed,
                shuffle: self.shuffle,
                select: self.select,
                eval_every: self.eval_every,
                schedule: self.schedule,
                warmup: self.warmup,
                milestones: self.milestones,
            },
            adaptation,
            ece: EceSpec {
                values: self.ece_values,
                batches: self.ece_batches,
            },
        }
    }

    fn into_map(self) -> Result<Map<String, Value>> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err(Error::Spec("a specification is a table".into())),
            Err(error) => Err(Error::Spec(error.to_string())),
        }
    }
}

impl TryFrom<Flat> for RunSpec {
    type Error = Error;

    /// Refuses keys that would be ignored (defect D15 of the reference).
    fn try_from(flat: Flat) -> Result<Self> {
        let given = flat.clone().into_map()?;
        let spec = flat.into_spec();
        let used = fields(&spec)?;
        let lost = |key: &&str| {
            given
                .get(*key)
                .is_some_and(|value| used.get(*key) != Some(value))
        };
        let known = FILE_KEYS.into_iter().find(lost);
        let ignored = known.or_else(|| given.keys().map(String::as_str).find(lost));
        match ignored {
            None => Ok(spec),
            Some(key) => {
                let (user, found) = (spec.method().title(), &given[key]);
                Err(Error::unused(key.to_owned(), user, found))
            }
        }
    }
}

/// The fields of a specification that are set, as JSON has them.
///
/// # Errors
/// If a path is not UTF-8.
pub fn fields(spec: &RunSpec) -> Result<Map<String, Value>> {
    Flat::from(spec.clone()).into_map()
}

/// The value of `key` in a flat form in which nothing else is said.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn alone(key: &str, value: &toml::Value) -> Result<Value, String> {
    let table = toml::Table::from_iter([(key.to_owned(), value.clone())]);
    let flat: Flat = table
        .try_into()
        .map_err(|e: toml::de::Error| e.message().to_owned())?;
    let found = serde_json::to_value(flat).unwrap_or_default();
    Ok(found.get(key).cloned().unwrap_or_default())
}

#[cfg(test)]
mod tests;
