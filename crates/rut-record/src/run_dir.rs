//! A run's folder: the names of its files, and writing them whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result, file};
use crate::record::Record;
use crate::spec::Method;
use crate::versioned::{parse, version};
use crate::{sealed, text_file};

/// What helps where a finished run lost something.
pub const FINISHED_REMEDY: &str =
    "put it back, or run it again with `overwrite` (a run of a sweep: delete its folder)";

/// What to do when the folder is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// It is an error.
    #[default]
    Refuse,
    /// Go on where it stopped; a finished run is left as it is.
    Resume,
    /// Start again.
    Overwrite,
}

/// The folder of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// The folder at `path`, which need not exist.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `record.json`, written last.
    pub fn record(&self) -> PathBuf {
        self.path.join("record.json")
    }

    /// `events.jsonl`.
    pub fn events(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }

    /// `events.out.tfevents.rut`: what TensorBoard shows of the run. No part of its record.
    pub fn tensorboard(&self) -> PathBuf {
        self.path.join("events.out.tfevents.rut")
    }

    /// `state.safetensors`: all that a resume needs.
    pub fn state(&self) -> PathBuf {
        self.path.join("state.safetensors")
    }

    /// `logits.safetensors`: per-image logits and labels of the test and validation images.
    pub fn logits(&self) -> PathBuf {
        self.path.join("logits.safetensors")
    }

    /// `head.safetensors` of a linear probe.
    pub fn head(&self) -> PathBuf {
        self.trained(Method::Lp)
    }

    /// `prompt.safetensors` of visual prompting, with its label map, or of joint training, with its head.
    pub fn prompt(&self) -> PathBuf {
        self.trained(Method::Vp)
    }

    /// `prompt.png`: how the prompt looks. It is drawn from `prompt.safetensors`, and no part of what a run must have.
    pub fn prompt_picture(&self) -> PathBuf {
        self.path.join("prompt.png")
    }

    /// What `method` trains: [`head`](Self::head) or [`prompt`](Self::prompt).
    pub fn trained(&self, method: Method) -> PathBuf {
        self.path.join(method.trained_file())
    }

    /// The files that a finished run of `method` has beside its record.
    pub fn kept(&self, method: Method) -> [PathBuf; 5] {
        [
            self.trained(method),
            self.logits(),
            self.events(),
            self.reliability(),
            self.spec(),
        ]
    }

    /// `reliability.svg`.
    pub fn reliability(&self) -> PathBuf {
        self.path.join("reliability.svg")
    }

    /// `failure.json`: why the run ended without a record, until it is tried again.
    pub fn failure(&self) -> PathBuf {
        self.path.join("failure.json")
    }

    /// `spec.toml`: what is run, as it was when the run began.
    pub fn spec(&self) -> PathBuf {
        self.path.join("spec.toml")
    }

    /// Whether the run is finished.
    pub fn is_finished(&self) -> bool {
        self.record().exists()
    }

    /// All files of a run, the record first.
    pub(crate) fn files(&self) -> [PathBuf; 11] {
        // The record goes first when a run is deleted, so that no half-deleted run looks finished.
        [
            self.record(),
            self.failure(),
            self.state(),
            self.events(),
            self.tensorboard(),
            self.logits(),
            self.head(),
            self.prompt(),
            self.prompt_picture(),
            self.reliability(),
            self.spec(),
        ]
    }

    /// Whether a run was begun here and can be resumed.
    pub fn is_begun(&self) -> bool {
        self.events().exists() || self.state().exists()
    }

    /// Deletes the state of a run that is finished.
    ///
    /// # Errors
    /// If it is there and cannot be deleted.
    pub fn forget_state(&self) -> Result<()> {
        delete(&self.state())
    }

    /// The record of a finished run.
    ///
    /// # Errors
    /// If there is none, it is broken, or of another format version.
    pub fn read_record(&self) -> Result<Record> {
        let path = self.record();
        let broken = |problem: String| Error::Broken {
            path: path.clone(),
            problem,
        };
        if !self.path.is_dir() {
            let kind = std::io::ErrorKind::NotFound;
            let source = std::io::Error::new(kind, "there is no such folder");
            return Err(Error::File {
                action: "open the run's folder",
                path: self.path.clone(),
                source,
            });
        }
        if !path.exists() {
            return Err(broken(
                "the run is not finished: no record was written; go on with it first (`resume`)"
                    .into(),
            ));
        }
        let text = text_file::read_json(&path).map_err(|e| e.with_remedy(FINISHED_REMEDY))?;
        if let Ok(found) = version(&text)
            && found != Record::FORMAT_VERSION
        {
            return Err(broken(format!(
                "expected format_version {}, found {found}; read it with the rut that wrote it",
                Record::FORMAT_VERSION
            )));
        }
        let again = |problem| broken(format!("{problem}; {FINISHED_REMEDY}"));
        let (text, _) = sealed::from_bytes(text.into_bytes()).map_err(again)?;
        parse(&text, Record::FORMAT_VERSION).map_err(again)
    }

    /// Writes the record, which makes the run finished.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_record(&self, record: &Record) -> Result<()> {
        // In `cost`: nothing else differs between two runs of one specification, and it stands for that, too.
        let text = sealed::to_text(record, 2).map_err(|problem| Error::Broken {
            path: self.record(),
            problem,
        })?;
        write_whole(&self.record(), text.as_bytes())
    }
}

/// Deletes a file, if it is there. Another process may have been faster.
///
/// # Errors
/// If it is there and cannot be deleted.
pub fn delete(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(file("delete", path)(error))
        }
        _ => Ok(()),
    }
}

/// Writes a file whole or not at all.
///
/// # Errors
/// If it cannot be written; what was at `path` before stays.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    rut_formats::whole_file::write_whole(path, bytes).map_err(file("write", path))
}
