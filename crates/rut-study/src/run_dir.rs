//! A run's folder: the names of its files, and writing them whole or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checked::CheckedRunSpec;
use crate::error::{Error, Result, file};
use crate::record::{FORMAT_VERSION, Record};
use crate::run_id::Content;
use crate::spec::RunSpec;

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
    train_labels_digest: String,
    spec: RunSpec,
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

    /// `reliability.svg`.
    pub fn reliability(&self) -> PathBuf {
        self.path.join("reliability.svg")
    }

    fn spec(&self) -> PathBuf {
        self.path.join("spec.toml")
    }

    /// Whether the run is finished.
    pub fn is_finished(&self) -> bool {
        self.record().exists()
    }

    /// Makes the folder ready for `run`.
    ///
    /// # Errors
    /// If it holds a run and `existing` says to refuse, if it holds another specification's run, or it cannot be written.
    pub fn prepare(&self, run: &CheckedRunSpec, existing: Existing) -> Result<()> {
        let begun = self.spec().exists() || self.record().exists();
        match existing {
            Existing::Refuse if begun => {
                let (found, remedy) = if self.is_finished() {
                    (
                        "a finished run",
                        "add `--overwrite` to run it again, or another `--run-name`",
                    )
                } else {
                    (
                        "an unfinished run",
                        "add `--resume` to go on, `--overwrite` to begin anew, or another `--run-name`",
                    )
                };
                return Err(Error::Occupied {
                    dir: self.path.clone(),
                    found,
                    remedy,
                });
            }
            Existing::Resume if begun => return self.check_unchanged(run),
            Existing::Overwrite if begun => self.clear()?,
            _ => {}
        }
        fs::create_dir_all(&self.path).map_err(file("make the folder", &self.path))?;
        let text = toml::to_string(&SpecFile::of(run)).map_err(|e| Error::Spec(e.to_string()))?;
        write_whole(&self.spec(), text.as_bytes())
    }

    /// Deletes the files of a run and nothing else; the record goes first, so that no half-deleted run looks finished.
    fn clear(&self) -> Result<()> {
        let files = [
            self.record(),
            self.state(),
            self.events(),
            self.logits(),
            self.head(),
            self.prompt(),
            self.reliability(),
            self.spec(),
        ];
        for path in files.iter().filter(|path| path.exists()) {
            fs::remove_file(path).map_err(file("delete", path))?;
        }
        Ok(())
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

    fn read_toml<T: serde::de::DeserializeOwned>(&self, path: &Path) -> Result<T> {
        let text = fs::read_to_string(path).map_err(file("read", path))?;
        toml::from_str(&text).map_err(|e| Error::Broken {
            path: path.into(),
            problem: e.to_string(),
        })
    }

    /// The record of a finished run.
    ///
    /// # Errors
    /// If there is none, it is broken, or of another format version.
    pub fn read_record(&self) -> Result<Record> {
        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
        }
        let path = self.record();
        let broken = |problem: String| Error::Broken {
            path: path.clone(),
            problem,
        };
        if !path.exists() {
            return Err(broken(
                "the run is not finished: no record was written; `--resume` it first".into(),
            ));
        }
        let text = fs::read_to_string(&path).map_err(file("read", &path))?;
        let version: Version = serde_json::from_str(&text).map_err(|e| broken(e.to_string()))?;
        if version.format_version != FORMAT_VERSION {
            let found = version.format_version;
            return Err(broken(format!(
                "expected format_version {FORMAT_VERSION}, found {found}; read it with the rut that wrote it"
            )));
        }
        serde_json::from_str(&text).map_err(|e| broken(e.to_string()))
    }

    /// Writes the record, which makes the run finished.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_record(&self, record: &Record) -> Result<()> {
        let mut text = serde_json::to_string_pretty(record).map_err(|e| Error::Broken {
            path: self.record(),
            problem: e.to_string(),
        })?;
        text.push('\n');
        write_whole(&self.record(), text.as_bytes())
    }
}

impl SpecFile {
    fn of(run: &CheckedRunSpec) -> Self {
        let Content {
            checkpoint,
            mask,
            data,
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
            train_labels_digest: rut_data::Digest::of_bytes(&labels).to_string(),
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
            let paths = ["checkpoint", "mask", "pretrained_dir"];
            let spec = spec
                .into_iter()
                .filter(|(key, _)| !paths.contains(&key.as_str()));
            spec.chain(fields)
                .map(|(key, value)| (key, value.to_string()))
                .collect()
        };
        let (before, after) = (flat(self), flat(now));
        let of = |list: &[(String, String)], key: &str| {
            list.iter()
                .find(|(k, _)| k == key)
                .map_or("unset".to_owned(), |(_, v)| v.clone())
        };
        let mut keys: Vec<&String> = before.iter().chain(&after).map(|(key, _)| key).collect();
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

/// Writes a file under a temporary name beside it, syncs it, and renames it: it is there whole or not at all.
///
/// # Errors
/// If any of the steps fails; what was at `path` before stays.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(file("write", path))
}
