//! Thirty-two channels of one pixel in bfloat16, and the one rule by which numbers become bfloat16.

/// Channels of a [`Row`].
pub const CHANNELS: usize = 32;

/// The bits of 32 bfloat16 numbers: 32 channels of one pixel, or 16 pairs of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Row(pub [u16; CHANNELS]);

impl Row {
    /// All zeros.
    pub const ZERO: Self = Self([0; CHANNELS]);

    /// Its numbers.
    pub fn to_f32(self) -> [f32; CHANNELS] {
        self.0.map(widen)
    }

    /// Numbers rounded to the nearest.
    ///
    /// ```
    /// use rut_kernels::bf16::Row;
    /// let row = Row::rounded(&[1.0 + 1.0 / 256.0; 32]); // half way: to the even one
    /// assert_eq!(row.to_f32(), [1.0; 32]);
    /// ```
    #[inline(always)]
    pub fn rounded(values: &[f32; CHANNELS]) -> Self {
        let mut row = Self::ZERO;
        for (bits, &value) in row.0.iter_mut().zip(values) {
            *bits = round(value);
        }
        row
    }
}

impl Default for Row {
    fn default() -> Self {
        Self::ZERO
    }
}

/// The bits of the bfloat16 number nearest to `value`; of two equally near ones, that with the even last bit. A NaN stays
/// one.
#[inline(always)]
pub fn round(value: f32) -> u16 {
    let bits = value.to_bits();
    let rounded = (bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16) as u16;
    if value.is_nan() {
        (bits >> 16) as u16 | 0x40
    } else {
        rounded
    }
}

/// The number that bits of bfloat16 stand for.
#[inline(always)]
pub fn widen(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_to_nearest_even_and_keeps_what_is_no_number() {
        let ulp = 2.0_f32.powi(-7);
        for (value, nearest) in [
            (0.0, 0.0),
            (1.0, 1.0),
            (1.0 + 0.49 * ulp, 1.0),
            (1.0 + 0.5 * ulp, 1.0),
            (1.0 + 0.51 * ulp, 1.0 + ulp),
            (1.0 + 1.5 * ulp, 1.0 + 2.0 * ulp),
            (-1.0 - 1.5 * ulp, -1.0 - 2.0 * ulp),
            (f32::INFINITY, f32::INFINITY),
            (f32::MAX, f32::INFINITY),
        ] {
            assert_eq!(widen(round(value)), nearest, "{value}");
        }
        assert_eq!(round(-0.0), 0x8000);
        assert!(widen(round(f32::NAN)).is_nan());
        assert!(widen(round(f32::from_bits(0x7f80_0001))).is_nan());
    }
}
