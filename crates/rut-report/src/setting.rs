//! What two runs must share to be compared: everything in a specification but seed, network and number of labels. Finds
//! which fields vary, so that only they need to be described.

use std::collections::{BTreeMap, BTreeSet};

use rut_record::{Method, Record, RunSpec};
use serde_json::Value;

use crate::UnusedFields;
use crate::network::short;
use crate::run::Run;

/// Fields that say which network, which seed or how many labels, and places to look.
const OTHER: [&str; 13] = [
    "seed",
    "model",
    "network",
    "sparsity",
    "pretrained_dir",
    "checkpoint",
    "checkpoint_key",
    "mask",
    "masking",
    "recipe",
    "source_classes",
    "n_shot",
    "fraction",
];

/// Fields that are places to look: nothing that a reader of a report needs.
pub(crate) const PATHS: [&str; 3] = ["pretrained_dir", "checkpoint", "mask"];

/// The key under which the test images stand.
const TEST_IMAGES: &str = "test images";

/// Fields and their values.
pub(crate) type Fields = BTreeMap<String, Value>;

/// The fields of a specification, but for places to look and what it makes no use of; a user's own data by its name.
pub(crate) fn fields(spec: &RunSpec, unused: UnusedFields) -> Fields {
    let Ok(Value::Object(fields)) = serde_json::to_value(spec) else {
        return Fields::new();
    };
    let unused = unused(spec);
    let useless = |key: &str| PATHS.contains(&key) || unused.contains(&key);
    let mut fields: Fields = fields
        .into_iter()
        .filter(|(key, _)| !useless(key))
        .collect();
    fields.insert("dataset".into(), last_part(&spec.data.dataset).into());
    fields
}

/// The last part of a data set's name, which may be a path of the machine.
pub(crate) fn last_part(dataset: &str) -> &str {
    let last = dataset.trim_end_matches('/').rsplit('/').next();
    last.unwrap_or_default()
}

/// What the runs of one panel of a figure share.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// The data set's name.
    pub(crate) dataset: String,
    /// Probing or prompting.
    pub(crate) method: Method,
    /// What sets it apart from other settings of this data set and method, as `field value` pairs; empty where it is the
    /// only one.
    pub(crate) apart: String,
    /// What its files are called.
    pub(crate) slug: String,
    key: Fields,
}

impl Setting {
    /// Data set, method and what sets it apart.
    pub(crate) fn label(&self) -> String {
        format!("{}, {}", self.dataset, self.name())
    }

    /// Method and what sets it apart.
    pub(crate) fn name(&self) -> String {
        let method = self.method.abbreviation();
        if self.apart.is_empty() {
            method.to_owned()
        } else {
            format!("{method}, {}", self.apart)
        }
    }

    /// Whether both are of the same data set and the same test images.
    pub(crate) fn has_test_images_of(&self, other: &Self) -> bool {
        let images = |setting: &Self| setting.key.get(TEST_IMAGES).cloned();
        self.dataset == other.dataset && images(self) == images(other)
    }
}

/// What `record` shares with the runs that it can be compared with.
pub(crate) fn key(record: &Record, unused: UnusedFields) -> Fields {
    let mut key = fields(&record.spec, unused);
    key.retain(|field, _| !OTHER.contains(&field.as_str()));
    key.insert("dataset".into(), record.data.name.clone().into());
    key.insert(TEST_IMAGES.into(), short(&record.data.test_digest).into());
    key
}

/// All settings of `runs`, in order of data set, method and what sets them apart; and of each run, which is its.
pub(crate) fn settings(runs: &[Run], unused: UnusedFields) -> (Vec<Setting>, Vec<usize>) {
    let keys: Vec<Fields> = runs.iter().map(|run| key(&run.record, unused)).collect();
    let text = |key: &Fields| serde_json::to_string(key).unwrap_or_default();
    let texts: Vec<String> = keys.iter().map(text).collect();
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, text) in texts.iter().enumerate() {
        first.entry(text).or_insert(at);
    }
    let mut settings: Vec<(&str, Setting)> = first
        .into_iter()
        .map(|(text, at)| (text, setting(&runs[at].record, keys[at].clone())))
        .collect();
    tell_apart(&mut settings);
    settings.sort_by(|(_, a), (_, b)| order(a).cmp(&order(b)));
    let place: BTreeMap<&str, usize> = settings
        .iter()
        .enumerate()
        .map(|(at, (text, _))| (*text, at))
        .collect();
    let of_runs = texts.iter().map(|text| place[&**text]).collect();
    let mut settings: Vec<Setting> = settings.into_iter().map(|(_, setting)| setting).collect();
    name_files(&mut settings);
    (settings, of_runs)
}

fn order(setting: &Setting) -> (&str, &str, &str, String) {
    let rest = serde_json::to_string(&setting.key).unwrap_or_default();
    (
        &setting.dataset,
        setting.method.abbreviation(),
        &setting.apart,
        rest,
    )
}

fn setting(record: &Record, key: Fields) -> Setting {
    Setting {
        dataset: record.data.name.clone(),
        method: record.spec.method(),
        apart: String::new(),
        slug: String::new(),
        key,
    }
}

/// Writes into each setting which of its values not all settings of its data set and method have.
fn tell_apart(settings: &mut [(&str, Setting)]) {
    let described: Vec<String> = settings
        .iter()
        .map(|(_, own)| {
            let kin: Vec<&Fields> = settings
                .iter()
                .filter(|(_, other)| (&other.dataset, other.method) == (&own.dataset, own.method))
                .map(|(_, other)| &other.key)
                .collect();
            let varying = varying(&kin);
            let described = varying
                .iter()
                .map(|field| described(field, own.key.get(*field)));
            described.collect::<Vec<_>>().join(", ")
        })
        .collect();
    for ((_, setting), apart) in settings.iter_mut().zip(described) {
        setting.apart = apart;
    }
}

/// The fields whose values differ, or that not all have.
pub(crate) fn varying<'a>(all: &[&'a Fields]) -> BTreeSet<&'a str> {
    let fields: BTreeSet<&str> = all.iter().flat_map(|f| f.keys()).map(|k| &**k).collect();
    let differs = |field: &&str| {
        let first = all.first().and_then(|fields| fields.get(*field));
        all.iter().any(|fields| fields.get(*field) != first)
    };
    fields.into_iter().filter(differs).collect()
}

/// `field value`, as a reader is described.
pub(crate) fn described(field: &str, value: Option<&Value>) -> String {
    let field = field.replace('_', " ");
    match value {
        None | Some(Value::Null) => format!("no {field}"),
        Some(Value::String(text)) => format!("{field} {text}"),
        Some(Value::Array(values)) if values.is_empty() => format!("all {field}"),
        Some(value) => format!("{field} {value}"),
    }
}

/// Names for files: letters that are safe everywhere, each name once.
fn name_files(settings: &mut [Setting]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for setting in settings {
        let name = slug(&format!(
            "{} {}",
            setting.dataset,
            setting.method.abbreviation()
        ));
        let count = seen.entry(name.clone()).or_insert(0);
        *count += 1;
        setting.slug = match count {
            1 => name,
            count => format!("{name}-{count}"),
        };
    }
}

/// `text` in letters that are safe in file names.
pub(crate) fn slug(text: &str) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    text.chars().map(safe).take(60).collect()
}
