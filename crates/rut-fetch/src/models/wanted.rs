//! Weights that a person asked for: where they are published, and where they are stored.

use std::fs;
use std::path::PathBuf;

use super::hub_file::HubFile;
use super::selection::Selected;
use super::sheet::Sheet;
use crate::digest::{Digests, Expected};
use crate::hub::Hub;
use crate::lock::Entry;
use crate::session::Session;

/// Published weights, and where they go.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What a person calls them.
    pub title: String,
    /// The model of the table that they are for.
    pub model: Option<&'static str>,
    /// How they were trained.
    pub recipe: Option<&'static str>,
    /// Name in `LOCK.json`.
    pub name: String,
    /// Name below `.downloads`.
    pub file: String,
    /// Where they are published.
    pub url: String,
    /// The first digits of their SHA-256.
    pub sha256_prefix: Option<&'static str>,
    /// Name of the safetensors file.
    pub target: String,
    /// Arguments of `rut fetch` that ask for them.
    pub arguments: String,
    /// The file of the hub that they are.
    pub hub_file: Option<HubFile>,
}

impl Wanted {
    /// Weights of the table. They keep the name that they are published under, by which `--network dense --model MODEL`
    /// finds them.
    pub fn of_table(selected: Selected) -> Self {
        let Selected { model, weights } = selected;
        let file = weights.url.rsplit('/').next().unwrap_or(weights.url);
        Self {
            title: format!("{} {}", model.name, weights.name),
            model: Some(model.name),
            recipe: Some(weights.recipe),
            name: file.to_owned(),
            file: file.to_owned(),
            url: weights.url.to_owned(),
            sha256_prefix: Some(weights.sha256_prefix),
            target: format!("{}.safetensors", weights.stem()),
            arguments: format!("--models {}:{}", model.name, weights.name),
            hub_file: None,
        }
    }

    /// A file of the hub.
    pub fn of_hub(file: HubFile, hub: &Hub) -> Self {
        Self {
            title: file.name(),
            model: None,
            recipe: None,
            name: file.name(),
            file: file.file(),
            url: file.url(hub),
            sha256_prefix: None,
            target: format!("{}.safetensors", file.stem()),
            arguments: format!("--hf {}", file.name()),
            hub_file: Some(file),
        }
    }

    pub(super) fn target(&self, session: &Session) -> PathBuf {
        session.options.checkpoints_dir.join(&self.target)
    }

    pub(super) fn expected<'a>(&self, entry: Option<&'a Entry>) -> Expected<'a> {
        Expected {
            sha256_prefix: self.sha256_prefix,
            locked: entry.map(|entry| entry.sha256.as_str()),
            ..Expected::default()
        }
    }

    /// Whether the weights are there, and made of the file that is expected today.
    pub(super) fn done(&self, expected: &Expected<'_>, session: &Session) -> bool {
        let target = self.target(session);
        Sheet::read(&target.with_extension("json")).is_some_and(|sheet| {
            let is_whole = fs::metadata(&target).is_ok_and(|there| there.len() == sheet.bytes);
            is_whole && digests(&sheet).objection(expected).is_none()
        })
    }
}

/// What the source of converted weights was; its MD5 is not kept.
pub(super) fn digests(sheet: &Sheet) -> Digests {
    Digests {
        md5: String::new(),
        sha256: sheet.source.sha256.clone(),
        bytes: sheet.source.bytes,
    }
}
