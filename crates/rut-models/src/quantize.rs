//! Quantized networks as files: what a file says of its weights and activations. For how they are made, see `rut-compress`.

mod description;
mod file;

pub use description::{ActivationDescription, QuantizationDescription};
pub use file::quantized_file;
