//! What the adaptations do differently, a file for each: how images are prepared, what is trained, how it is taken up again,
//! and what it costs. The rest of a run is the same for all.

mod joint;
mod probe;
mod prompt;
mod prompted;

pub(crate) use prompted::augmentation;
pub use prompted::draw_prompt;

use std::path::PathBuf;

use rut_adapt::{LabelledImages, Observer, TrainingState};
use rut_data::{Dataset, Transform};
use rut_images::RgbImage;
use rut_models::ModelSpec;
use rut_record::{
    Adaptation, Locations, MappingRecord, Phase, Record, RunDir, RunSpec, Select, SplitLogits,
    TrainingRecord, ValidationFrom,
};

use crate::checked::CheckedRunSpec;
use crate::error::Result;
use crate::journal::Journal;
use crate::network::LoadedNetwork;
use crate::transform::interpolated;

/// What training needs besides the images.
pub(crate) struct TrainingContext<'a> {
    pub(crate) run: &'a CheckedRunSpec,
    pub(crate) locations: &'a Locations,
    pub(crate) dir: &'a RunDir,
    pub(crate) network: &'a LoadedNetwork,
    /// Where an earlier session of the run stopped.
    pub(crate) state: Option<&'a TrainingState>,
}

/// What a training leaves behind.
pub(crate) struct Adapted {
    pub(crate) test: SplitLogits,
    pub(crate) test_before_remap: Option<SplitLogits>,
    pub(crate) validation: Option<SplitLogits>,
    pub(crate) training: TrainingRecord,
    pub(crate) mapping: Option<MappingRecord>,
    pub(crate) preprocessing: String,
    /// Name and bytes of the trained part's file.
    pub(crate) trained: (PathBuf, Vec<u8>),
    /// How it looks, where it can be looked at.
    pub(crate) picture: Option<RgbImage>,
}

/// What a run's training left behind, taken up again.
pub(crate) trait Trained: Send + Sync {
    /// Target logits of `images`, which were prepared by the run's transform.
    fn logits(
        &self,
        network: &LoadedNetwork,
        images: &dyn LabelledImages,
        observer: &mut dyn Observer,
    ) -> Result<SplitLogits>;
}

/// Images that a planned run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageCounts {
    /// Trained on.
    pub train: usize,
    /// Validated on.
    pub validation: usize,
    /// Tested on.
    pub test: usize,
}

/// What a run does, in images through its phases.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Its own.
    pub own: Vec<(Phase, f64)>,
    /// What runs of the same network and images share.
    pub shared: Vec<(Phase, f64)>,
    /// The phase that decides how long it takes.
    pub decisive: Phase,
}

/// What an adaptation does its own way.
pub(crate) trait Adapter: Sync {
    /// Whether a new head is trained on features, in place of the classifier.
    fn is_on_features(&self) -> bool;

    /// Side of the image on the canvas, or before the network's own size, pixels, if it is either.
    fn image_size(
        &self,
        spec: &RunSpec,
        model: &ModelSpec,
        dataset: &Dataset,
    ) -> Result<Option<usize>>;

    /// How images become the network's input, but for interpolation and normalisation.
    fn transform(&self, spec: &RunSpec, model: &ModelSpec, image_size: Option<usize>) -> Transform;

    /// What it is, in words.
    fn describe(&self, run: &CheckedRunSpec) -> String;

    /// Where the inputs of a batch differ, in words, if it puts images onto a canvas.
    fn window(&self, _: &CheckedRunSpec) -> Result<Option<String>> {
        Ok(None)
    }

    /// Trains.
    fn adapt(&self, means: &TrainingContext<'_>, journal: &mut Journal<'_>) -> Result<Adapted>;

    /// What `bytes`, the file of the trained part, hold.
    fn reload(
        &self,
        record: &Record,
        model: &ModelSpec,
        network: &LoadedNetwork,
        bytes: &[u8],
    ) -> Result<Box<dyn Trained>>;

    /// What a run of so many images does.
    fn workload(&self, spec: &RunSpec, images: ImageCounts) -> Workload;

    /// Images in a batch of the reference's test (defect D3).
    fn published_test_batch(&self, spec: &RunSpec) -> usize;
}

/// The adapter of a specification.
pub(crate) fn adapter(spec: &RunSpec) -> &'static dyn Adapter {
    match &spec.adaptation {
        Adaptation::Probe(_) => &probe::Probe,
        Adaptation::Prompt(_) => &prompt::Prompting,
        Adaptation::Joint(_) => &joint::Joint,
    }
}

/// The transform of a run's images by `model`, in the reference's order of operations; of a resized middle, in
/// torchvision's. `image_size` is the side on the canvas (prompting), or before the network's own size (probing), pixels.
pub fn transform(spec: &RunSpec, model: &ModelSpec, image_size: Option<usize>) -> Transform {
    interpolated(spec, adapter(spec).transform(spec, model, image_size))
}

/// Where the network's inputs of a batch differ in a run with a prompt, in words; `None` without one.
///
/// # Errors
/// If the prompt cannot be made.
pub fn window(run: &CheckedRunSpec) -> Result<Option<String>> {
    adapter(&run.spec).window(run)
}

/// Whether a run of `spec` trains a new head on features, which runs of the same network and images share.
pub fn is_on_features(spec: &RunSpec) -> bool {
    adapter(spec).is_on_features()
}

/// What a run of `spec` does, in images through its phases.
pub fn workload(spec: &RunSpec, images: ImageCounts) -> Workload {
    adapter(spec).workload(spec, images)
}

/// Epochs of a run that trains on `images` images, or their equivalent in steps.
fn epochs(spec: &RunSpec, images: usize) -> f64 {
    let training = &spec.training;
    match training.steps {
        Some(steps) => f64::from(steps) * training.batch_size as f64 / (images as f64).max(1.0),
        None => f64::from(training.epochs),
    }
}

/// Notes that a reader of the figures needs.
fn notes(run: &CheckedRunSpec, network: &LoadedNetwork) -> Vec<String> {
    let mut notes = network.notes.clone();
    if run.spec.training.select == Select::BestTest {
        notes.push(
            "the kept epoch was chosen on the test images: their figures are optimistic (D7)"
                .into(),
        );
    }
    notes.extend(run.dataset.remarks.iter().cloned());
    let own = run.spec.labels.validation == Some(ValidationFrom::Own);
    if run.dataset.validation.is_some() && !own && !run.validation.is_empty() {
        notes.push("the data set's own validation images were not used: validation is drawn from the training images".into());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(toml: &str) -> Vec<(Phase, f64)> {
        let images = ImageCounts {
            train: 100,
            validation: 10,
            test: 50,
        };
        workload(&RunSpec::from_toml(toml).unwrap(), images).own
    }

    #[test]
    fn a_prompt_s_work_is_counted_phase_by_phase() {
        let work = own("epochs = 20");
        let of = |phase| work.iter().find(|(p, _)| *p == phase).unwrap().1;
        assert_eq!(of(Phase::Train), 2000.0);
        assert_eq!(of(Phase::Map), 2100.0);
        assert_eq!(of(Phase::Validate), 20.0);
        assert_eq!(of(Phase::Test), 50.0);
        let work = own("mapping = 'rlm'\nsteps = 10\nbatch_size = 50");
        assert_eq!(work[0].1, 500.0);
        assert_eq!((work[1].1, work[3].1), (0.0, 50.0));
    }

    #[test]
    fn a_probe_s_work_is_that_of_its_grid() {
        let work = own("method = 'lp'\nepochs = 3\nlr_grid = [1.0, 0.1]");
        assert_eq!(work, [(Phase::Train, 600.0)]);
        let work = own("method = 'lp'\noptimizer = 'lbfgs'\nepochs = 3\nc_search = 'coop'");
        assert_eq!(work, [(Phase::Train, 4800.0)]);
        assert_eq!(own("method = 'lp'\nhead = 'knn'"), [(Phase::Train, 0.0)]);
    }
}
