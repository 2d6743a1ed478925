//! The feature cache: one safetensors file per network, images and preprocessing, named for their content. A part file
//! grows while a pass runs, so that a stopped extraction goes on where it was. It never decides what is extracted.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use candle_core::{Device, Tensor};
use rut_data::Digest;
use rut_models::FrozenNetwork;

use super::{Extracted, Extractor, Rest};
use crate::error::{Error, Result};
use crate::evaluate::{PASS_BATCH, Pass};
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

    /// The features of `key`: from the cache, or extracted from `images` and kept. `pass` says where a loop goes on that is
    /// stopped meanwhile.
    ///
    /// Two processes that want the same features wait for one another, so that they are extracted once.
    ///
    /// # Errors
    /// If the cache cannot be written, an image cannot be read, the network fails, or the observer stops the pass; what
    /// was extracted by then is kept and used the next time.
    pub fn get(
        &self,
        key: &FeatureKey,
        extractor: Extractor<'_>,
        images: &dyn LabelledImages,
        pass: &Pass<'_>,
        reporter: &mut Reporter<'_>,
    ) -> Result<Extracted> {
        let network = extractor.network;
        let name = Digest::of_bytes(key.text().as_bytes()).to_string();
        let whole = self.dir.join(format!("{name}.safetensors"));
        if let Some(found) = read_whole(&whole, key, images.len(), network) {
            return Ok(found);
        }
        fs::create_dir_all(&self.dir).map_err(failed(&self.dir))?;
        let wait = |reporter: &mut Reporter<'_>| {
            let (phase, total) = (pass.phase, images.len());
            reporter.batch(
                At {
                    phase,
                    done: 0,
                    total,
                    step: pass.step,
                },
                pass.state,
            )
        };
        let mut part = Part::open(&self.dir.join(format!("{name}.part")), network, || {
            wait(reporter)
        })?;
        if let Some(found) = read_whole(&whole, key, images.len(), network) {
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
        remove(&part.path)?;
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
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(path)(error)),
        _ => Ok(()),
    }
}

/// A finished file that fits, or `None`: whatever is wrong with it, extraction makes it again.
fn read_whole(
    path: &Path,
    key: &FeatureKey,
    images: usize,
    network: &dyn FrozenNetwork,
) -> Option<Extracted> {
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
    let (Some(features), Some(logits), true) = (features, logits, text == key.text()) else {
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

/// The growing file of an extraction that is not finished: rows of features then logits, little-endian f32. Its lock is
/// held as long as it is open.
struct Part {
    file: File,
    path: PathBuf,
    width: usize,
    classes: usize,
}

impl Part {
    /// Opens and locks the file. While another process has the lock, `wait` is called, and may end the waiting.
    fn open(
        path: &Path,
        network: &dyn FrozenNetwork,
        mut wait: impl FnMut() -> Result<()>,
    ) -> Result<Self> {
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path);
            let file = file.map_err(failed(path))?;
            while let Err(TryLockError::WouldBlock) = file.try_lock() {
                wait()?;
                std::thread::sleep(Duration::from_millis(200));
            }
            // Who had the lock may have finished and deleted the file. Where locks are unknown, all go on without.
            if path.exists() {
                return Ok(Self {
                    file,
                    path: path.into(),
                    width: network.width(),
                    classes: network.classes(),
                });
            }
        }
    }

    /// The whole batches that are there, at most `images` rows; what a crash cut off is dropped. Batches are kept together,
    /// for the last bits of a row depend on the rows computed beside it.
    fn read(&mut self, images: usize) -> Result<Extracted> {
        let mut bytes = Vec::new();
        self.file
            .read_to_end(&mut bytes)
            .map_err(failed(&self.path))?;
        let row = (self.width + self.classes) * size_of::<f32>();
        let whole = (bytes.len() / row).min(images);
        let rows = if whole == images {
            whole
        } else {
            whole / PASS_BATCH * PASS_BATCH
        };
        self.file
            .set_len((rows * row) as u64)
            .map_err(failed(&self.path))?;
        self.file
            .seek(SeekFrom::End(0))
            .map_err(failed(&self.path))?;
        let mut all = Extracted::new(self.width, self.classes);
        for row in bytes[..rows * row].chunks_exact(row) {
            let mut values = row
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            all.features.extend(values.by_ref().take(self.width));
            all.logits.extend(values);
        }
        Ok(all)
    }

    fn append(&mut self, features: &[f32], logits: &[f32]) -> Result<()> {
        let mut bytes = Vec::with_capacity(size_of_val(features) + size_of_val(logits));
        for (features, logits) in features
            .chunks_exact(self.width)
            .zip(logits.chunks_exact(self.classes))
        {
            bytes.extend(
                features
                    .iter()
                    .chain(logits)
                    .flat_map(|value| value.to_le_bytes()),
            );
        }
        self.file.write_all(&bytes).map_err(failed(&self.path))
    }
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Cache { path, source }
}
