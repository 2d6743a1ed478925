//! The binary `rut`: reads the command line, sets up threads, logs and signals, and turns errors into exit codes.

mod args;
mod cached;
mod commands;
mod diagram;
mod downloads;
mod exit;
mod flags;
mod layers;
mod output;
mod progress;
mod system;
mod table;

use std::process::ExitCode;

use crate::args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let verbose = cli.verbose > 0;
    start_logs(cli.verbose);
    match dispatch(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if verbose => exit::report_all(&error),
        Err(error) => exit::report(&error),
    }
}

fn dispatch(command: Command) -> anyhow::Result<()> {
    system::quotas_are_errors()?;
    match command {
        Command::Run(run) => commands::run::run(&run),
        Command::Eval(args) => commands::eval::run(&args),
        Command::Upstream(args) => commands::upstream::run(&args),
        Command::Metrics(args) => commands::metrics::run(&args),
        Command::Extract(args) => commands::extract::run(&args),
        Command::Predict(args) => commands::predict::run(&args),
        Command::Study(command) => commands::study::run(&command),
        Command::Sweep(command) => commands::sweep::run(&command),
        Command::Bench(args) => commands::bench::run(&args),
        Command::Report(args) => commands::report::run(&args),
        Command::Ticket(command) => commands::ticket::run(&command),
        Command::Quantize(args) => commands::quantize::run(&args),
        Command::Fetch(args) => commands::fetch::run(&args),
        Command::Data(command) => commands::data::run(&command),
        Command::Models(command) => commands::models::run(&command),
        Command::Presets { name, json } => commands::presets::run(name.as_deref(), json),
        Command::Completions { shell } => commands::manual::completions(shell),
        Command::Man { output } => commands::manual::man(output.as_deref()),
    }
}

/// Logs go to stderr; results alone go to stdout.
fn start_logs(verbose: u8) {
    use tracing_subscriber::filter::LevelFilter;
    let level = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(false)
        .with_writer(|| output::Logs)
        .init();
}

/// Sets the number of threads of everything that computes, and gives it. Called before anything computes.
fn set_threads(wanted: Option<usize>) -> usize {
    let all = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = wanted.unwrap_or(all);
    // Both rayon's pool and candle's matrix products read it, once, at their first use.
    std::env::set_var("RAYON_NUM_THREADS", threads.to_string());
    tracing::info!(threads, "computing");
    threads
}

/// The commit that the binary was built from.
const COMMIT: &str = env!("COMMIT_OF_BUILD");
