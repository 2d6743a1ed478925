//! Names that a person types, and the rows of the tables that they mean. The tables are the lower crates'.

use rut_adapt::label_map::{self, LABEL_MAPPINGS, LabelMappingSpec};
use rut_data::{DATASETS, DatasetSpec};
use rut_formats::did_you_mean;
use rut_models::{ENGINES, Engine, MODELS, ModelSpec};

use crate::error::{Error, Result, refused};

/// The data set of the table called `name`.
///
/// # Errors
/// If the table has none; the message lists those that it has.
pub fn find_dataset(name: &str) -> Result<&'static DatasetSpec> {
    let known = DATASETS.iter().map(|dataset| dataset.name);
    rut_data::find(name).ok_or_else(|| unknown("dataset", name, known))
}

/// The model called `name`.
///
/// # Errors
/// If the table has none; the message lists those that it has.
pub fn find_model(name: &str) -> Result<&'static ModelSpec> {
    let known = MODELS.iter().map(|model| model.name);
    rut_models::find(name).ok_or_else(|| unknown("model", name, known))
}

/// The label mapping called `name`.
///
/// # Errors
/// If the table has none; the message lists those that it has.
pub fn find_mapping(name: &str) -> Result<&'static LabelMappingSpec> {
    let known = LABEL_MAPPINGS.iter().map(|mapping| mapping.name);
    label_map::find(name).ok_or_else(|| unknown("mapping", name, known))
}

/// The engine called `name`.
///
/// # Errors
/// If the table has none; the message lists those that it has.
pub fn find_engine(name: &str) -> Result<Engine> {
    let known = ENGINES.iter().map(|engine| engine.name);
    name.parse().map_err(|_| unknown("engine", name, known))
}

fn unknown(field: &'static str, name: &str, known: impl Iterator<Item = &'static str>) -> Error {
    let known: Vec<&str> = known.collect();
    let hint = did_you_mean(name, known.iter().copied());
    refused(
        field,
        format!("one of {}{hint}", known.join(", ")),
        format!("`{name}`"),
    )
}
