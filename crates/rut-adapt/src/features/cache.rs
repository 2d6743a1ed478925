//! The feature cache: one safetensors file per network, images and preprocessing, named for their content. A part file
//! (`part`) grows while a pass runs, so that a stopped extraction goes on where it was. It never decides what is
//! extracted.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use rut_data::Digest;

use super::part::Part;
use super::{Extracted, Extractor, Rest};
use crate::error::{Error, Result};
use crate::evaluate::Pass;
use crate::images::LabelledImages;
use crate::progress::{At, Reporter};
use crate::state::{deserialize, serialize};
use crate::whole_file::write_whole;

const KEY: &str = "rut.features";
/// Part of every key: a new layout, or a new meaning of a field, finds no old file.
const VERSION: &str = "version 1";

/// Everything that features depend on, by content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureKey {
    /// SHA-256 of the checkpoint.
    pub checkpoint: String,
    /// SHA-256 of the mask, or `none`.
    pub mask: String,
    /// Model, class count, engine and instruction set.
    pub network: String,
    /// Digest of images and their order.
    pub images: String,
    /// Resizing and normalisation.
    pub preprocessing: String,
}

impl FeatureKey {
    fn text(&self) -> String {
        let Self {
            checkpoint,
            mask,
            network,
            images,
            preprocessing,
        } = self;
        format!("{VERSION}\n{checkpoint}\n{mask}\n{network}\n{images}\n{preprocessing}\n")
    }
}

/// Features that are wanted, and what they are extracted from where nobody did yet.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// What they are kept under.
    pub key: &'a FeatureKey,
    /// Whose they are.
    pub extractor: Extractor<'a>,
    /// Of which images.
    pub images: &'a dyn LabelledImages,
}

/// A folder of extracted features that is kept below a size.
#[derive(Clone, Debug)]
pub struct FeatureCache {
    dir: PathBuf,
    cap: u64,
}

impl FeatureCache {
    /// A cache in the folder `features` of `dir` (made when it is first written to). When it holds more than `cap` bytes,
    /// the files used longest ago go first; the one just written stays, whatever its size.
    pub fn new(dir: &Path, cap: u64) -> Self {
        Self {
            dir: dir.join("features"),
            cap,
        }
    }

    /// The features that are `wanted`: from the cache, or extracted and kept. `pass` says where a loop goes on that is
    /// stopped meanwhile.
    ///
    /// Two processes that want the same features wait for one another, so that they are extracted once.
    ///
    /// # Errors
    /// If the cache cannot be written, an image cannot be read, the network fails, or the observer stops the pass; what
    /// was extracted by then is kept and used the next time.
    pub fn get(
        &self,
        wanted: &Wanted<'_>,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<Extracted> {
        let &Wanted {
            key,
            extractor,
            images,
        } = wanted;
        let name = Digest::of_bytes(key.text().as_bytes()).to_string();
        let whole = self.dir.join(format!("{name}.safetensors"));
        if let Some(found) = read_whole(&whole, wanted) {
            return Ok(found);
        }
        fs::create_dir_all(&self.dir).map_err(failed(&self.dir))?;
        let waiting = At {
            phase: pass.phase,
            done: 0,
            total: images.len(),
            step: pass.step,
        };
        let part = self.dir.join(format!("{name}.part"));
        let mut part = Part::open(&part, extractor.network, || {
            reporter.batch(waiting, pass.state)
        })?;
        if let Some(found) = read_whole(&whole, wanted) {
            return Ok(found);
        }
        let mut all = part.read(images.len())?;
        let rest = Rest {
            images,
            from: all.len(),
        };
        extractor.extract_rest(&rest, pass, reporter, |features, logits| {
            all.features.extend(features);
            all.logits.extend(logits);
            part.append(features, logits)
        })?;
        write_features(&whole, key, &all)?;
        part.delete()?;
        self.shrink(&whole)?;
        Ok(all)
    }

    /// Deletes the files used longest ago until the cache fits, but never `keep`, and nothing that is not the cache's own.
    fn shrink(&self, keep: &Path) -> Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.dir)
            .map_err(failed(&self.dir))?
            .flatten()
        {
            let path = entry.path();
            if is_own(&path)
                && let Ok(about) = entry.metadata()
                && let Ok(used) = about.modified()
            {
                files.push((used, about.len(), path));
            }
        }
        files.sort();
        let mut size: u64 = files.iter().map(|(_, size, _)| size).sum();
        for (_, bytes, path) in files.into_iter().filter(|(_, _, path)| path != keep) {
            if size <= self.cap {
                break;
            }
            tracing::debug!(path = %path.display(), bytes, "feature cache is over its cap: deleting");
            remove(&path)?;
            size -= bytes;
        }
        Ok(())
    }
}

/// Whether a file is one that the cache made: 64 hexadecimal digits and an ending of its own.
fn is_own(path: &Path) -> bool {
    let part = |part: Option<&std::ffi::OsStr>| {
        part.and_then(|part| part.to_str())
            .unwrap_or_default()
            .to_owned()
    };
    let (stem, ending) = (part(path.file_stem()), part(path.extension()));
    stem.len() == 64
        && stem.bytes().all(|b| b.is_ascii_hexdigit())
        && ["safetensors", "part"].contains(&ending.as_str())
}

/// Deletes a file; another process may have been faster.
pub(super) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(path)(error)),
        _ => Ok(()),
    }
}

/// A finished file that fits, or `None`: whatever is wrong with it, extraction makes it again.
fn read_whole(path: &Path, wanted: &Wanted<'_>) -> Option<Extracted> {
    let (images, network) = (wanted.images.len(), wanted.extractor.network);
    let bytes = fs::read(path).ok()?;
    let (tensors, text) = deserialize(&bytes, KEY).ok()?;
    let values = |name: &str, width: usize| {
        let tensor: &Tensor = tensors
            .get(name)
            .filter(|tensor| tensor.dims() == [images, width])?;
        tensor.flatten_all().ok()?.to_vec1::<f32>().ok()
    };
    let features = values("features", network.width());
    let logits = values("logits", network.classes());
    let (Some(features), Some(logits), true) = (features, logits, text == wanted.key.text()) else {
        tracing::warn!(path = %path.display(), "a file of the feature cache does not fit its key: extracting again");
        return None;
    };
    // The time of the last use; a cache that cannot be touched still serves.
    let _ = File::options()
        .append(true)
        .open(path)
        .and_then(|file| file.set_modified(std::time::SystemTime::now()));
    Some(Extracted {
        features,
        logits,
        width: network.width(),
        classes: network.classes(),
    })
}

fn write_features(path: &Path, key: &FeatureKey, all: &Extracted) -> Result<()> {
    let tensor =
        |values: &[f32], width: usize| Tensor::from_slice(values, (all.len(), width), &Device::Cpu);
    let tensors = BTreeMap::from([
        ("features".to_owned(), tensor(&all.features, all.width)?),
        ("logits".to_owned(), tensor(&all.logits, all.classes)?),
    ]);
    write_whole(path, &serialize(&tensors, KEY, &key.text())?).map_err(failed(path))
}

pub(super) fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Cache { path, source }
}
