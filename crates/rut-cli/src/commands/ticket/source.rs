//! The network that a ticket is made of: its files, read and checked, without an engine.

use std::collections::BTreeMap;

use anyhow::{anyhow, Result};
use rut_formats::escape;
use rut_models::{Checkpoint, Classifier, Graph, Mask, MaskArray, ModelSpec, Weights};
use rut_record::{Locations, NetworkKind, RunSpec, Settings};
use rut_run::{network_files, reading, WeightFiles};

use crate::commands::upstream::named;
use crate::exit::Usage;
use crate::output::note;

/// A network, its masks, and what named it.
pub struct Network {
    /// The fields that name it.
    pub spec: RunSpec,
    /// Where data are.
    pub locations: Locations,
    /// The model of the table.
    pub model: &'static ModelSpec,
    /// Its files.
    pub files: WeightFiles,
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The mask beside it.
    pub mask: Option<Mask>,
    /// Its structure.
    pub graph: Graph,
    /// Its weights, masked.
    pub weights: Weights,
}

impl Network {
    /// Reads the network that the flags name.
    ///
    /// # Errors
    /// If it cannot be found, or a file is broken or another network's.
    pub fn read(flags: &Settings) -> Result<Self> {
        let (spec, locations) = named(flags)?;
        let (model, files) = network_files(&spec)?;
        let failed = rut_run::Error::from;
        let checkpoint = Checkpoint::open(&files.checkpoint).map_err(failed)?;
        if let Some(found) = checkpoint.quantization() {
            let (path, bits) = (
                escape(&checkpoint.path).whole().to_string(),
                found.weight_bits,
            );
            return Err(Usage(anyhow!(
                "read {path}: its weights were rounded to {bits} bits already; name the checkpoint that it was made of"
            ))
            .into());
        }
        let mask = files.mask.as_deref().map(Mask::open).transpose();
        let mask = mask.map_err(failed)?;
        let reading = reading(&spec, Classifier::Optional);
        let (graph, weights) =
            Weights::read(model, &checkpoint, mask.as_ref(), &reading).map_err(failed)?;
        weights.notes().iter().for_each(|text| note(text));
        Ok(Self {
            spec,
            locations,
            model,
            files,
            checkpoint,
            mask,
            graph,
            weights,
        })
    }

    /// The masks that are in force, by parameter.
    ///
    /// # Errors
    /// If they are another network's.
    pub fn masks(&self) -> Result<BTreeMap<String, MaskArray>> {
        let masks = self.mask.as_ref().map(|mask| mask.of(&self.graph));
        let masks = masks.transpose().map_err(rut_run::Error::from)?;
        Ok(masks.unwrap_or_default())
    }

    /// The number of rounds by which it was found; 0 where its files were named.
    pub fn state(&self) -> u32 {
        let network = &self.spec.network;
        match (&network.checkpoint, network.kind) {
            (None, NetworkKind::Ticket) => network.state(),
            _ => 0,
        }
    }
}
