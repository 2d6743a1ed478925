//! Weights that a person asked for: where they are published, and what becomes of them.

use std::fs;
use std::path::{Path, PathBuf};

use rut_models::find_ticket;

use super::super::digest::{Digests, Expected};
use super::super::lock::Entry;
use super::super::session::Session;
use super::hub::{Hub, HubFile};
use super::selection::Selected;
use super::sheet::Sheet;

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
    /// Arguments of `fetch-data` that ask for them.
    pub arguments: String,
    /// The file of the hub that they are.
    pub hub: Option<(Hub, HubFile)>,
}

impl Wanted {
    /// Weights of the table. `--network dense --model MODEL` finds them by their name, unless the folder has another dense
    /// checkpoint of the model that did not come from here: then they get a name that is not searched for.
    pub fn of_table(selected: Selected, session: &Session) -> Self {
        let Selected { model, weights } = selected;
        let file = weights.url.rsplit('/').next().unwrap_or(weights.url);
        let stem = format!("{}_{}", model.name, weights.name);
        let searched = format!("{stem}_0_checkpoint.safetensors");
        let target = if has_other(&session.options.checkpoints_dir, model.name, &searched) {
            format!("{stem}.safetensors")
        } else {
            searched
        };
        Self {
            title: format!("{} {}", model.name, weights.name),
            model: Some(model.name),
            recipe: Some(weights.recipe),
            name: file.to_owned(),
            file: file.to_owned(),
            url: weights.url.to_owned(),
            sha256_prefix: Some(weights.sha256_prefix),
            target,
            arguments: format!("--models {}:{}", model.name, weights.name),
            hub: None,
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
            hub: Some((hub.clone(), file)),
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

    /// The sheet of what was converted, if it is of the file that is expected today, and the weights are there.
    pub(super) fn done(&self, expected: &Expected<'_>, session: &Session) -> Option<Sheet> {
        let target = self.target(session);
        let sheet = Sheet::read(&target.with_extension("json"))?;
        let is_whole = fs::metadata(&target).is_ok_and(|there| there.len() == sheet.bytes);
        (is_whole && digests(&sheet).objection(expected).is_none()).then_some(sheet)
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

/// Whether `folder` has a dense checkpoint of `model` that no sheet belongs to and that is not called `own`.
fn has_other(folder: &Path, model: &str, own: &str) -> bool {
    find_ticket(folder, model, 0).is_ok_and(|found| {
        let is_own = found.checkpoint.file_name().is_some_and(|name| name == own);
        !is_own && Sheet::read(&found.checkpoint.with_extension("json")).is_none()
    })
}
