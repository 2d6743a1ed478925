//! `rut ticket`: makes, converts and inspects lottery tickets.

mod about;
mod convert;
mod inspect;
mod make;
mod pruning;
pub(super) mod recalibrate;
pub(super) mod source;
mod written;

use anyhow::Result;

use crate::args::TicketCommand;

/// Does what was asked for.
///
/// # Errors
/// If a file cannot be read or written, or an argument cannot be meant.
pub fn run(command: &TicketCommand) -> Result<()> {
    match command {
        TicketCommand::Inspect { network, json } => inspect::inspect(&network.settings, *json),
        TicketCommand::Make(args) => make::run(args),
        TicketCommand::Convert(args) => convert::run(args),
    }
}
