//! [`Logits`] and [`Probs`]: two types for two meanings of a [n, classes] slice, so that nothing guesses which it was
//! given. Both borrow, both are checked when made and never again.

use std::fmt;

use crate::temperature::Temperature;
use crate::values::{Element, Values};
use crate::{Error, Result};

/// Unnormalised log-probabilities, row-major [n, classes], n ≥ 1 and classes ≥ 1, all finite.
///
/// The probabilities of a row are softmax(row / T), computed in f64; T is 1 unless [`at_temperature`](Self::at_temperature)
/// says otherwise.
///
/// ```
/// use rut_metrics::{Logits, accuracy};
/// # fn main() -> rut_metrics::Result<()> {
/// let logits = Logits::new(&[2.0f32, 0.0, 1.0, 3.0], 2)?;
/// assert_eq!((logits.rows(), logits.classes()), (2, 2));
/// assert_eq!(accuracy(logits, &[0, 0])?, 0.5);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Logits<'a> {
    pub(crate) values: Values<'a>,
    pub(crate) classes: usize,
    pub(crate) temperature: Temperature,
}

/// Probabilities, row-major [n, classes], n ≥ 1 and classes ≥ 1, each in [0, 1] and each row summing to 1 within
/// [`Probs::SUM_TOLERANCE`]. They are used as given: rows are not normalised again.
///
/// ```
/// use rut_metrics::{Probs, brier};
/// # fn main() -> rut_metrics::Result<()> {
/// let probs = Probs::new(&[0.75, 0.25], 2)?;
/// assert_eq!(brier(probs, &[0])?, 0.125); // 0.25² + 0.25²
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Probs<'a> {
    pub(crate) values: Values<'a>,
    pub(crate) classes: usize,
}

impl<'a> Logits<'a> {
    /// Largest magnitude of a logit: differences of two, divided by any [`Temperature`], stay finite.
    pub const LIMIT: f64 = 1e300;

    /// Borrows `values`, row-major [n, classes].
    ///
    /// # Errors
    ///
    /// [`Error::NoClasses`], [`Error::Empty`], [`Error::Shape`], or [`Error::NotFinite`] for NaN, infinities and
    /// magnitudes above [`Logits::LIMIT`].
    pub fn new<T: Element>(values: &'a [T], classes: usize) -> Result<Self> {
        let values = T::values(values);
        check_shape("logits", &values, classes)?;
        if let Some((index, found)) = values.first_bad(|value| value.abs() <= Self::LIMIT) {
            return Err(Error::NotFinite {
                row: index / classes,
                column: index % classes,
                found,
            });
        }
        Ok(Self {
            values,
            classes,
            temperature: Temperature::ONE,
        })
    }

    /// The same logits with every row divided by `temperature`, which replaces any earlier one. Copies nothing.
    ///
    /// ```
    /// use rut_metrics::{Logits, Temperature, nll};
    /// # fn main() -> rut_metrics::Result<()> {
    /// let values = [9f64.ln(), 0.0];
    /// let logits = Logits::new(&values, 2)?;
    /// let softened = logits.at_temperature(Temperature::new(2.0)?); // odds of 9 : 1 become 3 : 1
    /// assert!((nll(softened, &[0])? - (4.0f64 / 3.0).ln()).abs() < 1e-15);
    /// # Ok(())
    /// # }
    /// ```
    pub fn at_temperature(self, temperature: Temperature) -> Self {
        Self {
            temperature,
            ..self
        }
    }

    /// Whether every row has values in [0, 1] alone whose sum is 1 within 0.05, room for rounding to two decimals: what a
    /// softmax gives, and logits practically never do. It changes nothing here; a caller that takes values of unknown origin
    /// can ask before a softmax is taken of a softmax.
    ///
    /// ```
    /// use rut_metrics::Logits;
    /// # fn main() -> rut_metrics::Result<()> {
    /// assert!(Logits::new(&[0.7, 0.3, 0.25, 0.75], 2)?.resemble_probabilities());
    /// assert!(!Logits::new(&[0.7, 0.3, 1.25, -0.25], 2)?.resemble_probabilities());
    /// # Ok(())
    /// # }
    /// ```
    pub fn resemble_probabilities(&self) -> bool {
        let mut row = vec![0.0; self.classes];
        (0..self.rows()).all(|index| {
            self.values.copy_to(index * self.classes, &mut row);
            let sum: f64 = row.iter().sum();
            row.iter().all(|value| (0.0..=1.0).contains(value)) && (sum - 1.0).abs() <= 0.05
        })
    }

    /// Number of samples, n.
    pub fn rows(&self) -> usize {
        self.values.len() / self.classes
    }

    /// Width of a row.
    pub fn classes(&self) -> usize {
        self.classes
    }
}

impl<'a> Probs<'a> {
    /// How far the sum of a row may be from 1: room for a softmax in f32 over thousands of classes or one in half
    /// precision over a few, and far below what an unnormalised row shows.
    pub const SUM_TOLERANCE: f64 = 1e-3;

    /// Borrows `values`, row-major [n, classes].
    ///
    /// # Errors
    ///
    /// [`Error::NoClasses`], [`Error::Empty`], [`Error::Shape`], [`Error::NotProbability`] for entries that are NaN or
    /// outside [0, 1], or [`Error::RowSum`].
    pub fn new<T: Element>(values: &'a [T], classes: usize) -> Result<Self> {
        let values = T::values(values);
        check_shape("probs", &values, classes)?;
        if let Some((index, found)) = values.first_bad(|value| (0.0..=1.0).contains(&value)) {
            return Err(Error::NotProbability {
                row: index / classes,
                column: index % classes,
                found,
            });
        }
        let mut row = vec![0.0; classes];
        for index in 0..values.len() / classes {
            values.copy_to(index * classes, &mut row);
            let found: f64 = row.iter().sum();
            if (found - 1.0).abs() > Self::SUM_TOLERANCE {
                return Err(Error::RowSum {
                    row: index,
                    found,
                    tolerance: Self::SUM_TOLERANCE,
                });
            }
        }
        Ok(Self { values, classes })
    }

    /// ln p, row-major [n, classes]: logits whose softmax is these probabilities. A probability of 0 stays 0 at every
    /// temperature: its logarithm is −[`Logits::LIMIT`] here.
    ///
    /// ```
    /// use rut_metrics::{Logits, Probs, nll};
    /// # fn main() -> rut_metrics::Result<()> {
    /// let probs = Probs::new(&[0.75, 0.25, 0.0], 3)?;
    /// let logarithms = probs.logarithms();
    /// let logits = Logits::new(&logarithms, 3)?;
    /// assert!((nll(logits, &[1])? - 4f64.ln()).abs() < 1e-15);
    /// # Ok(())
    /// # }
    /// ```
    pub fn logarithms(&self) -> Vec<f64> {
        let value = |index| self.values.at(index).ln().max(-Logits::LIMIT);
        (0..self.values.len()).map(value).collect()
    }

    /// Number of samples, n.
    pub fn rows(&self) -> usize {
        self.values.len() / self.classes
    }

    /// Width of a row.
    pub fn classes(&self) -> usize {
        self.classes
    }
}

/// Shape and temperature only: the values may be hundreds of megabytes.
impl fmt::Debug for Logits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logits")
            .field("rows", &self.rows())
            .field("classes", &self.classes)
            .field("temperature", &self.temperature)
            .finish_non_exhaustive()
    }
}

/// Shape only: the values may be hundreds of megabytes.
impl fmt::Debug for Probs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probs")
            .field("rows", &self.rows())
            .field("classes", &self.classes)
            .finish_non_exhaustive()
    }
}

fn check_shape(field: &'static str, values: &Values<'_>, classes: usize) -> Result<()> {
    if classes == 0 {
        return Err(Error::NoClasses);
    }
    if values.is_empty() {
        return Err(Error::Empty { field });
    }
    if !values.len().is_multiple_of(classes) {
        return Err(Error::Shape {
            field,
            len: values.len(),
            classes,
        });
    }
    Ok(())
}
