//! From source classes to target classes: which label mappings there are, and the maps that they make.

mod evidence;
mod frequency;
mod map;
mod random;

pub use evidence::Evidence;
pub use frequency::{INTERVAL, REMAP, TIES, Ties, frequency_map};
pub use map::LabelMap;
pub use random::random_map;

use rut_data::Seed;
use rut_record::{Field, Options};

use crate::error::{Error, Result};

/// When a label map is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// Never: it looks at no image.
    Never,
    /// Once, at the initial prompt.
    Once,
    /// Before every so many epochs, at the current prompt.
    Every {
        /// The number of epochs; at least 1.
        epochs: u32,
        /// Whether it is made once more after the last epoch.
        at_the_end: bool,
    },
}

/// A label mapping of the table.
#[derive(Clone, Copy, Debug)]
pub struct LabelMappingSpec {
    /// What a user types.
    pub name: &'static str,
    /// One line.
    pub title: &'static str,
    /// The options that it reads.
    pub options: &'static [Field],
    /// When it is made again.
    pub refresh: fn(&Options) -> Result<Refresh>,
    /// Makes a map.
    pub make: fn(Making<'_>) -> Result<MadeMap>,
}

/// What a map is made of.
pub struct Making<'a> {
    /// Number of source classes S.
    pub sources: usize,
    /// Number of target classes T.
    pub targets: usize,
    /// Seeds what is drawn.
    pub seed: Seed,
    /// The mapping's options.
    pub options: &'a Options,
    /// Passes over the training images at the current prompt.
    pub evidence: &'a mut dyn FnMut() -> Result<Evidence>,
}

/// A map that was made, and how well founded it is.
#[derive(Clone, Debug, PartialEq)]
pub struct MadeMap {
    /// The map.
    pub map: LabelMap,
    /// Choices in which the counts alone did not decide.
    pub ties: usize,
    /// Targets that got a source which none of their images was predicted as.
    pub without_evidence: Vec<u32>,
}

impl MadeMap {
    /// A map that rests on no image.
    pub fn unfounded(map: LabelMap) -> Self {
        Self {
            map,
            ties: 0,
            without_evidence: Vec::new(),
        }
    }
}

/// All label mappings, the default first (Chen et al., arXiv 2211.11635, section 3).
pub static LABEL_MAPPINGS: &[LabelMappingSpec] = &[frequency::ILM, frequency::FLM, random::RLM];

/// The mapping called `name`, in any case.
pub fn find_label_mapping(name: &str) -> Option<&'static LabelMappingSpec> {
    LABEL_MAPPINGS
        .iter()
        .find(|mapping| mapping.name.eq_ignore_ascii_case(name))
}

/// A label mapping and its options.
#[derive(Clone, Debug)]
pub struct MappingChoice {
    /// The mapping.
    pub row: &'static LabelMappingSpec,
    /// Its options.
    pub options: Options,
}

impl MappingChoice {
    /// `row` with the defaults of its options.
    pub fn of(row: &'static LabelMappingSpec) -> Self {
        Self {
            row,
            options: Options::default(),
        }
    }

    /// When it makes its map again.
    ///
    /// # Errors
    /// If an option is out of range.
    pub fn refresh(&self) -> Result<Refresh> {
        (self.row.refresh)(&self.options)
    }
}

/// Refuses more target than source classes.
///
/// # Errors
/// [`Error::TooManyTargets`].
pub fn check_classes(sources: usize, targets: usize) -> Result<()> {
    if targets > sources {
        Err(Error::TooManyTargets { targets, sources })
    } else {
        Ok(())
    }
}
