//! The kernels of a separable resize: how much a source pixel counts, by its distance from an output pixel's centre.
//! Widening them when an image shrinks is the caller's.

/// What interpolates between pixels.
///
/// ```
/// use rut_images::Filter;
/// assert_eq!(Filter::Bilinear.weight(0.25), 0.75);
/// assert_eq!(Filter::Bicubic.weight(1.5), -0.0625);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Filter {
    /// Straight lines between pixels.
    #[default]
    Bilinear,
    /// Cubic curves, a = -0.5 (Keys 1981, doi 10.1109/TASSP.1981.1163711), as Pillow and PyTorch with antialiasing have it.
    Bicubic,
}

impl Filter {
    /// Beyond this distance a pixel does not count, in output pixels.
    #[must_use]
    pub fn support(self) -> f64 {
        match self {
            Filter::Bilinear => 1.0,
            Filter::Bicubic => 2.0,
        }
    }

    /// How much a pixel at this distance counts, before the weights are made to sum to 1.
    #[must_use]
    pub fn weight(self, distance: f64) -> f64 {
        const A: f64 = -0.5;
        let x = distance.abs();
        match self {
            Filter::Bilinear => (1.0 - x).max(0.0),
            Filter::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
            Filter::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
            Filter::Bicubic => 0.0,
        }
    }

    /// Its name in texts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Filter::Bilinear => "bilinear",
            Filter::Bicubic => "bicubic",
        }
    }
}
