//! The list of runs that a study is made of, as a file: what a pool of processes, a job array and a report go by. What is
//! on the list, a study's file decides.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use rut_formats::regular;
use rut_formats::whole_file::write_new;
use serde::{Deserialize, Serialize};

use crate::choices::ValidationFrom;
use crate::error::{Error, Result, file};
use crate::locations::Locations;
use crate::run_dir::write_whole;
use crate::spec::RunSpec;
use crate::versioned::parse;

/// Name of the plan in a folder of results; of a second study's there, with its name in between.
const NAME: &str = "plan.jsonl";
const OTHERS: (&str, &str) = ("plan-", ".jsonl");

/// Bytes of the longest line of a run.
const LONGEST: usize = 1 << 20;
/// Bytes that the runs of any plan may take, beyond twice its file.
const FREE: usize = 48 << 20;
/// Bytes that a run takes, and each value of a list in it.
const RUN: usize = size_of::<(usize, &str)>() + size_of::<PlannedRun>() + 256;
const VALUE: usize = 48;
/// Values of a specification that are no lists.
const FIELDS: usize = 64;

/// Runs in order. As a file: JSON, the heading in the first line, then a run a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What all runs share.
    pub heading: Heading,
    /// The runs, each once.
    pub runs: Vec<PlannedRun>,
}

/// What all runs of a plan share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heading {
    /// [`Plan::FORMAT_VERSION`].
    pub format_version: u32,
    /// What the study is called.
    pub title: String,
    /// What it asks, in a sentence or two.
    pub about: String,
    /// Which study it is of: the name of its file, and what distinguishes files of one name; none where an earlier version
    /// wrote the plan.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub study: String,
    /// Where its runs read and write.
    #[serde(rename = "places")]
    pub locations: Locations,
}

/// A run of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedRun {
    /// Its name, and that of its folder.
    pub run_id: String,
    /// What is run.
    pub spec: RunSpec,
}

impl PlannedRun {
    /// As the plan means it: what it does not say of the validation images is what runs were without it.
    fn into_planned(mut self) -> Self {
        self.spec
            .labels
            .validation
            .get_or_insert(ValidationFrom::Drawn);
        self
    }
}

impl Plan {
    /// The layout of a plan's file; one of another is refused.
    pub const FORMAT_VERSION: u32 = 1;

    /// Where the plan of the first study lies whose runs are in `results`.
    pub fn path(results: &Path) -> PathBuf {
        results.join(NAME)
    }

    /// All plans in `results`: the first study's, then those of others by name.
    pub fn paths(results: &Path) -> Vec<PathBuf> {
        let (before, after) = OTHERS;
        let entries = std::fs::read_dir(results).into_iter().flatten().flatten();
        let mut others: Vec<PathBuf> = entries
            .filter(|entry| {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                name.starts_with(before) && name.ends_with(after)
            })
            .map(|entry| entry.path())
            .collect();
        others.sort();
        let first = Some(Self::path(results)).filter(|first| first.exists());
        first.into_iter().chain(others).collect()
    }

    /// The plans of all studies in `results` as one, with the heading of the first.
    ///
    /// # Errors
    /// If there is none, or as [`read`](Self::read).
    pub fn read_all(results: &Path) -> Result<Self> {
        let mut paths = Self::paths(results).into_iter();
        let first = paths.next().unwrap_or_else(|| Self::path(results));
        let mut all = Self::read(&first)?;
        let mut known: HashSet<String> = all.runs.iter().map(|run| run.run_id.clone()).collect();
        for path in paths {
            let runs = Self::read(&path)?.runs.into_iter();
            all.runs
                .extend(runs.filter(|run| known.insert(run.run_id.clone())));
        }
        Ok(all)
    }

    /// Writes it down in `results`, in place of what was planned of the same study before, and never of another's. Gives the
    /// file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&self, results: &Path) -> Result<PathBuf> {
        let (before, after) = OTHERS;
        let own = results.join(format!("{before}{}{after}", self.heading.study));
        let first = Self::path(results);
        let place = if own.exists() {
            own
        } else if self.write_first(&first)? {
            return Ok(first);
        } else if self.replaces(&first) {
            first
        } else {
            own
        };
        self.write(&place)?;
        Ok(place)
    }

    /// Writes it to `path`, if nothing is there; whether that was so.
    fn write_first(&self, path: &Path) -> Result<bool> {
        make_folder_of(path)?;
        write_new(path, &self.to_bytes(path)?).map_err(file("write", path))
    }

    /// Whether the plan at `path` is an earlier one of the same study. One of an earlier version, which does not say, is if it
    /// has the same title and a run of this one.
    fn replaces(&self, path: &Path) -> bool {
        let Ok(found) = Self::read(path) else {
            return false;
        };
        if !found.heading.study.is_empty() {
            return found.heading.study == self.heading.study;
        }
        let own: HashSet<&str> = self.runs.iter().map(|run| run.run_id.as_str()).collect();
        found.heading.title == self.heading.title
            && found
                .runs
                .iter()
                .any(|run| own.contains(run.run_id.as_str()))
    }

    /// The plan at `path`.
    ///
    /// # Errors
    /// If it cannot be read, a line is broken, or it is of another format version.
    pub fn read(path: &Path) -> Result<Self> {
        Self::read_some(path, |_, _| true)
    }

    /// The run named `run_id` of the plan at `path`.
    ///
    /// # Errors
    /// As [`read`](Self::read), and if there is none of that name.
    pub fn find(path: &Path, run_id: &str) -> Result<Self> {
        let named = serde_json::Value::from(run_id).to_string();
        let mut found = Self::read_some(path, |_, line| line.contains(&named))?;
        found.runs.retain(|run| run.run_id == run_id);
        if found.runs.is_empty() {
            Err(Error::Broken {
                path: path.into(),
                problem: format!("expected a run named {run_id}, found none"),
            })
        } else {
            Ok(found)
        }
    }

    /// The plan at `path` with only those of its runs that `wanted` says, by their place from 0 and their line. Other lines
    /// are not checked.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_some(path: &Path, wanted: impl Fn(usize, &str) -> bool) -> Result<Self> {
        let text = regular::read_text(path, regular::TEXT).map_err(file("read", path))?;
        let broken = |line: usize, problem: String| Error::Broken {
            path: path.into(),
            problem: format!("line {line}: {problem}; make the plan again from the study's file"),
        };
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let heading = parse(first, Plan::FORMAT_VERSION).map_err(|problem| broken(1, problem))?;
        let run = |(index, line): (usize, &str)| {
            let run: serde_json::Result<PlannedRun> = serde_json::from_str(line);
            let run = run.map_err(|e| broken(index + 2, e.to_string()))?;
            Ok::<_, Error>(run.into_planned())
        };
        let wanted: Vec<(usize, &str)> = lines
            .enumerate()
            .filter(|(index, line)| wanted(*index, line))
            .collect();
        check_lines(&wanted, text.len()).map_err(|(index, problem)| broken(index + 2, problem))?;
        let mut runs = Vec::with_capacity(wanted.len());
        for line in wanted {
            runs.push(run(line)?);
        }
        Ok(Self { heading, runs })
    }

    /// Writes it to `path`, whose folder is made where it is not there.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        make_folder_of(path)?;
        write_whole(path, &self.to_bytes(path)?)
    }

    fn to_bytes(&self, path: &Path) -> Result<Vec<u8>> {
        let unwritable = |e: std::io::Error| Error::Broken {
            path: path.into(),
            problem: e.to_string(),
        };
        let mut text = Vec::new();
        let mut line = |value: serde_json::Result<String>| {
            let value = value.map_err(std::io::Error::from)?;
            writeln!(text, "{value}")
        };
        line(serde_json::to_string(&self.heading)).map_err(unwritable)?;
        for run in &self.runs {
            line(serde_json::to_string(run)).map_err(unwritable)?;
        }
        Ok(text)
    }
}

/// Objects to runs that take much more memory than the plan's file of `length` bytes: a line is short where it leaves fields
/// out, or lists many classes.
fn check_lines(lines: &[(usize, &str)], length: usize) -> Result<(), (usize, String)> {
    let most = length.saturating_mul(2).saturating_add(FREE);
    let mut total = 0_usize;
    for &(index, line) in lines {
        let values = line.bytes().filter(|byte| *byte == b',').count();
        total = total.saturating_add(RUN + VALUE * values.saturating_sub(FIELDS));
        if line.len() > LONGEST || total > most {
            let problem =
                "expected the specification of a run, found a longer list or another file";
            return Err((index, problem.to_owned()));
        }
    }
    Ok(())
}

fn make_folder_of(path: &Path) -> Result<()> {
    match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder).map_err(file("make the folder", folder)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_comes_back_as_it_was_and_a_newer_one_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = Plan::path(&dir.path().join("results"));
        let run = |id: &str, seed| PlannedRun {
            run_id: id.into(),
            spec: RunSpec::from_toml(&format!("seed = {seed}\nvalidation = 'drawn'")).unwrap(),
        };
        let plan = Plan {
            heading: Heading {
                format_version: Plan::FORMAT_VERSION,
                title: "a study".into(),
                ..Heading::default()
            },
            runs: vec![run("a", 1), run("b", 2)],
        };
        plan.write(&path).unwrap();
        assert_eq!(Plan::read(&path).unwrap(), plan);
        let text = std::fs::read_to_string(&path).unwrap();
        let newer = text.replacen("\"format_version\":1", "\"format_version\":2", 1);
        std::fs::write(&path, newer).unwrap();
        let error = Plan::read(&path).unwrap_err().to_string();
        assert!(error.contains("format_version 1, found 2"), "{error}");
        std::fs::write(&path, &text[..text.len() - 9]).unwrap();
        let error = Plan::read(&path).unwrap_err().to_string();
        assert!(error.contains("line 3"), "{error}");
    }

    fn of(study: &str, title: &str, ids: &[&str]) -> Plan {
        let run = |id: &&str| PlannedRun {
            run_id: (*id).into(),
            spec: RunSpec::default(),
        };
        Plan {
            heading: Heading {
                format_version: Plan::FORMAT_VERSION,
                title: title.into(),
                study: study.into(),
                ..Heading::default()
            },
            runs: ids.iter().map(run).collect(),
        }
    }

    #[test]
    fn runs_that_take_much_more_memory_than_their_lines_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plan.jsonl");
        let heading = serde_json::to_string(&of("a", "", &[]).heading).unwrap();
        let says = |line: &str, count: usize| {
            std::fs::write(&path, format!("{heading}\n{}", line.repeat(count))).unwrap();
            Plan::read(&path).map_err(|error| error.to_string())
        };
        let short = "{\"run_id\":\"a\",\"spec\":{}}\n";
        assert_eq!(says(short, 1000).unwrap().runs.len(), 1000);
        let error = says(short, 100_000).unwrap_err();
        assert!(error.contains("found a longer list"), "{error}");
        let line = |classes: usize| {
            let classes = vec!["\"0\""; classes].join(",");
            format!("{{\"run_id\":\"a\",\"spec\":{{\"classes\":[{classes}]}}}}\n")
        };
        assert_eq!(says(&line(1000), 500).unwrap().runs.len(), 500);
        assert!(says(&line(100_000), 40).is_err());
        assert!(says(&line(1_000_000), 1).is_err());
    }

    #[test]
    fn each_study_keeps_its_own_plan() {
        let dir = tempfile::tempdir().unwrap();
        let results = dir.path().join("results");
        let (a, b) = (of("a-1", "", &["x"]), of("b-1", "", &["y"]));
        assert_eq!(a.keep(&results).unwrap(), results.join("plan.jsonl"));
        assert_eq!(b.keep(&results).unwrap(), results.join("plan-b-1.jsonl"));
        // What is planned again takes the place of what was planned before.
        let more = of("a-1", "", &["x", "z"]);
        assert_eq!(more.keep(&results).unwrap(), results.join("plan.jsonl"));
        assert_eq!(b.keep(&results).unwrap(), results.join("plan-b-1.jsonl"));
        let ids =
            |plan: Plan| -> Vec<String> { plan.runs.into_iter().map(|run| run.run_id).collect() };
        let first = Plan::read(&results.join("plan.jsonl")).unwrap();
        assert_eq!(ids(first), ["x", "z"]);
        assert_eq!(ids(Plan::read_all(&results).unwrap()), ["x", "z", "y"]);
        assert_eq!(Plan::paths(&results).len(), 2);
        // The first study's plan may go; the other's stays where it is.
        std::fs::remove_file(results.join("plan.jsonl")).unwrap();
        assert_eq!(b.keep(&results).unwrap(), results.join("plan-b-1.jsonl"));
        assert_eq!(ids(Plan::read_all(&results).unwrap()), ["y"]);
    }

    #[test]
    fn a_plan_of_an_earlier_version_is_told_by_its_title_and_runs() {
        let dir = tempfile::tempdir().unwrap();
        let path = Plan::path(dir.path());
        for (title, ids, kept) in [
            ("t", ["x"], "plan.jsonl"),
            ("t", ["y"], "plan-a-1.jsonl"),
            ("other", ["x"], "plan-a-1.jsonl"),
        ] {
            of("", title, &ids).write(&path).unwrap();
            let place = of("a-1", "t", &["x", "z"]).keep(dir.path()).unwrap();
            assert_eq!(place, dir.path().join(kept));
            assert!(Plan::read(&path).is_ok());
            let _ = std::fs::remove_file(dir.path().join("plan-a-1.jsonl"));
        }
        // What cannot be read is left as it is.
        std::fs::write(&path, "torn").unwrap();
        let place = of("a-1", "t", &["x"]).keep(dir.path()).unwrap();
        assert_eq!(place, dir.path().join("plan-a-1.jsonl"));
        assert_eq!(std::fs::read(&path).unwrap(), b"torn");
    }
}
