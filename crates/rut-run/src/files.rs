//! The files that a specification names: those of its network, and its data set.

use std::path::{Path, PathBuf};

use rut_data::{ClassRef, Dataset};
use rut_models::{BUNDLED, BUNDLED_FROM, ModelSpec, find_dense, find_quantized, find_ticket};
use rut_record::{Locations, Masking, NetworkKind, NetworkSpec, RunSpec};

use crate::error::{Error, Result, refused};
use crate::names::find_model;

/// Files of a network's weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightFiles {
    /// The checkpoint.
    pub checkpoint: PathBuf,
    /// The mask of a ticket.
    pub mask: Option<PathBuf>,
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
    let given = [
        ("bits", spec.network.bits),
        ("activation_bits", spec.network.activation_bits),
    ];
    let bits = given.iter().find(|(_, bits)| bits.is_some());
    let value = bits
        .and_then(|(_, bits)| *bits)
        .unwrap_or_default()
        .to_string();
    let bits = bits.map(|(field, _)| *field);
    match (&spec.network.checkpoint, spec.network.kind) {
        (Some(_), _) if spec.network.sparsity.is_some() => Err(alone(
            "sparsity",
            "it beside `pretrained_dir`; `checkpoint` names its file itself",
        )),
        (Some(_), _) if bits.is_some() => Err(alone(
            bits.unwrap_or_default(),
            "it beside `pretrained_dir`; `checkpoint` names its file itself",
        )),
        (_, NetworkKind::Dense | NetworkKind::Ticket) if bits.is_some() => Err(refused(
            bits.unwrap_or_default(),
            "a quantized network beside it (`network = quantized`)",
            value,
        )),
        (None, NetworkKind::Quantized) if spec.network.bits.is_none() => Err(refused(
            "bits",
            "the bits of the weights of a quantized network in `pretrained_dir`; else name its `checkpoint`",
            "none",
        )),
        (_, NetworkKind::Quantized) if spec.network.sparsity.is_some() => Err(refused(
            "sparsity",
            "none beside `network = quantized`; name the file of a quantized ticket by `checkpoint`",
            "both",
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
        (None, _) => found_files(spec, model),
    }
}

/// The files in the folder of networks; where the default folder, or the repository's of the bundled networks, has none for
/// this network, those that are part of the program.
fn found_files(spec: &RunSpec, model: &ModelSpec) -> Result<WeightFiles> {
    let dir = &spec.network.pretrained_dir;
    let found = files_in(dir, spec, model);
    let none = matches!(
        found,
        Err(Error::NoNetworkFolder { .. }
            | Error::Models(rut_models::Error::Ticket {
                what: "checkpoint",
                ..
            }))
    );
    let is_usual = *dir == NetworkSpec::default().pretrained_dir || dir == Path::new(BUNDLED_FROM);
    if none && is_usual {
        return files_in(Path::new(BUNDLED), spec, model).or(found);
    }
    found
}

fn files_in(dir: &Path, spec: &RunSpec, model: &ModelSpec) -> Result<WeightFiles> {
    if !dir.is_dir() && dir != Path::new(BUNDLED) {
        return Err(Error::NoNetworkFolder {
            model: model.name,
            dir: dir.to_path_buf(),
        });
    }
    let (checkpoint, mask) = match spec.network.kind {
        NetworkKind::Dense => (find_dense(dir, model)?, None),
        NetworkKind::Ticket => {
            let found = find_ticket(dir, model.name, spec.network.state())?;
            (found.checkpoint, found.mask)
        }
        NetworkKind::Quantized => {
            let bits = spec.network.bits_name().unwrap_or_default();
            (find_quantized(dir, model.name, &bits)?, None)
        }
    };
    Ok(WeightFiles { checkpoint, mask })
}

/// The data set, restricted to the chosen classes, without the images that cannot be read and may be left out.
///
/// # Errors
/// If it is unknown or missing, or a class is, or more images cannot be read than may be left out.
pub fn open_dataset(spec: &RunSpec, locations: &Locations) -> Result<Dataset> {
    let dataset = rut_data::open_split(
        &spec.data.dataset,
        &locations.data_dir,
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
