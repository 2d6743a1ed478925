//! How [0, 1] is cut into bins of equal width: three published conventions, by name. Not what is done with the bins.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Which bin a confidence on an edge belongs to, and how edges are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Convention {
    /// (lo, hi], and 0 in the first bin; edges i / bins (Guo et al. 2017, section 2; so does verified_calibration).
    #[default]
    Guo,
    /// [lo, hi), and exactly 1 in a bin of its own after the last; confidences and edges rounded to f32, edges as
    /// `torch.linspace` makes them (torchmetrics 1.9 `calibration_error`).
    Torchmetrics,
    /// [lo, hi), the last one closed; edges i · (1 / bins), as `numpy.linspace` makes them (netcal 1.4 `ECE`, 10 bins by
    /// default there).
    Netcal,
}

/// Bins of equal width on [0, 1].
///
/// ```
/// use rut_metrics::{Binning, Convention};
/// assert_eq!(Binning::default(), Binning { convention: Convention::Guo, bins: 15 });
/// assert_eq!(Binning::of(Convention::Netcal).bins, 10);
/// assert!(Binning { bins: 0, ..Binning::default() }.check().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binning {
    /// Edges and rounding.
    pub convention: Convention,
    /// Number of bins of equal width, 1 to [`Binning::MAX_BINS`].
    pub bins: usize,
}

impl Default for Binning {
    /// [`Convention::Guo`] with 15 bins.
    fn default() -> Self {
        Self::of(Convention::Guo)
    }
}

impl Binning {
    /// Most bins that can be asked for: above, edges in f32 would coincide.
    pub const MAX_BINS: usize = 1 << 20;

    /// `convention` with the number of bins it comes with: 10 for netcal, 15 for the others.
    pub fn of(convention: Convention) -> Self {
        let bins = if convention == Convention::Netcal {
            10
        } else {
            15
        };
        Self { convention, bins }
    }

    /// Whether the number of bins is in its range.
    ///
    /// # Errors
    ///
    /// [`Error::Option`].
    pub fn check(&self) -> Result<()> {
        if !(1..=Self::MAX_BINS).contains(&self.bins) {
            return Err(Error::Option {
                field: "bins",
                expected: "1 to 1048576",
                found: self.bins as f64,
            });
        }
        Ok(())
    }
}

/// A checked [`Binning`] with its edges, ready to look up.
#[derive(Debug, Clone)]
pub(crate) struct Binner {
    convention: Convention,
    width_inverse: f64,
    /// Lower edges, then the upper edge of the last bin: [bins + 1].
    edges: Vec<f64>,
}

impl Binner {
    pub(crate) fn new(binning: &Binning) -> Result<Self> {
        binning.check()?;
        let Binning { convention, bins } = *binning;
        let mut edges: Vec<f64> = (0..=bins)
            .map(|index| edge(convention, index, bins))
            .collect();
        if convention == Convention::Torchmetrics {
            edges.push(1.0);
        }
        Ok(Self {
            convention,
            width_inverse: bins as f64,
            edges,
        })
    }

    /// Number of bins, with the one that torchmetrics adds.
    pub(crate) fn len(&self) -> usize {
        self.edges.len() - 1
    }

    /// Lower and upper edge of bin `index`.
    pub(crate) fn range(&self, index: usize) -> (f64, f64) {
        (self.edges[index], self.edges[index + 1])
    }

    /// What the convention sees of a probability.
    pub(crate) fn round(&self, p: f64) -> f64 {
        match self.convention {
            Convention::Torchmetrics => f64::from(p as f32),
            Convention::Guo | Convention::Netcal => p,
        }
    }

    /// The bin of a probability that has been [`round`](Self::round)ed.
    pub(crate) fn index(&self, p: f64) -> usize {
        // The product lands in the right bin or, next to an edge, beside it.
        let last = self.len() - 1;
        let mut index = ((p * self.width_inverse) as usize).min(last);
        if self.convention == Convention::Guo {
            while index > 0 && p <= self.edges[index] {
                index -= 1;
            }
            while index < last && p > self.edges[index + 1] {
                index += 1;
            }
        } else {
            while index > 0 && p < self.edges[index] {
                index -= 1;
            }
            while index < last && p >= self.edges[index + 1] {
                index += 1;
            }
        }
        index
    }
}

fn edge(convention: Convention, index: usize, bins: usize) -> f64 {
    match convention {
        Convention::Guo => index as f64 / bins as f64,
        Convention::Netcal if index == bins => 1.0,
        Convention::Netcal => index as f64 * (1.0 / bins as f64),
        Convention::Torchmetrics => {
            // `torch.linspace` walks from both ends with one rounding per edge; products of an f32 and a small integer
            // are exact in f64.
            let step = f64::from(1.0 / bins as f32);
            let from_start = index < bins.div_ceil(2);
            let exact = if from_start {
                step * index as f64
            } else {
                1.0 - step * (bins - index) as f64
            };
            f64::from(exact as f32)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(convention: Convention, bins: usize, p: f64) -> usize {
        let binner = Binner::new(&Binning { convention, bins }).unwrap();
        binner.index(binner.round(p))
    }

    #[test]
    fn edges_belong_where_each_convention_says() {
        let all = |p| {
            [
                Convention::Guo,
                Convention::Torchmetrics,
                Convention::Netcal,
            ]
            .map(|c| index(c, 4, p))
        };
        assert_eq!(all(0.0), [0, 0, 0]);
        assert_eq!(all(0.1), [0, 0, 0]);
        assert_eq!(all(0.25), [0, 1, 1]);
        assert_eq!(all(0.5), [1, 2, 2]);
        assert_eq!(all(0.75), [2, 3, 3]);
        assert_eq!(all(1.0), [3, 4, 3]);
    }

    #[test]
    fn lookup_agrees_with_a_search_over_the_edges() {
        for convention in [
            Convention::Guo,
            Convention::Torchmetrics,
            Convention::Netcal,
        ] {
            for bins in [1, 2, 3, 7, 10, 15, 100] {
                let binner = Binner::new(&Binning { convention, bins }).unwrap();
                let near = binner
                    .edges
                    .iter()
                    .flat_map(|&e| [e.next_down(), e, e.next_up()]);
                for p in near
                    .filter(|p| (0.0..=1.0).contains(p))
                    .map(|p| binner.round(p))
                {
                    let inside = |b: &usize| {
                        let (lo, hi) = binner.range(*b);
                        match convention {
                            Convention::Guo => (p > lo || *b == 0) && p <= hi,
                            Convention::Netcal => p >= lo && (p < hi || *b == bins - 1),
                            Convention::Torchmetrics => p >= lo && (p < hi || *b == bins),
                        }
                    };
                    let want: Vec<usize> = (0..binner.len()).filter(inside).collect();
                    assert_eq!(vec![binner.index(p)], want, "{convention:?} {bins} {p:e}");
                }
            }
        }
    }

    #[test]
    fn torchmetrics_rounds_to_single_precision() {
        // 1 − 1e-9 is 1 in f32, and so in the bin of its own.
        assert_eq!(index(Convention::Torchmetrics, 15, 1.0 - 1e-9), 15);
        assert_eq!(index(Convention::Guo, 15, 1.0 - 1e-9), 14);
    }
}
