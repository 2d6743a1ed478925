//! The command line of `cargo xtask`. What the commands do is in the library beside it.

#![expect(
    clippy::print_stderr,
    reason = "an error goes to the person who typed the command"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use xtask::fetch::{FetchOptions, Network, Patience};
use xtask::{cargo, ci, docs, fetch, tidy};

/// Downloads and checks of the rut workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run exactly what CI runs, and say how long each step took
    Ci,
    /// Check the source against the invariants and conventions
    Tidy,
    /// Write the generated parts of the READMEs and build the documentation
    Docs,
    /// Download data sets, verify them and put them where rut looks for them
    FetchData(FetchData),
}

#[derive(Debug, Args)]
struct FetchData {
    /// Data sets, as `rut data list` names them
    #[arg(value_name = "NAME", required_unless_present = "all")]
    names: Vec<String>,
    /// Every data set of the table
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Where data sets are kept [default: the folder `data` of the repository]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Take URL/FILE instead of each archive's own address
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,
    /// Use only what was downloaded before
    #[arg(long)]
    offline: bool,
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not anyhow's own report: a backtrace says nothing to whoever reads this.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let root = cargo::root();
    match task {
        Task::Ci => ci::run(&root),
        Task::Tidy => tidy::run(&root),
        Task::Docs => docs::run(&root),
        Task::FetchData(arguments) => {
            let specs = if arguments.all {
                fetch::all()
            } else {
                fetch::named(&arguments.names)?
            };
            let options = FetchOptions {
                data_dir: arguments.data_dir.unwrap_or_else(|| root.join("data")),
                mirror: arguments.mirror,
                network: if arguments.offline {
                    Network::Offline
                } else {
                    Network::Online
                },
                patience: Patience::default(),
            };
            fetch::fetch(&specs, &options)
        }
    }
}
