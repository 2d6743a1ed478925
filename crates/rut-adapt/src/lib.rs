#![doc = include_str!("../README.md")]
//!
//! # What is here
//!
//! - [`linear_probe`]: a linear head trained on frozen features, or a grid of them in one pass; its arithmetic is
//!   [`softmax_regression`]; or fitted to its optimum, by [`lbfgs`].
//! - [`visual_prompt`]: a trained border around the image, with a label map refreshed while it trains.
//! - [`features`]: what linear probing trains on, extracted once and kept on disk.
//! - [`label_map`], [`prompt`], [`head`], [`optimizer`], [`schedule`]: the parts.
//! - [`observer`]: who listens to the loops while they run. Nothing here prints or knows where results are kept.
//!
//! It is not the place of run specifications, folders or records: those are `rut-record`.

pub mod epochs;
pub mod error;
pub mod evaluate;
pub mod features;
pub mod head;
pub mod images;
pub mod label_map;
pub mod lbfgs;
pub mod linear_probe;
pub mod loss;
pub mod observer;
pub mod optimizer;
pub mod progress;
pub mod prompt;
pub mod schedule;
pub mod select;
pub mod softmax_regression;
pub mod state;
pub mod visual_prompt;

pub use error::{Error, Result};
pub use observer::{Observer, Silent};
pub use rut_data::Seed;
