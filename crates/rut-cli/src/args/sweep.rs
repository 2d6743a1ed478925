//! The words of `rut sweep`. What they mean is `commands/sweep`'s and `rut-study`'s.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use rut_study::sweep::SlurmOptions;

use super::{whole, FieldFlags, OfStudy};

/// What can be done with many runs.
#[derive(Debug, Subcommand)]
pub enum SweepCommand {
    /// Run what is missing of a study, several runs at a time
    ///
    /// Finished runs are skipped, half-done ones go on, failed ones are tried again. Each run is a process of its own. A
    /// failed run is recorded with its error and stops nothing. Ctrl-C saves; the same command goes on. Exit codes: 0 if all
    /// runs are done, 1 if one failed, 4 if none failed and another process works on some, 130 if interrupted.
    Run(SweepArgs),
    /// Show the status of a study's runs
    ///
    /// For a study's file, the list of runs is computed again; for a folder of results, it is the plan in that folder.
    Status(StatusArgs),
    /// Write the scripts that run a study as a job array
    Emit(EmitArgs),
    /// Run a part of a plan: what `rut sweep run` starts, and what a task of a job array does
    ///
    /// The runs go one after the other; what is done is skipped, what is half done goes on, and a failed run is recorded and
    /// does not stop the rest. SIGTERM saves and stops (exit code 130); the same command goes on. Works with every scheduler
    /// that numbers its tasks.
    Task(TaskArgs),
}

/// What is laid over a study's base: RUT_* < --set < flags.
#[derive(Args, Clone, Debug)]
pub struct StudyFlags {
    /// Set a field of all runs (repeatable), over the file's `[base]`; one that an axis varies is refused
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Flags for paths.
    #[command(flatten)]
    pub fields: FieldFlags<OfStudy>,
}

/// `rut sweep run`.
#[derive(Args, Clone, Debug)]
pub struct SweepArgs {
    /// The study
    #[arg(value_name = "FILE.toml")]
    pub file: PathBuf,
    /// Runs at a time [default: one per thread if all networks take images of 64 pixels or less, else 1]
    #[arg(long, short, value_name = "N", value_parser = whole::<usize>)]
    pub jobs: Option<usize>,
    /// Threads of all jobs together; each has its share, and at least one [default: one per core that the process may use]
    #[arg(long, value_name = "N", value_parser = whole::<usize>)]
    pub threads: Option<usize>,
    /// Show how many runs there are, their status and how long the rest will take; run nothing
    #[arg(long, alias = "dry_run")]
    pub dry_run: bool,
    /// Over the file.
    #[command(flatten)]
    pub study: StudyFlags,
}

/// `rut sweep status`.
#[derive(Args, Clone, Debug)]
pub struct StatusArgs {
    /// A study, a folder of results, or a plan
    #[arg(value_name = "FILE.toml|RESULTS|PLAN.jsonl")]
    pub of: PathBuf,
    /// As JSON, run by run
    #[arg(long)]
    pub json: bool,
    /// Over the file.
    #[command(flatten)]
    pub study: StudyFlags,
}

/// `rut sweep emit`.
#[derive(Args, Clone, Debug)]
pub struct EmitArgs {
    /// The study
    #[arg(value_name = "FILE.toml")]
    pub file: PathBuf,
    /// For Slurm: plan.jsonl, runs.sbatch, collect.sbatch, submit.sh, and extract.sbatch if features are to be extracted
    #[arg(long, required = true)]
    pub slurm: bool,
    /// The folder to write to, which all nodes must see
    #[arg(long, short, alias = "out", value_name = "DIR")]
    pub output: PathBuf,
    /// Runs of a task, one after the other [default: as few as give at most 1000 tasks]
    #[arg(long, alias = "runs_per_task", value_name = "N", value_parser = whole::<usize>)]
    pub runs_per_task: Option<usize>,
    /// Time limit of a task; what is not done by then is saved and queued again
    #[arg(long, value_name = "HH:MM:SS", default_value_t = SlurmOptions::default().time)]
    pub time: String,
    /// Partition [default: the cluster's]
    #[arg(long, value_name = "NAME")]
    pub partition: Option<String>,
    /// Account [default: the user's]
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// Generic resources [default: none]
    #[arg(long, value_name = "LIST")]
    pub gres: Option<String>,
    /// Processors of a task, and its threads
    #[arg(long, value_name = "N", default_value_t = SlurmOptions::default().cpus_per_task, value_parser = whole::<usize>)]
    pub cpus_per_task: usize,
    /// Memory of a task [default: the cluster's]
    #[arg(long, value_name = "SIZE")]
    pub mem: Option<String>,
    /// The most tasks at a time [default: as many as fit]
    #[arg(long, value_name = "N", value_parser = whole::<usize>)]
    pub array_limit: Option<usize>,
    /// Seconds before the time limit at which runs save their state
    #[arg(long, value_name = "N", default_value_t = SlurmOptions::default().signal_seconds, value_parser = whole::<u32>)]
    pub signal_seconds: u32,
    /// Have the last job write a report here
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
    /// Over the file.
    #[command(flatten)]
    pub study: StudyFlags,
}

impl EmitArgs {
    /// What is asked of the jobs.
    pub fn options(&self) -> SlurmOptions {
        SlurmOptions {
            runs_per_task: self.runs_per_task,
            time: self.time.clone(),
            partition: self.partition.clone(),
            account: self.account.clone(),
            gres: self.gres.clone(),
            cpus_per_task: self.cpus_per_task,
            mem: self.mem.clone(),
            array_limit: self.array_limit,
            signal_seconds: self.signal_seconds,
            report: self.report.clone(),
        }
    }
}

/// `rut sweep task`.
#[derive(Args, Clone, Debug)]
#[command(group = clap::ArgGroup::new("part").required(true))]
pub struct TaskArgs {
    /// The plan: `plan.jsonl` in a folder of results, or beside the scripts of a job array
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// The run of this name
    #[arg(long, value_name = "RUN_ID", group = "part")]
    pub run: Option<String>,
    /// Task K of an array: the runs K·N to K·N + N - 1 of the plan, from 0
    #[arg(long, value_name = "K", group = "part", value_parser = whole::<usize>)]
    pub task: Option<usize>,
    /// Task K of an array that goes before: extract the features that probes of the plan share, the sets K·N to K·N + N - 1,
    /// from 0. Probes whose features are not there extract them themselves
    #[arg(long, value_name = "K", group = "part", value_parser = whole::<usize>)]
    pub extract: Option<usize>,
    /// Measure the networks of the plan on their own source data, those that have no record of it yet
    #[arg(long, group = "part")]
    pub upstream: bool,
    /// N: runs, or sets of features, of a task
    #[arg(long, alias = "runs_per_task", value_name = "N", default_value_t = 1, value_parser = whole::<usize>)]
    pub runs_per_task: usize,
    /// Threads [default: the plan's, else one per core that the process may use]
    #[arg(long, value_name = "N", value_parser = whole::<usize>)]
    pub threads: Option<usize>,
    /// Save and stop when standard input ends, as it does when the program that started this one is gone
    #[arg(long)]
    pub until_eof: bool,
}
