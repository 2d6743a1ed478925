//! Writes a ticket and says what was written.

use std::collections::BTreeMap;

use anyhow::Result;
use rut_compress::Pruned;
use rut_formats::{escape, shell_word};
use rut_models::{Array, Existing, NewTicket, TicketFiles};
use serde::Serialize;

use super::about::About;
use super::source::Network;
use crate::args::TicketOutput;
use crate::output::{json, note, result};
use crate::table::percent;

/// What was written, as JSON.
#[derive(Serialize)]
struct Written<'a> {
    checkpoint: String,
    mask: String,
    #[serde(flatten)]
    about: &'a About,
}

/// Where a ticket with this label and state goes.
pub fn place<'a>(
    output: &'a TicketOutput,
    network: &Network,
    label: &'a str,
    state: u32,
) -> NewTicket<'a> {
    NewTicket {
        directory: &output.output,
        model: network.model.name,
        label,
        state,
        existing: if output.overwrite {
            Existing::Replace
        } else {
            Existing::Refuse
        },
    }
}

/// Writes it, and prints what there is now.
///
/// # Errors
/// If it cannot be written.
pub fn write(
    place: &NewTicket<'_>,
    arrays: &BTreeMap<String, Array>,
    pruned: &Pruned,
    about: &About,
    as_json: bool,
) -> Result<()> {
    let files = place
        .write(arrays, &pruned.masks, &about.text()?)
        .map_err(rut_run::Error::from)?;
    if as_json {
        let mask = files.mask.unwrap_or_default();
        return json(&Written {
            checkpoint: files.checkpoint.display().to_string(),
            mask: mask.display().to_string(),
            about,
        });
    }
    result(&describe(&files, about))?;
    let (model, state) = (about.model, about.state);
    let folder = shell_word(&place.directory.display().to_string()).to_string();
    note(&format!(
        "use it by --model {model} --sparsity {state} --pretrained-dir {folder}"
    ));
    Ok(())
}

fn describe(files: &TicketFiles, about: &About) -> String {
    let shown = |path: &std::path::Path| escape(path).whole().to_string();
    let mask = files.mask.as_deref().map_or_else(String::new, shown);
    let mut text = format!(
        "{}\ncheckpoint    {}\nmask          {mask}\nstate         {}\nweights kept  {} of {} ({}), of the layers that have a mask\n",
        about.model,
        shown(&files.checkpoint),
        about.state,
        about.kept,
        about.of,
        percent(about.density),
    );
    if let Some(made) = &about.pruned {
        let seed = made
            .seed
            .map_or_else(String::new, |seed| format!(", seed {seed}"));
        let asked = match (made.density, made.rounds) {
            (Some(density), _) => format!(", density {density}"),
            (_, Some(rounds)) => format!(", rounds {rounds}"),
            _ => String::new(),
        };
        text.push_str(&format!(
            "pruned        by {}, scope {}{asked}{seed}\n",
            made.by, made.scope
        ));
        let dense = if made.keep.is_empty() {
            "none".to_owned()
        } else {
            made.keep.join(", ")
        };
        text.push_str(&format!("left dense    {dense}\n"));
    }
    if let Some(form) = about.converted {
        text.push_str(&format!("converted     from {form}\n"));
    }
    if !about.skipped.is_empty() {
        let skipped = rut_formats::list(about.skipped.iter().map(String::as_str));
        text.push_str(&format!("not divided   {skipped}\n"));
    }
    let recalibrated = about.recalibrated.as_ref().map_or_else(
        || "no".to_owned(),
        |of| {
            format!(
                "on {} images of {}, {}",
                of.images,
                escape(&of.dataset),
                of.preprocessing
            )
        },
    );
    text.push_str(&format!("recalibrated  {recalibrated}"));
    text
}
