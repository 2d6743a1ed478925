//! Activations rounded to the few values of an integer type and kept in f32, as PyTorch's `fake_quantize_per_tensor_affine`
//! with zero point 0 has it.

use crate::error::{Error, Result};
use crate::lanes::{LANES, Lanes};

/// The most bits of an activation.
const MOST_BITS: u32 = 16;

/// 2²³, from which on f32 has no fractions: a smaller number that is added to it is rounded to nearest even.
const NO_FRACTIONS: f32 = 8_388_608.0;

/// Values 0, s, 2s, … (2ᵇ - 1)·s, for what a ReLU gives: `min(round(x / s), 2ᵇ - 1) · s`, halves to even.
///
/// The gradient passes where the rounded value is not above the last one, and is 0 where it is (straight-through
/// estimator; Bengio et al. 2013).
///
/// ```
/// use rut_kernels::FakeQuantize;
/// let quantize = FakeQuantize::new(2, 0.5)?; // 0, 0.5, 1 and 1.5
/// assert_eq!([0.2, 0.25, 0.8, 9.0].map(|x| quantize.value(x)), [0.0, 0.0, 1.0, 1.5]);
/// assert!(quantize.passes(1.7) && !quantize.passes(9.0));
/// # Ok::<(), rut_kernels::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FakeQuantize {
    bits: u32,
    scale: f32,
    inverse: f32,
    most: f32,
}

impl FakeQuantize {
    /// Values of `bits` bits, 1 to 16, that are `scale` apart.
    ///
    /// # Errors
    ///
    /// [`Error::Quantization`] for other numbers of bits, and for a scale that is not a positive finite number with a finite
    /// inverse.
    pub fn new(bits: u32, scale: f32) -> Result<Self> {
        let inverse = 1.0 / scale;
        let is_usable = scale > 0.0 && scale.is_finite() && inverse.is_finite();
        if !(1..=MOST_BITS).contains(&bits) || !is_usable {
            return Err(Error::Quantization { bits, scale });
        }
        Ok(Self {
            bits,
            scale,
            inverse,
            most: ((1_u32 << bits) - 1) as f32,
        })
    }

    /// Bits of a value.
    pub fn bits(&self) -> u32 {
        self.bits
    }

    /// From one value to the next.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// The value that stands for `x`, which is not negative; NaN stays NaN.
    #[inline]
    pub fn value(&self, x: f32) -> f32 {
        let level = self.level(x);
        let kept = if level > self.most { self.most } else { level };
        kept * self.scale
    }

    /// Whether the gradient of `x` passes.
    #[inline]
    pub fn passes(&self, x: f32) -> bool {
        self.level(x) <= self.most
    }

    /// Which multiple of the scale is next to `x`.
    #[inline]
    fn level(&self, x: f32) -> f32 {
        // What is too large to be rounded so is above the last value either way.
        (x * self.inverse + NO_FRACTIONS) - NO_FRACTIONS
    }

    /// Quantizes the values of a ReLU in place. `bits` are its record, one u16 of sixteen lanes for each element: where the
    /// gradient does not pass, they become 0.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where the record has another length.
    pub fn run(&self, values: &mut [Lanes], bits: Option<&mut [u16]>) -> Result<()> {
        let Some(bits) = bits else {
            values
                .iter_mut()
                .flat_map(|lanes| &mut lanes.0)
                .for_each(|value| *value = self.value(*value));
            return Ok(());
        };
        if bits.len() != values.len() {
            return Err(Error::Shape {
                what: "the record of a ReLU",
                found: format!("{} elements", bits.len()),
                expected: format!("{}", values.len()),
            });
        }
        for (lanes, bits) in values.iter_mut().zip(bits) {
            let mut pass = 0_u16;
            for lane in 0..LANES {
                let value = lanes.0[lane];
                pass |= u16::from(self.passes(value)) << lane;
                lanes.0[lane] = self.value(value);
            }
            *bits &= pass;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PyTorch 2.15: `torch.fake_quantize_per_tensor_affine(x, scale, 0, 0, 2**bits - 1)` and its gradient.
    #[test]
    fn values_and_gradients_are_those_of_pytorch() {
        // x, and its values in 2 bits with scale 0.5, 4 with 0.3 and 8 with 0.02.
        let rows: [[f32; 4]; 23] = [
            [0.0, 0.0, 0.0, 0.0],
            [0.1, 0.0, 0.0, 0.099_999_994],
            [0.24, 0.0, 0.3, 0.24],
            [0.25, 0.0, 0.3, 0.24],
            [0.26, 0.5, 0.3, 0.26],
            [0.5, 0.5, 0.6, 0.5],
            [0.74, 0.5, 0.6, 0.74],
            [0.75, 1.0, 0.6, 0.76],
            [1.2, 1.0, 1.2, 1.199_999_9],
            [1.25, 1.0, 1.2, 1.24],
            [1.3, 1.5, 1.2, 1.3],
            [1.7, 1.5, 1.800_000_1, 1.699_999_9],
            [1.75, 1.5, 1.800_000_1, 1.76],
            [1.8, 1.5, 1.800_000_1, 1.8],
            [4.5, 1.5, 4.5, 4.5],
            [4.64, 1.5, 4.5, 4.64],
            [4.66, 1.5, 4.5, 4.66],
            [5.09, 1.5, 4.5, 5.08],
            [5.11, 1.5, 4.5, 5.1],
            [5.13, 1.5, 4.5, 5.1],
            [100.0, 1.5, 4.5, 5.1],
            [1e9, 1.5, 4.5, 5.1],
            [f32::INFINITY, 1.5, 4.5, 5.1],
        ];
        // How many gradients pass: x rises, so all before the first that does not.
        for (column, bits, scale, passing) in [(1, 2, 0.5, 12), (2, 4, 0.3, 16), (3, 8, 0.02, 18)] {
            let quantize = FakeQuantize::new(bits, scale).unwrap();
            for (index, row) in rows.iter().enumerate() {
                assert_eq!(
                    quantize.value(row[0]),
                    row[column],
                    "{bits} bits of {}",
                    row[0]
                );
                assert_eq!(
                    quantize.passes(row[0]),
                    index < passing,
                    "{bits} bits of {}",
                    row[0]
                );
            }
        }
        let quantize = FakeQuantize::new(8, 0.02).unwrap();
        assert!(quantize.value(f32::NAN).is_nan() && !quantize.passes(f32::NAN));
    }

    #[test]
    fn a_record_loses_what_is_cut_off_and_nothing_else() {
        let quantize = FakeQuantize::new(2, 0.5).unwrap();
        let mut values = vec![Lanes::splat(0.7), Lanes::splat(9.0)];
        values[0].0[3] = 2.0;
        values[1].0[5] = 0.0;
        let mut bits = vec![0xFFFF, 0x00FF];
        let mut alone = values.clone();
        quantize.run(&mut values, Some(&mut bits)).unwrap();
        quantize.run(&mut alone, None).unwrap();
        assert_eq!(values, alone);
        assert_eq!(bits, [!(1 << 3), 1 << 5]);
        assert_eq!(
            (values[0].0[0], values[0].0[3], values[1].0[5]),
            (0.5, 1.5, 0.0)
        );
        let error = quantize.run(&mut values, Some(&mut bits[..1])).unwrap_err();
        assert!(
            error.to_string().contains("1 elements, expected 2"),
            "{error}"
        );
    }

    #[test]
    fn bits_and_scales_that_cannot_be_are_refused() {
        for (bits, scale) in [
            (0, 1.0),
            (17, 1.0),
            (8, 0.0),
            (8, -1.0),
            (8, f32::NAN),
            (8, f32::INFINITY),
            (8, 1e-45),
        ] {
            let error = FakeQuantize::new(bits, scale).unwrap_err().to_string();
            assert!(error.contains("expected 1 to 16 bits"), "{error}");
        }
    }
}
