//! Everything that folders of results hold, read one record at a time: finished runs, and what is not finished and why. It
//! judges no figure; what is compared with what is `study`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::upstream;
use crate::error::{Error, Result, file};
use crate::kept;
use crate::record::{FORMAT_VERSION, Record};
use crate::run_dir::RunDir;
use crate::spec::RunSpec;
use crate::sweep::{Failure, Plan};
use crate::upstream::UpstreamRecord;
use crate::versioned::version;

/// What the folders hold.
#[derive(Default)]
pub(crate) struct Gathered {
    /// Title and subject of the first plan.
    pub(crate) title: Option<String>,
    /// The same.
    pub(crate) about: Option<String>,
    /// Finished runs, each id once.
    pub(crate) runs: Vec<Run>,
    /// Runs without a record that can be used.
    pub(crate) unfinished: Vec<Unfinished>,
    /// Two records of one id that differ.
    pub(crate) conflicts: Vec<Conflict>,
    /// Networks on their own source data.
    pub(crate) upstream: Vec<UpstreamRecord>,
    /// Where among `runs` an id is.
    places: BTreeMap<String, usize>,
}

/// A finished run.
pub(crate) struct Run {
    /// Its record, without lists that no figure of a study needs.
    pub(crate) record: Record,
    /// Class names, in label order.
    pub(crate) class_names: Arc<[String]>,
    /// How a reader is told of its folder: never a path of the machine.
    pub(crate) folder: String,
    /// Its folder.
    pub(crate) dir: RunDir,
}

/// Why there is no figure of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// It ended with an error.
    Failed,
    /// It is planned, or begun, and has neither record nor failure.
    Missing,
    /// Its record cannot be read.
    Unreadable,
}

impl Fate {
    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A run without a record that can be used.
#[derive(Clone)]
pub(crate) struct Unfinished {
    /// Its name, or that of its folder.
    pub(crate) run_id: String,
    /// What became of it.
    pub(crate) fate: Fate,
    /// In words.
    pub(crate) reason: String,
    /// What was to be run, where that is known.
    pub(crate) spec: Option<RunSpec>,
}

/// Two records of one run with different results.
pub(crate) struct Conflict {
    /// The run.
    pub(crate) run_id: String,
    /// The folder whose record is used.
    pub(crate) used: String,
    /// The folder whose record is not.
    pub(crate) left: String,
    /// What differs.
    pub(crate) what: String,
}

/// Reads `folders`, each a folder of results or a run's, in their order; entries of one by name.
///
/// # Errors
/// If a folder or a plan cannot be read, or there is no run in any.
pub(crate) fn gather(folders: &[PathBuf]) -> Result<Gathered> {
    let mut gathered = Gathered::default();
    let mut planned = BTreeMap::new();
    let mut names = BTreeSet::new();
    for (folder, label) in folders.iter().zip(labels(folders)) {
        if is_run(folder) {
            gathered.take(RunDir::at(folder), label.clone(), &mut names);
        }
        gathered.plan(folder, &mut planned)?;
        for (name, path) in folders_in(folder)? {
            let shown = match folders.len() {
                1 => name,
                _ => format!("{label}/{name}"),
            };
            if is_run(&path) {
                gathered.take(RunDir::at(path), shown, &mut names);
            }
        }
        gathered.upstream.extend(upstream::read(folder)?);
    }
    gathered.settle(planned);
    match gathered.runs.is_empty() && gathered.unfinished.is_empty() {
        true => Err(Error::NoRuns {
            folders: folders.to_vec(),
        }),
        false => Ok(gathered),
    }
}

/// Whether there is something of a run in `folder`.
fn is_run(folder: &Path) -> bool {
    let dir = RunDir::at(folder);
    dir.is_finished() || dir.failure().exists() || dir.is_begun()
}

/// Folders in `folder` by name.
fn folders_in(folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(file("open the folder", folder))?;
    let mut found = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(file("read", folder))?.path();
        if let Some(name) = path.file_name().filter(|_| path.is_dir()) {
            found.insert(name.to_string_lossy().into_owned(), path);
        }
    }
    Ok(found)
}

/// The last part of each folder's path, numbered where two are the same.
fn labels(folders: &[PathBuf]) -> Vec<String> {
    let mut seen = BTreeMap::new();
    let label = |folder: &PathBuf| {
        let name = folder
            .file_name()
            .map_or_else(|| "results".into(), |name| name.to_string_lossy());
        let count = seen.entry(name.to_string()).or_insert(0);
        *count += 1;
        match count {
            1 => name.into_owned(),
            count => format!("{name} ({count})"),
        }
    };
    folders.iter().map(label).collect()
}

impl Gathered {
    /// Takes up the run in `dir`.
    fn take(&mut self, dir: RunDir, folder: String, names: &mut BTreeSet<Arc<[String]>>) {
        if !dir.is_finished() {
            self.unfinished.push(unfinished(&dir, folder));
            return;
        }
        let whole = dir.read_record().and_then(|record| {
            dir.check_files(&record)?;
            Ok(record)
        });
        match whole {
            Ok(record) => self.add(Run::new(record, dir, folder, names)),
            Err(error) => self.unfinished.push(Unfinished {
                run_id: folder,
                fate: Fate::Unreadable,
                reason: newer(&dir).unwrap_or_else(|| of_file(&dir, error)),
                spec: None,
            }),
        }
    }

    /// Adds `run`, unless there is a record of its id already.
    fn add(&mut self, run: Run) {
        let id = run.record.run_id.clone();
        match self.places.get(&id).and_then(|at| self.runs.get(*at)) {
            None => {
                self.places.insert(id, self.runs.len());
                self.runs.push(run);
            }
            Some(known) => {
                let what = differences(&known.record, &run.record);
                if !what.is_empty() {
                    self.conflicts.push(Conflict {
                        run_id: id,
                        used: known.folder.clone(),
                        left: run.folder,
                        what,
                    });
                }
            }
        }
    }

    /// Reads the plans of `folder`, if it has any.
    fn plan(&mut self, folder: &Path, planned: &mut BTreeMap<String, RunSpec>) -> Result<()> {
        for path in Plan::paths(folder) {
            let plan = Plan::read(&path)?;
            let said = |text: String| (!text.is_empty()).then_some(text);
            self.title = self.title.take().or(said(plan.heading.title));
            self.about = self.about.take().or(said(plan.heading.about));
            planned.extend(plan.runs.into_iter().map(|run| (run.run_id, run.spec)));
        }
        Ok(())
    }

    /// Adds what is planned and nowhere to be found, and forgets failures that were made good elsewhere.
    fn settle(&mut self, mut planned: BTreeMap<String, RunSpec>) {
        let done: BTreeSet<&str> = self.runs.iter().map(|run| &*run.record.run_id).collect();
        self.unfinished
            .retain(|run| run.fate == Fate::Unreadable || !done.contains(&*run.run_id));
        planned.retain(|id, _| !done.contains(&**id));
        for run in &mut self.unfinished {
            let id = run.run_id.rsplit('/').next().unwrap_or_default();
            if let Some(spec) = planned.remove(id) {
                run.spec.get_or_insert(spec);
            }
        }
        let missing = planned.into_iter().map(|(run_id, spec)| Unfinished {
            run_id,
            fate: Fate::Missing,
            reason: "planned, not begun".into(),
            spec: Some(spec),
        });
        self.unfinished.extend(missing);
        self.unfinished
            .sort_by(|a, b| (a.fate, &a.run_id).cmp(&(b.fate, &b.run_id)));
        self.unfinished
            .dedup_by(|a, b| (a.fate, &a.run_id) == (b.fate, &b.run_id));
    }
}

impl Run {
    fn new(
        mut record: Record,
        dir: RunDir,
        folder: String,
        names: &mut BTreeSet<Arc<[String]>>,
    ) -> Self {
        let own: Arc<[String]> = std::mem::take(&mut record.data.class_names).into();
        let class_names = names.get(&own).cloned().unwrap_or_else(|| {
            names.insert(Arc::clone(&own));
            own
        });
        record.data.train_indices = Vec::new();
        record.data.validation_indices = Vec::new();
        let scores = [
            Some(&mut record.test),
            record.validation.as_mut(),
            record.test_before_remap.as_mut(),
        ];
        for scores in scores.into_iter().flatten() {
            scores.raw.per_class = Vec::new();
            if let Some(scaled) = &mut scores.at_temperature {
                scaled.per_class = Vec::new();
            }
        }
        Self {
            record,
            class_names,
            folder,
            dir,
        }
    }
}

/// What is known of a run without a record.
fn unfinished(dir: &RunDir, folder: String) -> Unfinished {
    let (run_id, fate, reason, spec) = match Failure::read(dir) {
        Ok(Some(failure)) => (
            failure.run_id,
            Fate::Failed,
            format!("failed to {}", failure.error),
            Some(failure.spec),
        ),
        Ok(None) => (folder, Fate::Missing, "begun, not finished".into(), None),
        Err(error) => (folder, Fate::Failed, without_path(error), None),
    };
    Unfinished {
        run_id,
        fate,
        reason,
        spec,
    }
}

/// What is said of a record that a later rut wrote.
fn newer(dir: &RunDir) -> Option<String> {
    let text = std::fs::read_to_string(dir.record()).ok()?;
    let format_version = version(&text).ok()?;
    (format_version > FORMAT_VERSION).then(|| {
        format!(
            "written by a newer rut: format {format_version}, this one reads {FORMAT_VERSION}; make the report with that"
        )
    })
}

/// An error's reason, with the name of the file if it is not the record.
fn of_file(dir: &RunDir, error: Error) -> String {
    match error {
        Error::Broken { path, problem } if path != dir.record() => {
            format!("{}: {problem}", kept::name(&path))
        }
        other => without_path(other),
    }
}

/// An error's reason without the file, whose folder is told beside it.
pub(crate) fn without_path(error: Error) -> String {
    match error {
        Error::Broken { problem, .. } => problem,
        Error::File { action, source, .. } => format!("{action}: {source}"),
        other => other.to_string(),
    }
}

/// The results in which two records of one run differ, by name. What they cost and what computed them are no results.
fn differences(a: &Record, b: &Record) -> String {
    let parts = [
        ("data", a.data == b.data),
        ("network", a.network == b.network),
        ("training", a.training == b.training),
        ("label map", a.mapping == b.mapping),
        ("temperature", a.temperature == b.temperature),
        ("test figures", a.test == b.test),
        (
            "test figures before the last map",
            a.test_before_remap == b.test_before_remap,
        ),
        ("ECE as published", a.published_ece == b.published_ece),
        ("validation figures", a.validation == b.validation),
    ];
    let differing = parts.iter().filter(|(_, same)| !same);
    differing
        .map(|(name, _)| *name)
        .collect::<Vec<_>>()
        .join(", ")
}
