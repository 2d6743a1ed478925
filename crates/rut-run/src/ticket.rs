//! Whether what is called a ticket has lost weights. How many it has lost is measured by `rut-models`.

use rut_models::{DensityReport, LayerDensity};
use rut_record::{KeyRule, Masking, NetworkKind, RunSpec};

use crate::error::{Error, Result};
use crate::files::WeightFiles;

/// A network that keeps more than this share of its weights between stem and classifier is no ticket.
const DENSE_FROM: f64 = 0.99;

/// A ticket has lost weights: a mask says which, or the zeros of its checkpoint do. Runs that were begun by an earlier
/// version go on by its rule, to which any zero was enough.
///
/// # Errors
/// [`Error::NotATicket`] if it has not.
pub fn check_ticket(
    spec: &RunSpec,
    rule: KeyRule,
    files: &WeightFiles,
    density: &DensityReport,
) -> Result<()> {
    let dense_member = spec.network.checkpoint.is_none() && spec.network.state() == 0;
    if spec.network.kind != NetworkKind::Ticket
        || spec.network.masking == Masking::Dropped
        || dense_member
    {
        return Ok(());
    }
    let body = density.without_stem_and_classifier;
    let whole = match rule {
        KeyRule::Earlier => density.overall.value() == 1.0,
        KeyRule::Fitting => body.value() > DENSE_FROM,
    };
    let found = match &files.mask {
        None if whole => format!(
            "no mask was given and {}; give the mask (field `mask`)",
            zeros(density)
        ),
        Some(mask) if rule == KeyRule::Fitting && keeps_all(density) => format!(
            "the mask {} keeps every weight; give the mask of a pruned network, leave it out where the zeros of the checkpoint \
             are meant",
            mask.display()
        ),
        _ => return Ok(()),
    };
    Err(Error::NotATicket {
        checkpoint: files.checkpoint.clone(),
        found,
    })
}

fn keeps_all(density: &DensityReport) -> bool {
    let mut masked = density.layers.iter().filter(|layer| layer.masked);
    masked.all(|layer| layer.kept == layer.total)
}

/// The zeros of a network that is nearly dense, layer by layer.
fn zeros(density: &DensityReport) -> String {
    let layers = density.layers.iter().filter(|layer| layer.zeros > 0);
    let layers: Vec<&LayerDensity> = layers.collect();
    if layers.is_empty() {
        return "no weight is zero".into();
    }
    let zeros: usize = layers.iter().map(|layer| layer.zeros).sum();
    let named = layers
        .iter()
        .take(NAMED)
        .map(|layer| format!("{} of {} in {}", layer.zeros, layer.total, layer.name));
    let more = layers.len().saturating_sub(NAMED);
    let more = if more > 0 {
        format!(" and in {more} more layers")
    } else {
        String::new()
    };
    format!(
        "of its weights {zeros} are zero ({}{more}): too few for a ticket, which keeps at most 99 % between stem and classifier",
        named.collect::<Vec<_>>().join(", ")
    )
}

/// As many layers are named.
const NAMED: usize = 10;
