//! A user's own images: folders of class folders.
//!
//! Either `ROOT/train` and `ROOT/test` (or `ROOT/val` in its place) hold class folders, or `ROOT` itself
//! does; [`Part`] knows the other words for them. With train and test and val, val is the validation
//! split. With `ROOT` itself a fixed split is made, stratified: of each class a fifth, rounded, and at
//! least one where it has two images or more, is for testing; it does not depend on the seed of a run.
//! The classes are those of the training folder. Folders whose classes stand deeper are refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::datasets::part::{Part, parts_among};
use crate::formats::class_folders::{IMAGES, class_names, has_images, images, instead};
use crate::formats::files::Files;
use crate::stratify::split_anew;
use crate::{Error, ImageSet, Parts, Result, Seed};

/// The seed of the fixed split.
const SPLIT_SEED: Seed = Seed(0);
/// Share of each class that is for testing where nothing says which images are.
const TEST_SHARE: f64 = 0.2;

/// Opens a folder of class folders, with or without folders for the parts above them.
pub(crate) fn read(root: &Path) -> Result<Parts> {
    let folders = class_names(root)?;
    let ambiguous = |names: Vec<String>| {
        let found = format!("'{}'; move some away", names.join("', '"));
        bad(root, "one folder for each part of the data set", &found)
    };
    match parts_among(&folders).map_err(ambiguous)? {
        Some(parts) => read_split(root, &parts),
        None => {
            refuse_lone_training(root, &folders)?;
            read_whole(root)
        }
    }
}

fn read_split(root: &Path, parts: &[(Part, String)]) -> Result<Parts> {
    let folder = |part| {
        let named = parts.iter().find(|(known, _)| *known == part);
        named.map(|(part, name)| innermost(root.join(name), *part))
    };
    let (train, validation, test) = match Part::ALL.map(folder) {
        [Some(train), validation, Some(test)] => (train?, validation, test),
        [Some(train), Some(validation), None] => (train?, None, validation),
        _ => {
            return Err(bad(
                root,
                "a folder for training and one for testing",
                "neither",
            ));
        }
    };
    let class_names = class_names_of(&train)?;
    refuse_deeper(&train, &class_names)?;
    let read = |folder: Result<PathBuf>| read_set(root, &folder?, &class_names);
    let images = read(Ok(train.clone()))?;
    refuse_empty_classes(&images, &train, &class_names)?;
    Ok(Parts {
        validation: validation.map(read).transpose()?,
        test: read(test)?,
        train: images,
        class_names,
        remarks: Vec::new(),
    })
}

/// The folder of a part, or the only folder in it where that says the same part again, as archives
/// often have it: `seg_train/seg_train`.
fn innermost(folder: PathBuf, part: Part) -> Result<PathBuf> {
    match class_names(&folder)?.as_slice() {
        [only] if Part::in_name(only).is_some_and(|(found, _)| found == part) => {
            Ok(folder.join(only))
        }
        _ => Ok(folder),
    }
}

/// Refuses a folder of training images without one for testing. A folder `train` of images is a class.
fn refuse_lone_training(root: &Path, folders: &[String]) -> Result<()> {
    let is_train = |name: &&String| {
        Part::in_name(name).is_some_and(|(part, rest)| part == Part::Train && rest.is_empty())
    };
    match folders.iter().find(is_train) {
        Some(train) if !class_names(&root.join(train))?.is_empty() => {
            let expected = format!("a folder 'test' or 'val' beside '{train}'");
            let deeper = root.join(train);
            let found = format!(
                "neither; name {} to have a test part made",
                deeper.display()
            );
            Err(bad(root, &expected, &found))
        }
        _ => Ok(()),
    }
}

/// Refuses classes that are none: where all have no images of their own and the same folders in them,
/// and where a single one holds folders as classes are.
fn refuse_deeper(root: &Path, class_names: &[String]) -> Result<()> {
    let Some(deeper) = deeper_classes(root, class_names)? else {
        return Ok(());
    };
    let inside = self::class_names(&deeper)?;
    let [first, .., last] = inside.as_slice() else {
        return Ok(());
    };
    let found = match class_names {
        [only] => format!("'{only}' alone, in which '{first}' to '{last}' look like classes"),
        _ => format!("folders that all hold the same ones, '{first}' to '{last}'"),
    };
    let expected = "one folder of images per class";
    let remedy = format!("{found}; name {} instead", deeper.display());
    Err(bad(root, expected, &remedy))
}

/// The folder below `root` whose folders look like the classes that those in `root` are not.
fn deeper_classes(root: &Path, class_names: &[String]) -> Result<Option<PathBuf>> {
    let mut inside = Vec::new();
    for name in class_names {
        let folder = root.join(name);
        if has_images(&folder)? {
            return Ok(None);
        }
        inside.push((self::class_names(&folder)?, folder));
    }
    let Some((names, first)) = inside.first() else {
        return Ok(None);
    };
    match (names.as_slice(), inside.len()) {
        ([], _) => Ok(None),
        // One folder on the way down: `birds/birds/cats`.
        ([_], 1) => match deeper_classes(first, names)? {
            Some(deeper) => Ok(Some(deeper)),
            None => Ok(None),
        },
        // A class with one folder in it is one: `n01443537/images`.
        ([_], _) => Ok(None),
        (names, _) => {
            let same = inside.iter().all(|(other, _)| other == names);
            Ok(same.then(|| first.clone()))
        }
    }
}

/// All images of a folder of class folders, without a split, and the names of the classes: what a
/// network is scored on when the folder is its whole test set (ImageNet's `val`, say).
///
/// # Errors
/// [`Error::BadFolder`] if there are no class folders or one has no images; [`Error::Io`].
pub fn open_class_folders(root: &Path) -> Result<(Vec<String>, ImageSet)> {
    let class_names = class_names_of(root)?;
    refuse_deeper(root, &class_names)?;
    let all = read_set(root, root, &class_names)?;
    refuse_empty_classes(&all, root, &class_names)?;
    Ok((class_names, all))
}

fn read_whole(root: &Path) -> Result<Parts> {
    let (class_names, all) = open_class_folders(root)?;
    split_whole(class_names, &all)
}

/// The fixed split of images of which nothing says which are for testing.
pub(crate) fn split_whole(class_names: Vec<String>, all: &ImageSet) -> Result<Parts> {
    split_anew(class_names, all, TEST_SHARE, SPLIT_SEED, "folder split")
}

fn class_names_of(folder: &Path) -> Result<Vec<String>> {
    let names = class_names(folder)?;
    if names.is_empty() {
        Err(bad(folder, "one folder of images per class", "no folder"))
    } else {
        Ok(names)
    }
}

/// All images of the class folders in `folder`; classes may be missing, unknown ones may not.
fn read_set(root: &Path, folder: &Path, class_names: &[String]) -> Result<ImageSet> {
    let (mut paths, mut labels) = (Vec::<PathBuf>::new(), Vec::new());
    for name in class_names_of(folder)? {
        let label = class_names
            .iter()
            .position(|known| *known == name)
            .ok_or_else(|| {
                bad(
                    folder,
                    "only classes of the training folder",
                    &format!("a folder '{name}'"),
                )
            })?;
        let found = images(&folder.join(name))?;
        labels.extend(found.iter().map(|_| label as u32));
        paths.extend(found);
    }
    ImageSet::new(
        Arc::new(Files {
            root: root.to_path_buf(),
            paths: paths.into(),
        }),
        labels,
    )
}

fn refuse_empty_classes(set: &ImageSet, folder: &Path, class_names: &[String]) -> Result<()> {
    let counts = set.class_counts(class_names.len());
    match counts.iter().position(|&count| count == 0) {
        None => Ok(()),
        Some(class) => {
            let path = folder.join(&class_names[class]);
            Err(bad(&path, IMAGES, &instead(&path)?))
        }
    }
}

fn bad(path: &Path, expected: &str, found: &str) -> Error {
    let (expected, found) = (expected.to_owned(), found.to_owned());
    Error::BadFolder {
        path: path.to_path_buf(),
        expected,
        found,
    }
}
