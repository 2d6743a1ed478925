//! The linear layer that a probe trains on frozen features. How it is trained stands in `linear_probe`.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use rut_data::Seed;

use crate::error::Result;
use crate::state::{self, TrainingState};

/// The metadata entry of a head's file, of any kind.
pub(crate) const KEY: &str = "rut.head";
/// The value of [`KEY`] in a file of a linear head.
pub(crate) const VERSION: &str = "version 1";

/// z = x Wᵀ + b, with `weight` [classes, width] and `bias` `[classes]`.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use rut_adapt::{LinearHead, Seed};
/// let head = LinearHead::init(4, 3, Seed(4), DType::F32, &Device::Cpu)?;
/// let logits = head.logits(&Tensor::zeros((2, 4), DType::F32, &Device::Cpu)?)?;
/// assert_eq!(logits.dims(), [2, 3]);
/// # Ok::<(), rut_adapt::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LinearHead {
    /// [classes, width]
    pub weight: Tensor,
    /// `[classes]`
    pub bias: Tensor,
}

impl LinearHead {
    /// A fresh head: weight and bias uniform in ±1/√width, as `torch.nn.Linear` starts (drawn from the seed's stream `head`).
    ///
    /// # Errors
    /// If the device refuses the tensors.
    pub fn init(
        width: usize,
        classes: usize,
        seed: Seed,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let mut stream = seed.stream("head");
        let bound = 1.0 / (width as f64).sqrt();
        let mut draw = |n: usize| {
            (0..n)
                .map(|_| ((2.0 * stream.uniform() - 1.0) * bound) as f32)
                .collect::<Vec<_>>()
        };
        let weight =
            Tensor::from_vec(draw(classes * width), (classes, width), device)?.to_dtype(dtype)?;
        let bias = Tensor::from_vec(draw(classes), classes, device)?.to_dtype(dtype)?;
        Ok(Self { weight, bias })
    }

    /// Number of target classes.
    pub fn classes(&self) -> usize {
        self.weight.dims()[0]
    }

    /// Logits [n, classes] of `features` [n, width].
    ///
    /// # Errors
    /// If the features have another width.
    pub fn logits(&self, features: &Tensor) -> candle_core::Result<Tensor> {
        features
            .matmul(&self.weight.t()?)?
            .broadcast_add(&self.bias)
    }

    /// The parameters, in the order that the optimiser sees them.
    pub fn parameters(&self) -> [Tensor; 2] {
        [self.weight.clone(), self.bias.clone()]
    }

    /// Writes the head into `state` under `name`.
    pub fn save(&self, name: &str, state: &mut TrainingState) {
        state.put_tensor(&format!("{name}.weight"), &self.weight);
        state.put_tensor(&format!("{name}.bias"), &self.bias);
    }

    /// The head that [`save`](Self::save) wrote, which must have the shape of `like`.
    ///
    /// # Errors
    /// If it is missing or of another shape.
    pub fn restore(name: &str, state: &TrainingState, like: &Self) -> Result<Self> {
        Ok(Self {
            weight: state.tensor_like(&format!("{name}.weight"), &like.weight)?,
            bias: state.tensor_like(&format!("{name}.bias"), &like.bias)?,
        })
    }

    /// The head as a safetensors file with `weight` and `bias`.
    ///
    /// # Errors
    /// If a tensor is neither f32 nor f64.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let [weight, bias] = self.parameters();
        state::serialize(
            &BTreeMap::from([("weight".to_owned(), weight), ("bias".to_owned(), bias)]),
            KEY,
            VERSION,
        )
    }

    /// The head of `weight` [classes, width] and `bias` `[classes]` of a file.
    ///
    /// # Errors
    /// If one is missing, or they do not fit one another.
    pub fn of_tensors(weight: Option<Tensor>, bias: Option<Tensor>) -> Result<Self> {
        let (Some(weight), Some(bias)) = (weight, bias) else {
            return Err(state::unfit("weight, bias", "a head", "none"));
        };
        let head = Self { weight, bias };
        match (head.weight.dims(), head.bias.dims()) {
            ([classes, _], [biases]) if classes == biases => Ok(head),
            (weight, bias) => Err(state::unfit(
                "weight, bias",
                "[classes, width] and [classes]",
                &format!("{weight:?} and {bias:?}"),
            )),
        }
    }
}
