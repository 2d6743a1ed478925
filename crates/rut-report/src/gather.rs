//! Everything that folders of results hold, read one record at a time: finished runs, and what is not finished and why. It
//! judges no figure; for what is compared with what, see `study`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rut_record::versioned::version;
use rut_record::{
    Failure, Plan, Record, RunDir, RunSpec, UpstreamRecord, file, file_name, text_file,
};

use crate::error::{Error, Result};
use crate::run::Run;
use crate::unread::{Unread, without_path};
use crate::upstream;

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
    /// What could not be read, beside the records of runs.
    pub(crate) unread: Vec<Unread>,
    /// Where among `runs` an id is.
    places: BTreeMap<String, usize>,
}

/// Why there is no figure of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RunStatus {
    /// It ended with an error.
    Failed,
    /// It is planned, or begun, and has neither record nor failure.
    Missing,
    /// Its record cannot be read.
    Unreadable,
}

impl RunStatus {
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
    /// Its status.
    pub(crate) status: RunStatus,
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
/// If a folder is not there, or there is nothing of a run in any. What cannot be read is listed as such.
pub(crate) fn gather(folders: &[PathBuf]) -> Result<Gathered> {
    let mut gathered = Gathered::default();
    let mut planned = BTreeMap::new();
    let mut names = BTreeSet::new();
    for (folder, label) in folders.iter().zip(labels(folders)) {
        if is_run(folder) {
            gathered.take(RunDir::at(folder), label.clone(), &mut names);
        }
        let shown = |name: &str| match folders.len() {
            1 => name.to_owned(),
            _ => format!("{label}/{name}"),
        };
        gathered.plan(folder, &mut planned, &shown);
        match folders_in(folder) {
            Ok((inside, unread)) => {
                gathered.add_unread(unread, &shown);
                for (name, path) in inside {
                    if is_run(&path) {
                        gathered.take(RunDir::at(path), shown(&name), &mut names);
                    }
                }
            }
            Err(error) if folders.len() == 1 || is_absent(&error) => return Err(error.into()),
            Err(error) => gathered.unread.push(Unread::new(label.clone(), error)),
        }
        let (measured, unread) = upstream::read(folder);
        gathered.upstream.extend(measured);
        gathered.add_unread(unread, &shown);
    }
    gathered.settle(planned);
    if gathered.is_empty() {
        Err(Error::NoRuns {
            folders: folders.to_vec(),
        })
    } else {
        Ok(gathered)
    }
}

/// Whether a folder is not there at all, or is none.
fn is_absent(error: &rut_record::Error) -> bool {
    let absent = [ErrorKind::NotFound, ErrorKind::NotADirectory];
    matches!(error, rut_record::Error::File { source, .. } if absent.contains(&source.kind()))
}

/// Whether there is something of a run in `folder`.
fn is_run(folder: &Path) -> bool {
    let dir = RunDir::at(folder);
    dir.is_finished() || dir.failure().exists() || dir.is_begun()
}

/// A folder by its name.
type Named = (String, PathBuf);

/// Folders in `folder` in the order of their names, and what is there and cannot be looked into.
fn folders_in(folder: &Path) -> rut_record::Result<(Vec<Named>, Vec<Unread>)> {
    let entries = std::fs::read_dir(folder).map_err(file("open the folder", folder))?;
    // Names need not be UTF-8: what is none stands as `\xFF`, so that no two are shown alike.
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| Ok(entry.map_err(file("read", folder))?.path()))
        .collect::<rut_record::Result<_>>()?;
    paths.sort();
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    for path in paths {
        let name = path.file_name().unwrap_or_default();
        let name = match name.to_str() {
            Some(name) => name.to_owned(),
            None => format!("{name:?}").trim_matches('"').to_owned(),
        };
        match looked_into(&path) {
            Ok(true) => found.push((name, path)),
            Ok(false) => {}
            Err(error) => unread.push(Unread::new(name, error)),
        }
    }
    Ok((found, unread))
}

/// Whether `path` is a folder. One that cannot be opened, or a link that leads nowhere, is an error; what has gone meanwhile
/// is not.
fn looked_into(path: &Path) -> rut_record::Result<bool> {
    let open = || {
        if std::fs::metadata(path)?.is_dir() {
            std::fs::read_dir(path).map(|_| true)
        } else {
            Ok(false)
        }
    };
    match open() {
        Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => Ok(false),
        found => found.map_err(file("open", path)),
    }
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
                status: RunStatus::Unreadable,
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

    /// Whether there is nothing of a run.
    fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.unfinished.is_empty() && self.unread.is_empty()
    }

    /// Adds what could not be read in a folder, called as `shown` says.
    fn add_unread(&mut self, unread: Vec<Unread>, shown: &impl Fn(&str) -> String) {
        self.unread.extend(unread.into_iter().map(|one| Unread {
            name: shown(&one.name),
            ..one
        }));
    }

    /// Reads the plans of `folder`, if it has any.
    fn plan(
        &mut self,
        folder: &Path,
        planned: &mut BTreeMap<String, RunSpec>,
        shown: &impl Fn(&str) -> String,
    ) {
        for path in Plan::paths(folder) {
            match Plan::read(&path) {
                Ok(plan) => self.add_plan(plan, planned),
                Err(error) => {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    self.unread.push(Unread::new(shown(&name), error));
                }
            }
        }
    }

    fn add_plan(&mut self, plan: Plan, planned: &mut BTreeMap<String, RunSpec>) {
        let said = |text: String| (!text.is_empty()).then_some(text);
        self.title = self.title.take().or(said(plan.heading.title));
        self.about = self.about.take().or(said(plan.heading.about));
        planned.extend(plan.runs.into_iter().map(|run| (run.run_id, run.spec)));
    }

    /// Adds what is planned and nowhere to be found, and forgets failures that were made good elsewhere.
    fn settle(&mut self, mut planned: BTreeMap<String, RunSpec>) {
        let done: BTreeSet<&str> = self.runs.iter().map(|run| &*run.record.run_id).collect();
        self.unfinished
            .retain(|run| run.status == RunStatus::Unreadable || !done.contains(&*run.run_id));
        planned.retain(|id, _| !done.contains(&**id));
        for run in &mut self.unfinished {
            let id = run.run_id.rsplit('/').next().unwrap_or_default();
            if let Some(spec) = planned.remove(id) {
                run.spec.get_or_insert(spec);
            }
        }
        let missing = planned.into_iter().map(|(run_id, spec)| Unfinished {
            run_id,
            status: RunStatus::Missing,
            reason: "planned, not begun".into(),
            spec: Some(spec),
        });
        self.unfinished.extend(missing);
        self.unfinished
            .sort_by(|a, b| (a.status, &a.run_id).cmp(&(b.status, &b.run_id)));
        self.unfinished
            .dedup_by(|a, b| (a.status, &a.run_id) == (b.status, &b.run_id));
    }
}

/// What is known of a run without a record.
fn unfinished(dir: &RunDir, folder: String) -> Unfinished {
    let (run_id, status, reason, spec) = match Failure::read(dir) {
        Ok(Some(failure)) => (
            failure.run_id,
            RunStatus::Failed,
            format!("failed to {}", failure.error),
            Some(failure.spec),
        ),
        Ok(None) => (
            folder,
            RunStatus::Missing,
            "begun, not finished".into(),
            None,
        ),
        Err(error) => (folder, RunStatus::Failed, without_path(error), None),
    };
    Unfinished {
        run_id,
        status,
        reason,
        spec,
    }
}

/// What is said of a record that a later rut wrote.
fn newer(dir: &RunDir) -> Option<String> {
    let text = text_file::read_json(&dir.record()).ok()?;
    let format_version = version(&text).ok()?;
    (format_version > Record::FORMAT_VERSION).then(|| {
        format!(
            "written by a newer rut: format {format_version}, this one reads {}; make the report with that",
            Record::FORMAT_VERSION
        )
    })
}

/// An error's reason, with the name of the file if it is not the record.
fn of_file(dir: &RunDir, error: rut_record::Error) -> String {
    match error {
        rut_record::Error::Broken { path, problem } if path != dir.record() => {
            format!("{}: {problem}", file_name(&path))
        }
        other => without_path(other),
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
