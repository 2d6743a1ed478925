//! The record of a finished run: everything a reader needs, and nothing that a second run of the same specification on
//! the same instruction set would not reproduce, but for `cost`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rut_metrics::{BatchedEce, TemperatureFit, TemperatureIntervals};
use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::event::MapWeights;
use crate::score::{Doubt, SplitScores};
use crate::spec::RunSpec;

/// What `record.json` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`Record::FORMAT_VERSION`].
    pub format_version: u32,
    /// The run's name.
    pub run_id: String,
    /// The specification that was run.
    pub spec: RunSpec,
    /// The images that were used.
    pub data: DataRecord,
    /// The network that was used.
    pub network: NetworkRecord,
    /// How training ended.
    pub training: TrainingRecord,
    /// The label map (prompting only).
    pub mapping: Option<MappingRecord>,
    /// Fitted on the validation images, if there are any.
    pub temperature: Option<TemperatureFit>,
    /// The bootstrap's intervals of it and of what it gains, over the validation images; `None` in records of versions before
    /// this was computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_intervals: Option<TemperatureIntervals>,
    /// The test images' figures.
    pub test: SplitScores,
    /// The test images' figures under the map made before the last epoch (prompting with `remap = on` only).
    pub test_before_remap: Option<SplitScores>,
    /// The validation images' figures.
    pub validation: Option<SplitScores>,
    /// The ECE of the test logits as published, if the specification asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_ece: Option<PublishedEce>,
    /// XXH3 checksums of the run's other files, by name; none where an earlier version wrote them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// What it was made with.
    pub environment: Environment,
    /// What it took; in the file, also the checksum of the record itself. Of all entries only this one differs between two runs of one specification.
    pub cost: Cost,
}

impl Record {
    /// The layout of a record, and of the specification beside it; a file of another one is refused.
    pub const FORMAT_VERSION: u32 = 1;

    /// Why the figures at the fitted temperature are not to be led with, if they are not.
    pub fn temperature_doubt(&self) -> Option<Doubt> {
        Doubt::of(
            self.temperature.as_ref(),
            self.temperature_intervals.as_ref(),
        )
    }
}

/// An ECE that is taken as the reference takes it (defects D1 to D4), which is none to report: it shows what they do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedEce {
    /// How it is taken.
    pub rule: BatchedEce,
    /// The figure; on logits, of any magnitude.
    pub ece: f64,
}

/// On which images a run worked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecord {
    /// The data set's name.
    pub name: String,
    /// Class names, in label order.
    pub class_names: Vec<String>,
    /// SHA-256 over pixels and labels of the training images used.
    pub train_digest: String,
    /// The same of the test images.
    pub test_digest: String,
    /// The same of the validation images.
    pub validation_digest: String,
    /// Indices of the images trained on, into the (restricted) training split.
    pub train_indices: Vec<usize>,
    /// Indices of the images validated on, into the same split; where the specification says `validation = own`, into the
    /// (restricted) validation split.
    pub validation_indices: Vec<usize>,
    /// Number of test images.
    pub test_images: usize,
    /// Labels used: training and validation images.
    pub labels_used: usize,
    /// Classes with fewer images than asked for (with `short_classes = allow`).
    pub short_classes: Vec<ShortClassRecord>,
    /// Images that could not be read and were left out (with `skip_unreadable`), of all parts of the data set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedRecord>,
    /// Side of the image on the canvas (prompting), or before the network's own size (probing), pixels.
    pub image_size: Option<usize>,
    /// How pixels became the network's input.
    pub preprocessing: String,
}

/// A class with fewer images than asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShortClassRecord {
    /// Its name.
    pub class: String,
    /// Images that it has.
    pub found: usize,
    /// Images that were asked for.
    pub wanted: usize,
}

/// An image that could not be read and was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkippedRecord {
    /// `train`, `validation` or `test`.
    pub part: String,
    /// Its path below the data set's folder, or its record.
    pub image: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Which network a run adapted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkRecord {
    /// Name in the table.
    pub model: String,
    /// SHA-256 of the checkpoint.
    pub checkpoint: String,
    /// SHA-256 of the mask.
    pub mask: Option<String>,
    /// Share of non-zero weights over all convolutions and linear layers, 0–1.
    pub density: f64,
    /// The same without stem and classifier, 0–1.
    pub density_without_stem_and_classifier: f64,
    /// The network as adapted: with the new head in place of the classifier (probing, D13); as `density` for prompting.
    pub density_adapted: f64,
    /// What of it has few bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantization: Option<QuantizationRecord>,
    /// Number of source classes; absent for a network without a classifier, which can only be probed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_classes: Option<usize>,
    /// Number of features.
    pub width: usize,
    /// What of the checkpoint's keys the network is. Absent in the records of earlier versions, which read checkpoints by
    /// another rule ([`KeyRule::Earlier`](crate::spec_file::KeyRule)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeysRecord>,
}

/// What of a network has few bits, as its file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantizationRecord {
    /// Bits of a weight.
    pub weight_bits: u32,
    /// Names of the weights that have all bits.
    pub kept: Vec<String>,
    /// Bits of an activation; absent where they have all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation_bits: Option<u32>,
    /// How the ranges of activations were chosen, and from which images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<String>,
    /// SHA-256 of the checkpoint that it was made of.
    pub made_of: String,
}

/// What of a checkpoint's keys is the network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysRecord {
    /// Under which of the file's dictionaries and modules, joined by points, it stands; `.` is the file itself.
    pub under: String,
    /// What was taken and what was left out, one sentence each.
    pub notes: Vec<String>,
}

/// How training ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingRecord {
    /// Trained values; of a head that is computed, those that are stored and its logits depend on.
    pub trained_values: usize,
    /// Optimiser steps.
    pub steps: u64,
    /// Mean loss of the last epoch, nats; 0 of a head that is computed without one.
    pub final_loss: f64,
    /// The epoch whose parameters were kept, from 0.
    pub kept_epoch: u32,
    /// Its accuracy on the split it was chosen on; absent for `last`.
    pub selected_accuracy: Option<f64>,
    /// The members of a grid of learning rates and weight decays, or of a search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid: Option<GridRecord>,
    /// How L-BFGS ended, where it trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lbfgs: Option<LbfgsRecord>,
    /// Warnings that a reader of the figures needs (a selection on the test set, say).
    pub notes: Vec<String>,
}

/// How L-BFGS ended, of the fit that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LbfgsRecord {
    /// Iterations taken.
    pub iterations: u32,
    /// Evaluations of loss and gradient.
    pub evaluations: u32,
    /// Euclidean norm of the gradient.
    pub gradient_norm: f64,
    /// The same at the start.
    pub first_gradient_norm: f64,
    /// Whether the gradient is as small as asked for, relative to the first.
    pub converged: bool,
}

/// A grid of learning rates and weight decays, or the weight decays that a search tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridRecord {
    /// The member that is kept, from 0: of the best accuracy on the validation images, of equals of the lower NLL, of these
    /// the first; of a search the one that it ends with.
    pub chosen: usize,
    /// All members, in order.
    pub members: Vec<GridMemberRecord>,
}

/// How a member of a grid ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridMemberRecord {
    /// Learning rate at the start; absent for L-BFGS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lr: Option<f64>,
    /// Weight decay.
    pub weight_decay: f64,
    /// The epoch whose parameters are scored, from 0.
    pub kept_epoch: u32,
    /// Mean loss of its last epoch, nats.
    pub final_loss: f64,
    /// On the validation images, 0–1; absent if its loss stopped being a number.
    pub validation_accuracy: Option<f64>,
    /// On the validation images, nats; absent likewise.
    pub validation_nll: Option<f64>,
}

/// The label map that the test figures are under.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingRecord {
    /// Source class of every target class, of a one-to-one map.
    pub sources: Vec<u32>,
    /// Their names.
    pub source_names: Vec<String>,
    /// The map used before the last one was made, likewise.
    pub sources_before_remap: Vec<u32>,
    /// A summary of any other map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<MapWeights>,
    /// Of the map used before the last one was made, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights_before_remap: Option<MapWeights>,
    /// Targets whose source changed in the last making.
    pub churn: Option<usize>,
    /// Choices in which counts alone did not decide, in the last making.
    pub ties: Option<usize>,
    /// Targets whose source none of their images was predicted as, in the last making.
    pub without_evidence: Option<Vec<u32>>,
}

/// What a run took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Wall-clock seconds by phase, over all sessions of the run.
    pub seconds: BTreeMap<String, f64>,
    /// Wall-clock seconds of the whole, over all sessions of the run.
    pub total_seconds: f64,
    /// Images through the network per second, by phase.
    pub images_per_second: BTreeMap<String, f64>,
    /// Most memory held by the process, bytes.
    pub peak_memory_bytes: u64,
    /// Threads.
    pub threads: usize,
    /// How often the run was resumed.
    pub resumed: u32,
    /// Versions, engines and instruction sets of earlier sessions, where they differ: bit-equality does not hold across
    /// them.
    pub other_means: Vec<String>,
    /// Where the data set was looked for, absolute; `None` in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
}
