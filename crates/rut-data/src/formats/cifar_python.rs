//! The Python layout of CIFAR-10 and CIFAR-100: pickles of a dict with an array `data` of bytes
//! `[images, 3072]`, the red, green and blue plane of a 32×32 image, row by row, and a list or an array of
//! labels (<https://www.cs.toronto.edu/~kriz/cifar.html>). Nothing in them is executed.

use std::path::Path;
use std::sync::Arc;

use rut_formats::pickle::{self, Pickle, Value};
use rut_formats::{Fault, regular};

use super::fault::InFile as _;
use super::planes::{Block, PIXELS, Planes, Scan};
use crate::{Error, ImageSet, Result};

/// Key of the array of pixels.
const DATA: &str = "data";
/// Bytes of the longest class name that is taken for one: a pickle may refer to one long text often.
const LONGEST_NAME: usize = 256;

/// The labels of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Labels<'a> {
    /// Their key.
    pub(crate) key: &'a str,
    /// Number of classes; labels are below it.
    pub(crate) classes: usize,
}

/// Reads these files of `folder` into one set, in order.
pub(crate) fn read(folder: &Path, files: &[&str], labels: Labels<'_>) -> Result<ImageSet> {
    let (mut blocks, mut all) = (Vec::new(), Vec::new());
    for file in files {
        let path = folder.join(file);
        let file = regular::read(&path, regular::TEXT).map_err(Error::io(&path))?;
        let (bytes, found) = batch(&file, labels).map_err(|fault| fault.at(&path))?;
        all.extend(found);
        let lead = 0;
        blocks.push(Block { path, bytes, lead });
    }
    let scan = Scan::Rows;
    ImageSet::new(Arc::new(Planes { blocks, scan }), all)
}

/// The names of the classes in a file of names.
pub(crate) fn names(path: &Path, labels: Labels<'_>) -> Result<Vec<String>> {
    let file = regular::read(path, regular::TEXT).map_err(Error::io(path))?;
    names_in(&file, labels).map_err(|fault| fault.at(path))
}

fn names_in(file: &[u8], Labels { key, classes }: Labels<'_>) -> Result<Vec<String>, Fault> {
    let pickle = pickle::parse(file)?;
    let names = list(&pickle, key, "texts")?;
    if names.len() > classes {
        let found = format!("{}; this is another data set", names.len());
        return Err(Fault::new(key, format!("{classes} names"), found));
    }
    names.map(|name| class_name(name, key)).collect()
}

fn class_name(name: Value<'_>, key: &str) -> Result<String, Fault> {
    let text = name
        .text()
        .ok_or_else(|| Fault::new(key, "texts", name.kind()))?;
    match text.len() {
        ..=LONGEST_NAME => Ok(text.into_owned()),
        length => {
            let expected = format!("names of at most {LONGEST_NAME} bytes");
            let found = format!("one of {length}; fetch the file again");
            Err(Fault::new(key, expected, found))
        }
    }
}

/// The pixels and labels of a file.
fn batch(file: &[u8], labels: Labels<'_>) -> Result<(Vec<u8>, Vec<u32>), Fault> {
    let pickle = pickle::parse(file)?;
    let data = value(&pickle, DATA)?.array(DATA)?;
    let labels = labels_in(&pickle, labels)?;
    let images = labels.len();
    if !data.is_bytes() || data.shape() != [images, PIXELS] || images == 0 {
        let expected = format!("bytes [{images}, {PIXELS}], an image for each label");
        let found = format!("an array {:?}; fetch the file again", data.shape());
        return Err(Fault::new(DATA, expected, found));
    }
    Ok((data.into_row_major().into_owned(), labels))
}

/// The labels, from a list or from an array of as many whole numbers.
fn labels_in(pickle: &Pickle<'_>, labels: Labels<'_>) -> Result<Vec<u32>, Fault> {
    let value = value(pickle, labels.key)?;
    let in_list =
        |(at, number): (usize, Value<'_>)| label(at, number.integer().ok_or(number.kind()), labels);
    let in_array =
        |(at, number): (usize, Option<i64>)| label(at, number.ok_or("another number"), labels);
    match (value.items(), value.shape()) {
        (Some(items), _) => items.enumerate().map(in_list).collect(),
        (None, Some([_] | [_, 1])) => {
            let array = value.array(labels.key)?;
            array.integers().enumerate().map(in_array).collect()
        }
        (None, shape) => {
            let found = match shape {
                Some(shape) => format!("an array {shape:?}"),
                None => value.kind().to_owned(),
            };
            Err(Fault::new(
                labels.key,
                "a list of labels or an array of them",
                found,
            ))
        }
    }
}

fn label(at: usize, number: Result<i64, &str>, labels: Labels<'_>) -> Result<u32, Fault> {
    let label = number.ok().and_then(|label| u32::try_from(label).ok());
    label
        .filter(|&label| (label as usize) < labels.classes)
        .ok_or_else(|| {
            let found = match number {
                Ok(number) => format!("{number}; fetch the file again"),
                Err(kind) => kind.to_owned(),
            };
            let place = format!("{}, label {at}", labels.key);
            Fault::new(place, format!("a label below {}", labels.classes), found)
        })
}

fn value<'p>(pickle: &'p Pickle<'_>, key: &str) -> Result<Value<'p>, Fault> {
    let root = pickle.root();
    root.get(key).ok_or_else(|| {
        let expected = format!("a dict with a key '{key}'");
        Fault::new("pickle", expected, format!("{} without it", root.kind()))
    })
}

fn list<'p>(
    pickle: &'p Pickle<'_>,
    key: &str,
    of: &str,
) -> Result<impl ExactSizeIterator<Item = Value<'p>>, Fault> {
    let value = value(pickle, key)?;
    let items = value.items();
    items.ok_or_else(|| Fault::new(key, format!("a list of {of}"), value.kind()))
}

#[cfg(test)]
mod tests;
