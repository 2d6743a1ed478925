//! A specification held against the files that it names.

use rut_data::{ClassRef, Dataset, Draw};
use rut_models::{ModelSpec, find_dense, find_ticket};
use rut_record::{Content, Masking, NetworkKind, Places, RunId, RunSpec, ValidationFrom};

use crate::adaptation::{adapter, transform};
use crate::checked::{CheckedRunSpec, WeightFiles, loop_options};
use crate::error::{Error, Result, refused};
use crate::fields::check_used;
use crate::grid::{check_chosen_on, check_rates};
use crate::names::{find_engine, find_mapping, find_model, find_placement, find_prompt};
use crate::settle::settle;
use crate::sources::Sources;
use crate::transform::check_transform;
use crate::validation::{draw_options, settle_validation, validation_from};

/// Finds everything that the specification names.
///
/// # Errors
/// If a name is unknown, a file is missing, a number is out of range, or two fields do not go together.
pub fn check(spec: RunSpec, places: &Places) -> Result<CheckedRunSpec> {
    check_among(spec, &mut Sources::new(places))
}

/// As [`check`], with what was found for other specifications.
///
/// # Errors
/// As [`check`].
pub fn check_among(mut spec: RunSpec, sources: &mut Sources<'_>) -> Result<CheckedRunSpec> {
    if let Some(prompt) = spec.prompt() {
        find_prompt(&prompt.prompt)?;
        find_mapping(&prompt.mapping)?;
    }
    let model = find_model(&spec.network.model)?;
    let engine = find_engine(&spec.network.engine)?;
    let device = sources.device().to_owned();
    let placement = find_placement(&spec.network.precision, &device)?;
    settle(&mut spec);
    check_used(&spec)?;
    check_rates(&spec)?;
    check_transform(&spec, model)?;
    loop_options(&spec, 1).check()?;
    let from = validation_from(&spec, sources)?;
    let dataset = sources.dataset(&spec)?.clone();
    let draw = sources.draw(&spec, from, &draw_options(&spec, from)?)?;
    loop_options(&spec, draw.train.len()).check_watched(draw.validation.len())?;
    check_chosen_on(&spec, draw.validation.len())?;
    let image_size = adapter(&spec).image_size(&spec, model, &dataset)?;
    let (model, files) = sources.network_files(&spec)?;
    let content = content(&spec, &files, from, sources)?;
    let id = RunId::new(&spec, &content)?;
    settle_validation(&mut spec, from, &dataset);
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
        engine,
        placement,
        device,
        spec,
    };
    checked.check_classes()?;
    Ok(checked)
}

/// The id that a run of this specification has, whether it can run or not.
///
/// # Errors
/// If the network's files, or a user's own images, are not there to be digested.
pub fn identify(spec: &RunSpec, sources: &mut Sources<'_>) -> Result<RunId> {
    let (_, files) = sources.network_files(spec)?;
    let from = validation_from(spec, sources)?;
    Ok(RunId::new(spec, &content(spec, &files, from, sources)?)?)
}

/// The model of the table, and the files of its weights.
///
/// # Errors
/// If the model is unknown, files are missing, or two fields do not go together.
pub fn network_files(spec: &RunSpec) -> Result<(&'static ModelSpec, WeightFiles)> {
    let model = find_model(&spec.network.model)?;
    Ok((model, weight_files(spec, model)?))
}

fn weight_files(spec: &RunSpec, model: &ModelSpec) -> Result<WeightFiles> {
    let named = named_files(spec, model)?;
    match (spec.network.masking, &named.mask) {
        (Masking::Applied, _) => Ok(named),
        (Masking::Dropped, Some(_)) => Ok(WeightFiles {
            mask: None,
            ..named
        }),
        (Masking::Dropped, None) => Err(refused(
            "masking",
            "`applied`, for the network has no mask that could be dropped",
            "`dropped`",
        )),
    }
}

fn named_files(spec: &RunSpec, model: &ModelSpec) -> Result<WeightFiles> {
    let alone = |field, why: &str| refused(field, why, "both");
    match (&spec.network.checkpoint, spec.network.kind) {
        (Some(_), _) if spec.network.sparsity.is_some() => Err(alone(
            "sparsity",
            "it beside `pretrained_dir`; `checkpoint` names its file itself",
        )),
        (_, NetworkKind::Dense) if spec.network.sparsity.is_some_and(|state| state != 0) => {
            Err(alone(
                "sparsity",
                "it for a ticket; `network = dense` has lost no weight",
            ))
        }
        (_, NetworkKind::Dense) if spec.network.mask.is_some() => Err(alone(
            "mask",
            "none beside `network = dense`; a masked network is a `ticket`",
        )),
        (Some(checkpoint), _) => Ok(WeightFiles {
            checkpoint: checkpoint.clone(),
            mask: spec.network.mask.clone(),
        }),
        (None, _) if spec.network.mask.is_some() => Err(refused(
            "mask",
            "it beside `checkpoint`; files in `pretrained_dir` are found together",
            "it alone",
        )),
        (None, _) if !spec.network.pretrained_dir.is_dir() => Err(Error::NoNetworkFolder {
            dir: spec.network.pretrained_dir.clone(),
        }),
        (None, NetworkKind::Dense) => Ok(WeightFiles {
            checkpoint: find_dense(&spec.network.pretrained_dir, model)?,
            mask: None,
        }),
        (None, NetworkKind::Ticket) => {
            let found = find_ticket(
                &spec.network.pretrained_dir,
                model.name,
                spec.network.state(),
            )?;
            Ok(WeightFiles {
                checkpoint: found.checkpoint,
                mask: found.mask,
            })
        }
    }
}

/// The data set, restricted to the chosen classes, without the images that cannot be read and may be left out.
///
/// # Errors
/// If it is unknown or missing, or a class is, or more images cannot be read than may be left out.
pub fn open_dataset(spec: &RunSpec, places: &Places) -> Result<Dataset> {
    let dataset = rut_data::open_split(
        &spec.data.dataset,
        &places.data_dir,
        spec.data.split.as_deref(),
    )?;
    let dataset = if spec.data.classes.is_empty() {
        dataset
    } else {
        let classes = expand(&spec.data.classes, &dataset.class_names)?;
        dataset.restrict(&classes)?
    };
    match spec.data.skip_unreadable {
        Some(skip) => Ok(dataset.skip_unreadable(skip)?),
        None => Ok(dataset),
    }
}

/// The data set, restricted to the chosen classes, and which images a run of this specification uses for what. It has
/// validation images where the run validates on the data set's own.
///
/// # Errors
/// If the data set or a class is unknown or missing, or the draw is not possible.
pub fn drawn(spec: &RunSpec, places: &Places) -> Result<(Dataset, Draw)> {
    let mut sources = Sources::new(places);
    let from = validation_from(spec, &mut sources)?;
    let draw = sources.draw(spec, from, &draw_options(spec, from)?)?;
    let mut dataset = sources.dataset(spec)?.clone();
    if from == ValidationFrom::Drawn {
        dataset.validation = None;
    }
    Ok((dataset, draw))
}

fn content(
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

/// Classes by name or index; `0-9` stands for ten indices, unless a class has that name.
fn expand(classes: &[String], names: &[String]) -> Result<Vec<ClassRef>> {
    let mut all = Vec::new();
    for class in classes.iter().map(|class| class.trim()) {
        let number = |text: &str| text.trim().parse::<u32>().ok();
        let range = class
            .split_once('-')
            .and_then(|(first, last)| Some((number(first)?, number(last)?)));
        match range.filter(|_| !names.iter().any(|name| name == class)) {
            Some((first, last)) if first > last || last as usize >= names.len() => {
                let expected = format!(
                    "a range that goes up and stays below the {} classes there are",
                    names.len()
                );
                return Err(refused("classes", &expected, class));
            }
            Some((first, last)) => all.extend((first..=last).map(ClassRef::Index)),
            None => all.extend(class.parse()),
        }
    }
    Ok(all)
}
