//! From the files of a specification to a loaded frozen network. `rut-models` reads the files.

use std::sync::Arc;

use rut_formats::list;
use rut_models::{
    ActivationDescription, Checkpoint, Classifier, DensityReport, EngineInfo, FrozenNetwork, Graph,
    LayerDensity, LayerRole, Mask, ModelSpec, Normalization, QuantizationDescription, Reading,
    Weights,
};
use rut_record::{KeyRule, KeysRecord, QuantizationRecord, RunSpec};

use crate::checked::CheckedRunSpec;
use crate::computing::Computing;
use crate::error::Result;
use crate::files::{WeightFiles, network_files};
use crate::names::find_model;
use crate::quantized::check_quantized;
use crate::ticket::check_ticket;
use crate::transform::normalization;

/// How a network's files are read, beside what the specification says of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// By which rule keys are found.
    pub rule: KeyRule,
    /// Whether logits are asked for.
    pub classifier: Classifier,
}

impl LoadOptions {
    /// For a run of `spec`: what trains a head needs no classifier.
    pub fn of(spec: &RunSpec) -> Self {
        let classifier = match spec.mapping() {
            Some(_) => Classifier::Needed,
            None => Classifier::Optional,
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
    /// What of it has few bits.
    pub quantization: Option<QuantizationRecord>,
    /// What of the checkpoint's keys it is.
    pub keys: KeysRecord,
    /// Model, class count, engine and instruction set: what features depend on beside the weights.
    pub title: String,
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
    classes: Option<usize>,
    options: LoadOptions,
    computing: &Computing,
) -> Result<(&'static ModelSpec, LoadedNetwork)> {
    let model = find_model(&spec.network.model)?;
    let reading = Reading {
        classes,
        ..reading(spec, options.classifier)
    };
    let read = Assembled::read(model, files, &reading, options.rule)?;
    Ok((model, read.ready(computing, spec)?))
}

/// The network that `run` names, which must be the ticket that it is called.
///
/// # Errors
/// As [`load_named`].
pub fn load_checked(run: &CheckedRunSpec, options: LoadOptions) -> Result<LoadedNetwork> {
    let read = Assembled::ticket(&run.spec, run.model, &run.files, options)?;
    read.ready(&run.computing, &run.spec)
}

/// The network that `spec` names, which must be the ticket that it is called.
///
/// # Errors
/// If a file is missing or broken, or a key is missing, unexpected or of another shape; [`Error::NotATicket`](crate::Error::NotATicket) if no weight
/// of a ticket is pruned.
pub fn load_named(
    spec: &RunSpec,
    options: LoadOptions,
    computing: &Computing,
) -> Result<(&'static ModelSpec, LoadedNetwork)> {
    let named = Assembled::named(spec, options)?;
    Ok((named.model, named.ready(computing, spec)?))
}

/// Whether [`load_named`] would give a network: its files are read and checked with the model, and no engine is built.
///
/// # Errors
/// As [`load_named`].
pub fn inspect_named(spec: &RunSpec, options: LoadOptions) -> Result<Inspected> {
    let named = Assembled::named(spec, options)?;
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
}

/// What is asked of the checkpoint.
pub fn reading(spec: &RunSpec, classifier: Classifier) -> Reading {
    Reading {
        key: spec.network.checkpoint_key.clone(),
        classes: spec.network.source_classes,
        classifier,
    }
}

/// Checkpoint × mask, checked with a model.
struct Assembled<'a> {
    model: &'a ModelSpec,
    graph: Graph,
    weights: Weights,
    quantization: Option<QuantizationRecord>,
    /// SHA-256.
    checkpoint: String,
    /// SHA-256.
    mask: Option<String>,
}

impl<'a> Assembled<'a> {
    fn read(
        model: &'a ModelSpec,
        files: &WeightFiles,
        reading: &Reading,
        rule: KeyRule,
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
            quantization: checkpoint.quantization().map(quantization),
            checkpoint: checkpoint.digest,
            mask: mask.map(|mask| mask.digest),
        })
    }

    fn engine(&self, computing: &Computing) -> rut_models::Result<Arc<dyn FrozenNetwork>> {
        let Computing { engine, placement } = computing;
        let network = engine.load(&self.graph, &self.weights, placement)?;
        let EngineInfo { name, isa } = network.engine();
        tracing::info!(engine = name, isa, "frozen network");
        Ok(network)
    }

    fn ready(self, computing: &Computing, spec: &RunSpec) -> Result<LoadedNetwork> {
        let model = self.model;
        let network = self.engine(computing)?;
        Ok(LoadedNetwork {
            title: title(model, self.weights.classes(), &*network),
            network,
            density: self.weights.density().clone(),
            normalization: normalization(spec, model),
            notes: self.notes(),
            classes: self.weights.classes(),
            keys: self.keys(),
            quantization: self.quantization,
            checkpoint: self.checkpoint,
            mask: self.mask,
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
    fn named(spec: &RunSpec, options: LoadOptions) -> Result<Self> {
        let (model, files) = network_files(spec)?;
        Self::ticket(spec, model, &files, options)
    }

    /// From these files, if they are those of a ticket where `spec` says so.
    fn ticket(
        spec: &RunSpec,
        model: &'static ModelSpec,
        files: &WeightFiles,
        options: LoadOptions,
    ) -> Result<Self> {
        let read = Self::read(
            model,
            files,
            &reading(spec, options.classifier),
            options.rule,
        )?;
        check_ticket(spec, options.rule, files, read.weights.density())?;
        check_quantized(spec, files, read.quantization.as_ref())?;
        Ok(read)
    }
}

fn quantization(description: &QuantizationDescription) -> QuantizationRecord {
    let activations = description.activations.as_ref();
    let images = |a: &ActivationDescription| {
        format!("{}, {} images of {}", a.calibration, a.images, a.dataset)
    };
    QuantizationRecord {
        weight_bits: description.weight_bits,
        kept: description.kept.clone(),
        activation_bits: activations.map(|a| a.bits),
        calibration: activations.map(images),
        made_of: description.source_checkpoint.clone(),
    }
}

fn title(model: &ModelSpec, classes: Option<usize>, network: &dyn FrozenNetwork) -> String {
    let EngineInfo { name, isa } = network.engine();
    let placement = network.placement();
    let precision = placement.precision_name();
    let classes = classes.map_or_else(|| "headless".to_owned(), |classes| classes.to_string());
    format!("{} {classes} {name} {precision} {isa}", model.name)
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
