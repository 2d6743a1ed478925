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
    let mut rows = vec![
        ["image", "class", "confidence", "at the fitted temperature"]
            .map(str::to_owned)
            .to_vec(),
    ];
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
    result(&columns(&rows))
}
