//! Networks that do not change: what they compute and, given the gradient of the logits, the gradient of the images.

mod candle;
mod lazy;
mod network;
mod op;
mod window;

pub use candle::{CandleNetwork, Record};
pub use lazy::{LazyNetwork, Outline};
pub use network::{FrozenNetwork, Outputs, Trace};
pub use op::{logits, logits_window};
pub use window::{WindowGradients, WindowTrace, Windowed};
