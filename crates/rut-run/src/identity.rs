//! A run's name, by the content that its specification names.

use rut_record::{Content, Places, RunDir, RunId, RunSpec, ValidationFrom};

use crate::checked::WeightFiles;
use crate::error::Result;
use crate::settle::settle;
use crate::sources::Sources;
use crate::validation::validation_from;

/// The id that a run of this specification has, whether it can run or not.
///
/// # Errors
/// If the network's files, or a user's own images, are not there to be digested.
pub fn identify(spec: &RunSpec, sources: &mut Sources<'_>) -> Result<RunId> {
    let (_, files) = sources.network_files(spec)?;
    let from = validation_from(spec, sources)?;
    Ok(RunId::new(spec, &content(spec, &files, from, sources)?)?)
}

pub(crate) fn content(
    spec: &RunSpec,
    files: &WeightFiles,
    from: ValidationFrom,
    sources: &mut Sources<'_>,
) -> Result<Content> {
    let own = rut_data::find(&spec.data.dataset).is_none();
    let validation = from == ValidationFrom::Own;
    let mask = files.mask.as_deref();
    Ok(Content {
        checkpoint: sources.file_digest(&files.checkpoint)?,
        mask: mask.map(|mask| sources.file_digest(mask)).transpose()?,
        data: own.then(|| sources.images_digest(spec)).transpose()?,
        validation: validation
            .then(|| sources.validation_digest(spec))
            .transpose()?,
    })
}

/// As a run that was begun in `places` goes on: one that validates on images kept from the training images keeps to
/// them, also where its data set has validation images of its own, which earlier versions did not use.
///
/// # Errors
/// If the data set or the network is unknown or missing.
pub fn as_begun(mut spec: RunSpec, places: &Places) -> Result<RunSpec> {
    settle(&mut spec);
    let mut sources = Sources::new(places);
    if spec.labels.validation.is_some()
        || validation_from(&spec, &mut sources)? == ValidationFrom::Drawn
    {
        return Ok(spec);
    }
    let mut drawn = spec.clone();
    drawn.labels.validation = Some(ValidationFrom::Drawn);
    let name = match &places.run_name {
        Some(name) => name.clone(),
        None => identify(&drawn, &mut sources)?.to_string(),
    };
    if RunDir::at(places.results_path.join(name)).began_with()? == Some(ValidationFrom::Drawn) {
        spec = drawn;
    }
    Ok(spec)
}
