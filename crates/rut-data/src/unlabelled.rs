//! Images without labels: files named one by one, or all those in a folder. Every label is 0.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::formats::class_folders::images;
use crate::formats::files::Files;
use crate::{ImageSet, Result};

/// The image files that `path` stands for: itself, or all of a folder and the folders in it, sorted.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) if a folder cannot be read.
pub fn image_files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_dir() {
        images(path)
    } else {
        Ok(vec![path.to_owned()])
    }
}

impl ImageSet {
    /// The images in `files`, in that order. Nothing is read yet.
    ///
    /// # Errors
    /// None now; decoding a file that is missing or no image fails and names it.
    pub fn from_files(files: &[PathBuf]) -> Result<ImageSet> {
        let source = Files {
            root: PathBuf::new(),
            paths: files.to_vec().into(),
        };
        ImageSet::new(Arc::new(source), vec![0; files.len()])
    }

    /// All images in `folder` and the folders in it, sorted by path.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if a folder cannot be read.
    pub fn from_folder(folder: &Path) -> Result<ImageSet> {
        let paths = images(folder)?;
        let labels = vec![0; paths.len()];
        ImageSet::new(
            Arc::new(Files {
                root: folder.to_owned(),
                paths: paths.into(),
            }),
            labels,
        )
    }
}
