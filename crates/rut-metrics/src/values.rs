//! The borrowed numbers behind predictions: a row-major slice of f32 or f64, read row by row as f64.

/// A borrowed row-major slice in the type in which it is stored. Nothing is copied.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Values<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// Double precision.
    F64(&'a [f64]),
}

/// A type of number in which predictions can be stored: `f32` or `f64`.
pub trait Element: Copy {
    /// The slice, with its type as a value.
    fn values(slice: &[Self]) -> Values<'_>;
}

impl Element for f32 {
    fn values(slice: &[Self]) -> Values<'_> {
        Values::F32(slice)
    }
}

impl Element for f64 {
    fn values(slice: &[Self]) -> Values<'_> {
        Values::F64(slice)
    }
}

impl Values<'_> {
    /// Number of values, all rows together.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(slice) => slice.len(),
            Self::F64(slice) => slice.len(),
        }
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies `out.len()` values from `start` on into `out`, widened to f64.
    pub(crate) fn copy_to(&self, start: usize, out: &mut [f64]) {
        match self {
            Self::F32(slice) => {
                for (to, from) in out.iter_mut().zip(&slice[start..]) {
                    *to = f64::from(*from);
                }
            }
            Self::F64(slice) => out.copy_from_slice(&slice[start..start + out.len()]),
        }
    }

    /// The value at `index`, widened to f64.
    pub(crate) fn at(&self, index: usize) -> f64 {
        match self {
            Self::F32(slice) => f64::from(slice[index]),
            Self::F64(slice) => slice[index],
        }
    }

    /// The index and value of the first entry that `good` refuses.
    pub(crate) fn first_bad(&self, good: impl Fn(f64) -> bool) -> Option<(usize, f64)> {
        let index = match self {
            Self::F32(slice) => slice.iter().position(|&value| !good(f64::from(value))),
            Self::F64(slice) => slice.iter().position(|&value| !good(value)),
        }?;
        Some((index, self.at(index)))
    }
}
