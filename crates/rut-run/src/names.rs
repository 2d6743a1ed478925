//! Names that a person types, and the rows of the tables that they mean. The tables are the lower crates'.

use rut_adapt::{LABEL_MAPPINGS, LabelMappingSpec, PROMPTS, PromptRow};
use rut_data::{DATASETS, DatasetSpec};
use rut_formats::did_you_mean;
use rut_models::{
    DEVICES, DeviceSpec, ENGINES, Engine, MODELS, ModelSpec, PRECISIONS, Placement, find_device,
    find_precision,
};

use rut_record::{Locations, RunSpec};

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

/// The name of class `source` of the data that the network of `spec` was trained on, by the table of models.
pub fn source_name(spec: &RunSpec, source: u32) -> Option<&'static str> {
    let model = rut_models::find(&spec.network.model)?;
    let names = model.upstream.class_names();
    names.get(usize::try_from(source).ok()?).copied()
}

/// The label mapping called `name`.
///
/// # Errors
/// If the table has none; the message lists those that it has.
pub fn find_mapping(name: &str) -> Result<&'static LabelMappingSpec> {
    let known = LABEL_MAPPINGS.iter().map(|mapping| mapping.name);
    rut_adapt::find_label_mapping(name).ok_or_else(|| unknown("mapping", name, known))
}

/// The prompt called `name`.
///
/// # Errors
/// If the table has none; the message lists those that it has.
pub fn find_prompt(name: &str) -> Result<&'static PromptRow> {
    let known = PROMPTS.iter().map(|prompt| prompt.name);
    rut_adapt::find_prompt(name).ok_or_else(|| unknown("prompt", name, known))
}

/// The engine called `name`.
///
/// # Errors
/// If the table has none; the message lists those that it has.
pub fn find_engine(name: &str) -> Result<Engine> {
    let known = ENGINES.iter().map(|engine| engine.name);
    name.parse().map_err(|_| unknown("engine", name, known))
}

/// Whether the device of `locations` is one of the table.
///
/// # Errors
/// If it is not; the message lists those that there are.
pub fn check_device(locations: &Locations) -> Result<()> {
    device_row(&locations.device).map(drop)
}

fn device_row(name: &str) -> Result<&'static DeviceSpec> {
    let known = DEVICES.iter().map(|row| row.name);
    find_device(name).ok_or_else(|| unknown("device", name, known))
}

/// Where a network computes by the precision and the device of these names.
///
/// # Errors
/// If a table has no such name, or the device cannot be opened.
pub fn find_placement(precision: &str, device: &str) -> Result<Placement> {
    let precisions = PRECISIONS.iter().map(|row| row.name);
    let row =
        find_precision(precision).ok_or_else(|| unknown("precision", precision, precisions))?;
    let place = device_row(device)?;
    let device = (place.open)().map_err(rut_models::Error::from)?;
    Ok(Placement {
        dtype: row.dtype,
        precision: row.precision,
        device,
    })
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
