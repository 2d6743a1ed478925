//! Split files of CoOp (`split_zhou_NAME.json`) and ILM-VP (`split.json`): a JSON object with the
//! lists `train`, `val` and `test`, each of `[path, label, class name]`. Paths are relative to a
//! folder of images that the data set knows. `val` may be missing or empty.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::files::{Files, Labelled};
use super::json;
use super::list_file::{below, shown};
use crate::{Error, ImageSet, Parts, Result};

/// What such a file should hold, for errors.
const EXPECTED: &str = "an object with the lists \"train\", \"test\" and perhaps \"val\"";

/// Reads the split file `split` of the images in `images`, both below `root`.
///
/// # Errors
/// [`Error::Malformed`] for another structure, a path that leads elsewhere, a label that is no
/// whole number, a class with two names, or labels with a gap; [`Error::Io`].
pub(crate) fn read(root: &Path, split: &str, images: &str) -> Result<Parts> {
    let path = root.join(split);
    let mut file = SplitFile {
        path: &path,
        value: json::read(&path, EXPECTED)?,
        names: BTreeMap::new(),
    };
    let set = |list| Files::labelled(root, images, list);
    let train = set(file.list("train")?)?;
    let validation = match file.value.get("val") {
        None | Some(Value::Null) => None,
        Some(_) => Some(set(file.list("val")?)?),
    };
    let test = set(file.list("test")?)?;
    file.refuse_empty("train", &train)?;
    file.refuse_empty("test", &test)?;
    Ok(Parts {
        class_names: file.class_names()?,
        train,
        validation: validation.filter(|set| !set.is_empty()),
        test,
    })
}

/// A split file, and the class names met so far.
struct SplitFile<'a> {
    path: &'a Path,
    value: Value,
    names: BTreeMap<u32, String>,
}

impl SplitFile<'_> {
    /// The images of one of the lists.
    fn list(&mut self, part: &str) -> Result<Vec<Labelled>> {
        // Taken out of the value, so that its memory is free before the next list is read.
        let list = self.value.get_mut(part).map(Value::take);
        let Some(Value::Array(entries)) = list else {
            let found = list.as_ref().map_or("nothing", kind);
            return Err(self.malformed(format!("\"{part}\""), EXPECTED, found.to_owned()));
        };
        let mut images = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            images.push(self.entry(entry, || format!("\"{part}\"[{at}]"))?);
        }
        Ok(images)
    }

    /// An image, `[path, label, class name]`.
    fn entry(&mut self, entry: &Value, place: impl Fn() -> String) -> Result<Labelled> {
        let found = || shown(&entry.to_string());
        let fields = entry.as_array().map(Vec::as_slice);
        let Some([Value::String(image), label, Value::String(name)]) = fields else {
            let expected = "[path, label, class name]";
            return Err(self.malformed(place(), expected, found()));
        };
        if below(image).is_none() {
            let expected = "a path below the folder of images";
            return Err(self.malformed(place(), expected, shown(image)));
        }
        let label = label.as_u64().and_then(|label| u32::try_from(label).ok());
        let Some(label) = label else {
            let expected = "a whole number from 0 for a label";
            return Err(self.malformed(place(), expected, found()));
        };
        let known = self.names.entry(label).or_insert_with(|| name.clone());
        if known != name {
            let expected = format!("the class of label {label} to be '{known}', as before");
            return Err(self.malformed(place(), &expected, format!("'{name}'")));
        }
        Ok((image.clone(), label))
    }

    fn refuse_empty(&self, part: &str, set: &ImageSet) -> Result<()> {
        match set.is_empty() {
            true => Err(self.malformed(
                format!("\"{part}\""),
                "one image or more",
                "none".to_owned(),
            )),
            false => Ok(()),
        }
    }

    /// The names of all labels, which must have no gap.
    fn class_names(self) -> Result<Vec<String>> {
        let labels = self.names.keys().copied();
        let Some((missing, _)) = (0..).zip(labels).find(|(at, label)| at != label) else {
            return Ok(self.names.into_values().collect());
        };
        let last = self.names.keys().next_back().copied().unwrap_or_default();
        let expected = format!("images of every label from 0 to {last}");
        let found = format!("none of label {missing}");
        Err(self.malformed("labels".to_owned(), &expected, found))
    }

    fn malformed(&self, place: String, expected: &str, found: String) -> Error {
        Error::Malformed {
            path: self.path.to_path_buf(),
            place,
            expected: expected.to_owned(),
            found,
        }
    }
}

/// What a value is, in words.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
