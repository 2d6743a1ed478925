//! Checks a specification with the files that it names.

use rut_adapt::Descent;
use rut_data::{Dataset, Draw};
use rut_record::{Locations, RunId, RunSpec, ValidationFrom};

use crate::adaptation::{adapter, augmentation, transform};
use crate::canonicalize::canonicalize;
use crate::checked::{CheckedRunSpec, loop_options};
use crate::computing::Computing;
use crate::error::Result;
use crate::fields::check_used;
use crate::grid::{check_chosen_on, check_rates};
use crate::identity::content;
use crate::input_cache::InputCache;
use crate::names::{find_mapping, find_model, find_prompt};
use crate::transform::check_transform;
use crate::validation::{canonicalize_validation, draw_options, validation_from};

/// Finds everything that the specification names.
///
/// # Errors
/// If a name is unknown, a file is missing, a number is out of range, or two fields do not go together.
pub fn check(spec: RunSpec, locations: &Locations) -> Result<CheckedRunSpec> {
    check_among(spec, &mut InputCache::new(locations))
}

/// As [`check`], with what was found for other specifications.
///
/// # Errors
/// As [`check`].
pub fn check_among(mut spec: RunSpec, input_cache: &mut InputCache<'_>) -> Result<CheckedRunSpec> {
    if let Some(prompt) = spec.prompt() {
        find_prompt(&prompt.prompt)?;
        Descent::of(prompt)?;
        augmentation(prompt)?;
    }
    if let Some(mapping) = spec.mapping() {
        find_mapping(mapping)?;
    }
    let model = find_model(&spec.network.model)?;
    let device = input_cache.device().to_owned();
    let computing = Computing::of(&spec, &device)?;
    canonicalize(&mut spec);
    check_used(&spec)?;
    check_rates(&spec)?;
    check_transform(&spec, model)?;
    loop_options(&spec, 1).check()?;
    let from = validation_from(&spec, input_cache)?;
    let dataset = input_cache.dataset(&spec)?.clone();
    let draw = input_cache.draw(&spec, from, &draw_options(&spec, from)?)?;
    loop_options(&spec, draw.train.len()).check_watched(draw.validation.len())?;
    check_chosen_on(&spec, draw.validation.len())?;
    let image_size = adapter(&spec).image_size(&spec, model, &dataset)?;
    let (model, files) = input_cache.network_files(&spec)?;
    let content = content(&spec, &files, from, input_cache)?;
    let id = RunId::new(&spec, &content)?;
    canonicalize_validation(&mut spec, from, &dataset);
    let validation = match from {
        ValidationFrom::Own => dataset.own_validation().select(&draw.validation),
        ValidationFrom::Drawn => dataset.train.select(&draw.validation),
    };
    let checked = CheckedRunSpec {
        id,
        content,
        files,
        model,
        train: dataset.train.select(&draw.train),
        validation,
        dataset,
        draw,
        transform: transform(&spec, model, image_size),
        image_size,
        computing,
        device,
        spec,
    };
    checked.check_classes()?;
    Ok(checked)
}

/// The data set, restricted to the chosen classes, and which images a run of this specification uses for what. It has
/// validation images where the run validates on the data set's own.
///
/// # Errors
/// If the data set or a class is unknown or missing, or the draw is not possible.
pub fn drawn(spec: &RunSpec, locations: &Locations) -> Result<(Dataset, Draw)> {
    let mut input_cache = InputCache::new(locations);
    let from = validation_from(spec, &mut input_cache)?;
    let draw = input_cache.draw(spec, from, &draw_options(spec, from)?)?;
    let mut dataset = input_cache.dataset(spec)?.clone();
    if from == ValidationFrom::Drawn {
        dataset.validation = None;
    }
    Ok((dataset, draw))
}
