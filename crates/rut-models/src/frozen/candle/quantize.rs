//! Activations as few bits hold them ([`Op::FakeQuantize`](crate::graph::Op::FakeQuantize)).

use candle_core::{DType, Tensor};

use crate::error::Result;
use crate::graph::ActivationRange;

/// Which multiple of the scale each element of `x` is next to, halves to even; not negative.
pub(super) fn levels(x: &Tensor, range: ActivationRange) -> Result<Tensor> {
    // From here on the type has no fractions: a smaller number that is added is rounded to nearest even.
    let (inverse, no_fractions) = match x.dtype() {
        DType::F64 => (1.0 / f64::from(range.scale()), 4_503_599_627_370_496.0),
        _ => (f64::from(1.0 / range.scale()), 8_388_608.0),
    };
    let scaled = (x * inverse)?;
    Ok(((scaled + no_fractions)? - no_fractions)?)
}

/// u8 of the same shape: 1 where nothing is cut off.
pub(super) fn passes(levels: &Tensor, range: ActivationRange) -> Result<Tensor> {
    Ok(levels.le(last(range))?)
}

/// The elements that stand for those of `x`.
pub(super) fn values(levels: &Tensor, range: ActivationRange) -> Result<Tensor> {
    let last = last(range);
    let most = (levels.zeros_like()? + last)?;
    let kept = levels.gt(last)?.where_cond(&most, levels)?;
    Ok((kept * f64::from(range.scale()))?)
}

fn last(range: ActivationRange) -> f64 {
    f64::from(range.bits()).exp2() - 1.0
}
