#![doc = include_str!("../README.md")]
//!
//! How fast a network is, and how much memory it takes: what `rut bench` measures. Nothing here is a run, and nothing is
//! kept but the report.
//!
//! Every measurement does what a run does, on images and features that are drawn instead of read: passes through the
//! network by its own interface, steps and epochs by the loops of `rut-adapt`.

mod error;
mod loops;
mod measurement;
mod options;
mod passes;
mod pruning;
mod report;
mod stand_in;
mod subject;
mod timing;

pub use error::{Error, Result};
pub use measurement::{MEASUREMENTS, Measurement, MeasurementSpec};
pub use options::{BenchOptions, CheckedBench, HeadShape};
pub use pruning::{MASK_KINDS, MaskKind, MaskKindSpec};
pub use report::{BenchReport, Built, Measured, bench};
pub use subject::BenchedNetwork;
pub use timing::{Repeats, Timing};
