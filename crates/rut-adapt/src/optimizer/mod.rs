//! What turns gradients into steps: Adam and SGD as PyTorch computes them, and SPSA, which needs no gradient. They know no
//! schedule and no model; their state can be saved, which candle-nn's cannot.

mod adam;
mod rule;
mod sgd;
mod spsa;

pub use adam::Adam;
pub(crate) use adam::{BETA1, BETA2, EPSILON};
pub use rule::{GradientForm, GradientRule};
pub use sgd::Sgd;
pub use spsa::{Spsa, SpsaOptions};

use candle_core::{Result as TensorResult, Tensor};

use crate::error::Result;
use crate::state::TrainingState;

/// An optimiser of tensors by their gradients.
#[derive(Clone, Debug)]
pub enum GradientDescent {
    /// Adam.
    Adam(Adam),
    /// Stochastic gradient descent.
    Sgd(Sgd),
}

impl GradientDescent {
    /// The parameters after one step down their gradients; each has its learning rate. Order and shapes are the same in every
    /// call.
    ///
    /// # Errors
    /// If a gradient's shape or type differs from its parameter's.
    pub fn step(
        &mut self,
        parameters: &[Tensor],
        gradients: &[Tensor],
        rates: &[f64],
    ) -> TensorResult<Vec<Tensor>> {
        match self {
            Self::Adam(adam) => adam.step(parameters, gradients, rates),
            Self::Sgd(sgd) => sgd.step(parameters, gradients, rates),
        }
    }

    /// Writes all but its options into `state`.
    pub fn save(&self, state: &mut TrainingState) {
        match self {
            Self::Adam(adam) => adam.save(state),
            Self::Sgd(sgd) => sgd.save(state),
        }
    }

    /// Takes over what [`save`](Self::save) wrote, for `parameters`.
    ///
    /// # Errors
    /// If an entry is missing or has another shape than its parameter.
    pub fn restore(&mut self, state: &TrainingState, parameters: &[Tensor]) -> Result<()> {
        match self {
            Self::Adam(adam) => adam.restore(state, parameters),
            Self::Sgd(sgd) => sgd.restore(state, parameters),
        }
    }
}
