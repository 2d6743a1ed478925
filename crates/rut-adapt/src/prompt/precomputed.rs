//! A result that plain code computed, as a differentiable candle operation.

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Storage, Tensor};

/// Goes back from the gradient of a result to that of its argument.
type Backward = Box<dyn FnOnce(&Tensor) -> Result<Tensor> + Send>;

/// `result`, which was computed from `argument`: `backward` goes from its gradient to the argument's, once. Where nobody asks
/// for a gradient, what `backward` holds is dropped at once.
pub(super) fn precomputed(
    argument: &Tensor,
    result: Tensor,
    backward: impl FnOnce(&Tensor) -> Result<Tensor> + Send + 'static,
) -> Result<Tensor> {
    if !argument.track_op() {
        return Ok(result);
    }
    argument.apply_op1(Precomputed {
        result: Mutex::new(Some(result)),
        backward: Mutex::new(Some(Box::new(backward))),
    })
}

struct Precomputed {
    result: Mutex<Option<Tensor>>,
    backward: Mutex<Option<Backward>>,
}

/// What is in it, which can be had once.
fn taken<T>(held: &Mutex<Option<T>>, what: &str) -> Result<T> {
    let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
    match held.take() {
        Some(value) => Ok(value),
        None => candle_core::bail!("{what} of a prompt: it was taken before"),
    }
}

impl CustomOp1 for Precomputed {
    fn name(&self) -> &'static str {
        "prompt"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        let result = taken(&self.result, "the result")?.contiguous()?;
        let shape = result.shape().clone();
        let (storage, _) = result.storage_and_layout();
        match &*storage {
            Storage::Cpu(storage) => Ok((storage.clone(), shape)),
            _ => candle_core::bail!("the result of a prompt: expected it on the CPU"),
        }
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(taken(&self.backward, "the gradient")?(gradient)?))
    }
}
