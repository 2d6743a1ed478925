//! A specification held against the files that it names: only a checked one can run.

use std::path::PathBuf;

use rut_adapt::epochs::LoopOptions;
use rut_adapt::label_map::{self, LabelMappingSpec};
use rut_adapt::visual_prompt::MappingOptions;
use rut_data::{ClassRef, Dataset, Draw, ImageSet, Seed, Transform, settled_split};
use rut_models::{Engine, ModelSpec, find_dense, find_ticket};
use rut_record::{
    Begun, Content, Masking, Method, NetworkKind, Places, RunId, RunSpec, ValidationFrom,
};

use crate::error::{Error, Result, refused};
use crate::grid::{check_chosen_on, check_rates, rates};
use crate::names::{find_engine, find_mapping, find_model};
use crate::sources::Sources;
use crate::transform::{check_transform, settle_transform, transform};
use crate::unused::check_method;
use crate::validation::{draw_options, settle_validation, validation_from};

/// Files of a network's weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightFiles {
    /// The checkpoint.
    pub checkpoint: PathBuf,
    /// The mask of a ticket.
    pub mask: Option<PathBuf>,
}

/// A specification whose names were found, whose numbers are in range and whose images are drawn.
#[derive(Clone, Debug)]
pub struct CheckedRunSpec {
    /// As it was given.
    pub spec: RunSpec,
    /// Its name.
    pub id: RunId,
    /// What it reads, by content.
    pub content: Content,
    /// The weights' files.
    pub files: WeightFiles,
    /// The model of the table.
    pub model: &'static ModelSpec,
    /// The data set, restricted to the chosen classes.
    pub dataset: Dataset,
    /// Which training images are used for what.
    pub draw: Draw,
    /// The images trained on.
    pub train: ImageSet,
    /// The images validated on, held out of the training images or a user's data set's own; none, if so specified.
    pub validation: ImageSet,
    /// Side of the image on the canvas, or before the network's own size, pixels.
    pub image_size: Option<usize>,
    /// The label mapping.
    pub mapping: &'static LabelMappingSpec,
    /// What computes the network.
    pub engine: Engine,
}

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
    let mapping = find_mapping(&spec.mapping)?;
    let model = find_model(&spec.model)?;
    let engine = find_engine(&spec.engine)?;
    settle(&mut spec);
    check_method(&spec, mapping)?;
    check_rates(&spec)?;
    check_transform(&spec, model)?;
    loop_options(&spec, 1).check()?;
    let from = validation_from(&spec, sources)?;
    let dataset = sources.dataset(&spec)?.clone();
    let draw = sources.draw(&spec, from, &draw_options(&spec, from)?)?;
    loop_options(&spec, draw.train.len()).check_watched(draw.validation.len())?;
    check_chosen_on(&spec, draw.validation.len())?;
    let image_size = resolve_image_size(&spec, model, &dataset)?;
    let (model, files) = sources.network_files(&spec)?;
    let content = content(&spec, &files, from, sources)?;
    let id = RunId::new(&spec, &content)?;
    settle_validation(&mut spec, from, &dataset);
    let validation = match from {
        ValidationFrom::Own => dataset.own_validation().select(&draw.validation),
        ValidationFrom::Drawn => dataset.train.select(&draw.validation),
    };
    let checked = CheckedRunSpec {
        spec,
        id,
        content,
        files,
        model,
        train: dataset.train.select(&draw.train),
        validation,
        dataset,
        draw,
        image_size,
        mapping,
        engine,
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

/// Spells names as the tables do. What no table has stays as it is.
pub fn settle(spec: &mut RunSpec) {
    if let Some(key) = spec.checkpoint_key.take() {
        let settled = key.trim_end_matches('.');
        let itself = settled.is_empty() && !key.is_empty();
        spec.checkpoint_key = Some(if itself { ".".into() } else { settled.into() });
    }
    if let Ok(mapping) = find_mapping(&spec.mapping) {
        spec.mapping = mapping.name.into();
    }
    if let Ok(model) = find_model(&spec.model) {
        spec.model = model.name.into();
        settle_transform(spec, model);
    }
    settle_dataset(spec);
}

/// What the training loop needs to know, for `images` training images.
pub fn loop_options(spec: &RunSpec, images: usize) -> LoopOptions {
    let epochs = match spec.steps {
        Some(steps) => LoopOptions::epochs_of(steps, images, spec.batch_size),
        None => spec.epochs,
    };
    LoopOptions {
        epochs,
        steps: spec.steps,
        batch_size: spec.batch_size,
        learning_rate: rates(spec)
            .first()
            .map_or(spec.lr, |rates| rates.learning_rate),
        seed: Seed(spec.seed),
        shuffle: spec.shuffle,
        select: spec.select,
        eval_every: spec.eval_interval(epochs),
    }
}

/// The model of the table, and the files of its weights.
///
/// # Errors
/// If the model is unknown, files are missing, or two fields do not go together.
pub fn network_files(spec: &RunSpec) -> Result<(&'static ModelSpec, WeightFiles)> {
    let model = find_model(&spec.model)?;
    Ok((model, weight_files(spec, model)?))
}

fn weight_files(spec: &RunSpec, model: &ModelSpec) -> Result<WeightFiles> {
    let named = named_files(spec, model)?;
    match (spec.masking, &named.mask) {
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
    match (&spec.checkpoint, spec.network) {
        (Some(_), _) if spec.sparsity.is_some() => Err(alone(
            "sparsity",
            "it beside `pretrained_dir`; `checkpoint` names its file itself",
        )),
        (_, NetworkKind::Dense) if spec.sparsity.is_some_and(|state| state != 0) => Err(alone(
            "sparsity",
            "it for a ticket; `network = dense` has lost no weight",
        )),
        (_, NetworkKind::Dense) if spec.mask.is_some() => Err(alone(
            "mask",
            "none beside `network = dense`; a masked network is a `ticket`",
        )),
        (Some(checkpoint), _) => Ok(WeightFiles {
            checkpoint: checkpoint.clone(),
            mask: spec.mask.clone(),
        }),
        (None, _) if spec.mask.is_some() => Err(refused(
            "mask",
            "it beside `checkpoint`; files in `pretrained_dir` are found together",
            "it alone",
        )),
        (None, _) if !spec.pretrained_dir.is_dir() => Err(Error::NoNetworkFolder {
            dir: spec.pretrained_dir.clone(),
        }),
        (None, NetworkKind::Dense) => Ok(WeightFiles {
            checkpoint: find_dense(&spec.pretrained_dir, model)?,
            mask: None,
        }),
        (None, NetworkKind::Ticket) => {
            let found = find_ticket(&spec.pretrained_dir, model.name, spec.state())?;
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
    let dataset = rut_data::open_split(&spec.dataset, &places.data_dir, spec.split.as_deref())?;
    let dataset = match spec.classes.is_empty() {
        true => dataset,
        false => {
            let classes = expand(&spec.classes, &dataset.class_names)?;
            dataset.restrict(&classes)?
        }
    };
    match spec.skip_unreadable {
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

/// Spells the names of data set and split as the table does.
fn settle_dataset(spec: &mut RunSpec) {
    let split = spec.split.take();
    spec.split = split.and_then(|split| settled_split(&spec.dataset, &split));
    if let Some(known) = rut_data::find(&spec.dataset) {
        spec.dataset = known.name.into();
    }
}

fn resolve_image_size(
    spec: &RunSpec,
    model: &ModelSpec,
    dataset: &Dataset,
) -> Result<Option<usize>> {
    let canvas = model.input_size;
    let size = match (spec.image_size, spec.method) {
        (Some(0), _) => return Err(refused("image_size", "at least 1 pixel", "0")),
        (Some(size), Method::Vp) if size >= canvas => {
            return Err(rut_adapt::Error::NoTrainablePixel {
                image: size as usize,
                canvas: canvas as usize,
            }
            .into());
        }
        (Some(size), _) => Some(size),
        (None, Method::Lp) => None,
        (None, Method::Vp) => Some(
            dataset
                .prompt_size
                .filter(|&size| size < canvas)
                .unwrap_or(canvas / 2),
        ),
    };
    Ok(size.map(|size| size as usize))
}

fn content(
    spec: &RunSpec,
    files: &WeightFiles,
    from: ValidationFrom,
    sources: &mut Sources<'_>,
) -> Result<Content> {
    let own = rut_data::find(&spec.dataset).is_none();
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

impl CheckedRunSpec {
    /// Number of target classes.
    pub fn targets(&self) -> usize {
        self.dataset.class_names.len()
    }

    /// What is written down where the run begins.
    pub fn begun(&self) -> Begun<'_> {
        Begun {
            spec: &self.spec,
            id: &self.id,
            content: &self.content,
            train_labels: self.dataset.train.labels(),
        }
    }

    /// Labels that the run uses: training and validation images.
    pub fn labels_used(&self) -> usize {
        self.draw.train.len() + self.draw.validation.len()
    }

    /// What the training loop needs to know.
    pub fn loop_options(&self) -> LoopOptions {
        loop_options(&self.spec, self.train.len())
    }

    /// How labels are mapped.
    pub fn mapping_options(&self) -> MappingOptions {
        MappingOptions {
            mapping: self.mapping,
            ties: self.spec.ties,
            interval: self.spec.mapping_interval,
        }
    }

    /// How its images become the network's input, but for the normalisation.
    pub fn transform(&self) -> Transform {
        transform(&self.spec, self.model, self.image_size)
    }

    /// A short account of the network: `resnet50, dense` or `resnet50, ticket 8`.
    pub fn network_title(&self) -> String {
        let kind = match (self.spec.network, &self.spec.checkpoint) {
            (NetworkKind::Dense, _) => "dense".to_owned(),
            (NetworkKind::Ticket, Some(_)) => "ticket".to_owned(),
            (NetworkKind::Ticket, None) => format!("ticket, state {}", self.spec.state()),
        };
        let masking = match self.spec.masking {
            Masking::Applied => "",
            Masking::Dropped => ", its mask dropped",
        };
        format!("{} ({kind}{masking})", self.model.name)
    }

    fn check_classes(&self) -> Result<()> {
        if self.spec.source_classes == Some(0) {
            return Err(refused("source_classes", "at least 1", "0"));
        }
        if self.dataset.test.is_empty() {
            return Err(refused("dataset", "test images", "none"));
        }
        if self.targets() < 2 {
            return Err(refused(
                "classes",
                "at least 2 target classes",
                self.targets().to_string(),
            ));
        }
        self.check_mapped(self.spec.source_classes)
    }

    /// Whether the target classes can be mapped onto `source_classes`, as far as these are known.
    ///
    /// # Errors
    /// If prompting has too few source classes.
    pub fn check_mapped(&self, source_classes: Option<usize>) -> Result<()> {
        match (self.spec.method, source_classes) {
            (Method::Vp, Some(classes)) => Ok(label_map::check_classes(classes, self.targets())?),
            _ => Ok(()),
        }
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
