//! The arguments of `rut bench`. For their meaning, see `rut-bench`.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::Args;
use rut_bench::{
    BenchOptions, HeadShape, MaskKind, Measurement, Repeats, MASK_KINDS, MEASUREMENTS,
};

use super::{whole, EngineFlags, PrecisionFlags};

/// `rut bench`.
#[derive(Args, Clone, Debug)]
pub struct BenchArgs {
    /// Name in the table of models (`rut models list`)
    #[arg(long, default_value = "resnet50")]
    pub model: String,
    /// A checkpoint (.safetensors, .pth, .pt, .th) [default: weights drawn by He's rule]
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// The mask of --checkpoint
    #[arg(long, value_name = "FILE", requires = "checkpoint")]
    pub mask: Option<PathBuf>,
    /// Under which of the checkpoint's dictionaries and modules the network stands, joined by points (`teacher.backbone`); `.`
    /// is the file itself [default: the only place where the network's names fit]
    #[arg(
        long,
        alias = "checkpoint_key",
        value_name = "KEY",
        requires = "checkpoint"
    )]
    pub checkpoint_key: Option<String>,
    /// Classes of the classifier [default: the checkpoint's, or the model's]
    #[arg(long, alias = "source_classes", value_name = "N", value_parser = whole::<usize>)]
    pub source_classes: Option<usize>,
    /// Prune to this share of the weights between stem and classifier, above 0 and at most 1
    #[arg(long, value_name = "SHARE", conflicts_with = "mask")]
    pub density: Option<f64>,
    /// Which weights --density keeps [default: magnitude]
    #[arg(long, alias = "mask_kind", value_name = "KIND", value_parser = mask_kinds(), requires = "density")]
    pub mask_kind: Option<MaskKind>,
    /// What computes the network.
    #[command(flatten)]
    pub engine: EngineFlags,
    /// In which precision.
    #[command(flatten)]
    pub precision: PrecisionFlags,
    /// Images per pass or step
    #[arg(
        long,
        alias = "batch_size",
        value_name = "N",
        value_parser = whole::<usize>,
        default_value_t = BenchOptions::default().batch_size
    )]
    pub batch_size: usize,
    /// Side of the input, pixels [default: the model's]
    #[arg(long, alias = "image_size", value_name = "PIXELS", value_parser = whole::<usize>)]
    pub image_size: Option<usize>,
    /// Sides of the windows (`32,128`) [default: 32 and 128, as far as they fit]
    #[arg(long, value_name = "PIXELS", value_delimiter = ',', value_parser = whole::<usize>)]
    pub window: Vec<usize>,
    /// Measure a step with each of these prompts, too (`smm,watermark`)
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub prompt: Vec<String>,
    /// Features that the head is trained on: rows, features in a row, classes [default: 50000,2048,10]
    #[arg(long, value_name = "N,D,C", value_parser = head)]
    pub head: Option<HeadShape>,
    /// Measure only these (`forward,backward`)
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = measurements())]
    pub only: Vec<Measurement>,
    /// Warm-up passes that are not timed
    #[arg(long, value_name = "N", value_parser = whole::<usize>, default_value_t = BenchOptions::default().repeats.warmup)]
    pub warmup: usize,
    /// Times that count
    #[arg(long, value_name = "N", value_parser = whole::<usize>, default_value_t = BenchOptions::default().repeats.repeat)]
    pub repeat: usize,
    /// Seeds weights, masks and images
    #[arg(long, value_parser = whole::<u64>, default_value_t = BenchOptions::default().seed.0)]
    pub seed: u64,
    /// Threads [default: one per core that the process may use]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Also write everything to this file
    #[arg(long, value_name = "FILE.json")]
    pub json: Option<PathBuf>,
}

impl BenchArgs {
    /// What is asked for.
    pub fn options(&self) -> BenchOptions {
        BenchOptions {
            model: self.model.clone(),
            checkpoint: self.checkpoint.clone(),
            mask: self.mask.clone(),
            checkpoint_key: self.checkpoint_key.clone(),
            source_classes: self.source_classes,
            density: self.density,
            mask_kind: self.mask_kind,
            engine: self.engine.engine.unwrap_or_default(),
            precision: self.precision.precision.unwrap_or_default(),
            batch_size: self.batch_size,
            image_size: self.image_size,
            windows: self.window.clone(),
            prompts: self.prompt.clone(),
            head: self.head.unwrap_or_default(),
            repeats: Repeats {
                warmup: self.warmup,
                repeat: self.repeat,
            },
            only: self.only.clone(),
            seed: rut_data::Seed(self.seed),
        }
    }
}

fn measurements() -> impl TypedValueParser<Value = Measurement> {
    let values = MEASUREMENTS
        .iter()
        .map(|row| PossibleValue::new(row.name).help(row.about));
    PossibleValuesParser::new(values).try_map(|name| Ok::<_, anyhow::Error>(name.parse()?))
}

fn mask_kinds() -> impl TypedValueParser<Value = MaskKind> {
    let values = MASK_KINDS
        .iter()
        .map(|row| PossibleValue::new(row.name).help(row.about));
    PossibleValuesParser::new(values).try_map(|name| Ok::<_, anyhow::Error>(name.parse()?))
}

fn head(text: &str) -> anyhow::Result<HeadShape> {
    Ok(text.parse()?)
}
