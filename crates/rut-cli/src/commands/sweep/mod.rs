//! `rut sweep`: many runs from one file. Which runs they are, and their status, is determined by `rut-study`; here are the
//! processes that run them, and what a person sees.

mod emit;
pub(super) mod forecast;
mod job;
mod outcome;
mod pool;
mod resources;
mod run;
mod session;
mod status;
mod task;

pub(super) use resources::Resources;
pub(super) use run::{carry_out, SourceData};

use anyhow::Result;

use crate::args::SweepCommand;

/// One of its commands.
pub fn run(command: &SweepCommand) -> Result<()> {
    match command {
        SweepCommand::Run(args) => run::run(args),
        SweepCommand::Status(args) => status::run(args),
        SweepCommand::Emit(args) => emit::run(args),
        SweepCommand::Task(args) => task::run(args),
    }
}
