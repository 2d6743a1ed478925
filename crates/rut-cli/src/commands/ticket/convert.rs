//! `rut ticket convert`.

use std::collections::BTreeMap;

use anyhow::Result;
use rut_compress::{masks_of_zeros, rounds_of, Pruned};
use rut_models::{Mask, MaskArray};
use rut_record::KeyRule;
use rut_run::check_ticket;

use super::about::About;
use super::source::Network;
use super::written;
use crate::args::ConvertArgs;

/// Writes the masks that a pruned network's files hold, in whatever form, and its weights.
///
/// # Errors
/// If the network cannot be read, nothing of it is pruned, or the ticket cannot be written.
pub fn run(args: &ConvertArgs) -> Result<()> {
    let network = Network::read(&args.network.settings)?;
    let (form, masks) = masks(&network)?;
    let pruned = Pruned {
        masks,
        skipped: Vec::new(),
    };
    let mut about = About::of(&network, &pruned);
    about.state = args
        .output
        .state
        .unwrap_or_else(|| rounds_of(about.density));
    about.converted = Some(form);
    let label = args.output.label.as_deref().unwrap_or("converted");
    let place = written::place(&args.output, &network, label, about.state);
    let arrays = pruned.arrays(&network.graph, &network.weights);
    written::write(&place, &arrays, &pruned, &about, args.output.json)
}

/// The masks, and which form they were found in.
fn masks(network: &Network) -> Result<(&'static str, BTreeMap<String, MaskArray>)> {
    if network.mask.is_some() {
        return Ok(("a mask beside the checkpoint", network.masks()?));
    }
    if network.checkpoint.folded() > 0 {
        let mask = Mask::open(&network.files.checkpoint).map_err(rut_run::Error::from)?;
        let masks = mask.of(&network.graph).map_err(rut_run::Error::from)?;
        return Ok(("pairs of `weight_orig` and `weight_mask`", masks));
    }
    let masks = masks_of_zeros(&network.weights).map_err(rut_run::Error::from)?;
    let density = network.weights.density();
    check_ticket(&network.spec, KeyRule::default(), &network.files, density)?;
    Ok(("zeros of the weights", masks))
}
