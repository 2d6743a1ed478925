//! The command line of `fetch-data`, what a person sees of it, and Ctrl-C while it runs. For what
//! it does, see `rut-fetch`.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result};
use clap::Args;
use rut_fetch::{
    DataSets, Error, Event, FetchOptions, LockFile, Network, Observer, Order, Session, StageLines,
    Stop, Task,
};
use rut_formats::lines;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::LONGEST_LINE;

/// Exit code after Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// Options of `fetch-data`.
#[derive(Debug, Args)]
pub struct FetchData {
    /// Data sets, as `rut data list` names them
    #[arg(value_name = "NAME", required_unless_present_any = ["all", "models", "hf"])]
    names: Vec<String>,
    /// Every data set of the table
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Weights of these models: MODEL, MODEL:V2, or `all` [builds xtask with the tensor library]
    #[arg(long, value_name = "MODEL", value_delimiter = ',')]
    models: Vec<String>,
    /// A file of weights of the Hugging Face hub
    #[arg(long, value_name = "ORG/NAME[@REVISION]/FILE")]
    hf: Vec<String>,
    /// Where data sets are kept [default: the folder `data` of the repository]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where weights are kept [default: the folder `checkpoints` of the repository]
    #[arg(long, value_name = "DIR")]
    checkpoints_dir: Option<PathBuf>,
    /// What each file was when it was first fetched [default: `data/LOCK.json` of the repository]
    #[arg(long, value_name = "FILE")]
    lock_file: Option<PathBuf>,
    /// Files that are fetched at the same time
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=16))]
    jobs: u8,
    /// Take URL/FILE instead of each file's own address
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,
    /// Use only what was downloaded before
    #[arg(long)]
    offline: bool,
    /// Fetch nothing; verify existing files with checksums, LOCK.json and receipts
    #[arg(long, conflicts_with_all = ["mirror", "offline"])]
    verify: bool,
}

impl FetchData {
    /// Does what was asked for.
    ///
    /// # Errors
    /// If something is missing afterwards.
    pub fn run(&self, root: &Path) -> Result<()> {
        let wants_weights = !self.models.is_empty() || !self.hf.is_empty();
        if wants_weights && cfg!(not(feature = "models")) {
            return with_models(root);
        }
        let mut session = Session::new(self.options(root), Arc::new(Terminal::default()));
        session.stop = watched_signals()?;
        Ok(self.order().carry_out(&session)?)
    }

    fn options(&self, root: &Path) -> FetchOptions {
        let or = |given: &Option<PathBuf>, default: &str| {
            given.clone().unwrap_or_else(|| root.join(default))
        };
        FetchOptions {
            data_dir: or(&self.data_dir, "data"),
            checkpoints_dir: or(&self.checkpoints_dir, "checkpoints"),
            // The repository's own, which this may write to, and not what the program was built with.
            lock: LockFile::at(&or(&self.lock_file, "data/LOCK.json")),
            mirror: self.mirror.clone(),
            network: if self.offline {
                Network::Offline
            } else {
                Network::Online
            },
            jobs: self.jobs.into(),
            ..FetchOptions::of_variables(|name| env::var(name).ok())
        }
    }

    fn order(&self) -> Order {
        Order {
            data_sets: if self.all {
                DataSets::All
            } else {
                DataSets::Named(self.names.clone())
            },
            models: self.models.clone(),
            hub_files: self.hf.clone(),
            task: if self.verify {
                Task::Verify
            } else {
                Task::Fetch
            },
        }
    }
}

/// Results on stdout, everything else on stderr, and how far files are as a line now and then. `rut fetch` draws bars.
#[derive(Debug, Default)]
struct Terminal {
    stages: StageLines,
}

impl Observer for Terminal {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Result(text) => println!("{}", lines(text, usize::MAX)),
            Event::Note(text) => eprintln!("{}", lines(text, LONGEST_LINE)),
            _ => {
                if let Some(line) = self.stages.line(event) {
                    eprintln!("{}", lines(&line, LONGEST_LINE));
                }
            }
        }
    }
}

/// What Ctrl-C sets: the first one asks to stop, the second one stops.
fn watched_signals() -> Result<Stop> {
    let asked = Arc::default();
    for signal in [SIGINT, SIGTERM] {
        let install = || {
            flag::register_conditional_shutdown(signal, INTERRUPTED.into(), Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))
        };
        install().context("failed to install a handler of signals")?;
    }
    let stop = Stop::from(asked);
    let late = stop.clone();
    thread::spawn(move || {
        late.outwait();
        eprintln!("error: failed to {}", Error::Interrupted);
        std::process::exit(INTERRUPTED.into());
    });
    Ok(stop)
}

/// Runs the same command in a build that can read weights.
fn with_models(root: &Path) -> Result<()> {
    // The other program gets Ctrl-C as well, and says what there is to say about it.
    let ignored = Arc::default();
    flag::register(SIGINT, ignored).context("failed to install a handler of signals")?;
    let mut command = xtask::cargo::command();
    command
        .args(["run", "--package", "xtask", "--features", "models"])
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"))
        .arg("--")
        .args(env::args_os().skip(1));
    eprintln!("weights are read by the tensor library, which is built once: {command:?}");
    let status = command.status().context("failed to start cargo")?;
    std::process::exit(status.code().unwrap_or(1));
}
