//! The table of measurements: what there is to measure, and what it is called. How each is done stands in `passes` and
//! `loops`.

use std::str::FromStr;

use crate::error::{Error, Result, refused};

/// Something to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measurement {
    /// Images to features and logits.
    Forward,
    /// The same, and the gradient of the logits to that of the images.
    Backward,
    /// Forward and backward over one canvas and a batch of patches.
    Window,
    /// A step of visual prompting, as `rut vp` takes it.
    VpStep,
    /// A step with a prompt of the table that is named, on whole images.
    PromptStep,
    /// Pixels to features, as `rut lp` extracts them.
    Extract,
    /// An epoch of a linear head, as `rut lp` trains it.
    Head,
}

/// A line of [`MEASUREMENTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeasurementSpec {
    /// Which one.
    pub measurement: Measurement,
    /// What it is called.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
}

/// All measurements, in the order in which they are done: peak memory is the process's so far, so that small ones come
/// first.
pub static MEASUREMENTS: &[MeasurementSpec] = &[
    MeasurementSpec {
        measurement: Measurement::Forward,
        name: "forward",
        about: "normalised images to features and logits",
    },
    MeasurementSpec {
        measurement: Measurement::Extract,
        name: "extract",
        about: "pixels in memory to features, as `rut lp` extracts them",
    },
    MeasurementSpec {
        measurement: Measurement::Window,
        name: "window",
        about: "one canvas and a patch per image: forward, and backward to both",
    },
    MeasurementSpec {
        measurement: Measurement::VpStep,
        name: "vp-step",
        about: "a whole step of `rut vp`: prompt, window, label map, loss, backward, Adam",
    },
    MeasurementSpec {
        measurement: Measurement::PromptStep,
        name: "prompt-step",
        about: "a whole step of `rut vp` with each prompt that `prompts` names, on whole images",
    },
    MeasurementSpec {
        measurement: Measurement::Backward,
        name: "backward",
        about: "forward, and backward to the images",
    },
    MeasurementSpec {
        measurement: Measurement::Head,
        name: "head",
        about: "an epoch of a linear head on features, as `rut lp` trains it",
    },
];

impl Measurement {
    /// What it is called.
    pub fn name(self) -> &'static str {
        let row = MEASUREMENTS.iter().find(|row| row.measurement == self);
        row.map_or("unlisted", |row| row.name)
    }

    /// Whether it is done once for every window.
    pub fn has_window(self) -> bool {
        matches!(self, Self::Window | Self::VpStep)
    }

    /// Whether it asks a network.
    pub fn has_network(self) -> bool {
        self != Self::Head
    }
}

impl FromStr for Measurement {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let row = MEASUREMENTS.iter().find(|row| row.name == text);
        row.map(|row| row.measurement).ok_or_else(|| {
            let names: Vec<&str> = MEASUREMENTS.iter().map(|row| row.name).collect();
            refused(
                "only",
                format!("some of {}", names.join(", ")),
                format!("`{text}`"),
            )
        })
    }
}
