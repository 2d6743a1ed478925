//! Sixteen numbers side by side: one value each of sixteen images.

/// How many images are computed at once.
pub const LANES: usize = 16;

/// The same element of [`LANES`] images, aligned to a cache line so that no vector load is split.
#[repr(C, align(64))]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lanes(pub [f32; LANES]);

impl Lanes {
    /// Sixteen zeros.
    pub const ZERO: Self = Self([0.0; LANES]);

    /// The same number in every lane.
    pub fn splat(value: f32) -> Self {
        Self([value; LANES])
    }
}

impl Default for Lanes {
    fn default() -> Self {
        Self::ZERO
    }
}

/// For one element of a max-pool's result, and each lane, the place in the window, row by row, that it was taken from.
pub type Taken = [u8; LANES];
