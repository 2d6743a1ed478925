//! What a user's lists and tables of images have in common: classes come from labels that are
//! texts, and each image says which part it belongs to, or none does.

use std::collections::BTreeSet;
use std::path::Path;

use rut_formats::counted;

use crate::datasets::folder::split_whole;
use crate::datasets::part::Part;
use crate::{Error, ImageSet, Parts, Result};

/// The classes that these labels name, and the class of each label. Classes are sorted by name;
/// where all labels are whole numbers they are sorted as numbers, and `07` is `7`.
pub(crate) fn classes<'a>(
    labels: impl Iterator<Item = &'a str> + Clone,
) -> (Vec<String>, Vec<u32>) {
    let numbers: Option<Vec<u64>> = labels.clone().map(|label| label.parse().ok()).collect();
    match numbers {
        Some(numbers) => index(numbers.into_iter()),
        None => index(labels),
    }
}

/// The different values, sorted, as texts, and the place of each value among them.
fn index<T: Ord + ToString>(values: impl Iterator<Item = T>) -> (Vec<String>, Vec<u32>) {
    let values: Vec<T> = values.collect();
    let different: Vec<&T> = values.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let place = |value: &T| different.binary_search(&value).unwrap_or_else(|at| at) as u32;
    let places = values.iter().map(place).collect();
    (different.into_iter().map(T::to_string).collect(), places)
}

/// The parts of `all`, whose images say by `parts` where they belong. Validation images serve for
/// testing where there are no test images. Nothing in `parts`: the fixed split of [`split_whole`].
///
/// # Errors
/// [`Error::Malformed`], about `path`, for a part that is missing and for a class that is not
/// trained on.
pub(crate) fn take_apart(
    path: &Path,
    class_names: Vec<String>,
    all: &ImageSet,
    parts: Option<&[Part]>,
) -> Result<Parts> {
    let Some(parts) = parts else {
        return split_whole(class_names, all);
    };
    let select = |part| {
        let indices = (0..all.len()).filter(|&index| parts.get(index) == Some(&part));
        let set = all.select(&indices.collect::<Vec<_>>());
        Some(set).filter(|set| !set.is_empty())
    };
    let lacks = |what: &str| malformed(path, "the split", what, "none");
    let train = select(Part::Train).ok_or_else(|| lacks("training images"))?;
    let (test, validation) = match (select(Part::Test), select(Part::Validation)) {
        (Some(test), validation) => (test, validation),
        (None, Some(validation)) => (validation, None),
        (None, None) => {
            return Err(lacks(
                "test or validation images beside the training images",
            ));
        }
    };
    refuse_untrained(path, &class_names, &train, all)?;
    Ok(Parts {
        class_names,
        train,
        validation,
        test,
        remarks: Vec::new(),
    })
}

/// A class may have no images at all, but not only images that are not trained on.
fn refuse_untrained(
    path: &Path,
    class_names: &[String],
    train: &ImageSet,
    all: &ImageSet,
) -> Result<()> {
    let (trained, there) = (
        train.class_counts(class_names.len()),
        all.class_counts(class_names.len()),
    );
    let mut classes = class_names.iter().zip(trained.into_iter().zip(there));
    match classes.find(|(_, (trained, there))| *trained == 0 && *there > 0) {
        None => Ok(()),
        Some((name, (_, there))) => {
            let found = format!("{}, none of them for training", counted(there, "image"));
            Err(malformed(
                path,
                &format!("class '{name}'"),
                "training images",
                &found,
            ))
        }
    }
}

/// What was expected and found at a place of a file.
pub(crate) fn malformed(path: &Path, place: &str, expected: &str, found: &str) -> Error {
    Error::Malformed {
        path: path.to_path_buf(),
        place: place.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
}
