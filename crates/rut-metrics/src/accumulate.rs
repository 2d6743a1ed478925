//! [`Accumulator`]: a [`Summary`] of predictions that arrive in batches. It keeps 9 bytes per sample and a table of
//! [classes, 15] bins; the predictions themselves are let go.

use crate::accuracy::Tally;
use crate::binning::Binner;
use crate::classwise::ClassBins;
use crate::equal_mass::{Sorted, equal_mass, ks};
use crate::{Binning, EqualMass, Error, Predictions, Reliability, Result, Summary, TopLabel};

/// Counts batches, in order, and turns them into a [`Summary`]. Each sample is added to every sum on its own, so the result
/// is the same to the bit however the set is cut into batches.
///
/// ```
/// use rut_metrics::{Accumulator, Logits, Summary};
/// # fn main() -> rut_metrics::Result<()> {
/// let (logits, labels) = ([1.0, 0.0, 0.5, 2.0, 3.0, 0.0], [0, 1, 1]);
/// let mut accumulator = Accumulator::new(2)?;
/// accumulator.push(Logits::new(&logits[..4], 2)?, &labels[..2])?;
/// accumulator.push(Logits::new(&logits[4..], 2)?, &labels[2..])?;
/// let summary = accumulator.finish()?;
/// assert_eq!(summary.accuracy, 2.0 / 3.0);
/// assert_eq!(summary, Summary::of(Logits::new(&logits, 2)?, &labels)?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Accumulator {
    top: TopLabel,
    per_class: Vec<Tally>,
    class_bins: ClassBins,
    top5: u64,
    correct: u64,
    nll: f64,
    brier: f64,
}

impl Accumulator {
    /// For predictions of `classes` classes.
    ///
    /// # Errors
    ///
    /// [`Error::NoClasses`].
    pub fn new(classes: usize) -> Result<Self> {
        if classes == 0 {
            return Err(Error::NoClasses);
        }
        Ok(Self {
            top: TopLabel::default(),
            per_class: vec![Tally::default(); classes],
            class_bins: ClassBins::new(classes, Binner::new(&Binning::default())?),
            top5: 0,
            correct: 0,
            nll: 0.0,
            brier: 0.0,
        })
    }

    /// Adds a batch: predictions [n, classes] and `labels: [n]`. After an error nothing of the batch has been added.
    ///
    /// # Errors
    ///
    /// [`Error::ClassCount`], [`Error::LabelCount`], [`Error::Label`] or [`Error::InfiniteNll`].
    pub fn push<'a>(
        &mut self,
        predictions: impl Into<Predictions<'a>>,
        labels: &[u32],
    ) -> Result<()> {
        let predictions = predictions.into();
        if predictions.classes() != self.per_class.len() {
            return Err(Error::ClassCount {
                expected: self.per_class.len(),
                found: predictions.classes(),
            });
        }
        predictions.check_likelihood(labels)?;
        predictions.for_each(labels, |sample, label, probs| {
            self.top.push(sample.confidence, sample.correct());
            self.per_class[label as usize].add(sample.correct());
            self.class_bins.add(probs, label);
            self.correct += u64::from(sample.correct());
            self.top5 += u64::from(sample.rank < 5);
            self.nll += sample.nll;
            self.brier += sample.brier;
        });
        Ok(())
    }

    /// Samples added so far.
    pub fn len(&self) -> usize {
        self.top.confidence().len()
    }

    /// Whether no sample has been added.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The figures of everything added.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] without a sample.
    pub fn finish(self) -> Result<Summary> {
        if self.is_empty() {
            return Err(Error::Empty {
                field: "accumulator",
            });
        }
        let n = self.len() as f64;
        let reliability = Reliability::equal_width(&self.top, &Binning::default())?;
        let sorted = Sorted::of(&self.top);
        Ok(Summary {
            n: self.len() as u64,
            classes: self.per_class.len() as u64,
            accuracy: self.correct as f64 / n,
            top5: self.top5 as f64 / n,
            per_class: self.per_class.iter().map(Tally::accuracy).collect(),
            nll: self.nll / n,
            brier: self.brier / n,
            mean_confidence: self.top.mean_confidence(),
            ece: reliability.ece(),
            rmsce: reliability.rmsce(),
            mce: reliability.mce(),
            debiased_ece_squared: reliability.debiased_ece_squared(),
            bins: reliability.into_bins(),
            adaptive_ece: equal_mass(&sorted, &EqualMass::default())?.ece(),
            classwise_ece: self.class_bins.ece(self.top.confidence().len()),
            ks: ks(&sorted),
        })
    }
}
