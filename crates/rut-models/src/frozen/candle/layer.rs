//! One operation with its weights: forward, and the gradient of what it read.

use candle_core::{DType, Device, Tensor};

use super::conv::ConvLayer;
use super::norm::NormLayer;
use super::parameter::array;
use super::pool;
use super::quantize;
use super::record::Record;
use crate::error::{Error, Result};
use crate::graph::{ActivationRange, Linear, MaxPool, NodeId, Op};
use crate::weights::Weights;

/// An operation with its weights on a device.
pub(super) enum Layer {
    Input,
    Conv(ConvLayer),
    BatchNorm(NormLayer),
    Relu,
    FakeQuantize(ActivationRange),
    MaxPool(MaxPool),
    Add,
    OptionAShortcut { out_channels: usize },
    AdaptiveAvgPool { side: usize },
    GlobalAvgPool,
    Flatten,
    Linear(LinearLayer),
}

/// A node's value and what its backward pass needs of it.
pub(super) struct Step {
    pub(super) value: Tensor,
    pub(super) mark: Mark,
}

/// The decision of a ReLU (u8), of a quantization of activations (u8) or of a max-pool (u32), if the node makes one.
pub(super) struct Mark(Option<Tensor>);

impl Mark {
    pub(super) fn into_record(self, node: NodeId, op: &Op, record: &mut Record) {
        let Some(mark) = self.0 else { return };
        match op {
            Op::Relu | Op::FakeQuantize(_) => record.relu.insert(node, mark),
            _ => record.max_pool.insert(node, mark),
        };
    }

    pub(super) fn of(op: &Op, record: &Record, node: NodeId, shape: &[usize]) -> Result<Self> {
        Ok(Self(match op {
            Op::Relu | Op::FakeQuantize(_) => Some(record.relu(node, shape)?.clone()),
            Op::MaxPool(_) => Some(record.max_pool(node, shape)?.clone()),
            _ => None,
        }))
    }

    fn get(&self) -> Result<&Tensor> {
        self.0.as_ref().ok_or_else(|| Error::Argument {
            what: "the record",
            found: "absent".into(),
            expected: "one entry for every ReLU and max-pool".into(),
        })
    }
}

impl Layer {
    pub(super) fn new(op: &Op, weights: &Weights, dtype: DType, device: &Device) -> Result<Self> {
        let load =
            |param: &str, leaf: &str| load(weights, &format!("{param}.{leaf}"), dtype, device);
        Ok(match op {
            Op::Input => Self::Input,
            Op::Conv(conv) => Self::Conv(ConvLayer::new(conv, load)?),
            Op::BatchNorm(norm) => Self::BatchNorm(NormLayer::new(norm, weights, dtype, device)?),
            Op::Relu => Self::Relu,
            Op::FakeQuantize(range) => Self::FakeQuantize(*range),
            Op::MaxPool(pool) => Self::MaxPool(*pool),
            Op::Add => Self::Add,
            Op::OptionAShortcut { out_channels } => Self::OptionAShortcut {
                out_channels: *out_channels,
            },
            Op::AdaptiveAvgPool { side } => Self::AdaptiveAvgPool { side: *side },
            Op::GlobalAvgPool => Self::GlobalAvgPool,
            Op::Flatten => Self::Flatten,
            Op::Linear(linear) => Self::Linear(LinearLayer::new(linear, load)?),
        })
    }

    /// The value of the node that reads `inputs`.
    pub(super) fn forward(&self, inputs: &[&Tensor]) -> Result<Step> {
        let x = inputs.first().copied().ok_or_else(unread)?;
        let value = match self {
            Self::Input => x.clone(),
            Self::Conv(conv) => conv.forward(x)?,
            Self::BatchNorm(norm) => norm.forward(x)?,
            Self::Relu => {
                return Ok(Step {
                    mark: Mark(Some(x.gt(0.0)?)),
                    value: x.relu()?,
                });
            }
            Self::FakeQuantize(range) => {
                let level = quantize::levels(x, *range)?;
                return Ok(Step {
                    mark: Mark(Some(quantize::passes(&level, *range)?)),
                    value: quantize::values(&level, *range)?,
                });
            }
            Self::MaxPool(pool) => {
                let (value, argmax) = pool::max_pool(x, *pool)?;
                return Ok(Step {
                    value,
                    mark: Mark(Some(argmax)),
                });
            }
            Self::Add => x.add(inputs.get(1).copied().ok_or_else(unread)?)?,
            Self::OptionAShortcut { out_channels } => pool::option_a_shortcut(x, *out_channels)?,
            Self::AdaptiveAvgPool { side } => pool::adaptive_avg_pool(x, *side)?,
            Self::GlobalAvgPool => pool::global_avg_pool(x)?,
            Self::Flatten => x.flatten_from(1)?,
            Self::Linear(linear) => linear.forward(x)?,
        };
        Ok(Step {
            value,
            mark: Mark(None),
        })
    }

    /// The gradient of what the node read, of shape `read`, from that of its value. An addition gives it to both.
    pub(super) fn backward(&self, grad: &Tensor, mark: &Mark, read: &[usize]) -> Result<Tensor> {
        Ok(match self {
            Self::Input | Self::Add => grad.clone(),
            Self::Conv(conv) => conv.backward(grad, read)?,
            Self::BatchNorm(norm) => norm.backward(grad)?,
            Self::Relu | Self::FakeQuantize(_) => {
                mark.get()?.where_cond(grad, &grad.zeros_like()?)?
            }
            Self::MaxPool(_) => pool::max_pool_backward(grad, mark.get()?, read)?,
            Self::OptionAShortcut { .. } => pool::option_a_shortcut_backward(grad, read)?,
            Self::AdaptiveAvgPool { side } => pool::adaptive_avg_pool_backward(grad, *side, read)?,
            Self::GlobalAvgPool => pool::global_avg_pool_backward(grad, read)?,
            Self::Flatten => grad.reshape(read)?,
            Self::Linear(linear) => linear.backward(grad)?,
        })
    }
}

/// A fully connected layer.
pub(super) struct LinearLayer {
    /// `[out, in]`.
    weight: Tensor,
    /// `[out]`.
    bias: Tensor,
}

impl LinearLayer {
    fn new(linear: &Linear, load: impl Fn(&str, &str) -> Result<Tensor>) -> Result<Self> {
        let weight = load(&linear.param, "weight")?;
        let bias = load(&linear.param, "bias")?;
        Ok(Self { weight, bias })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.matmul(&self.weight.t()?)?.broadcast_add(&self.bias)?)
    }

    fn backward(&self, grad: &Tensor) -> Result<Tensor> {
        Ok(grad.matmul(&self.weight)?)
    }
}

/// A parameter as a tensor.
fn load(weights: &Weights, name: &str, dtype: DType, device: &Device) -> Result<Tensor> {
    let array = array(weights, name)?;
    let tensor = Tensor::from_slice(&array.data, array.shape.as_slice(), device)?;
    Ok(tensor.to_dtype(dtype)?)
}

fn unread() -> Error {
    Error::Graph {
        node: 0,
        op: Op::Input.name(),
        reason: "a node reads fewer values than its operation needs".into(),
    }
}
