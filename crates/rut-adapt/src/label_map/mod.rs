//! From source classes to target classes: which label mappings there are, and the maps that they make.

mod bayesian;
mod evidence;
mod frequency;
mod full;
mod identity;
mod map;
mod mode;
mod options;
mod random;
mod semantic;

pub use bayesian::{bayesian_weights, kept_probabilities};
pub use evidence::Evidence;
pub use frequency::{Ties, frequency_map};
pub use map::LabelMap;
pub use options::{INTERVAL, MAP_FROM, MAP_SOURCES, REMAP, TIES};
pub use random::random_map;
pub use semantic::semantic_map;

use rut_data::Seed;
use rut_models::Placement;
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
        /// What it is made of, after the first time.
        from: EvidenceFrom,
    },
}

/// Which images' logits a map is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvidenceFrom {
    /// Those of a pass over the training images at the current prompt.
    Pass,
    /// Those that training gave since the last map, each at the prompt of its step.
    Training,
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
    /// Whether each target needs a source of its own.
    pub one_to_one: bool,
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
    /// Names of the source classes, where they are known; else empty.
    pub source_names: &'a [String],
    /// Names of the target classes.
    pub target_names: &'a [String],
    /// Number of training images.
    pub images: usize,
    /// Seeds what is drawn.
    pub seed: Seed,
    /// Where the map's tensors belong.
    pub placement: &'a Placement,
    /// The mapping's options.
    pub options: &'a Options,
    /// Adds the training images to what it is given, at the current prompt or as the mapping's options say.
    pub evidence: &'a mut dyn FnMut(Evidence) -> Result<Evidence>,
}

impl Making<'_> {
    /// Counts and mass of all training images.
    ///
    /// # Errors
    /// If the pass fails.
    pub fn counted(&mut self) -> Result<Evidence> {
        (self.evidence)(Evidence::new(self.sources, self.targets))
    }
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

/// All label mappings, the default first.
pub static LABEL_MAPPINGS: &[LabelMappingSpec] = &[
    frequency::ILM,
    frequency::FLM,
    random::RLM,
    bayesian::BLM,
    bayesian::BLM_PLUS,
    full::FULL,
    semantic::SEMANTIC,
    identity::IDENTITY,
    mode::MODE,
];

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

    /// Whether there are enough source classes for as many target classes.
    ///
    /// # Errors
    /// [`Error::TooManyTargets`], or [`Error::Option`] where each target gets several sources.
    pub fn check_classes(&self, sources: usize, targets: usize) -> Result<()> {
        match self.row.one_to_one {
            true => check_sources(sources, targets, options::sources_each(&self.options)?),
            false => Ok(()),
        }
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

/// Refuses `each` sources for every target where there are not so many.
///
/// # Errors
/// [`Error::TooManyTargets`] for one each, [`Error::Option`] for more, or for none.
pub fn check_sources(sources: usize, targets: usize, each: usize) -> Result<()> {
    check_classes(sources, targets)?;
    match each.checked_mul(targets) {
        Some(all) if each > 0 && all <= sources => Ok(()),
        _ => Err(Error::Option {
            field: MAP_SOURCES.key,
            expected: format!(
                "from 1 to {}, for {targets} target and {sources} source classes",
                sources / targets.max(1)
            ),
            found: each.to_string(),
        }),
    }
}
