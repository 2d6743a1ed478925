//! What two runs must share to be compared: everything in a specification but seed, network and number of labels. Finds
//! which fields vary, so that only they need to be described.

use std::collections::{BTreeMap, BTreeSet};

use rut_record::{FILE_KEYS, Method, NetworkSpec, Record, RunSpec};
use serde_json::Value;

use crate::UnusedFields;
use crate::network::short;
use crate::run::Run;
use crate::wording::listed;

/// Fields that say which network, which seed or how many labels, and places to look.
const OTHER: [&str; 15] = [
    "seed",
    "model",
    "network",
    "sparsity",
    "bits",
    "activation_bits",
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

/// Fields that say which method it is, where there are several of a kind.
const PARTS: [&str; 3] = ["head", "mapping", "prompt"];

/// Options that are left out where there is none; others, but for those of all files, are left out at their defaults.
const OPTIONAL: [&str; 3] = ["augment", "milestones", "warmup"];

/// The key under which the test images stand.
const TEST_IMAGES: &str = "test images";

/// Fields that say which data set it is.
const DATA: [&str; 3] = ["dataset", "classes", TEST_IMAGES];

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
    /// Head, mapping and prompt, where methods of its kind differ in them in the study; `apart` begins with them.
    parts: Fields,
    key: Fields,
}

impl Setting {
    /// Data set, method and what sets it apart.
    pub(crate) fn label(&self) -> String {
        format!("{}, {}", self.dataset, self.name())
    }

    /// Method and what sets it apart.
    pub(crate) fn name(&self) -> String {
        joined(self.method.abbreviation(), &self.apart)
    }

    /// Method with head, mapping and prompt, where methods of its kind differ in them.
    pub(crate) fn method_name(&self) -> String {
        joined(self.method.abbreviation(), &words(&self.parts))
    }

    /// Its method as names of files have it, without the names of fields.
    fn file_name(&self) -> String {
        let values = self.parts.values().filter_map(Value::as_str);
        let words = [self.method.abbreviation()].into_iter().chain(values);
        words.collect::<Vec<_>>().join("-")
    }

    /// Whether both are the same but for their data sets.
    pub(crate) fn is_of_the_method_of(&self, other: &Self) -> bool {
        let own = |setting: &Self| {
            let mut key = setting.key.clone();
            key.retain(|field, _| !DATA.contains(&field.as_str()));
            key
        };
        self.method == other.method && own(self) == own(other)
    }

    /// Whether both are of the same data set and the same test images.
    pub(crate) fn has_test_images_of(&self, other: &Self) -> bool {
        let images = |setting: &Self| setting.key.get(TEST_IMAGES).cloned();
        self.dataset == other.dataset && images(self) == images(other)
    }
}

/// Both, or the first alone.
fn joined(first: &str, second: &str) -> String {
    let both = [first, second].into_iter().filter(|part| !part.is_empty());
    both.collect::<Vec<_>>().join(", ")
}

/// What its method consists of, also what files leave out because it is usual.
pub(crate) fn parts(spec: &RunSpec) -> Fields {
    let of = [
        spec.probe().map(|probe| probe.head.name()),
        spec.mapping(),
        spec.prompt().map(|prompt| prompt.prompt.as_str()),
    ];
    let found = PARTS.into_iter().zip(of);
    found
        .filter_map(|(field, value)| Some((field.to_owned(), value?.into())))
        .collect()
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
        parts: parts(&record.spec),
        key,
    }
}

/// Leaves each setting those parts of its method in which methods of its kind differ, and writes into it what sets it apart.
fn tell_apart(settings: &mut [(&str, Setting)]) {
    let told: Vec<(Fields, String)> = settings
        .iter()
        .map(|(_, own)| told(own, settings))
        .collect();
    for ((_, setting), (parts, rest)) in settings.iter_mut().zip(told) {
        setting.apart = joined(&words(&parts), &rest);
        setting.parts = parts;
    }
}

/// The parts of `own` in which methods of its kind differ, and in words what else differs among settings of its data set and
/// method.
fn told(own: &Setting, settings: &[(&str, Setting)]) -> (Fields, String) {
    let kin = settings.iter().map(|(_, other)| other);
    let kin: Vec<&Setting> = kin.filter(|other| other.method == own.method).collect();
    let all: Vec<&Fields> = kin.iter().map(|other| &other.parts).collect();
    let different = varying(&all);
    let mut parts = own.parts.clone();
    parts.retain(|field, _| different.contains(field.as_str()));
    let same = |other: &&&Setting| (&other.dataset, &other.parts) == (&own.dataset, &own.parts);
    let keys: Vec<&Fields> = kin.iter().filter(same).map(|other| &other.key).collect();
    let rest = varying(&keys).into_iter();
    let rest = listed(rest.map(|field| described(field, own.key.get(field))));
    (parts, rest)
}

/// `field value` pairs.
fn words(fields: &Fields) -> String {
    let fields = fields.iter();
    listed(fields.map(|(field, value)| described(field, Some(value))))
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
pub(crate) fn described(key: &str, value: Option<&Value>) -> String {
    let field = key.replace('_', " ");
    match value {
        None if key == "precision" => format!("{field} {}", NetworkSpec::default().precision),
        None if !FILE_KEYS.contains(&key) && !OPTIONAL.contains(&key) => format!("default {field}"),
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
        let name = slug(&format!("{} {}", setting.dataset, setting.file_name()));
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
