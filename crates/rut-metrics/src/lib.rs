#![doc = include_str!("../README.md")]
//!
//! # Map
//!
//! | file | what it holds |
//! | --- | --- |
//! | `values`, `logits`, `predictions` | borrowed [n, classes] slices, checked once: [`Logits`], [`Probs`], [`Predictions`] |
//! | `accuracy`, `proper_score` | [`accuracy()`], [`top_k_accuracy`], [`per_class_accuracy`], [`nll`], [`brier`] |
//! | `top_label` | [`TopLabel`]: confidence and hit or miss of every sample, and its [`ks`](TopLabel::ks) |
//! | `binning`, `reliability`, `equal_mass`, `classwise` | [`Binning`], [`Reliability`] with ECE, RMSCE, MCE, debiased ECE², [`classwise_ece`] |
//! | `temperature`, `calibrate` | [`Temperature`], [`fit_temperature`] |
//! | `temperature_intervals`, `likelihood_table` | [`TemperatureIntervals`], [`bootstrap_temperature`] |
//! | `outcomes`, `interval` | [`Outcomes`], [`bootstrap`], [`bootstrap_difference`] |
//! | `estimate`, `student` | [`Estimate`]: a figure over several seeds; [`quantile_95`] of Student's t |
//! | `significance` | [`t_test`] of paired differences, [`holm`]'s adjustment for many |
//! | `accumulate`, `summary` | [`Accumulator`] for batches, [`Summary`] for all figures at once |
//!
//! # Promises
//!
//! - Everything is computed in f64, whatever the values were stored in, and over the whole set: a figure does not depend
//!   on how the set was cut into batches, not even in its last bit.
//! - Every tie has a rule: among equal predictions the smaller class index wins.
//! - Bad input is an [`Error`] that names the place, never a panic.
//! - The bootstrap is a function of its seed.

mod accumulate;
mod accuracy;
mod batched_ece;
mod binning;
mod brent;
mod calibrate;
mod classwise;
mod diagram;
mod equal_mass;
mod error;
mod estimate;
mod interval;
mod likelihood_table;
mod logits;
mod outcomes;
mod predictions;
mod proper_score;
mod reliability;
mod resample;
mod sample;
mod significance;
mod student;
mod summary;
mod temperature;
mod temperature_intervals;
mod top_label;
mod values;

pub use accumulate::Accumulator;
pub use accuracy::{ClassAccuracy, accuracy, per_class_accuracy, top_k_accuracy};
pub use batched_ece::{BatchedEce, Batching, BinnedValues};
pub use binning::{Binning, Convention};
pub use calibrate::{Minimum, TemperatureFit, TemperatureOptions, fit_temperature};
pub use classwise::classwise_ece;
pub use diagram::{Bar, Diagram};
pub use equal_mass::{EqualMass, Ties};
pub use error::{Error, Result};
pub use estimate::{Estimate, Spread, digits_apart, mean};
pub use interval::{BootstrapOptions, Interval, Intervals, bootstrap, bootstrap_difference};
pub use logits::{Logits, Probs};
pub use outcomes::Outcomes;
pub use predictions::Predictions;
pub use proper_score::{brier, nll};
pub use reliability::{Bin, Reliability};
pub use significance::{holm, t_test};
pub use student::quantile_95;
pub use summary::Summary;
pub use temperature::Temperature;
pub use temperature_intervals::{TemperatureIntervals, bootstrap_temperature};
pub use top_label::TopLabel;
pub use values::{Element, Values};
