//! A specification that passed all checks: only such a one can run. `check` does the checks.

use rut_adapt::{LoopOptions, ScheduleOptions};
use rut_data::{Dataset, Draw, ImageSet, Seed};
use rut_images::Transform;
use rut_models::ModelSpec;
use rut_record::{
    Adaptation, Begun, Content, Locations, Masking, NetworkKind, RunDir, RunId, RunSpec,
};

use crate::computing::Computing;
use crate::error::{Result, refused};
use crate::fields::mapping_of;
use crate::files::WeightFiles;
use crate::grid::rates;

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
    /// How its images become the network's input, but for the normalisation.
    pub transform: Transform,
    /// What computes the network, in which precision and where.
    pub computing: Computing,
    /// The name of where.
    pub device: String,
}

/// What the training loop needs to know, for `images` training images.
pub fn loop_options(spec: &RunSpec, images: usize) -> LoopOptions {
    let epochs = match spec.training.steps {
        Some(steps) => LoopOptions::epochs_of(steps, images, spec.training.batch_size),
        None => spec.training.epochs,
    };
    LoopOptions {
        epochs,
        steps: spec.training.steps,
        batch_size: spec.training.batch_size,
        learning_rate: rates(spec)
            .first()
            .map_or(spec.training.lr, |rates| rates.learning_rate),
        seed: Seed(spec.training.seed),
        shuffle: spec.training.shuffle,
        select: spec.training.select,
        schedule: ScheduleOptions {
            kind: spec.training.schedule,
            warmup: spec.training.warmup,
            milestones: spec
                .training
                .milestones
                .unwrap_or(ScheduleOptions::default().milestones),
        },
        eval_every: spec.eval_interval(epochs),
    }
}

impl CheckedRunSpec {
    /// Number of target classes.
    pub fn targets(&self) -> usize {
        self.dataset.class_names.len()
    }

    /// The folder of the run: its id, or the name that `locations` gives it.
    pub fn dir(&self, locations: &Locations) -> RunDir {
        let name = locations.run_name.as_deref();
        RunDir::at(
            locations
                .results_path
                .join(name.unwrap_or(self.id.as_str())),
        )
    }

    /// What is written down where the run begins.
    pub fn begun(&self) -> Begun<'_> {
        Begun {
            spec: &self.spec,
            id: &self.id,
            content: &self.content,
            train_labels: self.dataset.train.labels(),
            device: &self.device,
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

    /// A short account of the network: `resnet50, dense` or `resnet50, ticket 8`.
    pub fn network_title(&self) -> String {
        let kind = match (self.spec.network.kind, &self.spec.network.checkpoint) {
            (NetworkKind::Dense, _) => "dense".to_owned(),
            (NetworkKind::Ticket, Some(_)) => "ticket".to_owned(),
            (NetworkKind::Ticket, None) => format!("ticket, state {}", self.spec.network.state()),
            (NetworkKind::Quantized, _) => self.spec.network.quantized_title(),
        };
        let masking = match self.spec.network.masking {
            Masking::Applied => "",
            Masking::Dropped => ", its mask dropped",
        };
        format!("{} ({kind}{masking})", self.model.name)
    }

    pub(crate) fn check_classes(&self) -> Result<()> {
        if self.spec.network.source_classes == Some(0) {
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
        self.check_mapped(self.spec.network.source_classes)
    }

    /// Whether the target classes can be mapped onto `source_classes`, as far as these are known.
    ///
    /// # Errors
    /// If prompting has too few source classes.
    pub fn check_mapped(&self, source_classes: Option<usize>) -> Result<()> {
        match (&self.spec.adaptation, source_classes) {
            (Adaptation::Prompt(mapped), Some(classes)) => {
                Ok(mapping_of(mapped)?.check_classes(classes, self.targets())?)
            }
            _ => Ok(()),
        }
    }
}
