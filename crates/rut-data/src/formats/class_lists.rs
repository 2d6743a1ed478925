//! A JSON object with a list of images for each class, as Food-101 has them. The order of the
//! classes in the file is the order of the images, as in torchvision, so it must be kept.

use std::fmt;
use std::path::Path;
use std::rc::Rc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::json;
use super::list_file::{Listed, below, shown};
use crate::{Error, Result};

/// The longest name of a class, bytes.
const LONGEST_NAME: usize = 256;
/// More images than such a file has.
const MOST_IMAGES: usize = 1 << 18;
/// What such a file should hold, for errors.
const EXPECTED: &str = "an object with a list of paths for each class";

/// The images of the file, with an ending that their paths leave out.
///
/// # Errors
/// [`Error::Malformed`] for another structure, a path that leads elsewhere, or no image;
/// [`Error::Io`].
pub(crate) fn read(path: &Path, ending: &str) -> Result<Vec<Listed>> {
    let ClassLists(classes) = json::read(path, EXPECTED)?;
    let malformed = |place: String, expected: &str, found: String| Error::Malformed {
        path: path.to_path_buf(),
        place,
        expected: expected.to_owned(),
        found,
    };
    let mut images = Vec::new();
    for (class, paths) in classes {
        if class.len() > LONGEST_NAME || paths.len() > MOST_IMAGES - images.len() {
            let expected =
                format!("names of at most {LONGEST_NAME} bytes and at most {MOST_IMAGES} images");
            let found = format!("{} of {}", paths.len(), shown(&class));
            return Err(malformed("top level".to_owned(), &expected, found));
        }
        let class: Rc<str> = class.into();
        for (at, image) in paths.into_iter().enumerate() {
            if below(&image).is_none() {
                let place = format!("\"{class}\"[{at}]");
                let expected = "a path below the folder of images";
                return Err(malformed(place, expected, shown(&image)));
            }
            images.push(Listed {
                path: image + ending,
                class: Rc::clone(&class),
            });
        }
    }
    if images.is_empty() {
        Err(malformed(
            "top level".to_owned(),
            EXPECTED,
            "no image".to_owned(),
        ))
    } else {
        Ok(images)
    }
}

/// Classes and their images, in the order of the file.
struct ClassLists(Vec<(String, Vec<String>)>);

impl<'de> Deserialize<'de> for ClassLists {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

/// Keeps the order of an object, which a map would lose.
struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = ClassLists;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ClassLists, A::Error> {
        let mut classes = Vec::new();
        while let Some(entry) = map.next_entry()? {
            classes.push(entry);
        }
        Ok(ClassLists(classes))
    }
}
