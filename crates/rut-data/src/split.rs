//! How much of a training set is used: budgets and validation rules. The drawing is in `few_shot`.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// Images per class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shots(pub usize);

/// A share of the images of each class: more than 0, and at most 1.
///
/// ```
/// assert_eq!(rut_data::Share::new(0.1)?.get(), 0.1);
/// assert!(rut_data::Share::new(0.0).is_err());
/// # Ok::<(), rut_data::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Share(f64);

impl Share {
    /// The share `value`.
    ///
    /// # Errors
    /// [`Error::BadOption`] if it is not in (0, 1].
    pub fn new(value: f64) -> Result<Share> {
        if value > 0.0 && value <= 1.0 {
            Ok(Share(value))
        } else {
            Err(Error::BadOption {
                what: "fraction of the training images",
                found: value.to_string(),
                expected: "a number above 0 and at most 1",
            })
        }
    }

    /// The share as a number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// This share of `n` images, rounded to the nearest whole number (halves up), and at least one.
    pub(crate) fn of(self, n: usize) -> usize {
        ((self.0 * n as f64).round() as usize).clamp(1, n.max(1))
    }
}

/// How many training images are used.
///
/// ```
/// use rut_data::{Budget, Shots};
/// assert_eq!("16".parse::<Budget>()?, Budget::PerClass(Shots(16)));
/// assert_eq!("-1".parse::<Budget>()?, Budget::All);
/// assert!("0.5".parse::<Budget>().is_err());
/// # Ok::<(), rut_data::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Budget {
    /// All of them; written `all` or `-1`.
    All,
    /// So many of each class; written as a whole number from 1.
    PerClass(Shots),
    /// This share of each class, with the validation images that go with it; has no text of its
    /// own, so that no number of shots is taken for a share.
    Fraction(Share),
}

impl fmt::Display for Budget {
    /// `all`, the number of shots, or `fraction 0.1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Budget::All => f.write_str("all"),
            Budget::PerClass(Shots(shots)) => write!(f, "{shots}"),
            Budget::Fraction(Share(share)) => write!(f, "fraction {share}"),
        }
    }
}

impl FromStr for Budget {
    type Err = Error;

    fn from_str(text: &str) -> Result<Budget> {
        let wrong = || Error::BadOption {
            what: "number of shots",
            found: text.to_owned(),
            expected: "a whole number of images per class from 1 up, or 'all' (-1) for all images",
        };
        match text.trim() {
            all if all.eq_ignore_ascii_case("all") || all == "-1" => Ok(Budget::All),
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.parse() {
                Ok(shots) if shots > 0 => Ok(Budget::PerClass(Shots(shots))),
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }
}

/// How many images are for validation: set aside from the training images, or of a data set's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValidationRule {
    /// None.
    None,
    /// This share of each class, in [0, 1): rounded to the nearest whole number (halves up), at
    /// least one where a class has two images or more, and never all of a class. A share of zero
    /// is the same as [`ValidationRule::None`].
    Fraction(f64),
    /// So many of each class.
    PerClass(usize),
    /// All validation images that a data set has of its own; of training images, nothing would be
    /// left to train on.
    All,
}

impl ValidationRule {
    /// Checks that a fraction is one.
    ///
    /// # Errors
    /// [`Error::BadOption`] if a fraction is not in [0, 1).
    pub fn check(self) -> Result<Self> {
        match self {
            ValidationRule::Fraction(share) if !(0.0..1.0).contains(&share) => {
                Err(Error::BadOption {
                    what: "validation fraction",
                    found: share.to_string(),
                    expected: "a number from 0 up to, but not including, 1",
                })
            }
            rule => Ok(rule),
        }
    }

    /// Images that this rule takes of a class of `n`.
    pub(crate) fn count(self, n: usize) -> usize {
        match self {
            ValidationRule::None => 0,
            ValidationRule::PerClass(count) => count,
            ValidationRule::All => n,
            ValidationRule::Fraction(share) if share == 0.0 || n < 2 => 0,
            ValidationRule::Fraction(share) => {
                ((share * n as f64).round() as usize).clamp(1, n - 1)
            }
        }
    }
}
