//! Opens a data set: finds its files, their form and the split, and explains what is missing.

use std::path::{Path, PathBuf};

use rut_formats::did_you_mean;

use crate::datasets::{coop, folder, list, parquet};
use crate::formats::class_names;
use crate::registry::{DATASETS, find};
use crate::spec::Form;
use crate::stratify::{made, set_aside};
use crate::{Dataset, DatasetSpec, Error, ImageSet, Parts, Result, Seed, SplitSpec};

/// A form in which a user's own data may lie on the disk.
struct OwnForm {
    /// Whether a path is such data.
    is: fn(&Path) -> bool,
    /// Reads it.
    read: fn(&Path) -> Result<Parts>,
}

/// The forms of a user's own data; the first that a path has is read.
static OWN: &[OwnForm] = &[
    OwnForm {
        is: list::is,
        read: list::read,
    },
    OwnForm {
        is: parquet::is,
        read: parquet::read,
    },
    OwnForm {
        is: Path::is_dir,
        read: folder::read,
    },
];

/// What a split made here is called: `stratified:SEED`.
const STRATIFIED: &str = "stratified";

/// Opens a data set of the table, looked for in `data_dir` and in `data_dir/NAME`, or else a user's
/// own data, taken as it is and below `data_dir`: in its default split.
///
/// ```
/// let digits = rut_data::open("digits", "data".as_ref())?;
/// assert_eq!((digits.train.len(), digits.test.len()), (1000, 797));
/// # Ok::<(), rut_data::Error>(())
/// ```
///
/// # Errors
/// [`Error::UnknownDataset`], [`Error::MissingData`], or what is wrong with the data.
pub fn open(name_or_path: &str, data_dir: &Path) -> Result<Dataset> {
    open_split(name_or_path, data_dir, None)
}

/// [`open`], in the split of this name: one of the data set's own ([`DatasetSpec::splits`]), or
/// `stratified:SEED`, which puts all images of the default split together and sets a test part of
/// about the same size aside again, class by class, by this seed. `stratified` alone is the data
/// set's own split of that name, where it has one, and seed 0 elsewhere.
///
/// ```
/// let digits = rut_data::open_split("digits", "data".as_ref(), Some("stratified:7"))?;
/// assert_eq!((digits.train.len(), digits.test.len()), (1000, 797));
/// # Ok::<(), rut_data::Error>(())
/// ```
///
/// # Errors
/// As [`open`]; [`Error::UnknownSplit`].
pub fn open_split(name_or_path: &str, data_dir: &Path, split: Option<&str>) -> Result<Dataset> {
    let Some(spec) = find(name_or_path) else {
        let own = open_own(name_or_path, data_dir)?;
        return match split.map(|name| (name, stratified_seed(name))) {
            None => Ok(own),
            Some((_, Some(seed))) => stratify(own, seed),
            Some((name, None)) => Err(unknown_split(&own.name, name, &[])),
        };
    };
    let own = match split {
        None => spec.splits.first(),
        Some(name) => spec.split(name),
    };
    match (own, split.and_then(stratified_seed)) {
        (Some(own), _) => open_own_split(spec, own, data_dir),
        (None, Some(seed)) => stratify(open(spec.name, data_dir)?, seed),
        (None, None) => Err(unknown_split(
            spec.name,
            split.unwrap_or_default(),
            spec.splits,
        )),
    }
}

/// A split as records spell it: as the table does, `stratified:SEED` with its number, and nothing
/// for the default, which has the same images whether it is named or not. What is no split stays as
/// it is.
///
/// ```
/// use rut_data::canonical_split;
/// assert_eq!(canonical_split("cifar10", "Official"), None);
/// assert_eq!(canonical_split("gtsrb", "FINAL").as_deref(), Some("final"));
/// assert_eq!(canonical_split("my/birds", "Stratified").as_deref(), Some("stratified:0"));
/// ```
#[must_use]
pub fn canonical_split(name_or_path: &str, split: &str) -> Option<String> {
    let spec = find(name_or_path);
    let own = spec.and_then(|spec| spec.split(split));
    let default = spec.and_then(|spec| spec.splits.first());
    match (own, default, stratified_seed(split)) {
        (Some(own), Some(default), _) if own.name == default.name => None,
        (Some(own), _, _) => Some(own.name.to_owned()),
        (None, _, Some(Seed(seed))) => Some(format!("{STRATIFIED}:{seed}")),
        (None, _, None) => Some(split.to_owned()),
    }
}

/// Whether `data_dir` has a data set of the table in its default split, so that [`open`] finds its files. They are not read.
///
/// ```
/// assert!(rut_data::is_there("digits", "data".as_ref()));
/// assert!(!rut_data::is_there("no data set", "data".as_ref()));
/// ```
#[must_use]
pub fn is_there(name: &str, data_dir: &Path) -> bool {
    let spec = find(name);
    spec.and_then(|spec| place_of(spec, spec.splits.first()?, data_dir))
        .is_some()
}

fn open_own_split(spec: &DatasetSpec, split: &SplitSpec, data_dir: &Path) -> Result<Dataset> {
    let (form, root) =
        place_of(spec, split, data_dir).ok_or_else(|| missing(spec, split, data_dir))?;
    let parts = (form.read)(&root)?;
    if let Some(file) = coop::unnamed(form) {
        check_kin(spec, &root.join(file), &parts.class_names)?;
    }
    Ok(Dataset::of_table(spec, parts))
}

/// Refuses a file without a name of its own whose classes are those of another data set.
fn check_kin(spec: &DatasetSpec, file: &Path, found: &[String]) -> Result<()> {
    if class_names::are_of(found, spec.classes) {
        return Ok(());
    }
    let other = DATASETS
        .iter()
        .find(|other| class_names::are_of(found, other.classes))
        .map_or("another data set", |other| other.title);
    let first = found.first().map_or("", String::as_str);
    Err(Error::Malformed {
        path: file.to_path_buf(),
        place: "class names".to_owned(),
        expected: format!("those of {}", spec.title),
        found: format!(
            "{} from '{first}' on, those of {other}; name the folder of {} with `data_dir`",
            found.len(),
            spec.title
        ),
    })
}

/// A user's own data.
fn open_own(name_or_path: &str, data_dir: &Path) -> Result<Dataset> {
    let places = [PathBuf::from(name_or_path), data_dir.join(name_or_path)];
    let found = places
        .iter()
        .find_map(|path| Some((path, OWN.iter().find(|form| (form.is)(path))?)));
    let (path, form) = found.ok_or_else(|| unknown(name_or_path))?;
    Ok(Dataset::own(name_of(path), (form.read)(path)?))
}

/// The folder of a user's class folders, if that is what is named.
pub(crate) fn class_folders_of(name_or_path: &str, data_dir: &Path) -> Option<PathBuf> {
    if find(name_or_path).is_some() {
        return None;
    }
    let places = [PathBuf::from(name_or_path), data_dir.join(name_or_path)];
    let is_own = |path: &&PathBuf| OWN.iter().any(|form| (form.is)(path));
    let root = places.iter().find(is_own)?;
    (root.is_dir() && !parquet::is(root)).then(|| root.clone())
}

/// The last part of a path, without links and dots.
fn name_of(path: &Path) -> String {
    let absolute = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let name = absolute.file_name().unwrap_or_default();
    name.display().to_string()
}

/// The seed that `stratified` or `stratified:SEED` names.
fn stratified_seed(split: &str) -> Option<Seed> {
    let (word, seed) = split.split_once(':').unwrap_or((split, "0"));
    let seed = seed.parse().ok().map(Seed)?;
    word.eq_ignore_ascii_case(STRATIFIED).then_some(seed)
}

/// All images, with a test part of about the same size drawn again.
fn stratify(dataset: Dataset, seed: Seed) -> Result<Dataset> {
    let parts = [
        Some(&dataset.train),
        dataset.validation.as_ref(),
        Some(&dataset.test),
    ];
    let parts: Vec<&ImageSet> = parts.into_iter().flatten().collect();
    let all = ImageSet::concat(&parts)?;
    let share = dataset.test.len() as f64 / all.len().max(1) as f64;
    let classes = dataset.class_names.len();
    let (train, test) = set_aside(&all, classes, share, seed, "stratified split")?;
    Ok(Dataset {
        train,
        validation: None,
        test,
        remarks: vec![made(share, seed)],
        ..dataset
    })
}

/// The first form of a split that is on the disk, and the folder that it is in.
fn place_of<'a>(
    spec: &DatasetSpec,
    split: &'a SplitSpec,
    data_dir: &Path,
) -> Option<(&'a Form, PathBuf)> {
    split.forms.iter().find_map(|form| {
        let whole = |root: &PathBuf| first_missing(form, root).is_none();
        let root = roots(spec, data_dir).into_iter().find(whole)?;
        Some((form, root))
    })
}

/// Where the files of a data set may be.
fn roots(spec: &DatasetSpec, data_dir: &Path) -> [PathBuf; 2] {
    [data_dir.to_path_buf(), data_dir.join(spec.name)]
}

/// The first path of a form that is not there.
fn first_missing(form: &Form, root: &Path) -> Option<PathBuf> {
    let mut paths = form.layout.iter().map(|path| root.join(path));
    paths.find(|path| !path.exists())
}

fn missing(spec: &DatasetSpec, split: &SplitSpec, data_dir: &Path) -> Error {
    let looked_for: Vec<String> = split
        .forms
        .iter()
        .flat_map(|form| roots(spec, data_dir).map(|root| first_missing(form, &root)))
        .flatten()
        .map(|path| path.display().to_string())
        .collect();
    Error::MissingData {
        dataset: spec.name.to_owned(),
        looked_for: looked_for.join(" or "),
        remedy: remedy(spec, split, data_dir),
    }
}

/// How to come by the files of a split that are not there.
fn remedy(spec: &DatasetSpec, split: &SplitSpec, data_dir: &Path) -> String {
    let there =
        |other: &&SplitSpec| other.name != split.name && place_of(spec, other, data_dir).is_some();
    let instead = spec.splits.iter().find(there).map(|other| {
        format!(
            "the files of its split '{}' ({}) are there: take it with `split = {}`, or ",
            other.name, other.about, other.name
        )
    });
    let instead = instead.unwrap_or_default();
    let get = spec.how_to_get();
    format!("{instead}{get}, or name the folder that holds it with `data_dir`")
}

fn unknown(name: &str) -> Error {
    let names: Vec<&str> = DATASETS.iter().map(|spec| spec.name).collect();
    Error::UnknownDataset {
        name: name.to_owned(),
        hint: did_you_mean(name, names.iter().copied()),
        known: names.join(", "),
    }
}

fn unknown_split(dataset: &str, split: &str, splits: &[SplitSpec]) -> Error {
    let names: Vec<&str> = splits.iter().map(|split| split.name).collect();
    Error::UnknownSplit {
        dataset: dataset.to_owned(),
        split: split.to_owned(),
        hint: did_you_mean(split, names.iter().copied().chain([STRATIFIED])),
        known: names
            .iter()
            .copied()
            .chain(["stratified:SEED"])
            .collect::<Vec<_>>()
            .join(", "),
    }
}
