//! The feature cache: one safetensors file per network, images and preprocessing, named for their content. A part file
//! (`part`) grows while a pass runs, so that a stopped extraction goes on where it was. It never decides what is
//! extracted.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rut_data::Digest;
use rut_formats::regular;
use rut_formats::seal::Seal;
use rut_formats::whole_file::{delete_left_behind, write_whole};
use rut_record::FeatureType;

use super::file::{self, FeatureShape, failed, remove};
use super::part::Part;
use super::{Extracted, Extractor, Rest, rows};
use crate::error::Result;
use crate::evaluate::Pass;
use crate::images::LabelledImages;
use crate::progress::{At, Reporter};

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
    /// Digests of the images one by one, in order, where the network's answer to an image does not depend on the images
    /// beside it: then features of the same images in other sets serve, too. Else empty.
    pub contents: Vec<Digest>,
}

impl FeatureKey {
    /// What all sets of images share under one network and preprocessing.
    fn family(&self, kept: FeatureType) -> String {
        let images = String::new();
        let any = Self {
            images,
            ..self.clone()
        };
        name_of(&any.text(kept))
    }

    /// Single precision is not named: its files are older than the choice.
    fn text(&self, kept: FeatureType) -> String {
        let Self {
            checkpoint,
            mask,
            network,
            images,
            preprocessing,
            contents: _,
        } = self;
        let kept = match kept {
            FeatureType::F32 => String::new(),
            other => format!("{}\n", other.name()),
        };
        format!("{VERSION}\n{checkpoint}\n{mask}\n{network}\n{images}\n{preprocessing}\n{kept}")
    }
}

/// Features that are requested, and what to extract them from if they are not cached.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// What they are kept under.
    pub key: &'a FeatureKey,
    /// The network and the transform.
    pub extractor: Extractor<'a>,
    /// The images.
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

    /// The features under `key`, if all of them are in the cache: of the same set of images, or each in some other set. Then
    /// neither network nor images are needed.
    pub fn find(&self, key: &FeatureKey, shape: FeatureShape) -> Option<Extracted> {
        let text = key.text(shape.kept);
        read_whole(&self.whole(&name_of(&text)), &text, shape).or_else(|| self.assemble(key, shape))
    }

    /// The finished file called `name`.
    fn whole(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.safetensors"))
    }

    /// The features under `key`, from one other set that holds all its images.
    fn assemble(&self, key: &FeatureKey, shape: FeatureShape) -> Option<Extracted> {
        if key.contents.is_empty() {
            return None;
        }
        let family = self.rows(key, shape.kept);
        let sets = rows::find(&family, &key.contents, |name| self.whole(name).exists());
        sets.into_iter().find_map(|set| {
            let images = FeatureShape {
                images: set.images,
                ..shape
            };
            let all = read_if(
                &self.whole(&set.name),
                |own| name_of(own) == set.name,
                images,
            )?;
            Some(all.select(&set.places))
        })
    }

    /// The folder of the indices by image.
    fn rows(&self, key: &FeatureKey, kept: FeatureType) -> PathBuf {
        self.dir.join("rows").join(key.family(kept))
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
        let shape = FeatureShape {
            images: images.len(),
            width: extractor.network.width(),
            classes: extractor.network.classes(),
            kept: extractor.kept,
        };
        let text = key.text(shape.kept);
        let name = name_of(&text);
        let whole = self.whole(&name);
        if let Some(found) = read_whole(&whole, &text, shape) {
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
        let mut part = Part::open(&part, shape, || {
            reporter.batch(waiting, || Ok((pass.state)()))
        })?;
        if let Some(found) = read_whole(&whole, &text, shape) {
            return Ok(found);
        }
        let mut all = part.read()?;
        let rest = Rest {
            images,
            from: all.len(),
        };
        extractor.extract_rest(&rest, pass, reporter, |features, logits| {
            all.push(features, logits)?;
            part.append(&all)
        })?;
        write_whole(&whole, &file::to_bytes(&all, &text)?).map_err(failed(&whole))?;
        if !key.contents.is_empty() {
            let family = self.rows(key, shape.kept);
            rows::keep(&family, &name, &key.contents)?;
        }
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
        delete_left_behind(&self.dir, |name| is_own(&self.dir.join(beginning(name))));
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

/// What the files of a key are called.
fn name_of(text: &str) -> String {
    Digest::of_bytes(text.as_bytes()).to_string()
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

/// The name of the file that a temporary one was to become.
fn beginning(name: &str) -> String {
    let parts: Vec<&str> = name.splitn(3, '.').collect();
    parts.iter().take(2).copied().collect::<Vec<_>>().join(".")
}

/// A finished file that fits, or `None`: whatever is wrong with it, extraction makes it again.
fn read_whole(path: &Path, key: &str, shape: FeatureShape) -> Option<Extracted> {
    read_if(path, |own| own == key, shape)
}

/// As [`read_whole`], of a file whose key `is` the right one.
fn read_if(path: &Path, is: impl Fn(&str) -> bool, shape: FeatureShape) -> Option<Extracted> {
    let bytes = regular::read(path, regular::ARCHIVE).ok()?;
    let found = match file::from_bytes(&bytes, is, shape) {
        Ok((found, Seal::None)) => {
            tracing::warn!(path = %path.display(), "a file of the feature cache has no checksum, since an earlier version wrote it: not checked");
            found
        }
        Ok((found, _)) => found,
        Err(problem) => {
            tracing::warn!(path = %path.display(), "a file of the feature cache {problem}: extracting again");
            return None;
        }
    };
    // The time of the last use; a cache that cannot be touched still serves.
    let _ = File::options()
        .append(true)
        .open(path)
        .and_then(|file| file.set_modified(std::time::SystemTime::now()));
    Some(found)
}
