#![doc = include_str!("../README.md")]
//!
//! # What is here
//!
//! - [`check`] holds a specification against what it names; a [`CheckedRunSpec`] can run, and [`run()`] runs it.
//! - [`journal`] writes down what a loop tells, [`tensorboard`] what TensorBoard sees of a run.
//! - [`finished`] takes a finished run up again; [`upstream`] asks a network without adapting it.
//! - [`published`] is the table of the reference's defects that move a number, as switches.
//! - [`names`] finds rows of the tables by the names that a specification has for them.
//!
//! It is not the place of what is written down (`rut-record`), of the training loops (`rut-adapt`) or of many runs (`rut-study`).

mod adaptation;
mod announcement;
pub mod check;
pub mod checked;
mod error;
pub mod features;
pub mod fields;
pub mod finished;
pub mod grid;
pub mod images;
pub mod journal;
pub mod names;
pub mod network;
pub mod published;
mod reliability;
pub mod run;
pub mod settle;
mod sources;
pub mod tensorboard;
mod ticket;
pub mod transform;
pub mod upstream;
pub mod validation;

pub use adaptation::{ImageCounts, Workload, draw_prompt, transform, workload};
pub use announcement::announcement;
pub use checked::CheckedRunSpec;
pub use error::{Error, Result};
pub use run::{Session, run};
pub use sources::Sources;
