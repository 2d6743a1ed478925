//! Images that cannot be read: left out, and listed, where the user asks for it.

use std::fmt;
use std::str::FromStr;

use rayon::prelude::*;
use rut_formats::escape;
use rut_images::Error as ImageError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Dataset, Error, ImageSet, Result};

/// Images that an error names.
const NAMED: usize = 10;

/// How many images that cannot be read may be left out.
///
/// ```
/// use rut_data::Skip;
/// assert_eq!("3".parse::<Skip>()?, Skip::AtMost(3));
/// assert_eq!(Skip::All.to_string(), "all");
/// # Ok::<(), rut_data::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// So many in all parts of the data set together; written as a whole number.
    AtMost(usize),
    /// Every one; written `all`.
    All,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Skip::AtMost(count) => write!(f, "{count}"),
            Skip::All => f.write_str("all"),
        }
    }
}

impl FromStr for Skip {
    type Err = Error;

    fn from_str(text: &str) -> Result<Skip> {
        match text {
            "all" => Ok(Skip::All),
            number => number
                .parse()
                .map(Skip::AtMost)
                .map_err(|_| Error::BadOption {
                    what: "number of unreadable images to skip",
                    found: text.to_owned(),
                    expected: "a whole number, or `all`",
                }),
        }
    }
}

impl Serialize for Skip {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Skip::AtMost(count) => count.serialize(serializer),
            Skip::All => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Skip {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Skip, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Text {
            Number(i64),
            Word(String),
        }
        let text = match Text::deserialize(deserializer)? {
            Text::Number(number) => number.to_string(),
            Text::Word(word) => word,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// An image that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// `train`, `validation` or `test`.
    pub part: &'static str,
    /// Where it is from, as [`ImageSet::source`] says.
    pub image: String,
    /// What is wrong with it, without its path.
    pub problem: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", escape(&self.image), escape(&self.problem))
    }
}

impl Dataset {
    /// Decodes every image, and leaves out those that cannot be read; [`Dataset::skipped`] lists them, part by part and in
    /// their order.
    ///
    /// # Errors
    /// [`Error::Unreadable`] if they are more than `skip` allows.
    pub fn skip_unreadable(mut self, skip: Skip) -> Result<Dataset> {
        let parts = [
            ("train", Some(&mut self.train)),
            ("validation", self.validation.as_mut()),
            ("test", Some(&mut self.test)),
        ];
        for (part, set) in parts {
            if let Some(set) = set {
                self.skipped.extend(remove_unreadable(part, set));
            }
        }
        let found = self.skipped.len();
        match skip {
            Skip::AtMost(most) if found > most => Err(Error::Unreadable {
                dataset: self.name,
                most,
                found,
                images: named(&self.skipped),
            }),
            _ => Ok(self),
        }
    }
}

impl ImageSet {
    /// Decodes every image; gives the positions of those that can be read, and what is wrong with each of the others.
    pub fn readable(&self) -> (Vec<usize>, Vec<(usize, String)>) {
        let decoded = (0..self.len()).into_par_iter();
        let problems: Vec<Option<String>> = decoded
            .map(|index| Some(self.decode(index).err()?.of_image()))
            .collect();
        let (mut sound, mut wrong) = (Vec::new(), Vec::new());
        for (index, problem) in problems.into_iter().enumerate() {
            match problem {
                None => sound.push(index),
                Some(problem) => wrong.push((index, problem)),
            }
        }
        (sound, wrong)
    }
}

/// Takes what cannot be decoded out of `set`.
fn remove_unreadable(part: &'static str, set: &mut ImageSet) -> Vec<Skipped> {
    let (kept, wrong) = set.readable();
    let skipped = wrong.into_iter().map(|(index, problem)| Skipped {
        part,
        image: set.source(index),
        problem,
    });
    let skipped = skipped.collect();
    *set = set.select(&kept);
    skipped
}

/// The first of them, and how many more there are.
fn named(skipped: &[Skipped]) -> String {
    let named: Vec<String> = skipped.iter().take(NAMED).map(Skipped::to_string).collect();
    match skipped.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

impl Error {
    /// What is wrong with an image, without its name.
    fn of_image(self) -> String {
        match self {
            Error::Io { source, .. } => source.to_string(),
            Error::Image { source, .. } => briefly(source),
            other => other.to_string(),
        }
    }
}

/// What is wrong with an image, without a remedy.
fn briefly(problem: ImageError) -> String {
    match problem {
        ImageError::NotAnImage { start } => format!("no image, {start} at its start"),
        ImageError::Truncated { format, found } => format!("truncated {format}, {found}"),
        ImageError::Damaged { format, found } => format!("damaged {format}, {found}"),
        ImageError::Unsupported { kind, .. } => kind,
        ImageError::Size { width, height, .. } => format!("{width}x{height} pixels"),
        ImageError::DecodedSize { bytes, .. } => format!("{bytes} bytes when decoded"),
        other => other.to_string(),
    }
}
