//! What a run writes down of its network, kept beside the feature cache, so that a probe of cached features need not load
//! it. Only what its weights alone decide is kept; what computes it is `network`'s.

use std::path::{Path, PathBuf};

use rut_data::Digest;
use rut_models::{DensityReport, LayerDensity};
use serde::{Deserialize, Serialize};

use crate::run_dir::write_whole;

/// The layout of a file; one of another is not found.
const VERSION: u32 = 1;

/// Which network, by content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FactsKey<'a> {
    /// Name in the table.
    pub(crate) model: &'a str,
    /// Number of source classes.
    pub(crate) classes: usize,
    /// SHA-256 of the checkpoint.
    pub(crate) checkpoint: &'a str,
    /// SHA-256 of the mask.
    pub(crate) mask: Option<&'a str>,
}

/// What a file holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    key: String,
    layers: Vec<LayerDensity>,
}

impl FactsKey<'_> {
    fn text(&self) -> String {
        let mask = self.mask.unwrap_or("none");
        format!(
            "version {VERSION} {} {} {} {mask}",
            self.model, self.classes, self.checkpoint
        )
    }

    fn path(&self, cache_dir: &Path) -> PathBuf {
        let name = Digest::of_bytes(self.text().as_bytes());
        cache_dir.join("networks").join(format!("{name}.json"))
    }

    /// What is kept of the network. Whatever is wrong with the file, loading the network makes it again.
    pub(crate) fn find(&self, cache_dir: &Path) -> Option<DensityReport> {
        let text = std::fs::read_to_string(self.path(cache_dir)).ok()?;
        let facts: Facts = serde_json::from_str(&text).ok()?;
        (facts.key == self.text()).then(|| DensityReport::of(facts.layers))
    }

    /// Keeps what is known of the network. A cache that cannot be written costs the next run a load, and nothing else.
    pub(crate) fn keep(&self, cache_dir: &Path, density: &DensityReport) {
        let path = self.path(cache_dir);
        let facts = Facts {
            key: self.text(),
            layers: density.layers.clone(),
        };
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let kept = folder
            .map_err(|error| error.to_string())
            .and_then(|()| serde_json::to_vec(&facts).map_err(|error| error.to_string()))
            .and_then(|bytes| write_whole(&path, &bytes).map_err(|error| error.to_string()));
        if let Err(reason) = kept {
            tracing::debug!(path = %path.display(), reason, "the network's facts are not kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_found_by_content_only() {
        let dir = tempfile::tempdir().unwrap();
        let key = FactsKey {
            model: "resnet18",
            classes: 10,
            checkpoint: "c",
            mask: None,
        };
        let layer = LayerDensity {
            name: "conv1.weight".into(),
            shape: vec![2, 2],
            kept: 1,
            total: 4,
            masked: true,
            role: rut_models::LayerRole::Body,
        };
        let density = DensityReport::of(vec![layer]);
        assert!(key.find(dir.path()).is_none());
        key.keep(dir.path(), &density);
        assert_eq!(key.find(dir.path()), Some(density));
        let masked = FactsKey {
            mask: Some("m"),
            ..key
        };
        assert!(masked.find(dir.path()).is_none());
        std::fs::write(key.path(dir.path()), "{").unwrap();
        assert!(key.find(dir.path()).is_none());
    }
}
