//! How many weights go, and among which they are compared.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// A rule for pruning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PruneRule {
    /// Of N weights, the int((1 − density) · N) with the smallest scores, as Synaptic-Flow's `Pruners/pruners.py` counts them
    /// (Tanaka et al. 2020, arXiv 2006.05467). Weights that a mask prunes are the first of them. Among equal scores the smaller
    /// index stays, so that it is exactly this number.
    Density {
        /// Above 0, at most 1.
        density: f64,
        /// Which weights are compared.
        scope: Scope,
        /// Which weights are counted.
        counted: Counted,
    },
    /// As many rounds of open_lth's `pruning/sparse_global.py` (Frankle et al. 2020, arXiv 1912.05671): with n = ⌈0.2 · remaining⌉,
    /// what is at most the (n + 1)-th smallest score goes, ties too.
    Rounds {
        /// At least 1.
        rounds: u32,
        /// Which weights are compared.
        scope: Scope,
        /// Which weights are counted.
        counted: Counted,
    },
    /// In each group of consecutive input channels, at one output channel and place of the kernel, those with the largest
    /// scores stay; among equals the smaller index (Mishra et al. 2021, arXiv 2104.08378, for 2:4).
    Groups(GroupSize),
}

/// Which weights are compared with one another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scope {
    /// Those of all layers that are pruned.
    #[default]
    Global,
    /// Those of a layer.
    Layer,
}

/// Whether layers that are left dense count where weights are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Counted {
    /// They do not.
    #[default]
    WithoutDense,
    /// They do, though they lose nothing, as in open_lth (`layers_to_ignore`).
    WithDense,
}

/// N of M consecutive input channels stay, written `N:M`.
///
/// ```
/// let size: rut_compress::GroupSize = "2:4".parse()?;
/// assert_eq!((size.kept(), size.of()), (2, 4));
/// assert!("4:4".parse::<rut_compress::GroupSize>().is_err());
/// # Ok::<(), rut_compress::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupSize {
    kept: usize,
    of: usize,
}

impl GroupSize {
    /// Weights of a group that stay.
    pub fn kept(self) -> usize {
        self.kept
    }

    /// Weights of a group.
    pub fn of(self) -> usize {
        self.of
    }
}

impl FromStr for GroupSize {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let numbers = text.split_once(':');
        let numbers = numbers.and_then(|(n, m)| Some((n.parse().ok()?, m.parse().ok()?)));
        match numbers {
            Some((kept, of)) if 0 < kept && kept < of => Ok(Self { kept, of }),
            _ => Err(Error::Prune {
                field: "scope",
                expected: "N:M with whole numbers 0 < N < M, as `2:4`".into(),
                found: text.into(),
            }),
        }
    }
}

impl fmt::Display for GroupSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kept, self.of)
    }
}

impl PruneRule {
    /// Whether its values are in range.
    ///
    /// # Errors
    ///
    /// [`Error::Prune`] names the one that is not.
    pub fn check(&self) -> Result<()> {
        let refused = |field, expected: &str, found: String| {
            let expected = expected.into();
            Err(Error::Prune {
                field,
                expected,
                found,
            })
        };
        let per_layer =
            "none where layers are pruned one by one: only the weights of a layer count there";
        match *self {
            Self::Density { density, .. } if !(density > 0.0 && density <= 1.0) => {
                let expected = "the share of weights that stay, above 0 and at most 1";
                refused("density", expected, density.to_string())
            }
            Self::Rounds { rounds: 0, .. } => refused("rounds", "at least 1", "0".into()),
            Self::Density {
                scope: Scope::Layer,
                counted: Counted::WithDense,
                ..
            }
            | Self::Rounds {
                scope: Scope::Layer,
                counted: Counted::WithDense,
                ..
            } => refused("count_kept", per_layer, "given".into()),
            _ => Ok(()),
        }
    }
}
