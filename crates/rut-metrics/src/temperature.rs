//! [`Temperature`], the one scalar by which logits are divided. How to find it is in `calibrate`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A divisor of logits in [1e-6, 1e6]: above 1 softens, below 1 sharpens (Guo et al. 2017, section 4.2).
///
/// ```
/// use rut_metrics::Temperature;
/// # fn main() -> rut_metrics::Result<()> {
/// assert_eq!(Temperature::new(1.5)?.get(), 1.5);
/// assert!(Temperature::new(0.0).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Temperature(f64);

impl Temperature {
    /// Leaves logits as they are.
    pub const ONE: Self = Self(1.0);

    /// A temperature of `value`.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] for NaN and values outside [1e-6, 1e6].
    pub fn new(value: f64) -> Result<Self> {
        if !(1e-6..=1e6).contains(&value) {
            return Err(Error::Option {
                field: "temperature",
                expected: "finite in [1e-6, 1e6]",
                found: value,
            });
        }
        Ok(Self(value))
    }

    /// The divisor.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Default for Temperature {
    fn default() -> Self {
        Self::ONE
    }
}

impl fmt::Display for Temperature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<f64> for Temperature {
    type Error = Error;

    fn try_from(value: f64) -> Result<Self> {
        Self::new(value)
    }
}

impl From<Temperature> for f64 {
    fn from(temperature: Temperature) -> Self {
        temperature.0
    }
}
