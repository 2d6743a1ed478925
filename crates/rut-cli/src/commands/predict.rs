//! `rut predict`.

use anyhow::Result;
use rut_data::image_files;
use rut_formats::escape;
use rut_run::{ClassScore, Prediction};

use crate::args::PredictArgs;
use crate::commands::eval::open;
use crate::exit::{Unread, Usage};
use crate::output::{json, note, result};
use crate::progress::Progress;
use crate::table::{columns, percent};

/// Says what a finished run takes each image for. An image that cannot be read is named, and stops nothing.
pub fn run(args: &PredictArgs) -> Result<()> {
    let finished = open(&args.run, &args.taken_up)?;
    let mut files = Vec::new();
    for path in &args.images {
        let found = image_files(path).map_err(rut_run::Error::from)?;
        if found.is_empty() {
            note(&format!(
                "{}: no image in this folder",
                escape(path).whole()
            ));
        }
        files.extend(found);
    }
    if files.is_empty() {
        return Err(Usage(anyhow::anyhow!(
            "predict: expected an image, found none in what was named"
        ))
        .into());
    }
    let found = finished.predict(&files, args.top_k, &mut Progress::new(0))?;
    for (file, problem) in &found.unread {
        note(&format!("{}: {}", escape(file).whole(), escape(problem)));
    }
    if args.taken_up.json {
        json(&found.predictions)?;
    } else if !found.predictions.is_empty() {
        let doubt = finished.record.temperature_doubt();
        let scaled = match doubt {
            Some(_) => "at the fitted temperature (in doubt)",
            None => "at the fitted temperature",
        };
        let head = ["image", "class", "confidence", scaled].map(str::to_owned);
        let rows = std::iter::once(head.to_vec()).chain(found.predictions.iter().flat_map(rows));
        let warning = doubt.map_or_else(String::new, |doubt| format!("\n\n{doubt}"));
        result(&format!("{}{warning}", columns(&rows.collect::<Vec<_>>())))?;
    }
    match found.unread.len() {
        0 => Ok(()),
        unread => Err(Unread {
            unread,
            of: files.len(),
        }
        .into()),
    }
}

/// A row for each class that is shown of an image, which is named once.
fn rows(prediction: &Prediction) -> Vec<Vec<String>> {
    let shown = match prediction.top.as_slice() {
        [] => std::slice::from_ref(&prediction.best),
        top => top,
    };
    let row = |(rank, score): (usize, &ClassScore)| {
        let scaled = score.confidence_at_temperature;
        let image = if rank == 0 {
            prediction.image.display().to_string()
        } else {
            String::new()
        };
        let scaled = scaled.map_or_else(|| "–".to_owned(), percent);
        vec![
            image,
            score.class.clone(),
            percent(score.confidence),
            scaled,
        ]
    };
    shown.iter().enumerate().map(row).collect()
}
