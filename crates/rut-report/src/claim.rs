//! The claims of arXiv 2308.14969 on compressed networks, and which differences decide them. For what a study says of them, see
//! `claims`.

use crate::network::Network;
use crate::study::Study;

/// Indices of [`COMPARED`](crate::metric::COMPARED).
pub(crate) const ACCURACY: usize = 0;
pub(crate) const ECE: usize = 1;
pub(crate) const ECE_AT_TEMPERATURE: usize = 2;

/// A claim, and what decides it.
pub(crate) struct Claim {
    pub(crate) number: &'static str,
    pub(crate) words: &'static str,
    /// Which networks it is about.
    pub(crate) about: fn(&Network) -> bool,
    /// What is compared.
    pub(crate) compared: Compared,
    /// In which figures, by their places in [`COMPARED`](crate::metric::COMPARED).
    pub(crate) figures: &'static [usize],
}

/// What a difference is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compared {
    /// Compressed minus dense.
    Networks,
    /// The same on the fewest training images, minus the same on the most.
    Labels,
}

pub(crate) const CLAIMS: [Claim; 5] = [
    Claim {
        number: "1a",
        words: "A ticket transfers worse than its dense network: it is less accurate.",
        about: pruned,
        compared: Compared::Networks,
        figures: &[ACCURACY],
    },
    Claim {
        number: "1b",
        words: "It loses the most with few training images: the difference on the fewest is below that on the most.",
        about: pruned,
        compared: Compared::Labels,
        figures: &[ACCURACY],
    },
    Claim {
        number: "2",
        words: "A ticket is worse calibrated than its dense network: its ECE is higher.",
        about: pruned,
        compared: Compared::Networks,
        figures: &[ECE, ECE_AT_TEMPERATURE],
    },
    Claim {
        number: "3",
        words: "A quantized network is not worse calibrated than its dense network.",
        about: quantized,
        compared: Compared::Networks,
        figures: &[ECE, ECE_AT_TEMPERATURE],
    },
    Claim {
        number: "3b",
        words: "Not in the paper, beside 3: a quantized network is not less accurate than its dense network.",
        about: quantized,
        compared: Compared::Networks,
        figures: &[ACCURACY],
    },
];

/// A ticket whose mask was left out has all weights, and is none.
fn pruned(network: &Network) -> bool {
    !network.dense && !network.key.dropped && network.quantization.is_none()
}

/// A quantized ticket would show what pruning costs, too.
fn quantized(network: &Network) -> bool {
    network.quantization.is_some() && network.body_density == 1.0
}

/// Whether `dense` is what `compressed` was made of, as far as that is known: of a quantized network by its record, if one of
/// the study's dense networks is it.
pub(crate) fn is_origin(study: &Study, compressed: &Network, dense: usize) -> bool {
    let Some(quantization) = &compressed.quantization else {
        return true;
    };
    let is_it = |network: &Network| network.dense && network.key.checkpoint == quantization.made_of;
    let own = study.networks.get(dense).is_some_and(is_it);
    own || !study.networks.iter().any(is_it)
}
