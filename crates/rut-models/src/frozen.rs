//! Networks that do not change: what they compute and, given the gradient of the logits, the gradient of the images.

mod candle;
mod engine;
mod execute;
mod lazy;
mod network;
mod op;
mod plan;
mod window;

pub use candle::{CandleNetwork, Record};
pub use engine::{ENGINES, Engine, EngineSpec};
pub use execute::{CpuNetwork, CpuTrace};
pub use lazy::{LazyNetwork, Outline};
pub use network::{EngineInfo, FrozenNetwork, OutputGrads, Outputs, Trace};
pub use op::{logits, logits_window, outputs, outputs_window};
pub use plan::Kernels;
pub use window::{WindowGradients, WindowTrace, Windowed};
