//! What a run writes down of its network, kept beside the feature cache, so that a probe of cached features need not load
//! it. Only what its weights alone decide is kept; what computes it is `network`'s.

use std::path::{Path, PathBuf};

use rut_data::Digest;
use rut_formats::seal::Seal;
use rut_models::{DensityReport, LayerDensity};
use rut_record::{KeysRecord, sealed, text_file, write_whole};
use serde::{Deserialize, Serialize};

use crate::network::How;

/// The layout of a file; one of another is not found.
const VERSION: u32 = 2;

/// Which network, by content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FactsKey<'a> {
    /// Name in the table.
    pub(crate) model: &'a str,
    /// Number of source classes, where it was asked for.
    pub(crate) classes: Option<usize>,
    /// SHA-256 of the checkpoint.
    pub(crate) checkpoint: &'a str,
    /// Under which key of it, where that was asked for.
    pub(crate) checkpoint_key: Option<&'a str>,
    /// How it is read.
    pub(crate) how: How,
    /// SHA-256 of the mask.
    pub(crate) mask: Option<&'a str>,
}

/// What a file holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    key: String,
    known: Known,
}

/// What is known of a network's weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    /// Its layers.
    pub(crate) layers: Vec<LayerDensity>,
    /// Number of source classes, if it has a classifier.
    pub(crate) classes: Option<usize>,
    /// What of the checkpoint's keys it is.
    pub(crate) keys: KeysRecord,
}

impl Known {
    /// How dense it is.
    pub(crate) fn density(&self) -> DensityReport {
        DensityReport::of(self.layers.clone())
    }
}

impl FactsKey<'_> {
    fn text(&self) -> String {
        let mask = self.mask.unwrap_or("none");
        let How { rule, classifier } = self.how;
        format!(
            "version {VERSION} {} {:?} {} {:?} {rule:?} {classifier:?} {mask}",
            self.model, self.classes, self.checkpoint, self.checkpoint_key
        )
    }

    fn path(&self, cache_dir: &Path) -> PathBuf {
        let name = Digest::of_bytes(self.text().as_bytes());
        cache_dir.join("networks").join(format!("{name}.json"))
    }

    /// What is kept of the network. Whatever is wrong with the file, loading the network makes it again.
    pub(crate) fn find(&self, cache_dir: &Path) -> Option<Known> {
        let text = text_file::read_json(&self.path(cache_dir)).ok()?;
        let (text, Seal::Whole) = sealed::from_bytes(text.into_bytes()).ok()? else {
            return None;
        };
        let facts: Facts = serde_json::from_str(&text).ok()?;
        (facts.key == self.text()).then_some(facts.known)
    }

    /// Keeps what is known of the network. A cache that cannot be written costs the next run a load, and nothing else.
    pub(crate) fn keep(&self, cache_dir: &Path, known: Known) {
        let path = self.path(cache_dir);
        let facts = Facts {
            key: self.text(),
            known,
        };
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let kept = folder
            .map_err(|error| error.to_string())
            .and_then(|()| sealed::to_text(&facts, 1))
            .and_then(|text| write_whole(&path, text.as_bytes()).map_err(|e| e.to_string()));
        if let Err(reason) = kept {
            tracing::debug!(path = %path.display(), reason, "the network's facts are not kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use rut_record::KeyRule;

    use super::*;

    #[test]
    fn facts_are_found_by_content_only() {
        let dir = tempfile::tempdir().unwrap();
        let key = FactsKey {
            model: "resnet18",
            classes: None,
            checkpoint: "c",
            checkpoint_key: None,
            how: How {
                rule: KeyRule::Fitting,
                classifier: rut_models::Classifier::Optional,
            },
            mask: None,
        };
        let layer = LayerDensity {
            name: "conv1.weight".into(),
            shape: vec![2, 2],
            kept: 1,
            total: 4,
            zeros: 0,
            hidden: 0,
            masked: true,
            role: rut_models::LayerRole::Body,
        };
        let known = Known {
            layers: vec![layer],
            classes: Some(10),
            keys: KeysRecord::default(),
        };
        assert!(key.find(dir.path()).is_none());
        key.keep(dir.path(), known.clone());
        assert_eq!(key.find(dir.path()), Some(known));
        let masked = FactsKey {
            mask: Some("m"),
            ..key
        };
        assert!(masked.find(dir.path()).is_none());
        let elsewhere = FactsKey {
            checkpoint_key: Some("ema"),
            ..key
        };
        assert!(elsewhere.find(dir.path()).is_none());
        std::fs::write(key.path(dir.path()), "{").unwrap();
        assert!(key.find(dir.path()).is_none());
    }
}
