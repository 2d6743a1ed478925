//! The command line of `cargo xtask`. What the commands do is in the library beside it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "results and errors go to the person who typed the command"
)]

mod fetch_data;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use fetch_data::{FetchData, INTERRUPTED};
use rut_formats::lines;
use xtask::{cargo, ci, docs, package, tidy};

/// Characters of a line of an error; a longer one quotes a file that is none of ours.
const LONGEST_LINE: usize = 4000;

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
    /// Write the generated parts of the manual and build the documentation
    Docs,
    /// Package every crate, look for unused or disallowed dependencies, check the program for other systems
    Package,
    /// Build the Python wheel, install it beside the Python of RUT_PYTHON, and run its test
    Wheel,
    /// Build the binaries of a release, with an old C library and with none, and check what they need
    Release,
    /// Download data sets and weights, verify them and put them where rut looks for them
    FetchData(FetchData),
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let of_fetch = error.downcast_ref::<rut_fetch::Error>();
            // Not anyhow's own report: a backtrace does not help the reader.
            let text = match of_fetch {
                Some(error) => format!("failed to {error}"),
                None => format!("{error:#}"),
            };
            eprintln!("error: {}", lines(&text, LONGEST_LINE));
            match of_fetch {
                Some(rut_fetch::Error::Interrupted) => INTERRUPTED.into(),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn run(task: Task) -> Result<()> {
    let root = cargo::root();
    match task {
        Task::Ci => ci::run(&root),
        Task::Tidy => tidy::run(&root),
        Task::Docs => docs::run(&root),
        Task::Package => package::check(&root),
        Task::Wheel => package::wheel(&root),
        Task::Release => package::release(&root),
        Task::FetchData(arguments) => arguments.run(&root),
    }
}
