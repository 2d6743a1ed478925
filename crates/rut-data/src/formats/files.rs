//! Images that are files below a folder, read when asked for.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::decode_bytes;
use crate::image_set::ImageSource;
use crate::{Digest, Error, ImageSet, Picture, Result};

/// The path of an image below the folder of images, and its label.
pub(crate) type Labelled = (String, u32);

/// Image files below `root`.
pub(crate) struct Files {
    /// The data set's folder; paths are shown relative to it.
    pub(crate) root: PathBuf,
    /// One path per image, with `root`.
    pub(crate) paths: Vec<PathBuf>,
}

impl Files {
    /// The set of these images in `folder` below `root`.
    pub(crate) fn labelled(root: &Path, folder: &str, images: Vec<Labelled>) -> Result<ImageSet> {
        let folder = root.join(folder);
        let (paths, labels) = images
            .into_iter()
            .map(|(path, label)| (folder.join(path), label))
            .unzip();
        let root = root.to_path_buf();
        ImageSet::new(Arc::new(Files { root, paths }), labels)
    }

    fn path(&self, index: usize) -> Result<&Path> {
        let len = self.paths.len();
        self.paths
            .get(index)
            .map(PathBuf::as_path)
            .ok_or(Error::IndexOutOfRange { index, len })
    }
}

impl ImageSource for Files {
    fn count(&self) -> usize {
        self.paths.len()
    }

    fn decode(&self, index: usize) -> Result<Picture> {
        let path = self.path(index)?;
        let bytes = fs::read(path).map_err(Error::io(path))?;
        decode_bytes(&bytes, &path.display().to_string())
    }

    fn name(&self, index: usize) -> String {
        let Some(path) = self.paths.get(index) else {
            return String::new();
        };
        path.strip_prefix(&self.root)
            .unwrap_or(path)
            .display()
            .to_string()
    }

    fn content(&self, index: usize) -> Result<Digest> {
        Digest::of_file(self.path(index)?)
    }
}
