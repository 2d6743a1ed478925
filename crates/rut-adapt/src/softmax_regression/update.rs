//! Adam on slices, in the order of operations of [`crate::optimizer::Adam`], with PyTorch's weight decay.

use pulp::{Simd, WithSimd};

use super::{HeadRates, normal};
use crate::optimizer::{BETA1, BETA2};

/// Values with what Adam knows of them.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    pub(super) values: Vec<f32>,
    pub(super) mean: Vec<f32>,
    pub(super) square: Vec<f32>,
    pub(super) gradient: Vec<f32>,
}

impl Parameter {
    pub(super) fn new(values: Vec<f32>) -> Self {
        let zeros = || vec![0.0; values.len()];
        Self {
            mean: zeros(),
            square: zeros(),
            gradient: zeros(),
            values,
        }
    }
}

/// What Adam's steps of one count share.
#[derive(Clone, Copy)]
pub(super) struct Adam {
    correction1: f64,
    correction2: f64,
}

impl Adam {
    pub(super) fn at(steps: u32) -> Self {
        Self {
            correction1: 1.0 - BETA1.powi(steps as i32),
            correction2: (1.0 - BETA2.powi(steps as i32)).sqrt(),
        }
    }

    pub(super) fn step(self, rates: HeadRates) -> Step {
        Step {
            size: (rates.learning_rate / self.correction1) as f32,
            widen: (1.0 / self.correction2) as f32,
            weight_decay: rates.weight_decay as f32,
        }
    }
}

/// A step of Adam on some values of one head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// Learning rate over the correction of the mean.
    pub(super) size: f32,
    /// One over the correction of the root of the mean square.
    pub(super) widen: f32,
    /// Times the value, added to its gradient.
    pub(super) weight_decay: f32,
}

/// Parameters, their moments and gradients, of one length.
pub(super) struct Update<'a> {
    pub(super) step: Step,
    pub(super) values: &'a mut [f32],
    pub(super) mean: &'a mut [f32],
    pub(super) square: &'a mut [f32],
    pub(super) gradient: &'a [f32],
}

const FORGET1: f32 = (1.0 - BETA1) as f32;
const KEEP2: f32 = BETA2 as f32;
const FORGET2: f32 = (1.0 - BETA2) as f32;
const EPSILON: f32 = crate::optimizer::EPSILON as f32;

impl WithSimd for Update<'_> {
    type Output = ();

    /// A plain loop: the compiler turns it into vectors of the instruction set at hand. No product and sum are fused.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Step {
            size,
            widen,
            weight_decay,
        } = self.step;
        let moments = self.mean.iter_mut().zip(self.square);
        let values = self.values.iter_mut().zip(self.gradient);
        for ((value, gradient), (mean, square)) in values.zip(moments) {
            let gradient = gradient + weight_decay * *value;
            *mean = normal(*mean + (gradient - *mean) * FORGET1);
            *square = normal(*square * KEEP2 + gradient * gradient * FORGET2);
            let root = square.sqrt() * widen + EPSILON;
            *value -= *mean / root * size;
        }
    }
}
