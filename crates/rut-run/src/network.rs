//! From the files of a specification to a frozen network that can be asked. What is in the files is `rut-models`' business.

use std::sync::Arc;

use candle_core::{DType, Device};
use rut_formats::list;
use rut_models::{
    Checkpoint, Classifier, DensityReport, Engine, EngineInfo, FrozenNetwork, Graph, LayerDensity,
    LayerRole, LazyNetwork, Mask, ModelSpec, Normalization, Outline, Reading, Weights,
};
use rut_record::{KeyRule, KeysRecord, Method, Places, RunSpec};

use crate::checked::{CheckedRunSpec, WeightFiles, network_files};
use crate::error::Result;
use crate::facts::{FactsKey, Known};
use crate::names::{find_engine, find_model};
use crate::ticket::check_ticket;
use crate::transform::normalization;

/// How a network's files are read, beside what the specification says of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// By which rule keys are found.
    pub rule: KeyRule,
    /// Whether logits are asked for.
    pub classifier: Classifier,
}

impl How {
    /// For a run of `method`: a probe needs no classifier.
    pub fn of(method: Method) -> Self {
        let classifier = match method {
            Method::Lp => Classifier::Optional,
            Method::Vp => Classifier::Needed,
        };
        let rule = KeyRule::default();
        Self { rule, classifier }
    }
}

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
    /// Number of source classes; `None` for a network without a classifier, whose only logit is 0.
    pub classes: Option<usize>,
    /// What of the checkpoint's keys it is.
    pub keys: KeysRecord,
    /// Model, class count, engine and instruction set: what features depend on beside the weights.
    pub title: String,
    /// The engine, where it is loaded only when it is asked.
    pub lazy: Option<Arc<LazyNetwork>>,
}

/// What is known of a network whose files were read, though no engine was built.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// The model of the table.
    pub model: &'static ModelSpec,
    /// What is left of its weights.
    pub density: DensityReport,
    /// Number of source classes, if it has a classifier.
    pub classes: Option<usize>,
    /// What of the checkpoint's keys it is.
    pub keys: KeysRecord,
    /// What a reader of its figures should know.
    pub notes: Vec<String>,
}

/// Loads the network of `spec` from `files`, as it was when a run of `spec` was recorded with `classes` source classes.
///
/// # Errors
/// If a file is missing or broken, or a key is missing, unexpected or of another shape.
pub(crate) fn load_recorded(
    spec: &RunSpec,
    files: &WeightFiles,
    (classes, how, engine): (Option<usize>, How, Engine),
) -> Result<(&'static ModelSpec, LoadedNetwork)> {
    let model = find_model(&spec.model)?;
    let reading = Reading {
        classes,
        ..reading(spec, how.classifier)
    };
    let read = Assembled::read(model, files, (&reading, how.rule))?;
    Ok((model, read.ready(engine, spec)?))
}

/// The network that `spec` names, which must be the ticket that it is called.
///
/// # Errors
/// If a file is missing or broken, or a key is missing, unexpected or of another shape; [`Error::NotATicket`](crate::Error::NotATicket) if no weight
/// of a ticket is pruned.
pub fn load_named(spec: &RunSpec, how: How) -> Result<(&'static ModelSpec, LoadedNetwork)> {
    let named = Assembled::named(spec, how)?;
    Ok((named.model, named.ready(find_engine(&spec.engine)?, spec)?))
}

/// The network of `run`. Where what a record says of it is known from an earlier run, its weights are not read before it is
/// asked for the first time: a probe of features that are all in the cache does not need them.
///
/// # Errors
/// As [`load_named`].
pub fn load_when_asked(
    run: &CheckedRunSpec,
    how: How,
    places: &Places,
) -> Result<(&'static ModelSpec, LoadedNetwork)> {
    let (model, files, content) = (run.model, run.files.clone(), run.content.clone());
    let key = FactsKey {
        model: model.name,
        classes: run.spec.source_classes,
        checkpoint: &content.checkpoint,
        checkpoint_key: run.spec.checkpoint_key.as_deref(),
        how,
        mask: content.mask.as_deref(),
    };
    let Some(known) = key.find(&places.cache_dir) else {
        let (model, network) = load_named(&run.spec, how)?;
        key.keep(&places.cache_dir, network.known());
        return Ok((model, network));
    };
    let density = known.density();
    check_ticket((&run.spec, how.rule), &files, &density)?;
    let engine = run.engine;
    let info = engine.info(DType::F32, &Device::Cpu)?;
    let outline = Outline {
        classes: known.classes.unwrap_or(1),
        width: model.width,
        dtype: DType::F32,
        engine: info,
    };
    let (checkpoint, mask) = (content.checkpoint.clone(), content.mask.clone());
    let notes = mask.as_ref().map_or_else(Vec::new, |_| notes(&density));
    let reading = reading(&run.spec, how.classifier);
    let network = Arc::new(LazyNetwork::new(outline, move || {
        tracing::debug!("loading the network");
        let read = Assembled::read(model, &files, (&reading, how.rule))?;
        read.check_content(&content.checkpoint, content.mask.as_deref())?;
        read.engine(engine)
    }));
    let network = LoadedNetwork {
        network: network.clone(),
        density,
        normalization: normalization(&run.spec, model),
        checkpoint,
        mask,
        notes,
        classes: known.classes,
        keys: known.keys,
        title: title(model, known.classes, info),
        lazy: Some(network),
    };
    Ok((model, network))
}

/// Whether [`load_named`] would give a network: its files are read and held against the model, and no engine is built.
///
/// # Errors
/// As [`load_named`].
pub fn inspect_named(spec: &RunSpec, how: How) -> Result<Inspected> {
    let named = Assembled::named(spec, how)?;
    Ok(Inspected {
        model: named.model,
        density: named.weights.density().clone(),
        classes: named.weights.classes(),
        keys: named.keys(),
        notes: named.notes(),
    })
}

impl LoadedNetwork {
    /// What is known of it without asking it.
    pub(crate) fn inspected(&self, model: &'static ModelSpec) -> Inspected {
        Inspected {
            model,
            density: self.density.clone(),
            classes: self.classes,
            keys: self.keys.clone(),
            notes: self.notes.clone(),
        }
    }

    fn known(&self) -> Known {
        Known {
            layers: self.density.layers.clone(),
            classes: self.classes,
            keys: self.keys.clone(),
        }
    }
}

/// What is asked of the checkpoint.
pub fn reading(spec: &RunSpec, classifier: Classifier) -> Reading {
    Reading {
        key: spec.checkpoint_key.clone(),
        classes: spec.source_classes,
        classifier,
    }
}

/// Checkpoint × mask, held against a model.
struct Assembled<'a> {
    model: &'a ModelSpec,
    graph: Graph,
    weights: Weights,
    /// SHA-256.
    checkpoint: String,
    /// SHA-256.
    mask: Option<String>,
}

impl<'a> Assembled<'a> {
    fn read(
        model: &'a ModelSpec,
        files: &WeightFiles,
        (reading, rule): (&Reading, KeyRule),
    ) -> rut_models::Result<Self> {
        let opened = Checkpoint::open(&files.checkpoint)?;
        // A key that is named decides under either rule.
        let checkpoint = match (rule, &reading.key) {
            (KeyRule::Earlier, None) => opened.unwrapped()?,
            _ => opened,
        };
        let mask = files.mask.as_deref().map(Mask::open).transpose()?;
        let (graph, weights) = Weights::read(model, &checkpoint, mask.as_ref(), reading)?;
        Ok(Self {
            model,
            graph,
            weights,
            checkpoint: checkpoint.digest,
            mask: mask.map(|mask| mask.digest),
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
        let digests = [
            (
                "SHA-256 of the checkpoint",
                Some(checkpoint),
                Some(self.checkpoint.as_str()),
            ),
            ("SHA-256 of the mask", mask, self.mask.as_deref()),
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

    fn ready(self, engine: Engine, spec: &RunSpec) -> Result<LoadedNetwork> {
        let model = self.model;
        let network = self.engine(engine)?;
        Ok(LoadedNetwork {
            title: title(model, self.weights.classes(), network.engine()),
            network,
            density: self.weights.density().clone(),
            normalization: normalization(spec, model),
            notes: self.notes(),
            classes: self.weights.classes(),
            keys: self.keys(),
            checkpoint: self.checkpoint,
            mask: self.mask,
            lazy: None,
        })
    }

    fn notes(&self) -> Vec<String> {
        let density = self.weights.density();
        self.mask.as_ref().map_or_else(Vec::new, |_| notes(density))
    }
}

impl Assembled<'_> {
    fn keys(&self) -> KeysRecord {
        KeysRecord {
            under: self.weights.under().to_owned(),
            notes: self.weights.notes().to_vec(),
        }
    }
}

impl Assembled<'static> {
    fn named(spec: &RunSpec, how: How) -> Result<Self> {
        let (model, files) = network_files(spec)?;
        let read = Self::read(model, &files, (&reading(spec, how.classifier), how.rule))?;
        check_ticket((spec, how.rule), &files, read.weights.density())?;
        Ok(read)
    }
}

fn title(model: &ModelSpec, classes: Option<usize>, engine: EngineInfo) -> String {
    let EngineInfo { name, isa } = engine;
    let classes = classes.map_or_else(|| "headless".to_owned(), |classes| classes.to_string());
    format!("{} {classes} {name} f32 {isa}", model.name)
}

fn notes(density: &DensityReport) -> Vec<String> {
    let body = || {
        density
            .layers
            .iter()
            .filter(|layer| layer.role == LayerRole::Body)
    };
    let names = |layers: Vec<&LayerDensity>| list(layers.iter().map(|layer| layer.name.as_str()));
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
