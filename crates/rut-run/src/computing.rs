//! What computes a network: an engine, in a precision, on a device.

use rut_models::{Engine, Placement};
use rut_record::RunSpec;

use crate::error::Result;
use crate::names::{find_engine, find_placement};

/// What computes a network, in which precision and where.
#[derive(Clone, Debug)]
pub struct Computing {
    /// What.
    pub engine: Engine,
    /// In which precision and where.
    pub placement: Placement,
}

impl Computing {
    /// What `spec` says, on the device of this name.
    ///
    /// # Errors
    /// If a table has no such name, or the engine does not compute in the precision.
    pub fn of(spec: &RunSpec, device: &str) -> Result<Self> {
        let engine = find_engine(&spec.network.engine)?;
        Self {
            engine,
            placement: find_placement(&spec.network.precision, device)?,
        }
        .by(engine)
    }

    /// The same by `engine`.
    ///
    /// # Errors
    /// If it does not compute in the precision.
    pub fn by(self, engine: Engine) -> Result<Self> {
        engine.check(self.placement.precision)?;
        Ok(Self { engine, ..self })
    }
}
