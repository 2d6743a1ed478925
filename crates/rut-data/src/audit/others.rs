//! Files beside the images of a user's class folders, which are not read.

use std::path::{Path, PathBuf};

use crate::formats::class_folders;
use crate::{Result, open};

/// Files that a list of them names.
const NAMED: usize = 3;

/// Files in class folders that are no images by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherFiles {
    /// How many there are.
    pub count: usize,
    /// The first few, below the data set's folder.
    pub first: Vec<PathBuf>,
}

/// The files of a user's class folders that are left out because they are no images by their names; none
/// of data in another form. Names that begin with a dot do not count.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io), [`Error::BadFolder`](crate::Error::BadFolder).
pub fn other_files(name_or_path: &str, data_dir: &Path) -> Result<OtherFiles> {
    let Some(root) = open::class_folders_of(name_or_path, data_dir) else {
        return Ok(OtherFiles::default());
    };
    let mut files = Vec::new();
    for name in class_folders::class_names(&root)? {
        files.extend(class_folders::other_files(&root.join(name))?);
    }
    let below = |path: &PathBuf| path.strip_prefix(&root).unwrap_or(path).to_path_buf();
    Ok(OtherFiles {
        count: files.len(),
        first: files.iter().take(NAMED).map(below).collect(),
    })
}
