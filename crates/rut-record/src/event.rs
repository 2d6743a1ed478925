//! The events of a training loop. `rut-adapt` defines the observers that receive them.

use serde::{Deserialize, Serialize};

/// A part of a run that takes time of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Features of the frozen network are computed, or read from the cache.
    Extract,
    /// Source predictions over the training images, for a new label map.
    Map,
    /// Training steps.
    Train,
    /// Scoring the validation images.
    Validate,
    /// Scoring the test images.
    Test,
}

impl Phase {
    /// All phases, in the order of a run.
    pub const ALL: [Self; 5] = [
        Self::Extract,
        Self::Map,
        Self::Train,
        Self::Validate,
        Self::Test,
    ];

    /// The name in records and on a screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Extract => "extract",
            Self::Map => "map",
            Self::Train => "train",
            Self::Validate => "validate",
            Self::Test => "test",
        }
    }
}

/// Something that happened in a run. No event holds a time: a run's events are a function of its specification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// A label map was made.
    Mapped {
        /// The epoch that it is for, from 0; the number of epochs for the map made after the last one.
        epoch: u32,
        /// Source class of every target class, of a one-to-one map.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sources: Vec<u32>,
        /// A summary of any other map.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weights: Option<MapWeights>,
        /// Target classes whose source differs from the last map's; absent in the first map.
        churn: Option<usize>,
        /// Choices in which the counts alone did not decide.
        ties: usize,
        /// Target classes that were given a source which none of their images was predicted as.
        without_evidence: Vec<u32>,
    },
    /// One optimiser step was taken.
    Step {
        /// The epoch, from 0.
        epoch: u32,
        /// Steps taken over all epochs, from 1.
        step: u64,
        /// Mean cross-entropy of the batch before the step, nats; in a grid, the mean over the members.
        loss: f64,
    },
    /// An epoch ended.
    Epoch {
        /// The epoch, from 0.
        epoch: u32,
        /// Mean over its images of the cross-entropy before each step, nats; in a grid, the mean over the members.
        loss: f64,
        /// Share of its images that were right before each step, 0–1; in a grid, the mean over the members.
        accuracy: f64,
        /// The learning rate that it used; in a grid, that of the first member; 0 for L-BFGS, of which an
        /// iteration is an epoch.
        learning_rate: f64,
        /// Each member of a grid.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        members: Vec<MemberEpoch>,
    },
    /// The loss of a member of a grid stopped being a number. The others go on; it is not chosen.
    Diverged {
        /// The member, from 0.
        member: usize,
        /// The epoch, from 0.
        epoch: u32,
        /// Steps taken over all epochs, from 1.
        step: u64,
    },
    /// A split was scored while training.
    Scored {
        /// The epoch after which, from 0.
        epoch: u32,
        /// `validation` or `test`.
        split: String,
        /// Share of right predictions, 0–1.
        accuracy: f64,
        /// Mean negative log-likelihood, nats.
        nll: f64,
        /// Expected calibration error, 15 equal-width bins, 0–1.
        ece: f64,
        /// Each member of a grid; the figures above are then those of the best.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        members: Vec<MemberScore>,
    },
}

/// A summary of a label map that is not one-to-one: its matrix [S, T] is stored only as a tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapWeights {
    /// SHA-256 over its values as little-endian f64.
    pub digest: String,
    /// Of each target class, source classes with the largest weights, and the weights, the largest first.
    pub largest: Vec<Vec<(u32, f64)>>,
}

/// An epoch of one member of a grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberEpoch {
    /// The member, from 0.
    pub member: usize,
    /// Mean over the epoch's images of the cross-entropy before each step, nats.
    pub loss: f64,
    /// Share of the epoch's images that were right before each step, 0–1.
    pub accuracy: f64,
}

/// What one member of a grid scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberScore {
    /// The member, from 0.
    pub member: usize,
    /// Share of right predictions, 0–1.
    pub accuracy: f64,
    /// Mean negative log-likelihood, nats.
    pub nll: f64,
    /// Expected calibration error, 15 equal-width bins, 0–1.
    pub ece: f64,
}
