//! What needs the samples sorted by confidence: bins of (nearly) equal mass and the Kolmogorov–Smirnov error.

use serde::{Deserialize, Serialize};

use crate::reliability::BinSum;
use crate::{Bin, Error, Reliability, Result, TopLabel};

/// Where a run of equal confidences may be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ties {
    /// Nowhere: a cut that falls inside a run moves to the nearer end of it, halfway to the lower. The error does not depend
    /// on the order of the samples.
    #[default]
    Together,
    /// Anywhere: a stable sort and `numpy.array_split`. The error depends on the order of samples of equal confidence.
    ArraySplit,
}

/// Bins of (nearly) equal mass: the samples sorted by confidence, cut as `numpy.array_split` cuts, the first n mod bins parts
/// one longer than the others (Nguyen and O'Connor 2015; "adaptive" calibration error).
///
/// ```
/// use rut_metrics::{EqualMass, Reliability, TopLabel};
/// # fn main() -> rut_metrics::Result<()> {
/// let top = TopLabel::new(vec![0.2, 0.4, 0.6, 0.8], vec![false, true, true, true])?;
/// let halves = Reliability::equal_mass(&top, &EqualMass { bins: 2, ..EqualMass::default() })?;
/// assert_eq!(halves.bins()[0].count, 2);
/// assert!((halves.ece() - 0.25).abs() < 1e-15); // (|0.5 − 0.3| + |1 − 0.7|) / 2
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EqualMass {
    /// Number of parts aimed at, at least 1.
    pub bins: usize,
    /// Whether equal confidences stay together.
    pub ties: Ties,
}

impl Default for EqualMass {
    /// 15 bins, ties together.
    fn default() -> Self {
        Self {
            bins: 15,
            ties: Ties::Together,
        }
    }
}

impl EqualMass {
    /// Whether the number of bins is in its range.
    ///
    /// # Errors
    ///
    /// [`Error::Option`].
    pub fn check(&self) -> Result<()> {
        if self.bins == 0 {
            return Err(Error::Option {
                field: "bins",
                expected: "at least 1",
                found: 0.0,
            });
        }
        Ok(())
    }
}

impl Reliability {
    /// Bins of (nearly) equal mass, whose edges are the smallest and largest confidence in each. Parts that stay empty,
    /// because there are few samples or many ties, are left out. Its [`ece`](Self::ece) is the adaptive ECE.
    ///
    /// # Errors
    ///
    /// What [`EqualMass::check`] says.
    pub fn equal_mass(top: &TopLabel, options: &EqualMass) -> Result<Self> {
        equal_mass(&Sorted::of(top), options)
    }
}

/// (confidence, correct) by rising confidence, equal ones in the order of the samples.
pub(crate) struct Sorted(Vec<(f64, bool)>);

impl Sorted {
    pub(crate) fn of(top: &TopLabel) -> Self {
        let mut samples: Vec<(f64, bool)> = top.iter().collect();
        samples.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self(samples)
    }
}

pub(crate) fn equal_mass(sorted: &Sorted, options: &EqualMass) -> Result<Reliability> {
    options.check()?;
    let samples = &sorted.0;
    let parts = options.bins.min(samples.len());
    let (short, longer) = (samples.len() / parts, samples.len() % parts);
    let mut bins = Vec::with_capacity(parts);
    let (mut start, mut cut) = (0, 0);
    for part in 0..parts {
        cut += short + usize::from(part < longer);
        let end = match options.ties {
            Ties::ArraySplit => cut,
            Ties::Together => nearer_end_of_run(samples, cut),
        };
        if end > start {
            bins.push(bin(&samples[start..end]));
            start = end;
        }
    }
    Ok(Reliability::of_bins(bins))
}

/// max |Σ (c − a) / N| over the ends of runs of equal confidence.
pub(crate) fn ks(sorted: &Sorted) -> f64 {
    let samples = &sorted.0;
    let (mut sum, mut largest) = (0.0, 0.0f64);
    for (index, &(confidence, correct)) in samples.iter().enumerate() {
        sum += confidence - f64::from(correct);
        let run_ends = samples
            .get(index + 1)
            .is_none_or(|next| next.0 != confidence);
        if run_ends {
            largest = largest.max(sum.abs());
        }
    }
    largest / samples.len() as f64
}

/// `cut`, or where it lies inside a run of equal confidences, the end of that run that is nearer, halfway the lower.
fn nearer_end_of_run(samples: &[(f64, bool)], cut: usize) -> usize {
    if cut == 0 || cut == samples.len() || samples[cut - 1].0 != samples[cut].0 {
        return cut;
    }
    let value = samples[cut].0;
    let below = samples.partition_point(|sample| sample.0 < value);
    let above = samples.partition_point(|sample| sample.0 <= value);
    if cut - below <= above - cut {
        below
    } else {
        above
    }
}

fn bin(samples: &[(f64, bool)]) -> Bin {
    let mut sum = BinSum::default();
    for &(confidence, correct) in samples {
        sum.add(confidence, correct);
    }
    sum.bin((samples[0].0, samples[samples.len() - 1].0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(confidence: &[f64], options: EqualMass) -> Vec<u64> {
        let top = TopLabel::new(confidence.to_vec(), vec![true; confidence.len()]).unwrap();
        Reliability::equal_mass(&top, &options)
            .unwrap()
            .bins()
            .iter()
            .map(|bin| bin.count)
            .collect()
    }

    #[test]
    fn array_split_gives_the_first_parts_one_more() {
        let confidence = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
        for ties in [Ties::Together, Ties::ArraySplit] {
            assert_eq!(counts(&confidence, EqualMass { bins: 3, ties }), [3, 3, 2]);
        }
    }

    #[test]
    fn fewer_samples_than_bins_make_one_bin_each() {
        assert_eq!(counts(&[0.3, 0.9], EqualMass::default()), [1, 1]);
    }

    #[test]
    fn a_run_of_ties_moves_the_cut_to_its_nearer_end() {
        // Cuts of array_split at 3 and 6. The run of 0.5 covers 1..4: 3 moves to 4.
        let confidence = [0.1, 0.5, 0.5, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];
        assert_eq!(
            counts(
                &confidence,
                EqualMass {
                    bins: 3,
                    ties: Ties::Together
                }
            ),
            [4, 2, 3]
        );
        assert_eq!(
            counts(
                &confidence,
                EqualMass {
                    bins: 3,
                    ties: Ties::ArraySplit
                }
            ),
            [3, 3, 3]
        );
        // A run over everything leaves one bin; a cut in the middle of a run goes down.
        assert_eq!(
            counts(
                &[0.5; 9],
                EqualMass {
                    bins: 3,
                    ties: Ties::Together
                }
            ),
            [9]
        );
        assert_eq!(
            counts(
                &[0.1, 0.5, 0.5, 0.9],
                EqualMass {
                    bins: 2,
                    ties: Ties::Together
                }
            ),
            [1, 3]
        );
    }

    #[test]
    fn the_order_of_tied_samples_is_of_no_consequence() {
        let confidence = vec![0.5, 0.5, 0.5, 0.5, 0.9, 0.9];
        let forth = TopLabel::new(
            confidence.clone(),
            vec![true, true, false, false, true, false],
        )
        .unwrap();
        let back = TopLabel::new(confidence, vec![false, false, true, true, false, true]).unwrap();
        let ece = |top: &TopLabel, ties| {
            Reliability::equal_mass(top, &EqualMass { bins: 3, ties })
                .unwrap()
                .ece()
        };
        assert_eq!(ece(&forth, Ties::Together), ece(&back, Ties::Together));
        assert_eq!(forth.ks(), back.ks());
        assert_eq!(forth.ks(), 0.8 / 6.0);
        // 0.5 · |1 − 0.5| + … for `array_split`, which cuts the run in two.
        assert!(ece(&forth, Ties::ArraySplit) > ece(&forth, Ties::Together) + 0.1);
    }
}
