//! `rut data`: the table of data sets, and what can be done with one of them.

mod check;
mod draw;
mod show;
mod table;

use anyhow::Result;
use rut_record::{Method, Places, RunSpec};

use crate::args::{BudgetFlags, DataCommand, DataFlags, PlaceFlags, RunArgs, WhichData};
use crate::exit::Usage;
use crate::layers::{resolve, variables};
use crate::set_threads;

/// Runs one of the commands.
///
/// # Errors
/// If the data set cannot be opened or read, or something is found wrong with it.
pub fn run(command: &DataCommand) -> Result<()> {
    match command {
        DataCommand::Table(command) => table::run(command),
        DataCommand::Check(args) => check::run(args),
        DataCommand::Show(args) => show::run(args),
        DataCommand::Draw(args) => draw::run(args),
    }
}

/// The data set that the flags name, as a run has it, and where to look for it.
fn specified(which: &WhichData, budget: &BudgetFlags) -> Result<(RunSpec, Places)> {
    let args = RunArgs {
        data: DataFlags {
            dataset: Some(which.name.clone()),
            split: which.split.clone(),
            classes: which.classes.clone(),
            data_dir: which.data_dir.clone(),
            ..DataFlags::default()
        },
        budget: budget.clone(),
        places: PlaceFlags {
            threads: which.threads,
            ..PlaceFlags::default()
        },
        ..RunArgs::default()
    };
    let resolved = resolve(Method::Lp, &args, &variables()).map_err(Usage)?;
    set_threads(resolved.places.threads);
    Ok((resolved.spec, resolved.places))
}
