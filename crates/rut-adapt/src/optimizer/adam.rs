//! Adam, as `torch.optim.Adam` computes it, with moments that can be saved.

use candle_core::{Result as TensorResult, Tensor};

use crate::error::{Error, Result};
use crate::state::TrainingState;

pub(crate) const BETA1: f64 = 0.9;
pub(crate) const BETA2: f64 = 0.999;
pub(crate) const EPSILON: f64 = 1e-8;

/// Adam with betas 0.9 and 0.999 and eps 1e-8 (Kingma and Ba 2015, algorithm 1, in the order of operations of
/// `torch.optim.Adam`).
///
/// candle-nn's optimisers keep their moments private, so a run with them cannot be resumed.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let mut adam = rut_adapt::Adam::new();
/// let one = Tensor::new(&[1f32], &Device::Cpu)?;
/// let stepped = adam.step(&[one.clone()], &[one], &[0.01])?;
/// // The first step has the size of the learning rate, whatever the gradient's.
/// assert!((stepped[0].to_vec1::<f32>()?[0] - 0.99).abs() < 1e-6);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Adam {
    weight_decay: f64,
    step: u32,
    moments: Vec<Moments>,
}

#[derive(Clone, Debug)]
struct Moments {
    mean: Tensor,
    square: Tensor,
}

impl Adam {
    /// An optimiser without weight decay that has not stepped yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with `weight_decay` times the parameters added to their gradients.
    pub fn with_decay(weight_decay: f64) -> Self {
        Self {
            weight_decay,
            ..Self::default()
        }
    }

    /// The parameters after one step down their gradients, each at its rate (same order and shapes in every call).
    ///
    /// # Errors
    /// If a gradient's shape or type differs from its parameter's.
    pub fn step(
        &mut self,
        parameters: &[Tensor],
        gradients: &[Tensor],
        rates: &[f64],
    ) -> TensorResult<Vec<Tensor>> {
        if self.moments.is_empty() {
            self.moments = parameters
                .iter()
                .map(|p| {
                    Ok(Moments {
                        mean: p.zeros_like()?,
                        square: p.zeros_like()?,
                    })
                })
                .collect::<TensorResult<_>>()?;
        }
        self.step += 1;
        let correction1 = 1.0 - BETA1.powi(self.step as i32);
        let correction2 = (1.0 - BETA2.powi(self.step as i32)).sqrt();
        let mut stepped = Vec::with_capacity(parameters.len());
        let moments = self.moments.iter_mut().zip(rates);
        for ((parameter, gradient), (moments, rate)) in
            parameters.iter().zip(gradients).zip(moments)
        {
            let size = rate / correction1;
            let gradient = &decayed(gradient, parameter, self.weight_decay)?;
            moments.mean = (&moments.mean + ((gradient - &moments.mean)? * (1.0 - BETA1))?)?;
            moments.square = ((&moments.square * BETA2)? + (gradient.sqr()? * (1.0 - BETA2))?)?;
            let denominator = ((moments.square.sqrt()? / correction2)? + EPSILON)?;
            stepped.push((parameter - ((&moments.mean / denominator)? * size)?)?.detach());
        }
        Ok(stepped)
    }

    /// Writes step count and moments into `state`.
    pub fn save(&self, state: &mut TrainingState) {
        state.put_number("adam.step", u64::from(self.step));
        for (index, moments) in self.moments.iter().enumerate() {
            state.put_tensor(&format!("adam.{index}.mean"), &moments.mean);
            state.put_tensor(&format!("adam.{index}.square"), &moments.square);
        }
    }

    /// Takes over what [`save`](Self::save) wrote, for `parameters`.
    ///
    /// # Errors
    /// If an entry is missing or has another shape than its parameter.
    pub fn restore(&mut self, state: &TrainingState, parameters: &[Tensor]) -> Result<()> {
        self.step =
            u32::try_from(state.number("adam.step")?).map_err(|_| Error::TrainingState {
                field: "adam.step".into(),
                expected: "a 32-bit count".into(),
                found: "a larger one".into(),
            })?;
        self.moments = if self.step == 0 {
            Vec::new()
        } else {
            let entry = |index: usize, part: &str, like: &Tensor| {
                state.tensor_like(&format!("adam.{index}.{part}"), like)
            };
            parameters
                .iter()
                .enumerate()
                .map(|(i, p)| {
                    Ok(Moments {
                        mean: entry(i, "mean", p)?,
                        square: entry(i, "square", p)?,
                    })
                })
                .collect::<Result<_>>()?
        };
        Ok(())
    }
}

/// `gradient` with `weight_decay` times the parameter added.
pub(super) fn decayed(
    gradient: &Tensor,
    parameter: &Tensor,
    weight_decay: f64,
) -> TensorResult<Tensor> {
    match weight_decay {
        0.0 => Ok(gradient.clone()),
        decay => gradient + (parameter * decay)?,
    }
}
