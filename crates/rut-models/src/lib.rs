#![doc = include_str!("../README.md")]

mod array;
mod bundled;
mod checkpoint;
mod density;
mod error;
mod frozen;
mod graph;
mod layout;
mod mask;
mod mismatch;
mod prefix;
mod quantize;
mod registry;
pub mod resnet;
mod spec;
mod stored;
mod ticket;
mod upstream;
pub mod vgg;
mod weights;

pub use array::Array;
pub use bundled::{
    BUNDLED, BUNDLED_FROM, EARLIER_BUNDLED, EARLIER_BUNDLED_FROM, EarlierBundled, bundled,
};
pub use checkpoint::Checkpoint;
pub use density::{Density, DensityReport, LayerDensity, LayerRole};
pub use error::{Error, Result};
pub use frozen::{
    Bf16Network, Bf16Trace, CandleNetwork, CpuNetwork, CpuTrace, DEVICES, DeviceSpec, ENGINES,
    Engine, EngineInfo, EngineSpec, Folded, FrozenNetwork, Kernels, OutputGrads, Outputs,
    PRECISIONS, Placement, Precision, PrecisionSpec, Recalibration, Record, Trace, WindowGradients,
    WindowTrace, Windowed, find_device, find_precision, fold_conv, logits, logits_window, outputs,
    outputs_window,
};
pub use graph::{
    ActivationRange, BatchNorm, Bias, Conv, Graph, GraphBuilder, Linear, MaxPool, Node, NodeId, Op,
    Parameter, ParameterKind, Shape,
};
pub use mask::{Mask, MaskArray};
pub use mismatch::{Mismatch, Misshaped};
pub use quantize::{ActivationDescription, QuantizationDescription, quantized_file};
pub use registry::{MODELS, find};
pub use spec::{Evaluation, ModelSpec, Normalization, WeightsSpec};
pub use stored::{Stored, safetensors_bytes};
pub use ticket::{
    Existing, NewQuantized, NewTicket, TicketFiles, find_dense, find_quantized, find_ticket,
};
pub use upstream::Upstream;
pub use weights::{Classifier, Reading, Weights};
