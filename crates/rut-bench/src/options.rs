//! What to measure, on what, and how often. The measuring itself stands in `report`.

use std::path::PathBuf;
use std::str::FromStr;

use rut_adapt::{PROMPTS, PromptRow};
use rut_data::Seed;
use rut_formats::did_you_mean;
use rut_models::{Engine, MODELS, ModelSpec, Precision};
use serde::Serialize;

use crate::error::{Error, Result, refused};
use crate::measurement::{MEASUREMENTS, Measurement};
use crate::pruning::MaskKind;
use crate::timing::Repeats;

/// The most values that one input may have: more is a slip of the keyboard, and memory for it may not be there.
const MOST_VALUES: usize = 1 << 32;

/// Windows where none are named, pixels: the sides at which data sets are prompted.
const USUAL_WINDOWS: [usize; 2] = [32, 128];

/// Features that a head is trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HeadShape {
    /// Rows.
    pub images: usize,
    /// Features in a row.
    pub width: usize,
    /// Classes.
    pub classes: usize,
}

impl Default for HeadShape {
    fn default() -> Self {
        Self {
            images: 50_000,
            width: 2_048,
            classes: 10,
        }
    }
}

impl FromStr for HeadShape {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let numbers: Vec<_> = text.split(',').map(|n| n.trim().parse().ok()).collect();
        match numbers.as_slice() {
            &[Some(images), Some(width), Some(classes)] => Ok(Self {
                images,
                width,
                classes,
            }),
            _ => Err(refused(
                "head",
                "three whole numbers: images,features,classes",
                text,
            )),
        }
    }
}

/// What to measure; [`check`](Self::check) validates it.
///
/// ```
/// let options = rut_bench::BenchOptions {
///     model: "resnet20_cifar100".into(),
///     ..Default::default()
/// };
/// let bench = options.check()?;
/// assert_eq!((bench.image_size, bench.windows.as_slice()), (32, [16].as_slice()));
/// # Ok::<(), rut_bench::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BenchOptions {
    /// Name of a model of the table.
    pub model: String,
    /// Its weights; left out, they are drawn.
    pub checkpoint: Option<PathBuf>,
    /// The mask of `checkpoint`.
    pub mask: Option<PathBuf>,
    /// Under which of the checkpoint's dictionaries and modules the network stands; left out, where its names fit.
    pub checkpoint_key: Option<String>,
    /// Number of source classes; left out, the checkpoint's, or the model's without one.
    pub source_classes: Option<usize>,
    /// Share of the weights between stem and classifier that a mask of `mask_kind` keeps; left out, there is none.
    pub density: Option<f64>,
    /// Which weights that mask keeps.
    pub mask_kind: Option<MaskKind>,
    /// What computes the network.
    pub engine: Engine,
    /// In which precision.
    pub precision: Precision,
    /// Images per pass or step through the network; an epoch of the head always has batches of 128.
    pub batch_size: usize,
    /// Side of the input, pixels; left out, the model's.
    pub image_size: Option<usize>,
    /// Sides of windows, pixels; where there are none, 32 and 128 as far as they fit, or half the image.
    pub windows: Vec<usize>,
    /// Prompts of the table of which a step is measured.
    pub prompts: Vec<String>,
    /// The head.
    pub head: HeadShape,
    /// How often.
    pub repeats: Repeats,
    /// What to measure; where there is nothing, everything.
    pub only: Vec<Measurement>,
    /// Seeds everything that is drawn.
    pub seed: Seed,
}

impl Default for BenchOptions {
    fn default() -> Self {
        Self {
            model: "resnet50".into(),
            checkpoint: None,
            mask: None,
            checkpoint_key: None,
            source_classes: None,
            density: None,
            mask_kind: None,
            engine: Engine::Auto,
            precision: Precision::F32,
            batch_size: 32,
            image_size: None,
            windows: Vec::new(),
            prompts: Vec::new(),
            head: HeadShape::default(),
            repeats: Repeats {
                warmup: 1,
                repeat: 5,
            },
            only: Vec::new(),
            seed: Seed(4),
        }
    }
}

/// Options that can be measured.
#[derive(Clone, Debug)]
pub struct CheckedBench {
    /// As they were given.
    pub options: BenchOptions,
    /// The model of the table.
    pub model: &'static ModelSpec,
    /// Number of source classes.
    pub classes: usize,
    /// Side of the input, pixels.
    pub image_size: usize,
    /// Sides of windows, pixels.
    pub windows: Vec<usize>,
    /// Prompts of which a step is measured.
    pub prompts: Vec<&'static PromptRow>,
    /// Density and kind of the mask to make.
    pub pruning: Option<(MaskKind, f64)>,
    /// What to measure, in the table's order.
    pub measurements: Vec<Measurement>,
}

impl BenchOptions {
    /// Finds the model and fills in what was left out.
    ///
    /// # Errors
    /// If a name is unknown, a number is out of range, or two options do not go together.
    pub fn check(self) -> Result<CheckedBench> {
        let model = find_model(&self.model)?;
        self.engine.check(self.precision)?;
        let image_size = self.image_size.unwrap_or(model.input_size as usize);
        let classes = self.source_classes.unwrap_or(model.classes);
        let HeadShape {
            images,
            width,
            classes: targets,
        } = self.head;
        for (field, number) in [
            ("batch_size", self.batch_size),
            ("image_size", image_size),
            ("source_classes", classes),
            ("repeat", self.repeats.repeat),
            ("head", images.min(width).min(targets)),
        ] {
            if number == 0 {
                return Err(refused(field, "at least 1", "0"));
            }
        }
        check_size("head", &[images, width])?;
        check_size("batch_size", &[self.batch_size, 3, image_size, image_size])?;
        let windows = self.resolved_windows(image_size)?;
        let prompts = self.prompts.iter().map(|name| find_prompt(name));
        let prompts = prompts.collect::<Result<Vec<_>>>()?;
        if prompts.is_empty() && self.only.contains(&Measurement::PromptStep) {
            return Err(refused("only", "`prompt` beside prompt-step", "none"));
        }
        let pruning = self.pruning()?;
        let measurements = MEASUREMENTS.iter().map(|row| row.measurement);
        let asked = |m: &Measurement| self.only.is_empty() || self.only.contains(m);
        Ok(CheckedBench {
            model,
            classes,
            image_size,
            windows,
            prompts,
            pruning,
            measurements: measurements.filter(asked).collect(),
            options: self,
        })
    }

    fn resolved_windows(&self, image_size: usize) -> Result<Vec<usize>> {
        let fits = |side: &usize| (1..image_size).contains(side);
        if let Some(side) = self.windows.iter().find(|side| !fits(side)) {
            let expected = format!("1 to {} on {image_size}-pixel images", image_size - 1);
            return Err(refused("window", &expected, side.to_string()));
        }
        let with_window = |m: &Measurement| m.has_window();
        if !(self.windows.is_empty() || self.only.is_empty() || self.only.iter().any(with_window)) {
            let all = MEASUREMENTS.iter().map(|row| row.measurement);
            let expected = format!(
                "a measurement with windows ({}), because `window` is given",
                names(all.filter(with_window))
            );
            return Err(refused("only", &expected, names(self.only.iter().copied())));
        }
        let usual = USUAL_WINDOWS.into_iter().filter(fits);
        Ok(match (self.windows.is_empty(), usual.clone().count()) {
            (false, _) => self.windows.clone(),
            (true, 0) => [image_size / 2].into_iter().filter(fits).collect(),
            (true, _) => usual.collect(),
        })
    }

    fn pruning(&self) -> Result<Option<(MaskKind, f64)>> {
        match (self.density, self.mask_kind) {
            _ if self.mask.is_some() && self.checkpoint.is_none() => Err(refused(
                "mask",
                "it beside the checkpoint that it belongs to",
                "it alone",
            )),
            (Some(_), _) if self.mask.is_some() => Err(refused(
                "density",
                "one of `mask`, which is a file, and `density`, which makes one",
                "both",
            )),
            (None, Some(_)) => Err(refused(
                "mask_kind",
                "it beside the `density` of the mask to make",
                "it alone",
            )),
            (Some(density), _) if !(density > 0.0 && density <= 1.0) => Err(refused(
                "density",
                "the share of weights that is kept, above 0 and at most 1",
                density.to_string(),
            )),
            (Some(density), kind) => Ok(Some((kind.unwrap_or_default(), density))),
            (None, None) => Ok(None),
        }
    }
}

fn check_size(field: &'static str, lengths: &[usize]) -> Result<()> {
    let values = lengths
        .iter()
        .try_fold(1usize, |product, &length| product.checked_mul(length));
    if values.is_some_and(|values| values <= MOST_VALUES) {
        return Ok(());
    }
    let found = lengths.iter().map(usize::to_string).collect::<Vec<_>>();
    Err(refused(
        field,
        format!("at most {MOST_VALUES} values"),
        found.join(" × "),
    ))
}

fn find_model(name: &str) -> Result<&'static ModelSpec> {
    rut_models::find(name).ok_or_else(|| {
        let names = || MODELS.iter().map(|model| model.name);
        let known = names().collect::<Vec<_>>().join(", ");
        let hint = did_you_mean(name, names());
        refused(
            "model",
            format!("one of {known}{hint}"),
            format!("`{name}`"),
        )
    })
}

/// The names of measurements.
fn names(of: impl Iterator<Item = Measurement>) -> String {
    of.map(Measurement::name).collect::<Vec<_>>().join(",")
}

fn find_prompt(name: &str) -> Result<&'static PromptRow> {
    rut_adapt::find_prompt(name).ok_or_else(|| {
        let names = || PROMPTS.iter().map(|prompt| prompt.name);
        let known = names().collect::<Vec<_>>().join(", ");
        let hint = did_you_mean(name, names());
        refused(
            "prompt",
            format!("some of {known}{hint}"),
            format!("`{name}`"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_range_or_does_not_go_together_is_refused_by_name() {
        let base = BenchOptions::default;
        let refusals: Vec<(BenchOptions, &str)> = vec![
            (
                BenchOptions {
                    batch_size: 0,
                    ..base()
                },
                "batch_size",
            ),
            (
                BenchOptions {
                    batch_size: 1 << 40,
                    ..base()
                },
                "batch_size",
            ),
            (
                BenchOptions {
                    windows: vec![32, 224],
                    ..base()
                },
                "window",
            ),
            (
                BenchOptions {
                    windows: vec![0],
                    ..base()
                },
                "window",
            ),
            (
                BenchOptions {
                    windows: vec![16],
                    only: vec![Measurement::Forward],
                    ..base()
                },
                "only",
            ),
            (
                BenchOptions {
                    density: Some(0.0),
                    ..base()
                },
                "density",
            ),
            (
                BenchOptions {
                    density: Some(f64::NAN),
                    ..base()
                },
                "density",
            ),
            (
                BenchOptions {
                    mask_kind: Some(MaskKind::Random),
                    ..base()
                },
                "mask_kind",
            ),
            (
                BenchOptions {
                    mask: Some("m".into()),
                    ..base()
                },
                "mask",
            ),
            (
                BenchOptions {
                    checkpoint: Some("c".into()),
                    mask: Some("m".into()),
                    density: Some(0.5),
                    ..base()
                },
                "density",
            ),
            (
                BenchOptions {
                    repeats: Repeats {
                        warmup: 0,
                        repeat: 0,
                    },
                    ..base()
                },
                "repeat",
            ),
            (
                BenchOptions {
                    model: "resnet51".into(),
                    ..base()
                },
                "model",
            ),
        ];
        for (options, field) in refusals {
            let error = options.clone().check().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("use {field} = ")),
                "{options:?}: {error}"
            );
        }
        for text in ["", "1,2", "1,2,x", "1,2,3,4"] {
            let error = text.parse::<HeadShape>().unwrap_err().to_string();
            assert!(error.contains("images,features,classes"), "{error}");
        }
    }

    #[test]
    fn windows_that_are_left_out_fit_the_image() {
        let windows = |image_size| {
            let options = BenchOptions {
                image_size,
                ..BenchOptions::default()
            };
            options.check().unwrap().windows
        };
        assert_eq!(windows(None), [32, 128]);
        assert_eq!(windows(Some(64)), [32]);
        assert_eq!(windows(Some(20)), [10]);
        assert_eq!(windows(Some(1)), [0usize; 0]);
    }
}
