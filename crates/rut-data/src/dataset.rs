//! A data set with its splits, and its restriction to some of its classes.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::{DatasetSpec, Error, ImageRegion, ImageSet, ImageSize, Parts, Result, Skipped};

/// A data set: class names and the images of each split.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Name in the table, or of the user's folder.
    pub name: String,
    /// Name of each class; the index is the label.
    pub class_names: Vec<String>,
    /// Training images.
    pub train: ImageSet,
    /// Validation images, where the data set comes with some.
    pub validation: Option<ImageSet>,
    /// Test images.
    pub test: ImageSet,
    /// What a person must know of how the parts came about, a sentence each: a test part that was set
    /// aside here, by which seed; a part that was left out.
    pub remarks: Vec<String>,
    /// Side in pixels of the image's window in the paper's visual-prompting protocol; unknown
    /// for a user's folder.
    pub prompt_size: Option<u32>,
    /// Size of the images in pixels.
    pub image_size: ImageSize,
    /// What the images fill of their square; all of it in a user's folder.
    pub region: ImageRegion,
    /// Images that could not be read and were left out ([`Dataset::skip_unreadable`]).
    pub skipped: Vec<Skipped>,
}

impl Dataset {
    /// A data set of the table, as one of its readers found it.
    pub(crate) fn of_table(spec: &DatasetSpec, parts: Parts) -> Dataset {
        Dataset {
            prompt_size: Some(spec.prompt_size),
            image_size: spec.image_size,
            region: spec.region,
            ..Dataset::own(spec.name.to_owned(), parts)
        }
    }

    /// A user's own data.
    pub(crate) fn own(name: String, parts: Parts) -> Dataset {
        let Parts {
            class_names,
            train,
            validation,
            test,
            remarks,
        } = parts;
        Dataset {
            name,
            class_names,
            train,
            validation,
            test,
            remarks,
            prompt_size: None,
            image_size: ImageSize::Varying,
            region: ImageRegion::Whole,
            skipped: Vec::new(),
        }
    }
}

/// A class named by a person: by its name or by its index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassRef {
    /// Exact name.
    Name(String),
    /// Index, from 0. Where a class's name is this very number, the name counts.
    Index(u32),
}

impl fmt::Display for ClassRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClassRef::Name(name) => f.write_str(name),
            ClassRef::Index(index) => write!(f, "{index}"),
        }
    }
}

impl FromStr for ClassRef {
    type Err = Infallible;

    /// A whole number is an index, anything else a name; surrounding blanks are dropped.
    fn from_str(text: &str) -> Result<ClassRef, Infallible> {
        let text = text.trim();
        Ok(text
            .parse()
            .map_or_else(|_| ClassRef::Name(text.to_owned()), ClassRef::Index))
    }
}

impl Dataset {
    /// Keeps only these classes, in this order: the first becomes label 0, and so on. The order
    /// of the images stays.
    ///
    /// ```
    /// let digits = rut_data::open("digits", "data".as_ref())?;
    /// let two = digits.restrict(&["7".parse()?, "1".parse()?])?;
    /// assert_eq!(two.class_names, ["7", "1"]);
    /// assert_eq!(two.train.class_counts(2), [100, 101]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::UnknownClass`]; [`Error::BadClassList`] if the list is empty or names a class twice.
    pub fn restrict(self, classes: &[ClassRef]) -> Result<Dataset> {
        let kept = self.resolve(classes)?;
        let relabel = |label| {
            kept.iter()
                .position(|&k| k == label as usize)
                .map(|at| at as u32)
        };
        Ok(Dataset {
            class_names: kept
                .iter()
                .map(|&class| self.class_names[class].clone())
                .collect(),
            train: self.train.filter_map_labels(relabel),
            validation: self
                .validation
                .as_ref()
                .map(|set| set.filter_map_labels(relabel)),
            test: self.test.filter_map_labels(relabel),
            ..self
        })
    }

    /// The validation images that it comes with; an empty set, if there are none.
    #[must_use]
    pub fn own_validation(&self) -> ImageSet {
        let none = || self.train.select(&[]);
        self.validation.clone().unwrap_or_else(none)
    }

    fn resolve(&self, classes: &[ClassRef]) -> Result<Vec<usize>> {
        let bad = |problem| Error::BadClassList {
            dataset: self.name.clone(),
            problem,
        };
        if classes.is_empty() {
            return Err(bad("it is empty; name one class or more".to_owned()));
        }
        let mut kept = Vec::with_capacity(classes.len());
        for class in classes {
            let index = self.class_index(class)?;
            if kept.contains(&index) {
                return Err(bad(format!(
                    "class '{class}' stands in it twice; name it once"
                )));
            }
            kept.push(index);
        }
        Ok(kept)
    }

    fn class_index(&self, class: &ClassRef) -> Result<usize> {
        let name = class.to_string();
        let by_name = self.class_names.iter().position(|known| *known == name);
        let by_index = match class {
            ClassRef::Index(index) => Some(*index as usize),
            ClassRef::Name(_) => None,
        };
        let count = self.class_names.len();
        by_name
            .or(by_index)
            .filter(|&index| index < count)
            .ok_or_else(|| Error::UnknownClass {
                class: name,
                dataset: self.name.clone(),
                known: self.class_names.join(", "),
                count,
            })
    }
}
