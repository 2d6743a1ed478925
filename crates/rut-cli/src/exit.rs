//! Exit codes: 0 done, 1 failed, 2 usage, 3 data missing or unsound, 4 going on elsewhere (of planned runs), 130
//! interrupted.

use std::io::ErrorKind;
use std::process::ExitCode;

use rut_formats::{counted, escape};

use crate::flags::with_flags;

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const MISSING: u8 = 3;
/// A run that another process works on.
pub const GOING_ON: u8 = 4;
/// A run that was stopped on request, and can be gone on with.
pub const INTERRUPTED: u8 = 130;

/// A command line that cannot be meant as it is.
#[derive(Debug)]
pub struct Usage(pub anyhow::Error);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&chain(&self.0))
    }
}

impl std::error::Error for Usage {}

/// A data set with problems, which were reported before.
#[derive(Debug)]
pub struct Unsound {
    /// Name of the data set.
    pub dataset: String,
    /// Number of problems.
    pub findings: usize,
}

impl std::fmt::Display for Unsound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { dataset, findings } = self;
        let findings = counted(*findings, "finding");
        write!(f, "find {} sound: {findings}", escape(dataset))
    }
}

impl std::error::Error for Unsound {}

/// Some images could not be read; which ones was reported before.
#[derive(Debug)]
pub struct Unread {
    /// Number of unreadable images.
    pub unread: usize,
    /// Number of all images.
    pub of: usize,
}

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "read {} of {}", self.unread, counted(self.of, "image"))
    }
}

impl std::error::Error for Unread {}

/// Planned runs of which not all were run; which ones was reported before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// The user asked to stop.
    Stopped,
    /// Number of failed runs.
    Failed(usize),
    /// None failed, but another process works on so many.
    GoingOn(usize),
}

impl std::fmt::Display for Unfinished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stopped => f.write_str("finish: stopped on request; go on with the same command"),
            Self::Failed(count) => write!(
                f,
                "finish {}; the same command tries again",
                counted(*count, "run")
            ),
            Self::GoingOn(count) => write!(
                f,
                "wait for {} that another process works on",
                counted(*count, "run")
            ),
        }
    }
}

impl std::error::Error for Unfinished {}

/// Says on stderr what failed, and gives the exit code for it.
pub fn report(error: &anyhow::Error) -> ExitCode {
    if let Some(rut_run::Error::Stopped { dir }) = of_a_run(error) {
        let dir = escape(dir).whole();
        crate::output::note(&format!(
            "stopped; the state is saved in {dir}\ngo on with the same command and --resume"
        ));
    } else if error.downcast_ref() == Some(&Unfinished::Stopped) {
        crate::output::note("stopped; the states are saved\ngo on with the same command");
    } else {
        let text = chain(error);
        let text = if error.is::<rut_study::Error>() || error.is::<Usage>() {
            // A study's fields stand in its file; what was typed is quoted as it was.
            text
        } else {
            with_flags(&text)
        };
        crate::output::note(&format!("error: failed to {text}{}", remedy(error)));
    }
    ExitCode::from(code(error))
}

/// What to do where no disk space is left, whatever was being written.
fn remedy(error: &anyhow::Error) -> &'static str {
    let mut causes = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    let full = [
        ErrorKind::StorageFull,
        ErrorKind::QuotaExceeded,
        ErrorKind::FileTooLarge,
    ];
    if causes.any(|cause| full.contains(&cause.kind())) {
        "; free some space there: what was written before is whole, and a run goes on with --resume"
    } else {
        ""
    }
}

/// As [`report`], with every key where a file's keys do not fit.
pub fn report_all(error: &anyhow::Error) -> ExitCode {
    let Some(rut_run::Error::Models(rut_models::Error::Mismatch(all))) = of_a_run(error) else {
        return report(error);
    };
    crate::output::note(&format!("error: failed to {all:#}"));
    ExitCode::from(code(error))
}

/// The error of a run, alone or among many.
fn of_a_run(error: &anyhow::Error) -> Option<&rut_run::Error> {
    match error.downcast_ref() {
        Some(rut_study::Error::Run(error)) => Some(&**error),
        _ => error.downcast_ref(),
    }
}

/// An error and its causes, without those that the message above already contains.
pub fn chain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

fn code(error: &anyhow::Error) -> u8 {
    if error.is::<Usage>() {
        return USAGE;
    }
    if error.is::<Unsound>() {
        return MISSING;
    }
    match error.downcast_ref() {
        Some(Unfinished::Stopped) => return INTERRUPTED,
        Some(Unfinished::Failed(_)) => return FAILED,
        Some(Unfinished::GoingOn(_)) => return GOING_ON,
        None => {}
    }
    let study = |error: &rut_study::Error| match error {
        rut_study::Error::Run(error) => run_code(error),
        rut_study::Error::Study { .. } => USAGE,
        _ => FAILED,
    };
    let report = |error: &rut_report::Error| match error {
        rut_report::Error::NoRuns { .. } => MISSING,
        rut_report::Error::Record(error) => record_code(error),
        _ => FAILED,
    };
    // Every crate's own error, whichever reached the command.
    let codes = [
        error.downcast_ref().map(study),
        error.downcast_ref().map(run_code),
        error.downcast_ref().map(report),
        error.downcast_ref().map(bench_code),
        error.downcast_ref().map(record_code),
        error.downcast_ref().map(fetch_code),
    ];
    codes.into_iter().flatten().next().unwrap_or(FAILED)
}

fn bench_code(error: &rut_bench::Error) -> u8 {
    use rut_bench::Error::{Adapt, Models, Record};
    match error {
        Record(error) => record_code(error),
        Models(error) => models_code(error),
        Adapt(error) => adapt_code(error),
        _ => FAILED,
    }
}

fn run_code(error: &rut_run::Error) -> u8 {
    use rut_run::Error::{
        Adapt, Compress, Data, EarlierNetwork, Models, NoNetworkFolder, NotATicket, Quantized,
        Record, Stopped,
    };
    match error {
        Stopped { .. } => INTERRUPTED,
        NotATicket { .. } | Quantized { .. } => USAGE,
        NoNetworkFolder { .. } | EarlierNetwork { .. } => MISSING,
        Record(error) => record_code(error),
        Adapt(error) => adapt_code(error),
        Compress(error) => compress_code(error),
        Data(error) => data_code(error),
        Models(error) => models_code(error),
        _ => FAILED,
    }
}

fn compress_code(error: &rut_compress::Error) -> u8 {
    use rut_compress::Error::{EmptyLayer, KeptLayers, NothingPruned, Prune};
    match error {
        Prune { .. } | EmptyLayer { .. } | NothingPruned { .. } | KeptLayers { .. } => USAGE,
        _ => FAILED,
    }
}

fn models_code(error: &rut_models::Error) -> u8 {
    use rut_models::Error::{
        AmbiguousTicket, Io, Label, NetworkExists, NoSuchKey, Precision, Recalibrate,
        SeveralNetworks, Ticket,
    };
    match error {
        Ticket { .. } => MISSING,
        // Nothing is missing: the command line must say which of the files it means.
        AmbiguousTicket { .. } | SeveralNetworks { .. } | NoSuchKey { .. } => USAGE,
        Precision { .. } | Recalibrate { .. } | NetworkExists { .. } | Label { .. } => USAGE,
        Io { source, .. } => io_code(source),
        _ => FAILED,
    }
}

fn record_code(error: &rut_record::Error) -> u8 {
    use rut_record::Error::{Data, Field, File, GoingOn, NotResumable, Occupied, Spec};
    match error {
        Spec(_) | Field { .. } | Occupied { .. } | GoingOn { .. } | NotResumable { .. } => USAGE,
        File { source, .. } => io_code(source),
        Data(error) => data_code(error),
        _ => FAILED,
    }
}

fn adapt_code(error: &rut_adapt::Error) -> u8 {
    use rut_adapt::Error::{NoTrainablePixel, Option, TooManyTargets};
    match error {
        Option { .. } | TooManyTargets { .. } | NoTrainablePixel { .. } => USAGE,
        _ => FAILED,
    }
}

fn data_code(error: &rut_data::Error) -> u8 {
    use rut_data::Error::{
        BadClassList, BadFolder, BadOption, Io, MissingData, ShortClass, UnknownClass,
        UnknownDataset, UnknownSplit,
    };
    match error {
        MissingData { .. } | BadFolder { .. } => MISSING,
        // A path that is not there is missing; a word that is no name is mistyped.
        UnknownDataset { name, .. } if name.contains('/') => MISSING,
        UnknownDataset { .. }
        | UnknownClass { .. }
        | UnknownSplit { .. }
        | BadClassList { .. }
        | BadOption { .. }
        | ShortClass { .. } => USAGE,
        Io { source, .. } => io_code(source),
        _ => FAILED,
    }
}

fn fetch_code(error: &rut_fetch::Error) -> u8 {
    use rut_fetch::Error::{File, Findings, HubName, Interrupted, Unknown};
    match error {
        Unknown { .. } | HubName { .. } => USAGE,
        Findings { .. } => MISSING,
        Interrupted => INTERRUPTED,
        File { source, .. } => io_code(source),
        _ => FAILED,
    }
}

fn io_code(source: &std::io::Error) -> u8 {
    if source.kind() == ErrorKind::NotFound {
        MISSING
    } else {
        FAILED
    }
}
