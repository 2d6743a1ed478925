//! `rut ticket make`.

use anyhow::Result;

use super::about::About;
use super::pruning::Pruning;
use super::source::Network;
use super::{recalibrate, written};
use crate::args::MakeArgs;
use crate::output::note;

/// Prunes a network and writes it.
///
/// # Errors
/// If the network cannot be read or pruned, or the ticket cannot be written.
pub fn run(args: &MakeArgs) -> Result<()> {
    let pruning = Pruning::of(&args.pruning)?;
    recalibrate::check(&args.recalibration)?;
    let mut flags = args.fields.settings.clone();
    if let Some(dataset) = &args.recalibration.recalibrate {
        flags.put("dataset", dataset.as_str().into(), "--recalibrate");
    }
    let network = Network::read(&flags)?;
    let pruned = pruning.masks(&network)?;
    let mut about = About::of(&network, &pruned);
    let usual = pruning.state(network.state(), about.density);
    about.state = args.output.state.unwrap_or(usual);
    about.pruned = Some(pruning.made());
    let label = args.output.label.clone().unwrap_or_else(|| pruning.label());
    let place = written::place(&args.output, &network, &label, about.state);
    // What would fail at the end fails before images are read.
    place.files().map_err(rut_run::Error::from)?;
    if !pruned.skipped.is_empty() {
        let layers = rut_formats::list(pruned.skipped.iter().map(String::as_str));
        note(&format!(
            "the groups do not divide the input channels of {layers}; they lose nothing"
        ));
    }
    let mut arrays = pruned.arrays(&network.graph, &network.weights);
    if args.recalibration.recalibrate.is_some() {
        let seed = args.pruning.seed;
        about.recalibrated = Some(recalibrate::recalibrate(
            &network,
            &mut arrays,
            &args.recalibration,
            seed,
        )?);
    }
    written::write(&place, &arrays, &pruned, &about, args.output.json)
}
