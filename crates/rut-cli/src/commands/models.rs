//! `rut models`.

use anyhow::Result;
use rut_models::{Evaluation, ModelSpec, Normalization, ParameterKind, MODELS};
use rut_run::find_model;
use serde_json::{json as object, Value};

use crate::args::TableCommand;
use crate::output::{json, result};
use crate::table::{columns, entries};

/// Lists the models, or describes one.
pub fn run(command: &TableCommand) -> Result<()> {
    match command {
        TableCommand::List { json: true } => json(&MODELS.iter().map(row_json).collect::<Vec<_>>()),
        TableCommand::List { json: false } => result(&list()),
        TableCommand::Info {
            name,
            json: as_json,
        } => {
            let spec = find_model(name)?;
            if *as_json {
                json(&row_json(spec))
            } else {
                result(&describe(spec))
            }
        }
    }
}

fn parameters(spec: &ModelSpec) -> usize {
    spec.build()
        .parameters()
        .iter()
        .filter(|p| {
            !matches!(
                p.kind,
                ParameterKind::NormMean | ParameterKind::NormVariance
            )
        })
        .map(|p| p.shape.iter().product::<usize>())
        .sum()
}

/// Multiply-adds of one image at the model's own size.
fn multiply_adds(spec: &ModelSpec) -> u64 {
    let side = spec.input_size as usize;
    spec.build().multiply_adds([3, side, side]).unwrap_or(0)
}

fn list() -> String {
    let mut rows = vec![[
        "name",
        "source",
        "classes",
        "input",
        "features",
        "parameters",
        "",
    ]
    .map(str::to_owned)
    .to_vec()];
    rows.extend(MODELS.iter().map(|spec| {
        let numbers = [
            spec.classes,
            spec.input_size as usize,
            spec.width,
            parameters(spec),
        ]
        .map(|number| number.to_string());
        let mut row = vec![spec.name.to_owned(), spec.upstream.name().to_owned()];
        row.extend(numbers);
        row.push(spec.title.to_owned());
        row
    }));
    columns(&rows)
}

fn describe(spec: &ModelSpec) -> String {
    let Normalization { mean, std } = spec.normalization;
    let mut rows = vec![
        ("name", spec.name.to_owned()),
        ("also", spec.aliases.join(", ")),
        ("title", spec.title.to_owned()),
        (
            "source data",
            format!("{}, {} classes", spec.upstream.name(), spec.classes),
        ),
        (
            "input",
            format!(
                "{0}×{0} pixels, mean {mean:?}, std {std:?}",
                spec.input_size
            ),
        ),
        ("features", spec.width.to_string()),
        ("parameters", parameters(spec).to_string()),
        ("multiply-adds", multiply_adds(spec).to_string()),
    ];
    rows.extend(spec.weights.iter().flat_map(|weights| {
        let Evaluation { resize, crop } = weights.evaluation;
        let about = format!(
            "{}: evaluated at {resize}/{crop}; {}",
            weights.name, weights.recipe
        );
        [("weights", about), ("", weights.url.to_owned())]
    }));
    entries(&rows)
}

fn row_json(spec: &ModelSpec) -> Value {
    let weights = spec.weights.iter().map(|w| {
        object!({"name": w.name, "resize": w.evaluation.resize, "crop": w.evaluation.crop, "recipe": w.recipe, "url": w.url})
    });
    object!({
        "name": spec.name, "aliases": spec.aliases, "title": spec.title, "upstream": spec.upstream.name(),
        "classes": spec.classes, "input_size": spec.input_size, "width": spec.width, "parameters": parameters(spec),
        "multiply_adds": multiply_adds(spec),
        "mean": spec.normalization.mean, "std": spec.normalization.std, "weights": weights.collect::<Vec<_>>(),
    })
}
