//! Weights rounded to the few values of a signed integer, symmetric around 0 and with a scale for each output channel.

use crate::error::{Error, Result};

/// Bits of a weight that are rounded to.
const BITS: std::ops::RangeInclusive<u32> = 2..=16;

/// The weights `[out, …]` of a layer with `rows` output channels, each rounded to a multiple `k` of its channel's scale,
/// |k| ≤ 2^(bits - 1) - 1, halves to even. The scale makes the largest magnitude of the channel the largest multiple; a
/// channel of zeros stays one. The same as PyTorch's `fake_quantize_per_channel_affine` with these scales and zero points 0.
///
/// # Errors
///
/// [`Error::Argument`] for fewer than 2 or more than 16 bits, and for weights that `rows` does not divide.
///
/// ```
/// let mut weights = [3.0, -1.0, 0.4, 0.0, 0.0, 0.0];
/// rut_compress::round_per_channel(&mut weights, 2, 3)?; // -3 to 3
/// assert_eq!(weights, [3.0, -1.0, 0.0, 0.0, 0.0, 0.0]);
/// # Ok::<(), rut_compress::Error>(())
/// ```
pub fn round_per_channel(weights: &mut [f32], rows: usize, bits: u32) -> Result<()> {
    if !BITS.contains(&bits) {
        return Err(Error::Argument {
            what: "the number of bits of a weight",
            found: bits.to_string(),
            expected: format!("{} to {}", BITS.start(), BITS.end()),
        });
    }
    if rows == 0 || !weights.len().is_multiple_of(rows) {
        return Err(Error::Argument {
            what: "the number of output channels",
            found: rows.to_string(),
            expected: format!("a divisor of {} weights", weights.len()),
        });
    }
    let most = ((1_u32 << (bits - 1)) - 1) as f32;
    let row = weights.len() / rows;
    for channel in weights.chunks_mut(row.max(1)) {
        let largest = channel.iter().fold(0.0_f32, |most, w| most.max(w.abs()));
        let scale = (f64::from(largest) / f64::from(most)) as f32;
        // As PyTorch has it: the last bits decide on what is next to a half.
        let inverse = 1.0 / scale;
        // Of weights below 1e-37 nothing is left.
        if !inverse.is_finite() {
            channel.fill(0.0);
            continue;
        }
        for weight in channel {
            let level = (*weight * inverse).round_ties_even().clamp(-most, most);
            *weight = level * scale;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// torch 2.15.0: fake_quantize_per_channel_affine gives level 4 of the second weight. Its quotient is above 4.5, its product
    /// with the inverse is not.
    #[test]
    fn weights_are_multiplied_by_the_inverse_and_tiny_ones_vanish() {
        let mut weights = [1.310_227_2_f32, 0.842_288_9];
        round_per_channel(&mut weights, 1, 4).unwrap();
        assert_eq!(weights[1], 4.0 * 0.187_175_3_f32);
        let mut tiny = [1e-39_f32, 0.0];
        round_per_channel(&mut tiny, 1, 8).unwrap();
        assert_eq!(tiny, [0.0, 0.0]);
    }

    #[test]
    fn halves_go_to_even_and_signs_stay() {
        let mut weights = [7.0, 0.5, 1.5, 2.5, -0.5, -1.5, -3.5, 0.2];
        round_per_channel(&mut weights, 1, 4).unwrap();
        assert_eq!(weights, [7.0, 0.0, 2.0, 2.0, 0.0, -2.0, -4.0, 0.0]);
    }

    #[test]
    fn each_channel_has_a_scale_of_its_own() {
        let mut weights = [1.0, 0.4, 100.0, 60.0, 0.0, 0.0];
        round_per_channel(&mut weights, 3, 2).unwrap();
        assert_eq!(weights, [1.0, 0.0, 100.0, 100.0, 0.0, 0.0]);
    }

    #[test]
    fn what_cannot_be_rounded_so_is_refused() {
        for bits in [0, 1, 17, u32::MAX] {
            let error = round_per_channel(&mut [1.0], 1, bits).unwrap_err();
            assert!(error.to_string().contains("expected 2 to 16"), "{error}");
        }
        let error = round_per_channel(&mut [1.0; 5], 2, 8).unwrap_err();
        assert!(error.to_string().contains("a divisor of 5"), "{error}");
    }
}
