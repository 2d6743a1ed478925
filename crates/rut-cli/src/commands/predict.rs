//! `rut predict`.

use anyhow::Result;

use crate::args::PredictArgs;
use crate::commands::eval::open;
use crate::output::{json, result};
use crate::progress::Progress;
use crate::table::{columns, percent};

/// Says what a finished run takes each image for.
pub fn run(args: &PredictArgs) -> Result<()> {
    let finished = open(&args.run, &args.taken_up)?;
    let predictions = finished.predict(&args.images, &mut Progress::new(0))?;
    if args.taken_up.json {
        return json(&predictions);
    }
    let doubt = finished.record.temperature_doubt();
    let scaled = match doubt {
        Some(_) => "at the fitted temperature (in doubt)",
        None => "at the fitted temperature",
    };
    let mut rows = vec![["image", "class", "confidence", scaled]
        .map(str::to_owned)
        .to_vec()];
    rows.extend(predictions.iter().map(|p| {
        let scaled = p
            .confidence_at_temperature
            .map_or_else(|| "–".to_owned(), percent);
        vec![
            p.image.display().to_string(),
            p.class.clone(),
            percent(p.confidence),
            scaled,
        ]
    }));
    let told = doubt.map_or_else(String::new, |doubt| format!("\n\n{doubt}"));
    result(&format!("{}{told}", columns(&rows)))
}
