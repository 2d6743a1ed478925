//! The list of runs that a study is made of, as a file: what a pool of processes, a job array and a report go by. What is
//! on the list, a study's file decides.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, file};
use crate::places::Places;
use crate::run_dir::write_whole;
use crate::spec::{RunSpec, ValidationFrom};
use crate::versioned::parse;

/// The layout of a plan's file; one of another is refused.
pub const FORMAT_VERSION: u32 = 1;

/// Name of the plan in a folder of results.
const NAME: &str = "plan.jsonl";

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
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// What the study is called.
    pub title: String,
    /// What it asks, in a sentence or two.
    pub about: String,
    /// Where its runs read and write.
    pub places: Places,
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
    fn as_planned(mut self) -> Self {
        self.spec.validation.get_or_insert(ValidationFrom::Drawn);
        self
    }
}

impl Plan {
    /// Where the plan of the runs in `results` lies.
    pub fn path(results: &Path) -> PathBuf {
        results.join(NAME)
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
        match found.runs.is_empty() {
            true => Err(Error::Broken {
                path: path.into(),
                problem: format!("expected a run named {run_id}, found none"),
            }),
            false => Ok(found),
        }
    }

    /// The plan at `path` with only those of its runs that `wanted` says, by their place from 0 and their line. Other lines
    /// are not held against anything.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_some(path: &Path, wanted: impl Fn(usize, &str) -> bool) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(file("read", path))?;
        let broken = |line: usize, problem: String| Error::Broken {
            path: path.into(),
            problem: format!("line {line}: {problem}; make the plan again from the study's file"),
        };
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let heading = parse(first, FORMAT_VERSION).map_err(|problem| broken(1, problem))?;
        let run = |(index, line): (usize, &str)| {
            let run: serde_json::Result<PlannedRun> = serde_json::from_str(line);
            let run = run.map_err(|e| broken(index + 2, e.to_string()))?;
            Ok(run.as_planned())
        };
        let wanted = lines
            .enumerate()
            .filter(|(index, line)| wanted(*index, line));
        let runs = wanted.map(run).collect::<Result<_>>()?;
        Ok(Self { heading, runs })
    }

    /// Writes it to `path`, whose folder is made where it is not there.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(file("make the folder", folder))?;
        }
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
        write_whole(path, &text)
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
            spec: RunSpec {
                seed,
                validation: Some(ValidationFrom::Drawn),
                ..RunSpec::default()
            },
        };
        let plan = Plan {
            heading: Heading {
                format_version: FORMAT_VERSION,
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
}
