//! `rut data`: the table of data sets, and what can be done with one of them.

mod check;
mod draw;
mod show;
mod table;

use anyhow::Result;
use rut_record::{Locations, Method, RunSpec};

use crate::args::{DataCommand, LayerFlags, Pick, WhichData};
use crate::exit::Usage;
use crate::layers::{resolve, variables, Overrides};
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
fn specified<P: Pick>(which: &WhichData<P>) -> Result<(RunSpec, Locations)> {
    let mut flags = which.fields.settings.clone();
    flags.put("dataset", which.name.as_str().into(), "the command line");
    let overrides = Overrides {
        flags: &flags,
        layers: &LayerFlags::default(),
    };
    let resolved = resolve(Method::Lp, overrides, &variables()).map_err(Usage)?;
    set_threads(resolved.locations.threads);
    Ok((resolved.spec, resolved.locations))
}
