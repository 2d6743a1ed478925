#![doc = include_str!("../README.md")]
//!
//! # What is here
//!
//! - [`check()`] checks a specification with what it names; a [`CheckedRunSpec`] can run, and [`run()`] runs it.
//! - [`all_fields()`] is the table of fields with the options of all rows; [`unused_fields()`] those without use to a run.
//! - [`Journal`] stores what a loop reports, also for TensorBoard.
//! - [`FinishedRun`] takes a finished run up again; [`UpstreamMeasurement`] asks a network without adapting it.
//! - [`SWITCHES`] is the table of the reference's defects that move a number.
//! - [`find_model()`] and its like find rows of the tables by the names that a specification has for them.
//!
//! It is not the place of what is written down (`rut-record`), of the training loops (`rut-adapt`) or of many runs (`rut-study`).

mod adaptation;
mod announcement;
mod calibration;
mod canonicalize;
mod check;
mod checked;
mod computing;
mod earlier_network;
mod error;
mod features;
mod fields;
mod files;
mod finished;
mod grid;
mod identity;
mod images;
mod input_cache;
mod journal;
mod names;
mod network;
mod predict;
mod presets;
mod published;
mod quantized;
mod reliability;
mod run;
mod tensorboard;
mod ticket;
mod transform;
mod upstream;
mod validation;

pub use adaptation::{
    ImageCounts, Workload, draw_prompt, is_on_features, transform, window, workload,
};
pub use announcement::announcement;
pub use calibration::{CalibrationInput, calibrate, recalibrate};
pub use canonicalize::{canonical_value, canonicalize};
pub use check::{check, check_among, drawn};
pub use checked::CheckedRunSpec;
pub use computing::Computing;
pub use earlier_network::{check_earlier_name, check_planned};
pub use error::{Error, Result};
pub use features::Features;
pub use fields::{
    all_fields, drop_unused_options, fields_of, is_field, known_names, unused_fields,
};
pub use files::{WeightFiles, network_files, open_dataset};
pub use finished::{FinishedRun, Split, WeightPlaces};
pub use grid::rates;
pub use identity::{as_begun, identify};
pub use images::describe;
pub use input_cache::InputCache;
pub use journal::{Display, Journal, Requests, SaveOptions};
pub use names::{check_device, find_dataset, find_engine, find_model, source_name};
pub use network::{
    Inspected, LoadOptions, LoadedNetwork, inspect_named, load_checked, load_named, reading,
};
pub use predict::{ClassScore, Prediction, Predictions};
pub use presets::{PRESET, PRESETS, Preset, expand_preset, find_preset, with_preset};
pub use published::{SWITCHES, Switch, as_published, parse_switches, published_ece};
pub use run::{Session, run};
pub use tensorboard::BoardOptions;
pub use ticket::check_ticket;
pub use transform::{check_transform, normalization, weights_transform};
pub use upstream::{
    UpstreamMeasurement, WrittenPart, source_features, source_images, write_features,
};
pub use validation::validation_from;
