#![doc = include_str!("../README.md")]
//!
//! # What is here
//!
//! - [`RunSpec`] describes a run, [`CheckedRunSpec`] is one that can run, [`RunId`] names it.
//! - [`run()`] runs it, [`RunDir`] is its folder, [`Record`] what is known in the end.
//! - [`published`] is the table of the reference's defects that move a number, as switches.
//! - [`card`] says what they do to the figures of a study.
//! - [`sweep`] plans many runs and says what became of them.
//! - [`tensorboard`] says what TensorBoard sees of a run.
//! - [`mod@report`] makes figures and tables of many records.
//! - [`mod@bench`] measures how fast all of it is.
//! - [`finished`] takes a finished run up again; [`upstream`] asks a network without adapting it.
//!
//! It is not the place of the training loops (`rut-adapt`) or of anything a person types or sees (`rut-cli`).

mod announcement;
pub mod bench;
pub mod card;
pub mod checked;
pub mod environment;
pub mod error;
pub mod facts;
mod features;
pub mod finished;
pub mod grid;
pub mod images;
pub mod journal;
pub mod kept;
pub mod lock;
pub mod logits_archive;
pub mod names;
pub mod network;
pub mod places;
pub mod published;
pub mod record;
pub mod report;
pub mod run;
pub mod run_dir;
pub mod run_id;
pub mod score;
mod sealed;
pub mod settings;
pub mod sources;
pub mod spec;
pub mod sweep;
pub mod tensorboard;
mod text_file;
mod ticket;
mod transform;
mod unused;
pub mod upstream;
mod validation;
mod versioned;

pub use announcement::announcement;
pub use checked::CheckedRunSpec;
pub use error::{Error, Result};
pub use places::Places;
pub use record::Record;
pub use run::{Session, run};
pub use run_dir::{Existing, RunDir, write_whole};
pub use run_id::RunId;
pub use sources::Sources;
pub use spec::RunSpec;
