//! The operations of a graph and the parameters that each of them uses.

use rut_kernels::FakeQuantize;

use super::{Parameter, ParameterKind};
use crate::error::Result;

/// Whether a convolution adds a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bias {
    /// A parameter `{param}.bias` is added to each channel.
    Added,
    /// Nothing is added.
    None,
}

/// A square two-dimensional convolution (cross-correlation, as in PyTorch), without dilation or groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conv {
    /// Prefix of its parameters: `{param}.weight`, and `{param}.bias` where there is one.
    pub param: String,
    /// Channels read.
    pub in_channels: usize,
    /// Channels written.
    pub out_channels: usize,
    /// Side of the kernel, in pixels.
    pub kernel: usize,
    /// Step of the kernel, in pixels.
    pub stride: usize,
    /// Zeros added on each side, in pixels; less than `kernel`.
    pub padding: usize,
    /// Whether a bias is added.
    pub bias: Bias,
}

/// Batch normalisation with fixed statistics: `(x - mean) / sqrt(var + eps) * weight + bias` per channel.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchNorm {
    /// Prefix of its parameters: `weight`, `bias`, `running_mean`, `running_var`.
    pub param: String,
    /// Number of channels.
    pub channels: usize,
    /// Added to the variance.
    pub eps: f64,
}

/// Maximum over square windows, padded with minus infinity; the output size is rounded down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxPool {
    /// Side of the window, in pixels.
    pub kernel: usize,
    /// Step of the window, in pixels.
    pub stride: usize,
    /// Padding on each side, in pixels; at most half the kernel.
    pub padding: usize,
}

/// `x · weightᵀ + bias`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linear {
    /// Prefix of its parameters, `{param}.weight` and `{param}.bias`.
    pub param: String,
    /// Length of a row read.
    pub in_features: usize,
    /// Length of a row written.
    pub out_features: usize,
}

/// Values of a ReLU rounded to those that an unsigned integer of `bits` bits can have: `min(round(x / scale), 2^bits - 1) · scale`,
/// halves to even, in floating point. The gradient passes where nothing was cut off (straight-through estimator), and is 0
/// elsewhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActivationRange(FakeQuantize);

impl ActivationRange {
    /// Values of `bits` bits, 1 to 16, that are `scale` apart, above 0.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`](crate::Error::Kernel) for other numbers of bits, and for a scale that is not a positive finite number
    /// with a finite inverse.
    pub fn new(bits: u32, scale: f32) -> Result<Self> {
        Ok(Self(FakeQuantize::new(bits, scale)?))
    }

    /// Bits of a value.
    pub fn bits(self) -> u32 {
        self.0.bits()
    }

    /// From one value to the next.
    pub fn scale(self) -> f32 {
        self.0.scale()
    }

    /// What rounds to it.
    pub(crate) fn kernel(self) -> FakeQuantize {
        self.0
    }
}

/// One operation of a graph.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// The normalised images, `[n, channels, h, w]`.
    Input,
    /// A convolution.
    Conv(Conv),
    /// A batch normalisation.
    BatchNorm(BatchNorm),
    /// `max(x, 0)`; its gradient at exactly 0 is 0.
    Relu,
    /// The value of a ReLU as few bits hold it.
    FakeQuantize(ActivationRange),
    /// A maximum over windows; the gradient goes to the first maximum in row-major order.
    MaxPool(MaxPool),
    /// The sum of two nodes of the same shape.
    Add,
    /// The shortcut without parameters of He et al. 2016 (option A): every second pixel, and zero channels added on
    /// both sides, half of them before and half after.
    OptionAShortcut {
        /// Channels written.
        out_channels: usize,
    },
    /// Means over a `side` × `side` grid of nearly equal windows: rows ⌊i·h/side⌋ to ⌈(i+1)·h/side⌉.
    AdaptiveAvgPool {
        /// Side of the output, in pixels.
        side: usize,
    },
    /// The mean over all pixels of a channel, `[n, c, 1, 1]`.
    GlobalAvgPool,
    /// `[n, c, h, w]` as `[n, c·h·w]`.
    Flatten,
    /// A fully connected layer.
    Linear(Linear),
}

impl Op {
    /// The operation's name, for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Conv(_) => "convolution",
            Self::BatchNorm(_) => "batch norm",
            Self::Relu => "relu",
            Self::FakeQuantize(_) => "quantization of activations",
            Self::MaxPool(_) => "max pool",
            Self::Add => "add",
            Self::OptionAShortcut { .. } => "option A shortcut",
            Self::AdaptiveAvgPool { .. } => "adaptive average pool",
            Self::GlobalAvgPool => "global average pool",
            Self::Flatten => "flatten",
            Self::Linear(_) => "linear",
        }
    }

    /// How many earlier nodes it reads.
    pub fn arity(&self) -> usize {
        match self {
            Self::Input => 0,
            Self::Add => 2,
            _ => 1,
        }
    }

    /// The parameters it uses.
    pub fn parameters(&self) -> Vec<Parameter> {
        match self {
            Self::Conv(conv) => conv.parameters(),
            Self::BatchNorm(norm) => norm.parameters(),
            Self::Linear(linear) => linear.parameters(),
            _ => Vec::new(),
        }
    }
}

impl Conv {
    fn parameters(&self) -> Vec<Parameter> {
        let shape = vec![
            self.out_channels,
            self.in_channels,
            self.kernel,
            self.kernel,
        ];
        let mut parameters = vec![parameter(
            &self.param,
            "weight",
            shape,
            ParameterKind::ConvWeight,
        )];
        if self.bias == Bias::Added {
            parameters.push(parameter(
                &self.param,
                "bias",
                vec![self.out_channels],
                ParameterKind::ConvBias,
            ));
        }
        parameters
    }
}

impl BatchNorm {
    fn parameters(&self) -> Vec<Parameter> {
        [
            ("weight", ParameterKind::NormWeight),
            ("bias", ParameterKind::NormBias),
            ("running_mean", ParameterKind::NormMean),
            ("running_var", ParameterKind::NormVariance),
        ]
        .into_iter()
        .map(|(leaf, kind)| parameter(&self.param, leaf, vec![self.channels], kind))
        .collect()
    }
}

impl Linear {
    fn parameters(&self) -> Vec<Parameter> {
        let shape = vec![self.out_features, self.in_features];
        vec![
            parameter(&self.param, "weight", shape, ParameterKind::LinearWeight),
            parameter(
                &self.param,
                "bias",
                vec![self.out_features],
                ParameterKind::LinearBias,
            ),
        ]
    }
}

fn parameter(prefix: &str, leaf: &str, shape: Vec<usize>, kind: ParameterKind) -> Parameter {
    Parameter {
        name: format!("{prefix}.{leaf}"),
        shape,
        kind,
    }
}
