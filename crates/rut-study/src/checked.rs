//! A specification held against the files that it names: only a checked one can run.

use std::path::PathBuf;

use rut_adapt::epochs::LoopOptions;
use rut_adapt::label_map::{self, LabelMappingSpec};
use rut_adapt::visual_prompt::MappingOptions;
use rut_data::{ClassRef, Dataset, Draw, ImageSet, Seed, Transform, settled_split};
use rut_models::{ModelSpec, find_dense, find_ticket};

use crate::error::{Error, Result};
use crate::names::{find_mapping, find_model};
use crate::places::Places;
use crate::run_id::{Content, RunId};
use crate::sources::Sources;
use crate::spec::{Masking, Method, NetworkKind, RunSpec, ValidationFrom};

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
}

impl RunSpec {
    /// Finds everything that the specification names.
    ///
    /// # Errors
    /// If a name is unknown, a file is missing, a number is out of range, or two fields do not go together.
    pub fn check(self, places: &Places) -> Result<CheckedRunSpec> {
        self.check_among(&mut Sources::new(places))
    }

    /// As [`check`](Self::check), with what was found for other specifications.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_among(mut self, sources: &mut Sources<'_>) -> Result<CheckedRunSpec> {
        let mapping = find_mapping(&self.mapping)?;
        let model = find_model(&self.model)?;
        self.settle();
        self.check_method(mapping)?;
        self.check_grid()?;
        self.check_transform(model)?;
        self.loop_options(1).check()?;
        let from = self.validation_from(sources)?;
        let dataset = sources.dataset(&self)?.clone();
        let draw = sources.draw(&self, from, &self.draw_options(from)?)?;
        self.loop_options(draw.train.len())
            .check_watched(draw.validation.len())?;
        self.check_chosen_on(draw.validation.len())?;
        let image_size = self.resolve_image_size(model, &dataset)?;
        let (model, files) = sources.network_files(&self)?;
        let content = self.content(&files, from, sources)?;
        let id = RunId::new(&self, &content)?;
        self.settle_validation(from, &dataset);
        let validation = match from {
            ValidationFrom::Own => dataset.own_validation().select(&draw.validation),
            ValidationFrom::Drawn => dataset.train.select(&draw.validation),
        };
        let checked = CheckedRunSpec {
            spec: self,
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
        };
        checked.check_classes()?;
        Ok(checked)
    }

    /// The id that a run of this specification has, whether it can run or not.
    ///
    /// # Errors
    /// If the network's files, or a user's own images, are not there to be digested.
    pub fn identify(&self, sources: &mut Sources<'_>) -> Result<RunId> {
        let (_, files) = sources.network_files(self)?;
        let from = self.validation_from(sources)?;
        RunId::new(self, &self.content(&files, from, sources)?)
    }

    /// Spells names as the tables do. What no table has stays as it is.
    pub fn settle(&mut self) {
        if let Some(key) = self.checkpoint_key.take() {
            let settled = key.trim_end_matches('.');
            let itself = settled.is_empty() && !key.is_empty();
            self.checkpoint_key = Some(if itself { ".".into() } else { settled.into() });
        }
        if let Ok(mapping) = find_mapping(&self.mapping) {
            self.mapping = mapping.name.into();
        }
        if let Ok(model) = find_model(&self.model) {
            self.model = model.name.into();
            self.settle_transform(model);
        }
        self.settle_dataset();
    }

    /// What the training loop needs to know, for `images` training images.
    pub fn loop_options(&self, images: usize) -> LoopOptions {
        let epochs = match self.steps {
            Some(steps) => LoopOptions::epochs_of(steps, images, self.batch_size),
            None => self.epochs,
        };
        LoopOptions {
            epochs,
            steps: self.steps,
            batch_size: self.batch_size,
            learning_rate: self
                .grid()
                .first()
                .map_or(self.lr, |rates| rates.learning_rate),
            seed: Seed(self.seed),
            shuffle: self.shuffle,
            select: self.select,
            eval_every: self.eval_interval(epochs),
        }
    }

    /// The model of the table, and the files of its weights.
    ///
    /// # Errors
    /// If the model is unknown, files are missing, or two fields do not go together.
    pub fn network_files(&self) -> Result<(&'static ModelSpec, WeightFiles)> {
        let model = find_model(&self.model)?;
        Ok((model, self.weight_files(model)?))
    }

    fn weight_files(&self, model: &ModelSpec) -> Result<WeightFiles> {
        let named = self.named_files(model)?;
        match (self.masking, &named.mask) {
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

    fn named_files(&self, model: &ModelSpec) -> Result<WeightFiles> {
        let alone = |field, why: &str| refused(field, why, "both");
        match (&self.checkpoint, self.network) {
            (Some(_), _) if self.sparsity.is_some() => Err(alone(
                "sparsity",
                "it beside `pretrained_dir`; `checkpoint` names its file itself",
            )),
            (_, NetworkKind::Dense) if self.sparsity.is_some_and(|state| state != 0) => Err(alone(
                "sparsity",
                "it for a ticket; `network = dense` has lost no weight",
            )),
            (_, NetworkKind::Dense) if self.mask.is_some() => Err(alone(
                "mask",
                "none beside `network = dense`; a masked network is a `ticket`",
            )),
            (Some(checkpoint), _) => Ok(WeightFiles {
                checkpoint: checkpoint.clone(),
                mask: self.mask.clone(),
            }),
            (None, _) if self.mask.is_some() => Err(refused(
                "mask",
                "it beside `checkpoint`; files in `pretrained_dir` are found together",
                "it alone",
            )),
            (None, _) if !self.pretrained_dir.is_dir() => Err(Error::NoNetworkFolder {
                dir: self.pretrained_dir.clone(),
            }),
            (None, NetworkKind::Dense) => Ok(WeightFiles {
                checkpoint: find_dense(&self.pretrained_dir, model)?,
                mask: None,
            }),
            (None, NetworkKind::Ticket) => {
                let found = find_ticket(&self.pretrained_dir, model.name, self.state())?;
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
    pub fn open_dataset(&self, places: &Places) -> Result<Dataset> {
        let dataset = rut_data::open_split(&self.dataset, &places.data_dir, self.split.as_deref())?;
        let dataset = match self.classes.is_empty() {
            true => dataset,
            false => {
                let classes = expand(&self.classes, &dataset.class_names)?;
                dataset.restrict(&classes)?
            }
        };
        match self.skip_unreadable {
            Some(skip) => Ok(dataset.skip_unreadable(skip)?),
            None => Ok(dataset),
        }
    }

    /// The data set, restricted to the chosen classes, and which images a run of this specification uses for what. It has
    /// validation images where the run validates on the data set's own.
    ///
    /// # Errors
    /// If the data set or a class is unknown or missing, or the draw is not possible.
    pub fn drawn(&self, places: &Places) -> Result<(Dataset, Draw)> {
        let mut sources = Sources::new(places);
        let from = self.validation_from(&mut sources)?;
        let draw = sources.draw(self, from, &self.draw_options(from)?)?;
        let mut dataset = sources.dataset(self)?.clone();
        if from == ValidationFrom::Drawn {
            dataset.validation = None;
        }
        Ok((dataset, draw))
    }

    /// Spells the names of data set and split as the table does.
    fn settle_dataset(&mut self) {
        let split = self.split.take();
        self.split = split.and_then(|split| settled_split(&self.dataset, &split));
        if let Some(known) = rut_data::find(&self.dataset) {
            self.dataset = known.name.into();
        }
    }

    fn resolve_image_size(&self, model: &ModelSpec, dataset: &Dataset) -> Result<Option<usize>> {
        let canvas = model.input_size;
        let size = match (self.image_size, self.method) {
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
        &self,
        files: &WeightFiles,
        from: ValidationFrom,
        sources: &mut Sources<'_>,
    ) -> Result<Content> {
        let own = rut_data::find(&self.dataset).is_none();
        let validation = from == ValidationFrom::Own;
        let mask = files.mask.as_deref();
        Ok(Content {
            checkpoint: sources.file_digest(&files.checkpoint)?,
            mask: mask.map(|mask| sources.file_digest(mask)).transpose()?,
            data: own.then(|| sources.images_digest(self)).transpose()?,
            validation: validation
                .then(|| sources.validation_digest(self))
                .transpose()?,
        })
    }
}

impl CheckedRunSpec {
    /// Number of target classes.
    pub fn targets(&self) -> usize {
        self.dataset.class_names.len()
    }

    /// Labels that the run uses: training and validation images.
    pub fn labels_used(&self) -> usize {
        self.draw.train.len() + self.draw.validation.len()
    }

    /// What the training loop needs to know.
    pub fn loop_options(&self) -> LoopOptions {
        self.spec.loop_options(self.train.len())
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
        self.spec.transform(self.model, self.image_size)
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
                &self.targets().to_string(),
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

pub(crate) fn refused(field: &'static str, expected: &str, found: &str) -> Error {
    Error::Field {
        field,
        expected: expected.into(),
        found: found.into(),
    }
}
