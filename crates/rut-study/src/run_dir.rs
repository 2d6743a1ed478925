//! A run's folder: the names of its files, and writing them whole or not at all.

use std::fs::{self, TryLockError};
use std::path::{Path, PathBuf};

use rut_adapt::whole_file::is_temporary;
use rut_formats::regular;
use serde::{Deserialize, Serialize};

use crate::checked::CheckedRunSpec;
use crate::error::{Error, Result, file};
use crate::journal::AGAIN;
use crate::kept::REMEDY;
use crate::lock::{self, Locked};
use crate::network::KeyRule;
use crate::record::{FORMAT_VERSION, Record};
use crate::run_id::{Content, NO_PART};
use crate::sealed;
use crate::spec::{Method, RunSpec, ValidationFrom};
use crate::text_file::{self, toml_problem};
use crate::versioned::{parse, version};

/// What to do when the folder is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// It is an error.
    #[default]
    Refuse,
    /// Go on where it stopped; a finished run is left as it is.
    Resume,
    /// Begin anew.
    Overwrite,
}

/// The folder of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

/// What `spec.toml` holds: the specification, and the content that it named when the run began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpecFile {
    format_version: u32,
    run_id: String,
    checkpoint_sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mask_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_digest: Option<String>,
    train_labels_digest: String,
    /// By which rule a checkpoint's keys are found; files of versions that knew one alone do not say.
    #[serde(default = "earlier")]
    key_rule: u32,
    spec: RunSpec,
}

/// The [`KeyRule`] of this version, as a number.
const FITTING: u32 = 2;

/// That of versions which did not write one down.
fn earlier() -> u32 {
    1
}

impl RunDir {
    /// The folder at `path`, which need not exist.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
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
        self.path.join("head.safetensors")
    }

    /// `prompt.safetensors` of visual prompting.
    pub fn prompt(&self) -> PathBuf {
        self.path.join("prompt.safetensors")
    }

    /// What `method` trains: [`head`](Self::head) or [`prompt`](Self::prompt).
    pub fn trained(&self, method: Method) -> PathBuf {
        match method {
            Method::Lp => self.head(),
            Method::Vp => self.prompt(),
        }
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

    pub(crate) fn spec(&self) -> PathBuf {
        self.path.join("spec.toml")
    }

    /// Whether the run is finished.
    pub fn is_finished(&self) -> bool {
        self.record().exists()
    }

    fn files(&self) -> [PathBuf; 10] {
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
            self.reliability(),
            self.spec(),
        ]
    }

    /// Whether `existing` lets a run begin or go on here.
    ///
    /// # Errors
    /// [`Error::Occupied`] if not.
    pub fn check_free(&self, existing: Existing) -> Result<()> {
        let occupied = |found, remedy| {
            Err(Error::Occupied {
                dir: self.path.clone(),
                found,
                remedy,
            })
        };
        // A folder in which nothing but the specification was written holds no run yet.
        let begun = self.is_finished() || self.is_begun();
        let failure = self.failure();
        let foreign = |mut entries: fs::ReadDir| {
            // What a killed process was writing is nobody's.
            let foreign = |path: PathBuf| path != failure && !is_temporary(&path);
            entries.any(|entry| entry.is_ok_and(|entry| foreign(entry.path())))
        };
        if !begun
            && !self.spec().exists()
            && fs::read_dir(&self.path).is_ok_and(foreign)
            && !self.lock().exists()
        {
            return occupied(
                "other files",
                "choose another `--run-name` or `--results-path`",
            );
        }
        match (existing, begun, self.is_finished()) {
            (Existing::Refuse, true, true) => occupied(
                "a finished run",
                "add `--overwrite` to run it again, or choose another `--run-name`",
            ),
            (Existing::Refuse, true, false) => occupied(
                "an unfinished run",
                "add `--resume` to go on, `--overwrite` to begin anew, or choose another `--run-name`",
            ),
            _ => Ok(()),
        }
    }

    /// Makes the folder ready for `run` and locks it for as long as the answer lives.
    ///
    /// # Errors
    /// As [`check_free`](Self::check_free); if another process works here, if the folder holds another specification's run,
    /// or if it cannot be written.
    pub fn prepare(&self, run: &CheckedRunSpec, existing: Existing) -> Result<Locked> {
        self.check_free(existing)?;
        fs::create_dir_all(&self.path).map_err(file("make the folder", &self.path))?;
        let locked = self.lock_folder()?;
        delete(&self.failure())?;
        let begun = self.spec().exists();
        match existing {
            Existing::Resume if begun => {
                self.check_unchanged(run)?;
                return Ok(locked);
            }
            Existing::Resume if self.is_finished() || self.state().exists() => {
                let problem = "expected the specification that the run began with, found no file; put it back, or \
                               begin anew with `--overwrite`";
                return Err(Error::Broken {
                    path: self.spec(),
                    problem: problem.into(),
                });
            }
            Existing::Overwrite => self.clear()?,
            _ => {}
        }
        let text = toml::to_string(&SpecFile::of(run)).map_err(|e| Error::Spec(e.to_string()))?;
        write_whole(&self.spec(), text.as_bytes())?;
        Ok(locked)
    }

    /// The lock's file. It stays when a run is deleted, so that all who want the folder meet at one file.
    fn lock(&self) -> PathBuf {
        self.path.join(".lock")
    }

    fn lock_folder(&self) -> Result<Locked> {
        match lock::take(&self.lock())? {
            Some(locked) => Ok(locked),
            None => Err(Error::GoingOn {
                dir: self.path.clone(),
            }),
        }
    }

    /// Whether a process works in the folder.
    pub fn is_locked(&self) -> bool {
        let open = regular::open(self.lock(), regular::TEXT);
        open.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Whether a run was begun here and can be resumed.
    pub fn is_begun(&self) -> bool {
        self.events().exists() || self.state().exists()
    }

    /// Deletes the files of a run and nothing else.
    fn clear(&self) -> Result<()> {
        self.files().iter().try_for_each(|path| delete(path))
    }

    /// Deletes the state of a run that is finished.
    ///
    /// # Errors
    /// If it is there and cannot be deleted.
    pub fn forget_state(&self) -> Result<()> {
        delete(&self.state())
    }

    /// Where the run that was begun here has its validation images from; nothing where none was begun.
    ///
    /// # Errors
    /// If its specification cannot be read.
    pub(crate) fn began_with(&self) -> Result<Option<ValidationFrom>> {
        if !self.spec().exists() {
            return Ok(None);
        }
        let began: SpecFile = self.read_toml(&self.spec())?;
        Ok(began.spec.validation.or(Some(ValidationFrom::Drawn)))
    }

    fn check_unchanged(&self, run: &CheckedRunSpec) -> Result<()> {
        let began: SpecFile = self.read_toml(&self.spec())?;
        let now = SpecFile::of(run);
        match began.difference(&now) {
            None => Ok(()),
            Some((field, expected, found)) => Err(Error::NotResumable {
                dir: self.path.clone(),
                field,
                expected,
                found,
            }),
        }
    }

    /// The rule by which the run that is gone on with here reads its checkpoint.
    ///
    /// # Errors
    /// If the specification that it began with cannot be read.
    pub(crate) fn key_rule(&self, existing: Existing) -> Result<KeyRule> {
        if existing != Existing::Resume || !self.spec().exists() {
            return Ok(KeyRule::default());
        }
        let began: SpecFile = self.read_toml(&self.spec())?;
        Ok(match began.key_rule {
            FITTING => KeyRule::Fitting,
            _ => KeyRule::Earlier,
        })
    }

    fn read_toml<T: serde::de::DeserializeOwned>(&self, path: &Path) -> Result<T> {
        let text = text_file::read(path, text_file::TOML).map_err(|e| e.with_remedy(AGAIN))?;
        toml::from_str(&text).map_err(|e| Error::Broken {
            path: path.into(),
            problem: format!("{}; {AGAIN}", toml_problem(&e)),
        })
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
            let source = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(Error::File {
                action: "open the run's folder",
                path: self.path.clone(),
                source,
            });
        }
        if !path.exists() {
            return Err(broken(
                "the run is not finished: no record was written; `--resume` it first".into(),
            ));
        }
        let text = text_file::read_json(&path).map_err(|e| e.with_remedy(REMEDY))?;
        if let Ok(found) = version(&text)
            && found != FORMAT_VERSION
        {
            return Err(broken(format!(
                "expected format_version {FORMAT_VERSION}, found {found}; read it with the rut that wrote it"
            )));
        }
        let again = |problem| broken(format!("{problem}; {REMEDY}"));
        let (text, _) = sealed::from_bytes(text.into_bytes()).map_err(again)?;
        parse(&text, FORMAT_VERSION).map_err(again)
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

impl SpecFile {
    fn of(run: &CheckedRunSpec) -> Self {
        let Content {
            checkpoint,
            mask,
            data,
            validation,
        } = run.content.clone();
        let labels: Vec<u8> = run
            .dataset
            .train
            .labels()
            .iter()
            .flat_map(|label| label.to_le_bytes())
            .collect();
        Self {
            format_version: FORMAT_VERSION,
            run_id: run.id.to_string(),
            checkpoint_sha256: checkpoint,
            mask_sha256: mask,
            data_digest: data,
            validation_digest: validation,
            train_labels_digest: rut_data::Digest::of_bytes(&labels).to_string(),
            key_rule: FITTING,
            spec: run.spec.clone(),
        }
    }

    /// The first field in which two differ, with both values. Places to look may differ where the content is the same.
    fn difference(&self, now: &Self) -> Option<(String, String, String)> {
        let flat = |file: &Self| -> Vec<(String, String)> {
            let Ok(serde_json::Value::Object(mut fields)) = serde_json::to_value(file) else {
                return Vec::new();
            };
            let Some(serde_json::Value::Object(spec)) = fields.remove("spec") else {
                return Vec::new();
            };
            fields.remove("run_id");
            // The run goes on by the rule that it began with.
            fields.remove("key_rule");
            // Left out, it means the same.
            let own = file.spec.validation == Some(ValidationFrom::Own);
            let told = own.then(|| ("validation".to_owned(), "\"own\"".to_owned()));
            // Words, and places to look; what is found there stands beside by its digest.
            let own_data = fields.contains_key("data_digest");
            let spec = spec.into_iter().filter(|(key, _)| {
                !(NO_PART.contains(&key.as_str()) || own_data && key == "dataset")
            });
            spec.chain(fields)
                .map(|(key, value)| (key, value.to_string()))
                .chain(told)
                .collect()
        };
        let (before, after) = (flat(self), flat(now));
        let of = |list: &[(String, String)], key: &str| {
            list.iter()
                .find(|(k, _)| k == key)
                .map_or("unset".to_owned(), |(_, v)| v.clone())
        };
        let mut keys: Vec<&String> = before.iter().chain(&after).map(|(key, _)| key).collect();
        keys.sort();
        keys.dedup();
        let differing = keys
            .into_iter()
            .find(|key| of(&before, key) != of(&after, key))?;
        Some((
            differing.clone(),
            of(&before, differing),
            of(&after, differing),
        ))
    }
}

/// Deletes a file, if it is there. Another process may have been faster.
pub(crate) fn delete(path: &Path) -> Result<()> {
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
    rut_adapt::whole_file::write_whole(path, bytes).map_err(file("write", path))
}
