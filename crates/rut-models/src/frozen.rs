//! Networks that do not change: what they compute and, given the gradient of the logits, the gradient of the images.

mod batch;
mod bf16;
mod candle;
mod engine;
mod execute;
mod network;
mod op;
mod placement;
mod plan;
mod window;

pub use bf16::{Bf16Network, Bf16Trace};
pub use candle::{CandleNetwork, Recalibration, Record};
pub use engine::{ENGINES, Engine, EngineSpec};
pub use execute::{CpuNetwork, CpuTrace};
pub use network::{EngineInfo, FrozenNetwork, OutputGrads, Outputs, Trace};
pub use op::{logits, logits_window, outputs, outputs_window};
pub use placement::{
    DEVICES, DeviceSpec, PRECISIONS, Placement, Precision, PrecisionSpec, find_device,
    find_precision,
};
pub use plan::{Folded, Kernels, fold_conv};
pub use window::{WindowGradients, WindowTrace, Windowed};
