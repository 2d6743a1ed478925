//! From the files of a specification to a frozen network that can be asked. What is in the files is `rut-models`' business.

use std::sync::Arc;

use candle_core::{DType, Device};
use rut_models::{
    Checkpoint, DensityReport, Engine, EngineInfo, FrozenNetwork, Graph, LayerDensity, LayerRole,
    LazyNetwork, Mask, ModelSpec, Normalization, Outline, Weights,
};

use crate::checked::{CheckedRunSpec, WeightFiles};
use crate::error::{Error, Result};
use crate::facts::FactsKey;
use crate::places::Places;
use crate::spec::{Masking, NetworkKind, RunSpec};

/// A network that is ready, and how dense it is.
#[derive(Clone)]
pub struct LoadedNetwork {
    /// The engine.
    pub network: Arc<dyn FrozenNetwork>,
    /// What is left of its weights.
    pub density: DensityReport,
    /// What its input is normalised by.
    pub normalization: Normalization,
    /// SHA-256 of the checkpoint.
    pub checkpoint: String,
    /// SHA-256 of the mask.
    pub mask: Option<String>,
    /// What a reader of the figures should know: layers that the mask leaves out, or leaves nothing of.
    pub notes: Vec<String>,
    /// Model, class count, engine and instruction set: what features depend on beside the weights.
    pub title: String,
    /// The engine, where it is loaded only when it is asked.
    pub lazy: Option<Arc<LazyNetwork>>,
}

/// Loads checkpoint and mask, checks them against `model` with `classes` source classes, and builds `engine` (f32, CPU).
///
/// # Errors
/// If a file is missing or broken, or a key is missing, unexpected or of another shape.
pub fn load(
    model: &ModelSpec,
    classes: usize,
    files: &WeightFiles,
    engine: Engine,
) -> Result<LoadedNetwork> {
    Assembled::read(model, classes, files)?.ready(engine)
}

/// The network that `spec` names, which must be the ticket that it is called.
///
/// # Errors
/// As [`load`]; [`Error::NotATicket`] if no weight of a ticket is pruned.
pub fn load_named(spec: &RunSpec) -> Result<(&'static ModelSpec, LoadedNetwork)> {
    let named = Assembled::named(spec)?;
    Ok((named.model, named.ready(spec.engine)?))
}

/// The network of `run`. Where what a record says of it is known from an earlier run, its weights are not read before it is
/// asked for the first time: a probe of features that are all in the cache does not need them.
///
/// # Errors
/// As [`load_named`].
pub(crate) fn load_when_asked(
    run: &CheckedRunSpec,
    places: &Places,
) -> Result<(&'static ModelSpec, LoadedNetwork)> {
    let (model, files, classes) = (run.model, run.files.clone(), run.source_classes());
    let content = run.content.clone();
    let key = FactsKey {
        model: model.name,
        classes,
        checkpoint: &content.checkpoint,
        mask: content.mask.as_deref(),
    };
    let Some(density) = key.find(&places.cache_dir) else {
        let (model, network) = load_named(&run.spec)?;
        key.keep(&places.cache_dir, &network.density);
        return Ok((model, network));
    };
    check_ticket(&run.spec, &files, &density)?;
    let engine = run.spec.engine;
    let info = engine.info(DType::F32, &Device::Cpu)?;
    let outline = Outline {
        classes,
        width: (model.graph)(classes).width(),
        dtype: DType::F32,
        engine: info,
    };
    let (checkpoint, mask) = (content.checkpoint.clone(), content.mask.clone());
    let notes = mask.as_ref().map_or_else(Vec::new, |_| notes(&density));
    let network = Arc::new(LazyNetwork::new(outline, move || {
        tracing::debug!("loading the network");
        let read = Assembled::read(model, classes, &files)?;
        read.check_content(&content.checkpoint, content.mask.as_deref())?;
        read.engine(engine)
    }));
    let network = LoadedNetwork {
        network: network.clone(),
        density,
        normalization: model.normalization,
        checkpoint,
        mask,
        notes,
        title: title(model, classes, info),
        lazy: Some(network),
    };
    Ok((model, network))
}

/// Whether [`load_named`] would give a network: its files are read and held against the model, and no engine is built.
/// Gives its density, and what a reader of its figures should know.
///
/// # Errors
/// As [`load_named`].
pub fn check_named(spec: &RunSpec) -> Result<(DensityReport, Vec<String>)> {
    let named = Assembled::named(spec)?;
    Ok((named.weights.density().clone(), named.notes()))
}

/// Checkpoint × mask, held against a model.
struct Assembled<'a> {
    model: &'a ModelSpec,
    graph: Graph,
    weights: Weights,
    checkpoint: Checkpoint,
    mask: Option<Mask>,
}

impl<'a> Assembled<'a> {
    fn read(model: &'a ModelSpec, classes: usize, files: &WeightFiles) -> rut_models::Result<Self> {
        let graph = (model.graph)(classes);
        let checkpoint = Checkpoint::open(&files.checkpoint)?;
        let mask = files.mask.as_deref().map(Mask::open).transpose()?;
        let weights = Weights::assemble(&graph, &checkpoint, mask.as_ref())?;
        Ok(Self {
            model,
            graph,
            weights,
            checkpoint,
            mask,
        })
    }

    fn engine(&self, engine: Engine) -> rut_models::Result<Arc<dyn FrozenNetwork>> {
        let network = engine.load(&self.graph, &self.weights, DType::F32, &Device::Cpu)?;
        let EngineInfo { name, isa } = network.engine();
        tracing::info!(engine = name, isa, "frozen network");
        Ok(network)
    }

    /// Files may have changed since their digests were taken.
    fn check_content(&self, checkpoint: &str, mask: Option<&str>) -> rut_models::Result<()> {
        let found = self.mask.as_ref().map(|mask| mask.digest.as_str());
        let digests = [
            (
                "SHA-256 of the checkpoint",
                Some(checkpoint),
                Some(self.checkpoint.digest.as_str()),
            ),
            ("SHA-256 of the mask", mask, found),
        ];
        for (what, expected, found) in digests {
            if expected != found {
                return Err(rut_models::Error::Argument {
                    what,
                    expected: expected.unwrap_or("none").into(),
                    found: found.unwrap_or("none").into(),
                });
            }
        }
        Ok(())
    }

    fn ready(self, engine: Engine) -> Result<LoadedNetwork> {
        let model = self.model;
        let network = self.engine(engine)?;
        Ok(LoadedNetwork {
            title: title(model, self.graph.classes(), network.engine()),
            network,
            density: self.weights.density().clone(),
            normalization: model.normalization,
            notes: self.notes(),
            checkpoint: self.checkpoint.digest,
            mask: self.mask.map(|mask| mask.digest),
            lazy: None,
        })
    }

    fn notes(&self) -> Vec<String> {
        let density = self.weights.density();
        self.mask.as_ref().map_or_else(Vec::new, |_| notes(density))
    }
}

impl Assembled<'static> {
    fn named(spec: &RunSpec) -> Result<Self> {
        let (model, files) = spec.network_files()?;
        let read = Self::read(model, spec.source_classes.unwrap_or(model.classes), &files)?;
        check_ticket(spec, &files, read.weights.density())?;
        Ok(read)
    }
}

fn title(model: &ModelSpec, classes: usize, engine: EngineInfo) -> String {
    let EngineInfo { name, isa } = engine;
    format!("{} {classes} {name} f32 {isa}", model.name)
}

/// A ticket has lost weights.
fn check_ticket(spec: &RunSpec, files: &WeightFiles, density: &DensityReport) -> Result<()> {
    let dense_member = spec.checkpoint.is_none() && spec.state() == 0;
    let whole = files.mask.is_none() && density.overall.value() == 1.0;
    let whole = whole && spec.masking == Masking::Applied;
    if spec.network == NetworkKind::Ticket && whole && !dense_member {
        return Err(Error::NotATicket {
            checkpoint: files.checkpoint.clone(),
        });
    }
    Ok(())
}

fn notes(density: &DensityReport) -> Vec<String> {
    let body = || {
        density
            .layers
            .iter()
            .filter(|layer| layer.role == LayerRole::Body)
    };
    let names = |layers: Vec<&LayerDensity>| {
        layers
            .iter()
            .map(|layer| layer.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let unmasked: Vec<_> = body().filter(|layer| !layer.masked).collect();
    let empty: Vec<_> = body().filter(|layer| layer.kept == 0).collect();
    let mut notes = Vec::new();
    if !unmasked.is_empty() {
        notes.push(format!(
            "the mask does not cover {} layers, which stay as they are: {}",
            unmasked.len(),
            names(unmasked)
        ));
    }
    if !empty.is_empty() {
        notes.push(format!(
            "the mask leaves nothing of {} layers: {}",
            empty.len(),
            names(empty)
        ));
    }
    notes
}

/// Density of the network with a dense linear layer of `targets` classes in place of its classifier (defect D13).
pub fn density_with_new_head(density: &DensityReport, width: usize, targets: usize) -> f64 {
    let body = density
        .layers
        .iter()
        .filter(|layer| layer.role != LayerRole::Classifier);
    let head = width * targets;
    let (kept, total) = body.fold((head, head), |(kept, total), layer| {
        (kept + layer.kept, total + layer.total)
    });
    kept as f64 / total.max(1) as f64
}
