//! The command line of `fetch-data`, and Ctrl-C while it runs. What it does is in the library.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow};
use clap::Args;
use rut_data::DatasetSpec;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
#[cfg(feature = "models")]
use xtask::fetch::models::{Hub, HubFile, Wanted, fetch_weights, select, verify_weights};
use xtask::fetch::{self, Absence, FetchOptions, Interrupted, Network, Patience, Session, Stop};

/// Time that running work has to end after Ctrl-C: a connection may be silent, or a disk slow.
const GRACE: Duration = Duration::from_secs(3);

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
    /// Fetch nothing; hold what is there against checksums, LOCK.json and receipts
    #[arg(long, conflicts_with_all = ["mirror", "offline"])]
    verify: bool,
}

impl FetchData {
    /// Does what was asked for.
    ///
    /// # Errors
    /// If something is missing afterwards.
    pub fn run(&self, root: &Path) -> Result<()> {
        if self.wants_weights() && cfg!(not(feature = "models")) {
            return with_models(root);
        }
        let session = Session::new(self.options(root));
        // Every word is understood before anything is fetched.
        let specs = self.specs()?;
        #[cfg(feature = "models")]
        let wanted = self.wanted()?;
        watch_signals(&session.stop)?;
        let parts = [
            self.data_sets(&specs, &session),
            #[cfg(feature = "models")]
            self.weights(&wanted, &session),
        ];
        combine(parts)
    }

    fn wants_weights(&self) -> bool {
        !self.models.is_empty() || !self.hf.is_empty()
    }

    fn options(&self, root: &Path) -> FetchOptions {
        let or = |given: &Option<PathBuf>, default: &str| {
            given.clone().unwrap_or_else(|| root.join(default))
        };
        FetchOptions {
            data_dir: or(&self.data_dir, "data"),
            checkpoints_dir: or(&self.checkpoints_dir, "checkpoints"),
            lock_file: or(&self.lock_file, "data/LOCK.json"),
            mirror: self.mirror.clone(),
            network: if self.offline {
                Network::Offline
            } else {
                Network::Online
            },
            patience: Patience::default(),
            jobs: self.jobs.into(),
            free_space: None,
        }
    }

    fn specs(&self) -> Result<Vec<&'static DatasetSpec>> {
        if self.all {
            return Ok(fetch::all());
        }
        fetch::named(&self.names)
    }

    fn data_sets(&self, specs: &[&DatasetSpec], session: &Session) -> Result<()> {
        let absence = if self.all {
            Absence::Fine
        } else {
            Absence::Finding
        };
        if self.verify {
            fetch::verify(specs, session, absence)
        } else {
            fetch::fetch(specs, session)
        }
    }
}

/// The part of the command that reads weights.
#[cfg(feature = "models")]
impl FetchData {
    fn wanted(&self) -> Result<Vec<Wanted>> {
        let hub = Hub::of_environment();
        let table = select(&self.models)?.into_iter();
        let mut wanted: Vec<_> = table.map(Wanted::of_table).collect();
        for text in &self.hf {
            wanted.push(Wanted::of_hub(HubFile::parse(text)?, &hub));
        }
        Ok(wanted)
    }

    fn weights(&self, wanted: &[Wanted], session: &Session) -> Result<()> {
        let absence = if self.models.iter().any(|model| model == "all") {
            Absence::Fine
        } else {
            Absence::Finding
        };
        if self.verify {
            verify_weights(wanted, session, absence)
        } else {
            fetch_weights(wanted, session)
        }
    }
}

/// One error of several parts.
fn combine(parts: impl IntoIterator<Item = Result<()>>) -> Result<()> {
    let errors: Vec<Error> = parts.into_iter().filter_map(Result::err).collect();
    if errors.iter().any(|error| error.is::<Interrupted>()) {
        return Err(Interrupted.into());
    }
    let texts: Vec<_> = errors.iter().map(|error| format!("{error:#}")).collect();
    if texts.is_empty() {
        return Ok(());
    }
    Err(anyhow!("{}", texts.join("; ")))
}

/// The first Ctrl-C asks to stop, the second one stops.
fn watch_signals(stop: &Stop) -> Result<()> {
    for signal in [SIGINT, SIGTERM] {
        let install = || {
            flag::register_conditional_shutdown(signal, INTERRUPTED.into(), stop.flag())?;
            flag::register(signal, stop.flag())
        };
        install().context("failed to install a handler of signals")?;
    }
    let stop = stop.clone();
    thread::spawn(move || {
        while !stop.is_requested() {
            thread::sleep(Duration::from_millis(50));
        }
        thread::sleep(GRACE);
        // What is half-written has a name that says so, and the next run goes on with it or removes it.
        eprintln!("error: {Interrupted}");
        std::process::exit(INTERRUPTED.into());
    });
    Ok(())
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
        .args(std::env::args_os().skip(1));
    eprintln!("weights are read by the tensor library, which is built once: {command:?}");
    let status = command.status().context("failed to start cargo")?;
    std::process::exit(status.code().unwrap_or(1));
}
