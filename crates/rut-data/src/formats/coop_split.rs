//! Split files of CoOp (`split_zhou_NAME.json`) and ILM-VP (`split.json`): a JSON object with the
//! lists `train`, `val` and `test`, each of `[path, label, class name]`. Paths are relative to a
//! folder of images that the data set knows. `val` may be missing or empty.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use rut_formats::{Shallow, Texts};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::files::Files;
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
    let mut lists = BTreeMap::new();
    json::read_with(&path, EXPECTED, TopLevel(&mut lists))?;
    let mut file = SplitFile {
        path: &path,
        lists,
        names: BTreeMap::new(),
    };
    let set = |(names, labels)| Files::below(root, root.join(images), names, labels);
    let train = set(file.list("train")?)?;
    let validation = match file.lists.get("val") {
        None | Some(List::Other("null")) => None,
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
        remarks: Vec::new(),
    })
}

/// One of the lists.
enum List {
    /// Its images.
    Images(Images),
    /// The first entry that is wrong: its place, what was expected and what found.
    Broken(usize, String, String),
    /// What stands there instead.
    Other(&'static str),
}

/// The images of a list.
#[derive(Default)]
struct Images {
    paths: Texts,
    labels: Vec<u32>,
    /// The class names of the labels, and where each is first.
    names: BTreeMap<u32, (String, usize)>,
}

/// The lists of images in a split file, by name.
type Lists = BTreeMap<&'static str, List>;

/// Their names.
const LISTS: [&str; 3] = ["train", "val", "test"];

impl Images {
    /// Adds an image, `[path, label, class name]`; what was expected and found if it is none.
    fn add(&mut self, entry: Shallow) -> Result<(), (String, String)> {
        let found = shown(&entry.to_string());
        let fields: Result<[Shallow; 3], _> = match entry {
            Shallow::List(fields, _) => fields.try_into(),
            _ => Err(Vec::new()),
        };
        let Ok([Shallow::Text(image), label, Shallow::Text(name)]) = fields else {
            return Err(("[path, label, class name]".to_owned(), found));
        };
        if below(&image).is_none() {
            let expected = "a path below the folder of images".to_owned();
            return Err((expected, shown(&image)));
        }
        let label = match label {
            Shallow::Number(number) => number.as_u64(),
            _ => None,
        };
        let Some(label) = label.and_then(|label| u32::try_from(label).ok()) else {
            return Err(("a whole number from 0 for a label".to_owned(), found));
        };
        let first = || (name.clone(), self.labels.len());
        let (known, _) = self.names.entry(label).or_insert_with(first);
        if *known != name {
            return Err(two_names(label, known, &name));
        }
        self.paths.push(&image);
        self.labels.push(label);
        Ok(())
    }
}

/// What was expected and found where a label has two names.
fn two_names(label: u32, known: &str, name: &str) -> (String, String) {
    let known = shown(known);
    let expected = format!("the class of label {label} to be {known}, as before");
    (expected, shown(name))
}

/// A split file: its lists, until they are asked for, and the class names of those that were.
struct SplitFile<'a> {
    path: &'a Path,
    lists: Lists,
    names: BTreeMap<u32, String>,
}

impl SplitFile<'_> {
    /// The images of one of the lists.
    fn list(&mut self, part: &str) -> Result<(Texts, Vec<u32>)> {
        let place = |at: usize| format!("\"{part}\"[{at}]");
        let found = match self.lists.remove(part) {
            Some(List::Images(images)) => {
                for (label, (name, at)) in images.names {
                    let known = self.names.entry(label).or_insert_with(|| name.clone());
                    if *known != name {
                        let (expected, found) = two_names(label, known, &name);
                        return Err(self.malformed(place(at), &expected, found));
                    }
                }
                return Ok((images.paths, images.labels));
            }
            Some(List::Broken(at, expected, found)) => {
                return Err(self.malformed(place(at), &expected, found));
            }
            Some(List::Other(kind)) => kind,
            None => "nothing",
        };
        Err(self.malformed(format!("\"{part}\""), EXPECTED, found.to_owned()))
    }

    fn refuse_empty(&self, part: &str, set: &ImageSet) -> Result<()> {
        if set.is_empty() {
            Err(self.malformed(
                format!("\"{part}\""),
                "one image or more",
                "none".to_owned(),
            ))
        } else {
            Ok(())
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

/// Reads the object that a file is.
struct TopLevel<'a>(&'a mut Lists);

impl<'de> DeserializeSeed<'de> for TopLevel<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TopLevel<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match LISTS.iter().find(|part| **part == key) {
                Some(&part) => map.next_value_seed(Entries(self.0, part))?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    /// A list at the top has none of the lists.
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Reads one of the lists.
struct Entries<'a>(&'a mut Lists, &'static str);

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Entries<'_> {
    fn other(self, kind: &'static str) {
        self.0.insert(self.1, List::Other(kind));
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of [path, label, class name]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Entries(lists, part) = self;
        let mut images = Images::default();
        while let Some(entry) = list.next_element()? {
            if let Err((expected, found)) = images.add(entry) {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                lists.insert(part, List::Broken(images.labels.len(), expected, found));
                return Ok(());
            }
        }
        lists.insert(part, List::Images(images));
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.other("an object");
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.other("a text");
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.other("null");
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.other("true or false");
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.other("a number");
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.other("a number");
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.other("a number");
        Ok(())
    }
}
