#![doc = include_str!("../README.md")]
//!
//! # What is here
//!
//! | to know | about |
//! | --- | --- |
//! | [`Field`], [`FIELDS`], [`Options`] | the table of fields, and options of rows |
//! | [`RunSpec`], [`Settings`], [`Locations`] | what is run, in layers of keys and values, and where it reads and writes |
//! | [`RunId`], [`Content`] | a run's name, by content |
//! | [`Event`], [`Phase`] | what a training loop reports |
//! | [`SplitLogits`], [`SplitScores`], [`score`] | logits of a split, and its figures |
//! | [`Record`], [`UpstreamRecord`] | what is known in the end |
//! | [`RunDir`], [`SpecFile`], [`Locked`], [`Verification`] | the files of a run's folder |
//! | [`logits_archive`] | logits as files: a run's own, and what other programs hand over |
//! | [`Plan`], [`Failure`] | the runs of a study, and why one has no record |
//! | [`sealed`], [`versioned`] | JSON that holds its own checksum, and JSON whose layout has a number |
//!
//! Engines, models, label mappings and prompts are names here: whether there are such is for the crates above to say.

mod choices;
mod environment;
mod error;
mod event;
mod failure;
mod field;
mod field_value;
mod fields;
mod kept;
mod labels;
mod locations;
mod lock;
pub mod logits_archive;
mod options;
mod plan;
mod prepare;
mod record;
mod run_dir;
mod run_id;
mod score;
pub mod sealed;
mod settings;
mod spec;
mod spec_file;
mod split_logits;
pub mod text_file;
mod upstream;
pub mod versioned;

pub use choices::{
    CSearchRule, FeatureType, HeadKind, Interpolation, Masking, NetworkKind, Optimizer,
    ScheduleKind, Select, ShortClasses, Shuffle, ValidationFrom,
};
pub use environment::{Environment, cpu, means, peak_memory, platform};
pub use error::{Error, Result, file};
pub use event::{Event, MapWeights, MemberEpoch, MemberScore, Phase};
pub use failure::Failure;
pub use field::{Field, Flag, Kind, Word};
pub use field_value::field_value;
pub use fields::{ALTERNATIVES, FIELDS, LOCATION_FIELDS, PROMPTING};
pub use kept::{Verification, check_file, file_name};
pub use labels::Labels;
pub use locations::{Locations, Tensorboard};
pub use lock::{Locked, locks_warning};
pub use options::Options;
pub use plan::{Heading, Plan, PlannedRun};
pub use record::{
    Cost, DataRecord, GridMemberRecord, GridRecord, KeysRecord, LbfgsRecord, MappingRecord,
    NetworkRecord, PublishedEce, QuantizationRecord, Record, ShortClassRecord, SkippedRecord,
    TrainingRecord,
};
pub use run_dir::{Existing, FINISHED_REMEDY, RunDir, delete, write_whole};
pub use run_id::{Content, OUTSIDE_IDENTITY, RunId};
pub use score::{Doubt, SplitScores, score, temperature, temperature_of};
pub use settings::{SettingValue, Settings};
pub use spec::{
    Adaptation, DataSpec, EceSpec, FILE_KEYS, LabelSpec, MappedSpec, Method, NetworkSpec,
    ProbeSpec, PromptSpec, RunSpec, TrainingSpec, fields,
};
pub use spec_file::{Begun, KeyRule, SpecFile, UNFINISHED_REMEDY};
pub use split_logits::{Scores, SplitLogits};
pub use upstream::UpstreamRecord;
