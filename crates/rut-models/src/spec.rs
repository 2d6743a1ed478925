//! What a model of the registry is: plain data that names a network, its input, its upstream task and the
//! public weights. Building or loading a network is elsewhere (`graph`, `weights`).

use crate::graph::Graph;
use crate::upstream::Upstream;

/// Per-channel normalisation of an RGB image in [0, 1]: `(x - mean) / std`, in the order red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalization {
    /// Mean of each channel, in [0, 1].
    pub mean: [f32; 3],
    /// Standard deviation of each channel, in [0, 1].
    pub std: [f32; 3],
}

impl Normalization {
    /// The constants of torchvision's ImageNet weights.
    pub const IMAGENET: Self = Self {
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
    };

    /// Mean and deviation of the CIFAR-100 training images.
    pub const CIFAR100: Self = Self {
        mean: [0.5071, 0.4865, 0.4409],
        std: [0.2673, 0.2564, 0.2762],
    };
}

/// The image transform with which the published accuracy of a set of weights was measured: the shorter side is
/// resized to `resize` pixels (bilinear), then the middle `crop` × `crop` pixels are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evaluation {
    /// Length of the shorter side after resizing, in pixels.
    pub resize: u32,
    /// Side of the central crop, in pixels.
    pub crop: u32,
}

/// A set of public weights for one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightsSpec {
    /// Its name at the publisher, for instance `IMAGENET1K_V1`.
    pub name: &'static str,
    /// The transform it was evaluated with.
    pub evaluation: Evaluation,
    /// Where it is published.
    pub url: &'static str,
    /// How it was trained, in a few words: what sets dense weights apart from each other.
    pub recipe: &'static str,
    /// The first hexadecimal digits of the file's SHA-256, which the publisher puts into the file name.
    pub sha256_prefix: &'static str,
}

impl WeightsSpec {
    /// The name of the file that is published, without its ending: converted weights keep it, so that both are found by it.
    ///
    /// ```
    /// let resnet50 = rut_models::find("resnet50").expect("in the table");
    /// assert_eq!(resnet50.weights[0].stem(), "resnet50-0676ba61");
    /// ```
    pub fn stem(&self) -> &'static str {
        let file = self.url.rsplit('/').next().unwrap_or(self.url);
        file.rsplit_once('.').map_or(file, |(stem, _)| stem)
    }
}

/// One row of [`MODELS`](crate::MODELS).
#[derive(Debug, Clone, Copy)]
pub struct ModelSpec {
    /// The name that persons type and file names begin with, for instance `resnet50`.
    pub name: &'static str,
    /// Other accepted spellings.
    pub aliases: &'static [&'static str],
    /// The name in tables and figures, for instance `ResNet-50`.
    pub title: &'static str,
    /// Side of the square input image that it was trained on, in pixels.
    pub input_size: u32,
    /// Normalisation of its input.
    pub normalization: Normalization,
    /// Number of upstream classes: the length of a row of logits.
    pub classes: usize,
    /// Number of features that enter the last linear layer.
    pub width: usize,
    /// The task it was trained on.
    pub upstream: Upstream,
    /// Public weights, oldest first; empty where none are known.
    pub weights: &'static [WeightsSpec],
    /// Builds the network with a classifier of `classes` rows.
    pub graph: fn(classes: usize) -> Graph,
}

impl ModelSpec {
    /// The network with as many classes as it was trained on.
    ///
    /// ```
    /// let graph = rut_models::find("resnet18").unwrap().build();
    /// assert_eq!((graph.width(), graph.classes()), (512, 1000));
    /// ```
    pub fn build(&self) -> Graph {
        (self.graph)(self.classes)
    }
}
