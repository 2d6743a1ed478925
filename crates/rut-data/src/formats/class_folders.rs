//! Folders of class folders, as torchvision's `ImageFolder` walks them: class folders sorted by
//! name, in each the image files of all folders below, sorted by folder and then by file name.
//! An image file is one with a known ending. Unlike there, names that begin with a dot are
//! skipped (`.DS_Store`, `.ipynb_checkpoints`).

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rut_formats::{escape, regular};

use super::files::Files;
use crate::{Error, ImageSet, Result};

/// Endings of image files, in lowercase: torchvision's list. Files of the formats that cannot be
/// read are kept, so that decoding names them and they are not skipped silently.
static ENDINGS: &[&str] = &[
    "jpg", "jpeg", "png", "ppm", "bmp", "pgm", "pbm", "pnm", "tif", "tiff", "webp", "gif",
];
/// What an image is, in messages.
pub(crate) const IMAGES: &str =
    "images (files that end in .jpg, .png, .gif, .webp, .tif, .bmp, .ppm or .pgm)";
/// Folders in folders; more than this is a link that leads back.
const MAX_DEPTH: usize = 32;

/// Names of the folders in `root`, sorted.
pub(crate) fn class_names(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for path in entries(root)? {
        if path.is_dir() {
            names.push(utf8_name(&path)?.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Whether image files stand in `folder` itself.
pub(crate) fn has_images(folder: &Path) -> Result<bool> {
    let is_image = |path: &PathBuf| has_image_ending(path) && !path.is_dir();
    Ok(entries(folder)?.iter().any(is_image))
}

/// The image files below `folder`, sorted.
pub(crate) fn images(folder: &Path) -> Result<Vec<PathBuf>> {
    files(folder, has_image_ending)
}

/// The other files below `folder`, sorted.
pub(crate) fn other_files(folder: &Path) -> Result<Vec<PathBuf>> {
    files(folder, |path| !has_image_ending(path))
}

/// What a folder without images holds instead, for messages: one of its files, and what kind that is.
pub(crate) fn instead(folder: &Path) -> Result<String> {
    let others = other_files(folder)?;
    let Some(first) = others.first() else {
        return Ok("none; add some or remove the folder".to_owned());
    };
    let mut start = Vec::new();
    // A file that cannot be read is named without its kind.
    if let Ok(file) = regular::open(first, regular::IMAGE) {
        _ = file.take(512).read_to_end(&mut start);
    }
    let kind = rut_images::kind(&start).map(|kind| format!(" ({kind})"));
    let name = first.strip_prefix(folder).unwrap_or(first);
    Ok(format!(
        "none; add some or remove the folder: {} other files, such as '{}'{}, are not read",
        others.len(),
        escape(name),
        kind.unwrap_or_default()
    ))
}

/// The files below `folder` that are `wanted`, sorted.
fn files(folder: &Path, wanted: fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    walk(folder, 0, wanted, &mut found)?;
    found.sort_unstable_by(|a, b| sort_key(a).cmp(&sort_key(b)));
    Ok(found)
}

/// The images of these class folders in `folder` below `root`, with the places of their classes in
/// `names` for labels.
///
/// # Errors
/// [`Error::BadFolder`] if there is no class or one has no images; [`Error::Io`].
pub(crate) fn read(root: &Path, folder: &str, names: &[String]) -> Result<ImageSet> {
    let refuse_none = |path: &Path, none: bool| {
        if none {
            Err(Error::BadFolder {
                path: path.to_path_buf(),
                expected: "folders of classes and images in each".to_owned(),
                found: "none; unpack or copy the data set again".to_owned(),
            })
        } else {
            Ok(())
        }
    };
    let folder = root.join(folder);
    refuse_none(&folder, names.is_empty())?;
    let (mut paths, mut labels) = (Vec::new(), Vec::new());
    for (label, name) in names.iter().enumerate() {
        let class = folder.join(name);
        let found = images(&class)?;
        refuse_none(&class, found.is_empty())?;
        labels.extend(found.iter().map(|_| label as u32));
        paths.extend(found);
    }
    let root = root.to_path_buf();
    ImageSet::new(
        Arc::new(Files {
            root,
            paths: paths.into(),
        }),
        labels,
    )
}

/// The bytes of the parent's path and of the file's name: a folder's own files come before those
/// of its folders, as in the sorted `os.walk`.
fn sort_key(path: &Path) -> (&[u8], &[u8]) {
    let parent = path.parent().unwrap_or(Path::new("")).as_os_str();
    (
        parent.as_encoded_bytes(),
        path.file_name().unwrap_or_default().as_encoded_bytes(),
    )
}

fn walk(
    folder: &Path,
    depth: usize,
    wanted: fn(&Path) -> bool,
    found: &mut Vec<PathBuf>,
) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(Error::BadFolder {
            path: folder.to_path_buf(),
            expected: format!("at most {MAX_DEPTH} folders in each other"),
            found: "more; remove links that lead back".to_owned(),
        });
    }
    for path in entries(folder)? {
        if path.is_dir() {
            walk(&path, depth + 1, wanted, found)?;
        } else if wanted(&path) {
            found.push(path);
        }
    }
    Ok(())
}

/// What is in a folder, unsorted, without hidden names.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        let name = path.file_name().unwrap_or_default();
        if !name.as_encoded_bytes().starts_with(b".") {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn has_image_ending(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.to_ascii_lowercase().as_str()))
}

fn utf8_name(path: &Path) -> Result<&str> {
    path.file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| Error::BadFolder {
            path: path.to_path_buf(),
            expected: "a class folder with a name in UTF-8".to_owned(),
            found: "other bytes; rename it".to_owned(),
        })
}
