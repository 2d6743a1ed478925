//! The networks of a study: which records are of the same one, and what each is called. For its figures, see `study`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rut_record::{Masking, NetworkKind, NetworkRecord, NetworkSpec, QuantizationRecord, Record};

use crate::run::Run;
use crate::wording::{listed, percent};

/// What makes two records ones of the same network.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NetworkKey {
    /// Name in the table of models.
    pub(crate) model: String,
    /// SHA-256 of the checkpoint.
    pub(crate) checkpoint: String,
    /// SHA-256 of the mask.
    pub(crate) mask: Option<String>,
    /// Whether the mask was left out.
    pub(crate) dropped: bool,
}

impl NetworkKey {
    /// The network of `record`.
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            model: record.network.model.clone(),
            checkpoint: record.network.checkpoint.clone(),
            mask: record.network.mask.clone(),
            dropped: record.spec.network.masking == Masking::Dropped,
        }
    }
}

/// A network.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// Which.
    pub(crate) key: NetworkKey,
    /// What it is called, unlike every other of the study.
    pub(crate) label: String,
    /// Whether it is one that tickets are compared with.
    pub(crate) dense: bool,
    /// Share of weights kept, 0–1.
    pub(crate) density: f64,
    /// The same without stem and classifier: the paper's remaining weights, 0–1.
    pub(crate) body_density: f64,
    /// What of it has few bits.
    pub(crate) quantization: Option<QuantizationRecord>,
    /// How it was trained, in the words of its runs.
    pub(crate) recipe: Option<String>,
    /// Its user's own name for it: what its file is called.
    own: Option<String>,
    kind: String,
}

impl Network {
    fn of(record: &Record) -> Self {
        let (spec, network) = (&record.spec, &record.network);
        let dense = spec.network.kind == NetworkKind::Dense && network.mask.is_none();
        let mut kind = match (dense, spec.network.sparsity, &spec.network.checkpoint) {
            (true, ..) => "dense".to_owned(),
            (false, ..) if spec.network.kind == NetworkKind::Quantized => bits(network),
            (false, Some(state), _) => format!("state {state}"),
            (false, None, None) => format!("state {}", spec.network.state()),
            (false, None, Some(_)) => "ticket".to_owned(),
        };
        if spec.network.masking == Masking::Dropped {
            kind.push_str(", mask dropped");
        }
        Self {
            key: NetworkKey::of(record),
            label: String::new(),
            dense,
            density: network.density,
            body_density: network.density_without_stem_and_classifier,
            quantization: network.quantization.clone(),
            recipe: spec.network.recipe.clone(),
            own: own_name(&spec.network),
            kind,
        }
    }
}

impl Network {
    /// Bits of its weights without stem and classifier that are left of the 32 of each weight of the dense network, 0–1.
    pub(crate) fn share_of_bits(&self) -> f64 {
        let bits = self.quantization.as_ref().map_or(32, |q| q.weight_bits);
        self.body_density * f64::from(bits) / 32.0
    }

    /// How far it is compressed, in words.
    pub(crate) fn compression(&self) -> String {
        let weights = format!("{} % of weights", percent(self.body_density));
        let Some(found) = &self.quantization else {
            return weights;
        };
        let bits = format!("weights of {} bits", found.weight_bits);
        let activations = found
            .activation_bits
            .map(|bits| format!("activations of {bits} bits"));
        let pruned = (self.body_density < 1.0).then_some(weights);
        listed([Some(bits), activations, pruned].into_iter().flatten())
    }
}

/// What a quantized network is called: `W4`, or `W4A8` where activations have few bits, too.
fn bits(network: &NetworkRecord) -> String {
    let Some(found) = &network.quantization else {
        return "quantized".to_owned();
    };
    let activations = found.activation_bits;
    let activations = activations.map_or_else(String::new, |bits| format!("A{bits}"));
    format!("W{}{activations}", found.weight_bits)
}

/// All networks of `runs`: by model, dense ones first, then tickets by falling density, then quantized ones by falling bits.
pub(crate) fn networks(runs: &[Run]) -> Vec<Network> {
    let mut found: BTreeMap<NetworkKey, Network> = BTreeMap::new();
    for run in runs {
        let network = Network::of(&run.record);
        let known = found.entry(network.key.clone()).or_insert(network);
        // Words and names of files are no part of a run's identity: runs of one network may differ in them, or lack them.
        keep_first(&mut known.recipe, run.record.spec.network.recipe.clone());
        keep_first(&mut known.own, own_name(&run.record.spec.network));
    }
    let mut networks: Vec<Network> = found.into_values().collect();
    networks.sort_by(|a, b| {
        let order = |n: &Network| (n.key.model.clone(), !n.dense, n.quantization.is_some());
        order(a)
            .cmp(&order(b))
            .then(b.share_of_bits().total_cmp(&a.share_of_bits()))
            .then(a.kind.cmp(&b.kind))
            .then(a.recipe.cmp(&b.recipe))
            .then(a.key.cmp(&b.key))
    });
    label(&mut networks);
    networks
}

/// What the file of a user's own network is called, without folder and ending: that of its mask, which sets a ticket apart,
/// behind that of its checkpoint.
fn own_name(network: &NetworkSpec) -> Option<String> {
    let stem = |path: &PathBuf| Some(path.file_stem()?.to_string_lossy().into_owned());
    let checkpoint = network.checkpoint.as_ref().and_then(stem)?;
    match network.mask.as_ref().and_then(stem) {
        Some(mask) => Some(format!("{checkpoint} × {mask}")),
        None => Some(checkpoint),
    }
}

/// The first of two in the order of the alphabet, so that the order of the runs decides nothing.
fn keep_first(known: &mut Option<String>, found: Option<String>) {
    if known.is_none() || found.is_some() && found < *known {
        *known = found;
    }
}

/// Words of a label, from the fewest on: the name of the user's own file, or else the words on how it was trained.
type Wording = fn(&Network) -> String;

const WORDINGS: [Wording; 4] = [
    |n| {
        let named = n.own.as_ref().or(n.recipe.as_ref());
        named.unwrap_or(&n.kind).clone()
    },
    |n| {
        let parts = [n.own.as_ref(), n.recipe.as_ref(), Some(&n.kind)];
        let parts: Vec<&str> = parts.into_iter().flatten().map(|part| &**part).collect();
        parts.join(", ")
    },
    |n| format!("{} ({})", WORDINGS[1](n), &short(&n.key.checkpoint)),
    |n| {
        let mask = n.key.mask.as_deref().map_or("no mask", short);
        format!("{} ({} × {mask})", WORDINGS[1](n), short(&n.key.checkpoint))
    },
];

/// Gives every network the fewest words that only it has.
fn label(networks: &mut [Network]) {
    let models: std::collections::BTreeSet<&str> = networks.iter().map(|n| &*n.key.model).collect();
    let several = models.len() > 1;
    let worded = |n: &Network, wording: Wording| {
        if several {
            format!("{} {}", n.key.model, wording(n))
        } else {
            wording(n)
        }
    };
    let labels: Vec<String> = networks
        .iter()
        .map(|network| {
            let alone = |wording: &&Wording| {
                let own = worded(network, **wording);
                networks
                    .iter()
                    .filter(|n| worded(n, **wording) == own)
                    .count()
                    == 1
            };
            let last = WORDINGS[WORDINGS.len() - 1];
            worded(
                network,
                WORDINGS.iter().find(alone).copied().unwrap_or(last),
            )
        })
        .collect();
    for (network, label) in networks.iter_mut().zip(labels) {
        network.label = label;
    }
}

/// The first letters of a digest.
pub(crate) fn short(digest: &str) -> &str {
    digest.get(..8).unwrap_or(digest)
}
