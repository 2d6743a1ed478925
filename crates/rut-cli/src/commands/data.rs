//! `rut data`.

use anyhow::Result;
use rut_data::{DatasetSpec, DATASETS};
use rut_study::names::find_dataset;
use serde_json::{json as object, Value};

use crate::args::TableCommand;
use crate::output::{json, result};
use crate::table::{columns, entries};

/// Lists the data sets, or tells about one.
pub fn run(command: &TableCommand) -> Result<()> {
    match command {
        TableCommand::List { json: true } => json(&DATASETS.iter().map(facts).collect::<Vec<_>>()),
        TableCommand::List { json: false } => result(&list()),
        TableCommand::Info {
            name,
            json: as_json,
        } => {
            let spec = find_dataset(name)?;
            if *as_json {
                json(&facts(spec))
            } else {
                result(&describe(spec))
            }
        }
    }
}

fn list() -> String {
    let mut rows = vec![["name", "classes", "train", "test", "image", "window", ""]
        .map(str::to_owned)
        .to_vec()];
    rows.extend(DATASETS.iter().map(|spec| {
        let counts = [spec.classes.len(), spec.counts.train, spec.counts.test]
            .map(|count| count.to_string());
        let mut row = vec![spec.name.to_owned()];
        row.extend(counts);
        row.extend([
            spec.image_size.to_string(),
            spec.prompt_size.to_string(),
            spec.title.to_owned(),
        ]);
        row
    }));
    columns(&rows)
}

fn describe(spec: &DatasetSpec) -> String {
    let validation = spec.counts.validation.map_or_else(
        || "carved from training".to_owned(),
        |count| count.to_string(),
    );
    let fetched = if spec.archives.is_empty() {
        "bundled with rut".to_owned()
    } else {
        format!("cargo xtask fetch-data {}", spec.name)
    };
    let rows = [
        ("name", spec.name.to_owned()),
        ("also", spec.aliases.join(", ")),
        ("title", spec.title.to_owned()),
        (
            "images",
            format!(
                "{} training, {} test; validation {validation}",
                spec.counts.train, spec.counts.test
            ),
        ),
        ("image size", spec.image_size.to_string()),
        ("prompt window", format!("{} pixels", spec.prompt_size)),
        ("licence", spec.licence.to_owned()),
        ("source", spec.source.to_owned()),
        ("citation", spec.citation.to_owned()),
        ("looked for", spec.layout.join(", ")),
        ("fetched by", fetched),
        (
            "classes",
            format!("{}: {}", spec.classes.len(), spec.classes.join(", ")),
        ),
    ];
    entries(&rows)
}

fn facts(spec: &DatasetSpec) -> Value {
    object!({
        "name": spec.name, "aliases": spec.aliases, "title": spec.title, "classes": spec.classes,
        "image_size": spec.image_size.to_string(), "prompt_size": spec.prompt_size,
        "train": spec.counts.train, "validation": spec.counts.validation, "test": spec.counts.test,
        "licence": spec.licence, "source": spec.source, "citation": spec.citation, "layout": spec.layout,
    })
}
