//! A run's name, by the content that its specification names.

use std::collections::BTreeMap;
use std::path::Path;

use rut_record::{Content, Kind, Locations, RunDir, RunId, RunSpec, ValidationFrom};

use crate::canonicalize::canonicalize;
use crate::error::Result;
use crate::fields::own_options;
use crate::files::WeightFiles;
use crate::input_cache::InputCache;
use crate::validation::validation_from;

/// The id that a run of this specification has, whether it can run or not.
///
/// # Errors
/// If the network's files, or a user's own images, are not there to be digested.
pub fn identify(spec: &RunSpec, input_cache: &mut InputCache<'_>) -> Result<RunId> {
    let (_, files) = input_cache.network_files(spec)?;
    let from = validation_from(spec, input_cache)?;
    Ok(RunId::new(
        spec,
        &content(spec, &files, from, input_cache)?,
    )?)
}

pub(crate) fn content(
    spec: &RunSpec,
    files: &WeightFiles,
    from: ValidationFrom,
    input_cache: &mut InputCache<'_>,
) -> Result<Content> {
    let own = rut_data::find(&spec.data.dataset).is_none();
    let validation = from == ValidationFrom::Own;
    let mask = files.mask.as_deref();
    Ok(Content {
        checkpoint: input_cache.file_digest(&files.checkpoint)?,
        mask: mask.map(|mask| input_cache.file_digest(mask)).transpose()?,
        data: own.then(|| input_cache.images_digest(spec)).transpose()?,
        validation: validation
            .then(|| input_cache.validation_digest(spec))
            .transpose()?,
        options: files_of_options(spec, input_cache)?,
    })
}

/// Digests of the files that options of the spec's rows name.
fn files_of_options(
    spec: &RunSpec,
    input_cache: &mut InputCache<'_>,
) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let Some(prompt) = spec.prompt() else {
        return Ok(found);
    };
    for option in own_options(spec) {
        if let (Kind::Path, Some(path)) = (option.kind, option.word(&prompt.options)?) {
            let digest = input_cache.file_digest(Path::new(&path))?;
            found.insert(option.key.to_owned(), digest);
        }
    }
    Ok(found)
}

/// As a run that was begun in `locations` goes on: one that validates on images kept from the training images keeps to
/// them, also where its data set has validation images of its own, which earlier versions did not use.
///
/// # Errors
/// If the data set or the network is unknown or missing.
pub fn as_begun(mut spec: RunSpec, locations: &Locations) -> Result<RunSpec> {
    canonicalize(&mut spec);
    let mut input_cache = InputCache::new(locations);
    if spec.labels.validation.is_some()
        || validation_from(&spec, &mut input_cache)? == ValidationFrom::Drawn
    {
        return Ok(spec);
    }
    let mut drawn = spec.clone();
    drawn.labels.validation = Some(ValidationFrom::Drawn);
    let name = match &locations.run_name {
        Some(name) => name.clone(),
        None => identify(&drawn, &mut input_cache)?.to_string(),
    };
    if RunDir::at(locations.results_path.join(name)).began_with()? == Some(ValidationFrom::Drawn) {
        spec = drawn;
    }
    Ok(spec)
}
