//! Images that are files below a folder, read when asked for.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rut_formats::{Texts, regular};
use rut_images::Picture;

use crate::image_set::ImageSource;
use crate::{Digest, Error, ImageSet, Result};

/// The path of an image below the folder of images, and its label.
pub(crate) type Labelled = (String, u32);

/// Paths of images, with the root of their data set.
pub(crate) enum Paths {
    /// One by one, as folders give them.
    Each(Vec<PathBuf>),
    /// Below a folder, as lists name them; absolute ones are where they say.
    Below {
        /// The folder.
        folder: PathBuf,
        /// What follows it.
        names: Texts,
    },
}

impl Paths {
    /// How many there are.
    fn len(&self) -> usize {
        match self {
            Paths::Each(paths) => paths.len(),
            Paths::Below { names, .. } => names.len(),
        }
    }

    /// Path number `index`.
    fn get(&self, index: usize) -> Option<Cow<'_, Path>> {
        match self {
            Paths::Each(paths) => paths.get(index).map(|path| Cow::Borrowed(path.as_path())),
            Paths::Below { folder, names } => {
                names.get(index).map(|name| Cow::Owned(folder.join(name)))
            }
        }
    }
}

impl From<Vec<PathBuf>> for Paths {
    fn from(paths: Vec<PathBuf>) -> Paths {
        Paths::Each(paths)
    }
}

/// Image files below `root`.
pub(crate) struct Files {
    /// The data set's folder; paths are shown relative to it.
    pub(crate) root: PathBuf,
    /// One path per image, with `root`.
    pub(crate) paths: Paths,
}

impl Files {
    /// The set of these images in `folder` below `root`.
    pub(crate) fn labelled(root: &Path, folder: &str, images: Vec<Labelled>) -> Result<ImageSet> {
        let mut names = Texts::default();
        let add = |(path, label): Labelled| {
            names.push(&path);
            label
        };
        let labels = images.into_iter().map(add).collect();
        Files::below(root, root.join(folder), names, labels)
    }

    /// The set of the images of these names in `folder`, with their labels.
    pub(crate) fn below(
        root: &Path,
        folder: PathBuf,
        names: Texts,
        labels: Vec<u32>,
    ) -> Result<ImageSet> {
        let root = root.to_path_buf();
        let paths = Paths::Below { folder, names };
        ImageSet::new(Arc::new(Files { root, paths }), labels)
    }

    fn path(&self, index: usize) -> Result<Cow<'_, Path>> {
        let len = self.paths.len();
        self.paths
            .get(index)
            .ok_or(Error::IndexOutOfRange { index, len })
    }
}

impl ImageSource for Files {
    fn count(&self) -> usize {
        self.paths.len()
    }

    fn decode(&self, index: usize) -> Result<Picture> {
        let path = self.path(index)?;
        let bytes = regular::read(&path, regular::IMAGE).map_err(Error::io(&path))?;
        rut_images::decode(&bytes).map_err(Error::image(|| path.display().to_string()))
    }

    fn name(&self, index: usize) -> String {
        let Some(path) = self.paths.get(index) else {
            return String::new();
        };
        path.strip_prefix(&self.root)
            .unwrap_or(&path)
            .display()
            .to_string()
    }

    fn content(&self, index: usize) -> Result<Digest> {
        let path = self.path(index)?;
        Digest::of_file_within(&path, regular::IMAGE).map_err(Error::io(&path))
    }
}
