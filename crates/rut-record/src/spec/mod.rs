//! The one description of a run that is ever written down. `rut-run` checks it with files, `run_id` names it.

mod adaptation;
pub(crate) mod flat;
mod parts;

pub use adaptation::{Adaptation, MappedSpec, Method, ProbeSpec, PromptSpec};
pub use flat::{FILE_KEYS, fields};
pub use parts::{DataSpec, EceSpec, LabelSpec, NetworkSpec, TrainingSpec};

use rut_data::{Budget, Share};
use serde::{Deserialize, Serialize};

use crate::choices::Select;
use crate::error::{Error, Result};
use crate::text_file::toml_problem;
use flat::Flat;

/// A run: what is adapted, to what, on how many labels, how, and from which seed. In TOML, JSON and flags it is flat: keys are
/// those of [`FIELDS`](crate::FIELDS) and of the options of the chosen prompt and label mapping; every key may be left out.
/// The defaults are the paper's.
///
/// Paths say where to look; a run's identity is the content found there (see [`RunId`](crate::RunId)).
///
/// ```
/// use rut_record::{Adaptation, RunSpec};
/// let spec = RunSpec::from_toml("method = 'vp'\ndataset = 'digits'\nn_shot = 16\nmapping = 'flm'")?;
/// assert_eq!((spec.training.epochs, spec.training.batch_size, spec.training.seed), (100, 128, 4));
/// assert!(matches!(spec.adaptation, Adaptation::Prompt(mapped) if mapped.mapping == "flm"));
/// # Ok::<(), rut_record::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Flat", into = "Flat")]
pub struct RunSpec {
    /// The images.
    pub data: DataSpec,
    /// How many of them, and for what.
    pub labels: LabelSpec,
    /// The network.
    pub network: NetworkSpec,
    /// How long and in what order it is trained.
    pub training: TrainingSpec,
    /// How the network is adapted.
    pub adaptation: Adaptation,
    /// How the ECE as published is taken.
    pub ece: EceSpec,
}

impl RunSpec {
    /// A run of `method` with all defaults.
    pub fn of(method: Method) -> Self {
        Self {
            adaptation: Adaptation::of(method),
            ..Self::default()
        }
    }

    /// The specification that a TOML text describes.
    ///
    /// # Errors
    /// If a value is of the wrong kind, or a key is of no use to the adaptation.
    pub fn from_toml(text: &str) -> Result<Self> {
        let flat: Flat = toml::from_str(text).map_err(|e| Error::Spec(toml_problem(&e)))?;
        Self::try_from(flat)
    }

    /// The specification that a table of keys describes. Keys that its adaptation has no use for are left to their defaults.
    ///
    /// # Errors
    /// If a value is of the wrong kind.
    pub fn of_useful(table: toml::Table) -> Result<Self> {
        let flat: Flat = table
            .try_into()
            .map_err(|e| Error::Spec(toml_problem(&e)))?;
        Ok(flat.into_spec())
    }

    /// The specification as TOML.
    ///
    /// # Errors
    /// If a path is not UTF-8.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|e| Error::Spec(e.to_string()))
    }

    /// How many training images are used.
    ///
    /// # Errors
    /// If both a number of shots and a fraction are given, or the fraction is none.
    pub fn budget(&self) -> Result<Budget> {
        match (self.labels.n_shot, self.labels.fraction) {
            (shots, None) => Ok(shots),
            (Budget::All, Some(fraction)) => Ok(Budget::Fraction(Share::new(fraction)?)),
            (_, Some(_)) => Err(Error::field(
                "fraction",
                "one of `n_shot` and field `fraction`",
                "both",
            )),
        }
    }

    /// How often the validation images are scored in a run of `epochs` epochs, in epochs; 0 for never. Where steps are given,
    /// epochs may be many and short: by default there are at most about ten scorings for prompting and a hundred
    /// else.
    pub fn eval_interval(&self, epochs: u32) -> u32 {
        let training = &self.training;
        let every = |times: u32| epochs.div_ceil(times).max(1);
        // A pass over images through the network costs as much as training on them; one over features, next to nothing.
        let rare = self.prompt().is_some() && training.select == Select::Last;
        match (training.eval_every, rare) {
            (Some(interval), _) => interval,
            (None, true) if training.steps.is_some() => every(10),
            (None, true) => 10,
            (None, false) if training.steps.is_some() => every(100),
            (None, false) => 1,
        }
    }
}
