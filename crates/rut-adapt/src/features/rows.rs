//! Which images the files of the cache hold, one by one: for every finished file, the digests of its images in order. It
//! is an index and nothing more; a file of it that is lost or broken costs an extraction.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use rut_data::Digest;
use rut_formats::regular;
use rut_formats::whole_file::write_whole;

use super::file::{failed, remove};
use crate::error::Result;

/// Bytes of a digest.
const DIGEST: usize = 32;

/// The name of a finished file that holds all images that were asked for.
#[derive(Debug)]
pub(super) struct Set {
    /// Its name without its ending.
    pub(super) name: String,
    /// How many images it holds.
    pub(super) images: usize,
    /// Which of its rows were asked for.
    pub(super) places: Vec<usize>,
}

/// Notes in the folder `family` which images the finished file `name` holds.
pub(super) fn keep(family: &Path, name: &str, contents: &[Digest]) -> Result<()> {
    fs::create_dir_all(family).map_err(failed(family))?;
    let bytes: Vec<u8> = contents
        .iter()
        .flat_map(|digest| *digest.as_bytes())
        .collect();
    let path = family.join(name);
    write_whole(&path, &bytes).map_err(failed(&path))
}

/// The files that the folder `family` knows to hold all of `contents`, in the order of their names. What is noted of files
/// that are not there any more, as `exists` says, is forgotten.
pub(super) fn find(family: &Path, contents: &[Digest], exists: impl Fn(&str) -> bool) -> Vec<Set> {
    let Ok(entries) = fs::read_dir(family) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    let sets = names.into_iter().filter_map(|name| {
        let path = family.join(&name);
        if !exists(&name) {
            // Left behind when the cache was shrunk. If it cannot be deleted, it is only checked again.
            let _ = remove(&path);
            return None;
        }
        holding(
            name,
            &regular::read(&path, regular::ARCHIVE).ok()?,
            contents,
        )
    });
    sets.collect()
}

fn holding(name: String, bytes: &[u8], contents: &[Digest]) -> Option<Set> {
    let (rows, rest) = bytes.as_chunks::<DIGEST>();
    if !rest.is_empty() || rows.is_empty() {
        return None;
    }
    let places: HashMap<&[u8; DIGEST], usize> =
        rows.iter().enumerate().map(|(i, row)| (row, i)).collect();
    let place = |digest: &Digest| places.get(digest.as_bytes()).copied();
    let places = contents.iter().map(place).collect::<Option<_>>()?;
    let images = rows.len();
    Some(Set {
        name,
        images,
        places,
    })
}
