//! Which engine computes a frozen network: the names that a person can say, and the one place that makes an engine of
//! them. Each engine has a module of its own.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use candle_core::DType;

use super::bf16::Bf16Network;
use super::candle::CandleNetwork;
use super::execute::CpuNetwork;
use super::network::FrozenNetwork;
use super::placement::{Placement, Precision};
use super::plan::Kernels;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::weights::Weights;

/// What is asked for. All engines answer the same questions; they differ in speed and in the last bits.
///
/// ```
/// use rut_models::Engine;
/// assert_eq!("sparse".parse::<Engine>()?, Engine::Sparse);
/// assert_eq!(Engine::default().to_string(), "auto");
/// # Ok::<(), rut_models::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Engine {
    /// The fastest way for every layer, by its shape and its density.
    #[default]
    Auto,
    /// The fast engine, every layer dense.
    Dense,
    /// The fast engine, every layer by its non-zero weights.
    Sparse,
    /// The readable one, [`CandleNetwork`], which the others are compared with.
    Reference,
}

/// A line of [`ENGINES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineSpec {
    /// Which one.
    pub engine: Engine,
    /// What it is called.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// The kernels of the fast engine; `None` for the reference.
    pub kernels: Option<Kernels>,
    /// Whether an image's logits and features have the same bits in every batch. Matrix products of the reference round by
    /// their shape.
    pub same_in_every_batch: bool,
    /// What it can compute f32 images in.
    pub precisions: &'static [Precision],
}

const SINGLE: &[Precision] = &[Precision::F32];
const BOTH: &[Precision] = &[Precision::F32, Precision::Bf16];

/// All engines, in the order in which they are listed. Parsing, printing and help texts read this table.
pub static ENGINES: &[EngineSpec] = &[
    EngineSpec {
        engine: Engine::Auto,
        name: "auto",
        about: "the fastest way for every layer, by its shape and its density",
        kernels: Some(Kernels::Auto),
        same_in_every_batch: true,
        precisions: BOTH,
    },
    EngineSpec {
        engine: Engine::Dense,
        name: "dense",
        about: "the fast engine, every layer dense",
        kernels: Some(Kernels::Dense),
        same_in_every_batch: true,
        precisions: BOTH,
    },
    EngineSpec {
        engine: Engine::Sparse,
        name: "sparse",
        about: "the fast engine, every layer by its non-zero weights",
        kernels: Some(Kernels::Sparse),
        same_in_every_batch: true,
        precisions: SINGLE,
    },
    EngineSpec {
        engine: Engine::Reference,
        name: "reference",
        about: "the readable engine, which the others are compared with",
        kernels: None,
        same_in_every_batch: false,
        precisions: SINGLE,
    },
];

impl Engine {
    /// A network of `weights` that this engine computes. Element types other than f32 and devices other than the CPU are
    /// the reference's, whatever is asked for; [`FrozenNetwork::engine`] of the result says which engine it became.
    ///
    /// # Errors
    ///
    /// As [`CandleNetwork::new`], [`CpuNetwork::new`], [`Bf16Network::new`] and [`Engine::check`]; [`Error::Argument`]
    /// for bfloat16 of other images than f32 or on another device than the CPU.
    pub fn load(
        self,
        graph: &Graph,
        weights: &Weights,
        placement: &Placement,
    ) -> Result<Arc<dyn FrozenNetwork>> {
        let Placement {
            dtype,
            precision,
            device,
        } = placement;
        let fast = *dtype == DType::F32 && device.is_cpu();
        if *precision == Precision::Bf16 {
            self.check(*precision)?;
            if !fast {
                return Err(Error::Argument {
                    what: "the placement of a network in bfloat16",
                    found: format!("{dtype:?} on {device:?}"),
                    expected: "F32 on the processor".into(),
                });
            }
            return Ok(Arc::new(Bf16Network::new(graph, weights)?));
        }
        match self.spec().kernels.filter(|_| fast) {
            Some(kernels) => Ok(Arc::new(CpuNetwork::new(graph, weights, kernels)?)),
            None => Ok(Arc::new(CandleNetwork::new(
                graph, weights, *dtype, device,
            )?)),
        }
    }

    /// Whether it computes in `precision`.
    ///
    /// # Errors
    ///
    /// [`Error::Precision`] where it does not, with the engines that do.
    ///
    /// ```
    /// use rut_models::{Engine, Precision};
    /// assert!(Engine::Dense.check(Precision::Bf16).is_ok());
    /// assert!(Engine::Sparse.check(Precision::Bf16).is_err());
    /// ```
    pub fn check(self, precision: Precision) -> Result<()> {
        let able = |row: &EngineSpec| row.precisions.contains(&precision);
        if able(self.spec()) {
            return Ok(());
        }
        let others: Vec<&str> = ENGINES
            .iter()
            .filter(|row| able(row))
            .map(|row| row.name)
            .collect();
        Err(Error::Precision {
            engine: self.spec().name,
            precision: precision.spec().name,
            others: others.join(" or "),
        })
    }

    /// Its line of [`ENGINES`].
    pub fn spec(self) -> &'static EngineSpec {
        let row = ENGINES.iter().find(|row| row.engine == self);
        row.unwrap_or(&ENGINES[0])
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec().name)
    }
}

impl FromStr for Engine {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let row = ENGINES.iter().find(|row| row.name == text);
        row.map(|row| row.engine).ok_or_else(|| {
            let names: Vec<&str> = ENGINES.iter().map(|row| row.name).collect();
            Error::Engine {
                found: text.into(),
                expected: names.join(", "),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_is_listed_once_and_reads_back() {
        let all = [
            Engine::Auto,
            Engine::Dense,
            Engine::Sparse,
            Engine::Reference,
        ];
        assert_eq!(ENGINES.len(), all.len());
        for engine in all {
            assert_eq!(engine.to_string().parse::<Engine>().unwrap(), engine);
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        for text in ["fast", "", "Auto", "auto "] {
            let error = text.parse::<Engine>().unwrap_err().to_string();
            assert!(
                error.contains(&format!("`{text}`"))
                    && error.contains("auto, dense, sparse, reference"),
                "{error}"
            );
        }
    }
}
