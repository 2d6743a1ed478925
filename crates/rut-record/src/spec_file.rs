//! `spec.toml`: the specification of a run, and the content that it named when the run began. Who resumes the run is held
//! against it.

use std::collections::BTreeMap;

use rut_data::Digest;
use serde::{Deserialize, Serialize};

use crate::choices::ValidationFrom;
use crate::error::{Error, Result};
use crate::record::Record;
use crate::run_dir::{Existing, RunDir};
use crate::run_id::{Content, OUTSIDE_IDENTITY, RunId};
use crate::spec::RunSpec;
use crate::text_file::{self, toml_problem};

/// What helps where a half-done run cannot go on.
pub const UNFINISHED_REMEDY: &str =
    "put it back, or start over with `overwrite` (a run of a sweep: delete its folder)";

/// Which of a checkpoint's keys are the network's, where the specification does not say it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyRule {
    /// By a list of usual wrappers, as runs of earlier versions were begun.
    Earlier,
    /// Those that fit the network.
    #[default]
    Fitting,
}

/// A run that begins: what it is, by specification and by content.
#[derive(Clone, Copy, Debug)]
pub struct Begun<'a> {
    /// The specification of the run.
    pub spec: &'a RunSpec,
    /// The run's name.
    pub id: &'a RunId,
    /// The content that it reads.
    pub content: &'a Content,
    /// Labels of all training images that it may draw from.
    pub train_labels: &'a [u32],
    /// Where it computes, by its name in the table of devices.
    pub device: &'a str,
}

/// What `spec.toml` holds: the specification, and the content that it named when the run began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpecFile {
    format_version: u32,
    run_id: String,
    checkpoint_sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mask_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_digest: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    options_sha256: BTreeMap<String, String>,
    train_labels_digest: String,
    /// Where it computes; files that do not say mean the processor.
    #[serde(default = "processor", skip_serializing_if = "is_processor")]
    device: String,
    /// By which rule a checkpoint's keys are found; files of versions that knew one alone do not say.
    #[serde(default = "earlier")]
    key_rule: u32,
    spec: RunSpec,
}

/// The device of files that name none.
fn processor() -> String {
    "cpu".into()
}

fn is_processor(device: &str) -> bool {
    device == processor()
}

/// The [`KeyRule`] of this version, as a number.
const FITTING: u32 = 2;

/// That of versions which did not write one down.
fn earlier() -> u32 {
    1
}

impl SpecFile {
    /// What is written down where `run` begins.
    pub fn of(run: &Begun<'_>) -> Self {
        let Content {
            checkpoint,
            mask,
            data,
            validation,
            options,
        } = run.content.clone();
        let labels: Vec<u8> = run
            .train_labels
            .iter()
            .flat_map(|label| label.to_le_bytes())
            .collect();
        Self {
            format_version: Record::FORMAT_VERSION,
            run_id: run.id.to_string(),
            checkpoint_sha256: checkpoint,
            mask_sha256: mask,
            data_digest: data,
            validation_digest: validation,
            options_sha256: options,
            train_labels_digest: Digest::of_bytes(&labels).to_string(),
            device: run.device.to_owned(),
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
            let own = file.spec.labels.validation == Some(ValidationFrom::Own);
            let validation = own.then(|| ("validation".to_owned(), "\"own\"".to_owned()));
            // Words, and places to look; what is found there stands beside by its digest.
            let own_data = fields.contains_key("data_digest");
            let spec = spec.into_iter().filter(|(key, _)| {
                !(OUTSIDE_IDENTITY.contains(&key.as_str())
                    || own_data && key == "dataset"
                    || file.options_sha256.contains_key(key))
            });
            let mut flat: Vec<(String, String)> = spec
                .chain(fields)
                .map(|(key, value)| (key, value.to_string()))
                .chain(validation)
                .collect();
            // What a file leaves out: it is told by its name.
            for (key, usual) in [("precision", "\"f32\""), ("device", "\"cpu\"")] {
                if !flat.iter().any(|(own, _)| own == key) {
                    flat.push((key.to_owned(), usual.to_owned()));
                }
            }
            flat
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

impl RunDir {
    /// Where the run that was begun here has its validation images from; nothing where none was begun.
    ///
    /// # Errors
    /// If its specification cannot be read.
    pub fn began_with(&self) -> Result<Option<ValidationFrom>> {
        if !self.spec().exists() {
            return Ok(None);
        }
        let began = self.read_spec_file()?;
        Ok(began.spec.labels.validation.or(Some(ValidationFrom::Drawn)))
    }

    /// What the run that was begun here read; nothing where none was begun.
    ///
    /// # Errors
    /// If its specification cannot be read.
    pub fn began_on(&self) -> Result<Option<Content>> {
        if !self.spec().exists() {
            return Ok(None);
        }
        let began = self.read_spec_file()?;
        Ok(Some(Content {
            checkpoint: began.checkpoint_sha256,
            mask: began.mask_sha256,
            data: began.data_digest,
            validation: began.validation_digest,
            options: began.options_sha256,
        }))
    }

    /// Where the run that was begun here computes, by its name in the table of devices.
    ///
    /// # Errors
    /// If the specification that it began with cannot be read.
    pub fn device(&self) -> Result<String> {
        if !self.spec().exists() {
            return Ok(processor());
        }
        Ok(self.read_spec_file()?.device)
    }

    pub(crate) fn check_unchanged(&self, run: &Begun<'_>) -> Result<()> {
        let began = self.read_spec_file()?;
        let now = SpecFile::of(run);
        match began.difference(&now) {
            None => Ok(()),
            Some((field, expected, found)) => Err(Error::NotResumable {
                dir: self.path().to_owned(),
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
    pub fn key_rule(&self, existing: Existing) -> Result<KeyRule> {
        if existing != Existing::Resume || !self.spec().exists() {
            return Ok(KeyRule::default());
        }
        let began = self.read_spec_file()?;
        Ok(match began.key_rule {
            FITTING => KeyRule::Fitting,
            _ => KeyRule::Earlier,
        })
    }

    fn read_spec_file(&self) -> Result<SpecFile> {
        let path = self.spec();
        let text = text_file::read(&path, text_file::TOML)
            .map_err(|e| e.with_remedy(UNFINISHED_REMEDY))?;
        toml::from_str(&text)
            .map_err(|e| Error::broken(&path, format!("{}; {UNFINISHED_REMEDY}", toml_problem(&e))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(toml: &str, device: &str) -> SpecFile {
        let spec = RunSpec::from_toml(toml).unwrap();
        let content = Content {
            checkpoint: "c".into(),
            mask: None,
            data: None,
            validation: None,
            options: BTreeMap::new(),
        };
        SpecFile::of(&Begun {
            id: &RunId::new(&spec, &content).unwrap(),
            spec: &spec,
            content: &content,
            train_labels: &[0, 1],
            device,
        })
    }

    #[test]
    fn engine_precision_and_device_are_kept_and_older_files_mean_f32_on_the_processor() {
        let begun = file("", "cpu");
        let text = toml::to_string(&begun).unwrap();
        assert!(
            !text.contains("device") && !text.contains("precision"),
            "{text}"
        );
        let read: SpecFile = toml::from_str(&text).unwrap();
        assert_eq!(read.difference(&begun), None);
        for (other, field, values) in [
            (
                file("engine = 'reference'", "cpu"),
                "engine",
                ["\"auto\"", "\"reference\""],
            ),
            (
                file("precision = 'bf16'", "cpu"),
                "precision",
                ["\"f32\"", "\"bf16\""],
            ),
            (file("", "cuda:0"), "device", ["\"cpu\"", "\"cuda:0\""]),
        ] {
            let (found, before, now) = read.difference(&other).unwrap();
            assert_eq!((&*found, [&*before, &*now]), (field, values));
            let text = toml::to_string(&other).unwrap();
            assert_eq!(toml::from_str::<SpecFile>(&text).unwrap(), other);
        }
    }
}
