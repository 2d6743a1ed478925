//! A run's name: readable parts and a hash over what differs from the defaults. It never depends on a path.

use std::collections::BTreeMap;
use std::fmt;

use rut_data::{Budget, Digest, Shots};
use serde_json::Value;

use crate::choices::NetworkKind;
use crate::error::{Error, Result};
use crate::spec::{RunSpec, fields};

/// Fields that are no part of the identity: those that say where to look, for what is found there stands in the id by its
/// digest, and words for readers.
pub const OUTSIDE_IDENTITY: [&str; 9] = [
    "checkpoint",
    "mask",
    "pretrained_dir",
    "network",
    "sparsity",
    "bits",
    "activation_bits",
    "recipe",
    "validation",
];

/// The content that a run reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// SHA-256 of the checkpoint file.
    pub checkpoint: String,
    /// SHA-256 of the mask file.
    pub mask: Option<String>,
    /// Digest of a user's own images; `None` for a data set of the table, whose name says it.
    pub data: Option<String>,
    /// Digest of the validation images that a user's data set has of its own, if they are validated on.
    pub validation: Option<String>,
    /// SHA-256 of the files that options name, by the options' keys.
    pub options: BTreeMap<String, String>,
}

/// Name of a run, the same on every machine for the same specification and content.
///
/// The hash covers the fields that differ from their default, so that an option added later moves no old id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// The id of `spec` on `content`.
    ///
    /// # Errors
    /// If a path of the specification is not UTF-8.
    pub fn new(spec: &RunSpec, content: &Content) -> Result<Self> {
        let hash = Digest::of_bytes(identity(spec, content)?.as_bytes()).to_string();
        Ok(Self(format!("{}-{}", title(spec), &hash[..10])))
    }

    /// A stand-in for the id of a run whose network or images are not there to be digested: the readable parts, `x`, and a
    /// hash over the specification as it is written, paths included. Once the files are there, the run has another id.
    ///
    /// # Errors
    /// If a path of the specification is not UTF-8.
    pub fn stand_in(spec: &RunSpec) -> Result<Self> {
        let mut spec = spec.clone();
        spec.labels.validation = None;
        let text = serde_json::to_string(&spec).map_err(|error| Error::Spec(error.to_string()))?;
        let hash = Digest::of_bytes(text.as_bytes()).to_string();
        Ok(Self(format!("{}-x{}", title(&spec), &hash[..10])))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The readable parts.
fn title(spec: &RunSpec) -> String {
    // Of shots and a fraction together, which no run can have, the name shows the fraction.
    let budget = match (spec.labels.fraction, spec.labels.n_shot) {
        (Some(share), _) => format!("fraction{share}"),
        (None, Budget::PerClass(Shots(shots))) => format!("{shots}shot"),
        (None, _) => "all".to_owned(),
    };
    let method = spec.method_title("-");
    let method: Vec<String> = method.split('-').map(readable).collect();
    let method = method.join("-");
    let network = match (spec.network.kind, &spec.network.checkpoint) {
        (NetworkKind::Dense, _) => "dense".to_owned(),
        (NetworkKind::Ticket, None) => format!("ticket{}", spec.network.state()),
        (NetworkKind::Ticket, Some(_)) => "ticket".to_owned(),
        (NetworkKind::Quantized, _) => spec.network.quantized_title(),
    };
    format!(
        "{}-{}-{network}-{method}-{budget}-seed{}",
        readable(&spec.data.dataset),
        readable(&spec.network.model),
        spec.training.seed
    )
}

/// The last part of a data set's name or folder, in letters that are safe everywhere.
fn readable(dataset: &str) -> String {
    let last = dataset
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(dataset);
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    last.chars().map(safe).take(32).collect()
}

/// JSON with sorted keys of all fields that differ from their default, paths replaced by content.
fn identity(spec: &RunSpec, content: &Content) -> Result<String> {
    let default = fields(&RunSpec::of(spec.method()))?;
    let mut differing: BTreeMap<String, Value> = fields(spec)?
        .into_iter()
        .filter(|(key, value)| {
            !OUTSIDE_IDENTITY.contains(&key.as_str()) && default.get(key) != Some(value)
        })
        .collect();
    differing.insert("method".into(), serde_json::json!(spec.method()));
    differing.insert("checkpoint".into(), content.checkpoint.clone().into());
    if let Some(mask) = &content.mask {
        differing.insert("mask".into(), mask.clone().into());
    }
    if let Some(data) = &content.data {
        differing.insert("dataset".into(), data.clone().into());
    }
    if let Some(validation) = &content.validation {
        differing.insert("validation".into(), validation.clone().into());
    }
    for (key, digest) in &content.options {
        differing.insert(key.clone(), digest.clone().into());
    }
    serde_json::to_string(&differing).map_err(|error| Error::Spec(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> Content {
        Content {
            checkpoint: "c".repeat(64),
            mask: Some("m".repeat(64)),
            data: None,
            validation: None,
            options: BTreeMap::new(),
        }
    }

    fn id(toml: &str) -> String {
        RunId::new(&RunSpec::from_toml(toml).unwrap(), &content())
            .unwrap()
            .to_string()
    }

    #[test]
    fn places_of_the_same_content_are_the_same_run() {
        let a = RunSpec::from_toml("checkpoint = 'a/x.pth'\nmask = 'a/m.pth'").unwrap();
        let b = RunSpec::from_toml("checkpoint = 'b/y.safetensors'\nmask = 'b/n.pth'").unwrap();
        assert_eq!(
            RunId::new(&a, &content()).unwrap(),
            RunId::new(&b, &content()).unwrap()
        );
    }

    #[test]
    fn a_folder_is_named_by_its_last_part_and_told_apart_by_its_content() {
        let spec = RunSpec::from_toml("dataset = '/data/My Birds/'").unwrap();
        let of = |data: &str| {
            RunId::new(
                &spec,
                &Content {
                    data: Some(data.into()),
                    ..content()
                },
            )
            .unwrap()
            .to_string()
        };
        assert!(of("1").starts_with("my_birds-"), "{}", of("1"));
        assert_ne!(of("1"), of("2"));
    }

    #[test]
    fn validation_images_of_its_own_join_the_id_and_the_word_for_them_does_not() {
        let with = |toml: &str, validation: Option<&str>| {
            let content = Content {
                data: Some("d".into()),
                validation: validation.map(str::to_owned),
                ..content()
            };
            let spec = RunSpec::from_toml(toml).unwrap();
            RunId::new(&spec, &content).unwrap()
        };
        let drawn = with("dataset = 'birds'", None);
        assert_eq!(with("dataset = 'birds'\nvalidation = 'drawn'", None), drawn);
        let own = with("dataset = 'birds'\nvalidation = 'own'", Some("v"));
        assert_ne!(own, drawn);
        assert_ne!(
            own,
            with("dataset = 'birds'\nvalidation = 'own'", Some("w"))
        );
    }

    /// Ids name folders of results: an id that moves loses them. Add lines here; never change one.
    #[test]
    fn ids_are_pinned() {
        let pinned: &[(&str, &str)] = &[
            ("", "cifar10-resnet50-ticket9-vp-ilm-all-seed4-0d4037b967"),
            (
                "method = 'lp'",
                "cifar10-resnet50-ticket9-lp-all-seed4-28cc494a44",
            ),
            (
                "dataset = 'digits'",
                "digits-resnet50-ticket9-vp-ilm-all-seed4-553652b34e",
            ),
            (
                "n_shot = 16",
                "cifar10-resnet50-ticket9-vp-ilm-16shot-seed4-e0e7057d3e",
            ),
            (
                "n_shot = 16\nseed = 5",
                "cifar10-resnet50-ticket9-vp-ilm-16shot-seed5-fbe16733be",
            ),
            (
                "sparsity = 0",
                "cifar10-resnet50-ticket0-vp-ilm-all-seed4-0d4037b967",
            ),
            (
                "network = 'dense'",
                "cifar10-resnet50-dense-vp-ilm-all-seed4-0d4037b967",
            ),
            (
                "epochs = 40\nbatch_size = 32",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-7e9b4541e5",
            ),
            (
                "lr = 0.1",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-f2434ace3a",
            ),
            (
                "mapping = 'flm'",
                "cifar10-resnet50-ticket9-vp-flm-all-seed4-2a6a8ae73f",
            ),
            (
                "classes = ['1', '2']",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-8fbc802ddd",
            ),
            (
                "val_shots = 0",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-318fc0cae9",
            ),
            (
                "val_fraction = 0.2",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-1e5ab3dc0a",
            ),
            (
                "select = 'best-val'",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-9251831dd1",
            ),
            (
                "method = 'lp'\nimage_size = 32",
                "cifar10-resnet50-ticket9-lp-all-seed4-ad2e2d383e",
            ),
            (
                "ties = 'index'\nremap = 'off'",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-3f3cf207ea",
            ),
            (
                "engine = 'auto'",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-0d4037b967",
            ),
            (
                "engine = 'reference'",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-cfb00f34f8",
            ),
            (
                "method = 'lp'\noptimizer = 'lbfgs'",
                "cifar10-resnet50-ticket9-lp-all-seed4-fe67d2ab73",
            ),
            (
                "method = 'lp'\nweight_decay = 0.001",
                "cifar10-resnet50-ticket9-lp-all-seed4-1661cb44ba",
            ),
            (
                "method = 'lp'\ncache_dtype = 'f16'",
                "cifar10-resnet50-ticket9-lp-all-seed4-bea6ee589c",
            ),
            (
                "method = 'lp'\nlr_grid = [1.0, 0.1]",
                "cifar10-resnet50-ticket9-lp-all-seed4-2b592d670a",
            ),
            (
                "method = 'lp'\nlr_grid = [1.0, 0.1]\nweight_decay_grid = [0.0, 0.001]",
                "cifar10-resnet50-ticket9-lp-all-seed4-8ad4f852b3",
            ),
            (
                "split = 'coop'",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-943da5e4cd",
            ),
            (
                "fraction = 0.1",
                "cifar10-resnet50-ticket9-vp-ilm-fraction0.1-seed4-305018eb0d",
            ),
            (
                "recipe = 'V2'",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-0d4037b967",
            ),
            (
                "steps = 1000",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-46178b5b22",
            ),
            (
                "method = 'lp'\nresize = 256\ncrop = 224",
                "cifar10-resnet50-ticket9-lp-all-seed4-69f356ce49",
            ),
            (
                "interpolation = 'bicubic'",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-c2057a82f9",
            ),
            (
                "mean = [0.5, 0.5, 0.5]\nstd = [0.25, 0.25, 0.25]",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-6fe5f4f672",
            ),
            (
                "method = 'lp'\ncheckpoint_key = 'teacher'",
                "cifar10-resnet50-ticket9-lp-all-seed4-4e73b63f54",
            ),
            (
                "source_classes = 10",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-f54a6aafba",
            ),
            (
                "masking = 'dropped'",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-fb68bcf060",
            ),
            (
                "skip_unreadable = 'all'",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-21f92874db",
            ),
            (
                "skip_unreadable = 3",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-9b0af618fa",
            ),
            (
                "precision = 'f32'",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-0d4037b967",
            ),
            (
                "precision = 'bf16'",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-cc1d67f453",
            ),
            (
                "ece_values = 'logits'\nece_batches = 'batch-sum'",
                "cifar10-resnet50-ticket9-vp-ilm-all-seed4-c0ca7c7157",
            ),
        ];
        for (toml, want) in pinned {
            assert_eq!(id(toml), *want, "{toml}");
        }
    }
}
