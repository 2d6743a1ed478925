//! The words of `rut study`. Which defects there are, and what a card of them is, `rut-study` says.

use clap::{Args, Subcommand};

use super::SweepArgs;

/// What can be asked of the published study.
#[derive(Debug, Subcommand)]
pub enum StudyCommand {
    /// The reproduction card: run a study with and without each of the reference's defects, and say what they do
    ///
    /// FILE.toml is a study, as for `rut sweep run`, or a run's specification. Every run is an ordinary one: what is
    /// finished is not run again, and Ctrl-C saves. A defect that concerns only how ECE is taken costs no run of its own.
    Card(CardArgs),
    /// The table of defects that can be switched on, here and by --as-published
    Switches {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// `rut study card`.
#[derive(Args, Clone, Debug)]
pub struct CardArgs {
    /// Which runs, and with what.
    #[command(flatten)]
    pub sweep: SweepArgs,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}
