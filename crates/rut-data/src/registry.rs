//! The table of data sets, and finding and opening one by name.

use std::path::{Path, PathBuf};

use crate::datasets::{cifar10, digits, folder, gtsrb};
use crate::spelling::{did_you_mean, plain};
use crate::{Dataset, DatasetSpec, Error, Result};

/// All data sets that have a name, in the order in which they are listed.
pub static DATASETS: &[DatasetSpec] = &[cifar10::SPEC, digits::SPEC, gtsrb::SPEC];

/// The data set of this name or alias; case, `-`, `_` and blanks do not matter.
///
/// ```
/// assert_eq!(rut_data::find("Cifar_10").map(|spec| spec.prompt_size), Some(32));
/// ```
#[must_use]
pub fn find(name: &str) -> Option<&'static DatasetSpec> {
    let wanted = plain(name);
    let answers = |spec: &&DatasetSpec| {
        plain(spec.name) == wanted || spec.aliases.iter().any(|alias| plain(alias) == wanted)
    };
    DATASETS.iter().find(answers)
}

/// Opens a data set of the table, looked for in `data_dir` and in `data_dir/NAME`, or else a
/// folder of class folders, taken as it is and below `data_dir`.
///
/// ```
/// let digits = rut_data::open("digits", "data".as_ref())?;
/// assert_eq!((digits.train.len(), digits.test.len()), (1000, 797));
/// # Ok::<(), rut_data::Error>(())
/// ```
///
/// # Errors
/// [`Error::UnknownDataset`], [`Error::MissingData`], or what is wrong with the data.
pub fn open(name_or_folder: &str, data_dir: &Path) -> Result<Dataset> {
    if let Some(spec) = find(name_or_folder) {
        return (spec.open)(&root_of(spec, data_dir)?);
    }
    let folders = [PathBuf::from(name_or_folder), data_dir.join(name_or_folder)];
    match folders.iter().find(|path| path.is_dir()) {
        Some(path) => folder::open(path),
        None => Err(unknown(name_or_folder)),
    }
}

/// The folder below which the whole layout of `spec` is.
fn root_of(spec: &DatasetSpec, data_dir: &Path) -> Result<PathBuf> {
    let roots = [data_dir.to_path_buf(), data_dir.join(spec.name)];
    let missing = |root: &Path| {
        spec.layout
            .iter()
            .map(|path| root.join(path))
            .find(|p| !p.exists())
    };
    if let Some(root) = roots.iter().find(|root| missing(root).is_none()) {
        return Ok(root.clone());
    }
    let looked_for: Vec<String> = roots
        .iter()
        .filter_map(|root| missing(root))
        .map(|path| path.display().to_string())
        .collect();
    Err(Error::MissingData {
        dataset: spec.name.to_owned(),
        looked_for: looked_for.join(" or "),
        remedy: format!(
            "fetch it with `cargo xtask fetch-data {}`, or name the folder that holds it with --data-dir",
            spec.name
        ),
    })
}

fn unknown(name: &str) -> Error {
    let names: Vec<&str> = DATASETS.iter().map(|spec| spec.name).collect();
    Error::UnknownDataset {
        name: name.to_owned(),
        hint: did_you_mean(name, names.iter().copied()),
        known: names.join(", "),
    }
}
