//! `rut data list` and `rut data info`.

use anyhow::Result;
use rut_data::{Counts, DatasetSpec, SplitSpec, DATASETS};
use rut_run::find_dataset;
use serde_json::{json as object, Value};

use crate::args::TableCommand;
use crate::output::{json, result};
use crate::table::{columns, entries};

/// Lists the data sets, or describes one.
pub fn run(command: &TableCommand) -> Result<()> {
    match command {
        TableCommand::List { json: true } => {
            json(&DATASETS.iter().map(row_json).collect::<Vec<_>>())
        }
        TableCommand::List { json: false } => result(&list()),
        TableCommand::Info {
            name,
            json: as_json,
        } => {
            let spec = find_dataset(name)?;
            if *as_json {
                json(&row_json(spec))
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
        let counts = spec.counts();
        let counts = [spec.classes.len(), counts.train, counts.test].map(|count| count.to_string());
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
    let fetched = if spec.is_bundled() {
        "bundled with rut".to_owned()
    } else {
        spec.how_to_get()
    };
    let mut rows = vec![
        ("name", spec.name.to_owned()),
        ("also", spec.aliases.join(", ")),
        ("title", spec.title.to_owned()),
        ("image size", spec.image_size.to_string()),
        ("prompt window", format!("{} pixels", spec.prompt_size)),
        ("licence", spec.licence.to_owned()),
        ("source", spec.source.to_owned()),
        ("citation", spec.citation.to_owned()),
        ("to get it", fetched),
    ];
    rows.extend(
        spec.splits
            .iter()
            .map(|split| ("split", describe_split(split))),
    );
    rows.push((
        "classes",
        format!("{}: {}", spec.classes.len(), spec.classes.join(", ")),
    ));
    entries(&rows)
}

/// `official: 50000 training, 10000 test; as published; looks for …`.
fn describe_split(split: &SplitSpec) -> String {
    let forms: Vec<String> = split
        .forms
        .iter()
        .filter(|form| !form.layout.is_empty())
        .map(|form| form.layout.join(", "))
        .collect();
    let looks_for = match forms.as_slice() {
        [] => String::new(),
        _ => format!("; looks for {}", forms.join(" or ")),
    };
    let (name, counts, about) = (split.name, describe_counts(split.counts), split.about);
    format!("{name}: {counts}{about}{looks_for}")
}

fn describe_counts(counts: Counts) -> String {
    let Counts {
        train,
        validation,
        test,
    } = counts;
    let validation = validation
        .map(|count| format!("{count} validation, "))
        .unwrap_or_default();
    if counts == Counts::UNKNOWN {
        String::new()
    } else {
        format!("{train} training, {validation}{test} test; ")
    }
}

fn row_json(spec: &DatasetSpec) -> Value {
    let splits: Vec<Value> = spec.splits.iter().map(split_facts).collect();
    object!({
        "name": spec.name, "aliases": spec.aliases, "title": spec.title, "classes": spec.classes,
        "image_size": spec.image_size.to_string(), "prompt_size": spec.prompt_size, "splits": splits,
        "licence": spec.licence, "source": spec.source, "citation": spec.citation, "by_hand": spec.by_hand,
    })
}

fn split_facts(split: &SplitSpec) -> Value {
    let layouts: Vec<_> = split.forms.iter().map(|form| form.layout).collect();
    object!({
        "name": split.name, "about": split.about, "train": split.counts.train,
        "validation": split.counts.validation, "test": split.counts.test, "layouts": layouts,
    })
}
