//! Stochastic gradient descent with momentum, as `torch.optim.SGD` computes it.

use candle_core::{Result as TensorResult, Tensor};

use super::adam::decayed;
use crate::error::Result;
use crate::state::TrainingState;

/// v ← μ v + g + λ w (at first v = g + λ w), w ← w − lr v: no dampening, no Nesterov.
///
/// ```
/// use candle_core::{Device, Tensor};
/// let mut sgd = rut_adapt::Sgd::new(0.9, 0.0);
/// let one = Tensor::new(&[1f64], &Device::Cpu)?;
/// let first = sgd.step(&[one.clone()], &[one.clone()], &[0.1])?;
/// let second = sgd.step(&first, &[one], &[0.1])?;
/// assert!((second[0].to_vec1::<f64>()?[0] - (1.0 - 0.1 - 0.19)).abs() < 1e-15);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sgd {
    momentum: f64,
    weight_decay: f64,
    velocities: Vec<Tensor>,
}

impl Sgd {
    /// An optimiser of momentum μ and weight decay λ that has not stepped yet.
    pub fn new(momentum: f64, weight_decay: f64) -> Self {
        Self {
            momentum,
            weight_decay,
            velocities: Vec::new(),
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
        let mut stepped = Vec::with_capacity(parameters.len());
        for (index, (parameter, gradient)) in parameters.iter().zip(gradients).enumerate() {
            let gradient = decayed(gradient, parameter, self.weight_decay)?;
            let velocity = match self.velocities.get(index) {
                Some(last) => ((last * self.momentum)? + gradient)?,
                None => gradient,
            };
            let rate = rates.get(index).copied().unwrap_or(0.0);
            stepped.push((parameter - (&velocity * rate)?)?.detach());
            match self.velocities.get_mut(index) {
                Some(last) => *last = velocity,
                None => self.velocities.push(velocity),
            }
        }
        Ok(stepped)
    }

    /// Writes its velocities into `state`.
    pub fn save(&self, state: &mut TrainingState) {
        for (index, velocity) in self.velocities.iter().enumerate() {
            state.put_tensor(&format!("sgd.{index}.velocity"), velocity);
        }
    }

    /// Takes over what [`save`](Self::save) wrote, for `parameters`.
    ///
    /// # Errors
    /// If an entry has another shape than its parameter, or some are missing.
    pub fn restore(&mut self, state: &TrainingState, parameters: &[Tensor]) -> Result<()> {
        let name = |index: usize| format!("sgd.{index}.velocity");
        self.velocities = match state.tensor(&name(0)) {
            None => Vec::new(),
            Some(_) => parameters
                .iter()
                .enumerate()
                .map(|(index, like)| state.tensor_like(&name(index), like))
                .collect::<Result<_>>()?,
        };
        Ok(())
    }
}
