//! A user's own images: folders of class folders.
//!
//! Either `ROOT/train` and `ROOT/test` (or `ROOT/val`, `ROOT/validation` in its place) hold class
//! folders, or `ROOT` itself does. With train and test and val, val is the validation split. With
//! `ROOT` itself a fixed split is made, stratified: of each class a fifth, rounded, and at least
//! one where it has two images or more, is for testing; it does not depend on the seed of a run.
//! The classes are those of the training folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::formats::class_folders::{class_names, images};
use crate::formats::files::Files;
use crate::stratify::set_aside;
use crate::{Error, ImageSet, Parts, Result, Seed};

/// The seed of the fixed split.
const SPLIT_SEED: Seed = Seed(0);
/// Share of each class that is for testing where nothing says which images are.
const TEST_SHARE: f64 = 0.2;
const TRAIN: &str = "train";
const TEST: &str = "test";
const VALIDATION: &[&str] = &["val", "validation"];

/// Opens a folder of class folders, with or without `train` and `test` above them.
pub(crate) fn read(root: &Path) -> Result<Parts> {
    match root.join(TRAIN).is_dir() {
        true => read_split(root),
        false => read_whole(root),
    }
}

fn read_split(root: &Path) -> Result<Parts> {
    let class_names = class_names_of(&root.join(TRAIN))?;
    let read = |folder: &Path| read_set(root, folder, &class_names);
    let validation = VALIDATION
        .iter()
        .map(|name| root.join(name))
        .find(|path| path.is_dir());
    let test = Some(root.join(TEST)).filter(|path| path.is_dir());
    let (test, validation) = match (test, validation) {
        (Some(test), validation) => (test, validation),
        (None, Some(validation)) => (validation, None),
        (None, None) => {
            return Err(bad(
                root,
                "a folder 'test' or 'val' beside 'train'",
                "neither",
            ));
        }
    };
    let train = read(&root.join(TRAIN))?;
    refuse_empty_classes(&train, &root.join(TRAIN), &class_names)?;
    let validation = validation.map(|folder| read(&folder)).transpose()?;
    let test = read(&test)?;
    Ok(Parts {
        class_names,
        train,
        validation,
        test,
    })
}

/// All images of a folder of class folders, without a split, and the names of the classes: what a
/// network is scored on when the folder is its whole test set (ImageNet's `val`, say).
///
/// # Errors
/// [`Error::BadFolder`] if there are no class folders or one has no images; [`Error::Io`].
pub fn open_class_folders(root: &Path) -> Result<(Vec<String>, ImageSet)> {
    let class_names = class_names_of(root)?;
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
    let (train, test) = set_aside(
        all,
        class_names.len(),
        TEST_SHARE,
        (SPLIT_SEED, "folder split"),
    )?;
    Ok(Parts {
        class_names,
        train,
        validation: None,
        test,
    })
}

fn class_names_of(folder: &Path) -> Result<Vec<String>> {
    let names = class_names(folder)?;
    match names.is_empty() {
        true => Err(bad(folder, "one folder of images per class", "no folder")),
        false => Ok(names),
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
            Err(bad(
                &path,
                "images (jpg, png, gif, bmp, ppm, pgm)",
                "none; add some or remove the folder",
            ))
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
