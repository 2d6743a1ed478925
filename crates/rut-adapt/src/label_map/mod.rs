//! From source classes to target classes: which maps there are, and how one is applied.

mod evidence;
mod frequency;
mod random;

pub use evidence::Evidence;
pub use frequency::{FrequencyMap, frequency_map};
pub use random::random_map;

use candle_core::Tensor;
use rut_record::SplitLogits;

use crate::error::{Error, Result};

/// When a label map is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// Never: it looks at no image.
    Never,
    /// Once, at the initial prompt.
    Once,
    /// Before every epoch (or every few), at the current prompt.
    EveryEpoch,
}

/// A label mapping of the table.
#[derive(Clone, Copy, Debug)]
pub struct LabelMappingSpec {
    /// What a user types.
    pub name: &'static str,
    /// One line.
    pub title: &'static str,
    /// When it is made again.
    pub refresh: Refresh,
}

/// All label mappings, the default first (Chen et al., arXiv 2211.11635, section 3).
pub static LABEL_MAPPINGS: &[LabelMappingSpec] = &[
    LabelMappingSpec {
        name: "ilm",
        title: "iterative: the greedy one-to-one frequency map, made again before every epoch",
        refresh: Refresh::EveryEpoch,
    },
    LabelMappingSpec {
        name: "flm",
        title: "frequent: the greedy one-to-one frequency map, made once at the initial prompt",
        refresh: Refresh::Once,
    },
    LabelMappingSpec {
        name: "rlm",
        title: "random: a seeded random one-to-one map",
        refresh: Refresh::Never,
    },
];

/// The mapping called `name`, in any case.
pub fn find(name: &str) -> Option<&'static LabelMappingSpec> {
    LABEL_MAPPINGS
        .iter()
        .find(|mapping| mapping.name.eq_ignore_ascii_case(name))
}

/// A one-to-one label map π: z_j = f_π(j) for every target class j.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let map = rut_adapt::label_map::LabelMap::new(vec![2, 0], 3)?;
/// let source = Tensor::new(&[[0.1f32, 0.2, 0.7]], &Device::Cpu)?;
/// assert_eq!(map.apply(&source)?.to_vec2::<f32>()?, [[0.7, 0.1]]);
/// # Ok::<(), rut_adapt::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelMap {
    sources: Vec<u32>,
}

impl LabelMap {
    /// The map that gives target j the source `sources[j]`, all different and below `source_classes`.
    ///
    /// # Errors
    /// If a source is used twice or does not exist.
    pub fn new(sources: Vec<u32>, source_classes: usize) -> Result<Self> {
        let mut seen = vec![false; source_classes];
        for &source in &sources {
            match seen.get_mut(source as usize) {
                Some(used) if !*used => *used = true,
                _ => {
                    return Err(Error::Option {
                        field: "sources",
                        expected: format!("different source classes below {source_classes}"),
                        found: format!("{source} twice or out of range"),
                    });
                }
            }
        }
        Ok(Self { sources })
    }

    /// Source class of every target class.
    pub fn sources(&self) -> &[u32] {
        &self.sources
    }

    /// Number of target classes.
    pub fn targets(&self) -> usize {
        self.sources.len()
    }

    /// Target logits [n, targets] of source logits [n, sources]. Differentiable.
    ///
    /// # Errors
    /// If the logits have fewer columns than the map expects.
    pub fn apply(&self, source_logits: &Tensor) -> candle_core::Result<Tensor> {
        let index = Tensor::new(self.sources.as_slice(), source_logits.device())?;
        source_logits.contiguous()?.index_select(&index, 1)
    }

    /// Target logits of the source logits of a split.
    pub fn target_logits(&self, source: &SplitLogits) -> SplitLogits {
        let rows = source.values.chunks_exact(source.classes.max(1));
        let values = rows
            .flat_map(|row| self.sources.iter().map(|&class| row[class as usize]))
            .collect();
        SplitLogits {
            values,
            labels: source.labels.clone(),
            classes: self.targets(),
        }
    }

    /// Number of targets whose source differs between the two maps.
    pub fn churn(&self, other: &Self) -> usize {
        self.sources
            .iter()
            .zip(&other.sources)
            .filter(|(a, b)| a != b)
            .count()
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
