//! Words of a specification, each one of a few.

use serde::{Deserialize, Serialize};

/// Whether the network is dense, a ticket, or quantized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkKind {
    /// All weights of the checkpoint.
    Dense,
    /// A lottery ticket: checkpoint × mask. The reference calls it `LT`.
    #[serde(alias = "LT", alias = "lt")]
    Ticket,
    /// Weights, and perhaps activations, of few bits.
    Quantized,
}

/// How a ticket's mask is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Masking {
    /// Weights are checkpoint × mask.
    #[default]
    Applied,
    /// Weights are the checkpoint's, as if there were no mask (defect D11 of the reference).
    Dropped,
}

/// What trains a head or a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimizer {
    /// Steps of Adam on batches, as published.
    #[default]
    Adam,
    /// L-BFGS on all training features at once, to the optimum: of a head on features.
    Lbfgs,
    /// Stochastic gradient descent with momentum: of a prompt.
    Sgd,
    /// Simultaneous perturbation with gradient correction, by losses alone: of a prompt.
    Spsa,
}

/// What is fitted on frozen features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeadKind {
    /// A linear layer under cross-entropy.
    #[default]
    Linear,
    /// The nearest training images by cosine.
    Knn,
    /// The mean of each class, by cosine.
    Prototype,
    /// Ridge regression of the classes.
    Ridge,
}

impl HeadKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Linear, Self::Knn, Self::Prototype, Self::Ridge];

    /// The word for it in files and commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Knn => "knn",
            Self::Prototype => "prototype",
            Self::Ridge => "ridge",
        }
    }
}

/// How the penalty of a logistic regression is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CSearchRule {
    /// A coarse grid of C, then a bisection, by the accuracy on the validation images: as CLIP's probes, as released with CoOp.
    Coop,
}

/// How the learning rate changes over a training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleKind {
    /// A tenth at ⌊0.5·E⌋ and again at ⌊0.72·E⌋ of E epochs, as published.
    #[default]
    #[serde(rename = "multistep")]
    MultiStep,
    /// A quarter of a cosine's period, changed after every epoch.
    Cosine,
    /// The same, changed after every step.
    CosineStep,
    /// `Cosine` with its number of epochs taken as steps, so that the rate rises and falls (ACAVP as released).
    CosineCycling,
}

/// What interpolates where images are resized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// Straight lines between pixels.
    Bilinear,
    /// Cubic curves.
    Bicubic,
}

/// Which images a run validates on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValidationFrom {
    /// The validation images that a user's data set has of its own, beside train and test.
    Own,
    /// Images that are kept from the training images.
    Drawn,
}

/// What to do with a class that has fewer images than asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShortClasses {
    /// It is an error.
    #[default]
    Refuse,
    /// What is there is taken, and recorded.
    Allow,
}

/// Which epoch's parameters a run keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Select {
    /// The last epoch's.
    #[default]
    Last,
    /// Those with the best accuracy on the validation split; the earliest of equals.
    BestVal,
    /// Those with the best accuracy on the test split (defect D7 of the reference: it selects on the test set).
    BestTest,
}

/// In which order the images of an epoch come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shuffle {
    /// Another seeded order every epoch.
    #[default]
    On,
    /// As they are.
    Off,
}

/// The precision that features are kept in, on disk and in memory. Arithmetic on them is in f32.
///
/// ```
/// use rut_record::FeatureType;
/// assert_eq!((FeatureType::F32.bytes(), FeatureType::F16.bytes()), (4, 2));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeatureType {
    /// Single precision: as the network computed them.
    #[default]
    F32,
    /// Half precision, rounded to the nearest: within 2⁻¹¹ of a value of magnitude 2⁻¹⁴ to 65504, within 2⁻²⁵ absolute
    /// below; half the room. A value above 65504 is an error.
    F16,
}

impl FeatureType {
    /// Size of a value.
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 => size_of::<f32>(),
            Self::F16 => size_of::<u16>(),
        }
    }

    /// The name in keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
        }
    }
}
