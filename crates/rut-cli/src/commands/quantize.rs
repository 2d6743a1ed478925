//! `rut quantize`: a network whose weights, and perhaps activations, have few bits.

use std::collections::BTreeMap;

use anyhow::{anyhow, Result};
use rut_compress::{Calibration, KeptLayers, QuantizedWeights, WeightQuantization};
use rut_formats::{escape, shell_word};
use rut_models::{
    ActivationDescription, Array, Existing, NewQuantized, QuantizationDescription, Weights,
};
use rut_run::{normalization, weights_transform, CalibrationInput};
use serde::Serialize;

use super::ticket::recalibrate::{drawn, with_classifier};
use super::ticket::source::Network;
use crate::args::{ExtractPart, QuantizationFlags, QuantizeArgs};
use crate::commands::extract::images;
use crate::exit::Usage;
use crate::output::{json, note, result};

/// Images in a batch of a calibration; the ranges do not depend on it.
const BATCH: usize = 32;

/// What was written, as JSON.
#[derive(Serialize)]
struct Written<'a> {
    checkpoint: String,
    #[serde(flatten)]
    description: &'a QuantizationDescription,
}

/// Quantizes a network and writes it.
///
/// # Errors
/// If the network cannot be read, an argument is out of range, images cannot be read, or the file cannot be written.
pub fn run(args: &QuantizeArgs) -> Result<()> {
    let flags = &args.quantization;
    check(flags)?;
    let rounding = WeightQuantization {
        bits: flags.bits,
        keep: KeptLayers::parse(flags.keep.iter().map(String::as_str))
            .map_err(rut_run::Error::from)?,
    };
    let range = calibration(&flags.range)?;
    let mut settings = args.fields.settings.clone();
    if let Some(dataset) = &flags.calibrate {
        settings.put("dataset", dataset.as_str().into(), "--calibrate");
    }
    let network = Network::read(&settings)?;
    let place = NewQuantized {
        directory: &args.output.output,
        model: network.model.name,
        label: args.output.label.as_deref(),
        weight_bits: flags.bits,
        activation_bits: flags.activation_bits,
        existing: if args.output.overwrite {
            Existing::Replace
        } else {
            Existing::Refuse
        },
    };
    // What would fail at the end fails before images are read.
    place.file().map_err(rut_run::Error::from)?;
    let made = rounding
        .run(&network.graph, &network.weights)
        .map_err(rut_run::Error::from)?;
    let activations = match flags.activation_bits {
        Some(bits) => Some(activations(&network, &made.arrays, bits, range, flags)?),
        None => None,
    };
    let description = describe(&network, &rounding, &made, activations);
    let path = place
        .write(&made.arrays, &description)
        .map_err(rut_run::Error::from)?;
    if args.output.json {
        return json(&Written {
            checkpoint: path.display().to_string(),
            description: &description,
        });
    }
    result(&summary(&path, &description))?;
    let (model, bits) = (network.model.name, flags.bits);
    let activations = flags
        .activation_bits
        .map_or_else(String::new, |bits| format!(" --activation-bits {bits}"));
    let folder = shell_word(&args.output.output.display().to_string()).to_string();
    note(&format!(
        "use it by --model {model} --network quantized --bits {bits}{activations} --pretrained-dir {folder}"
    ));
    Ok(())
}

fn usage(flag: &str, expected: &str, found: &str) -> anyhow::Error {
    Usage(anyhow!("read `{flag}`: expected {expected}, found {found}")).into()
}

fn check(flags: &QuantizationFlags) -> Result<()> {
    if !(2..=16).contains(&flags.bits) {
        let found = flags.bits.to_string();
        return Err(usage("--bits", "2 to 16", &found));
    }
    match flags.activation_bits {
        Some(bits) if !(1..=16).contains(&bits) => {
            Err(usage("--activation-bits", "1 to 16", &bits.to_string()))
        }
        _ if flags.calibration_images == 0 => {
            Err(usage("--calibration-images", "at least 1 image", "0"))
        }
        _ => Ok(()),
    }
}

fn calibration(text: &str) -> Result<Calibration> {
    if text == "min-max" {
        return Ok(Calibration::MinMax);
    }
    let percentage = text.strip_prefix("percentile:");
    match percentage.and_then(|number| number.parse().ok()) {
        Some(percentage) if percentage > 0.0 && percentage <= 100.0 => {
            Ok(Calibration::Percentile(percentage))
        }
        _ => {
            let found = format!("`{}`", escape(text));
            let expected = "min-max, or percentile:P with P above 0 and at most 100";
            Err(usage("--range", expected, &found))
        }
    }
}

fn activations(
    network: &Network,
    arrays: &BTreeMap<String, Array>,
    bits: u32,
    range: Calibration,
    flags: &QuantizationFlags,
) -> Result<ActivationDescription> {
    let (spec, model) = (&network.spec, network.model);
    let weights: Weights = with_classifier(network, arrays)?;
    let (all, _) = images(spec, &network.locations, ExtractPart::Train)?;
    let drawn = drawn(&all, flags.calibration_images, flags.seed, "calibration");
    let input = CalibrationInput {
        transform: weights_transform(spec, model, None)?,
        normalization: normalization(spec, model),
        batch_size: BATCH,
    };
    let ranges = rut_run::calibrate(&network.graph, &weights, &drawn, &input, range)?;
    let ranges = ranges.ranges(bits).map_err(rut_run::Error::from)?;
    Ok(ActivationDescription {
        bits,
        scales: ranges.iter().map(|range| range.scale()).collect(),
        calibration: range.to_string(),
        dataset: spec.data.dataset.clone(),
        images: drawn.len(),
        digest: drawn.digest().map_err(rut_run::Error::from)?.to_string(),
    })
}

fn describe(
    network: &Network,
    rounding: &WeightQuantization,
    made: &QuantizedWeights,
    activations: Option<ActivationDescription>,
) -> QuantizationDescription {
    QuantizationDescription {
        version: QuantizationDescription::VERSION,
        model: network.model.name.into(),
        weight_bits: rounding.bits,
        weight_scheme: "symmetric for each output channel, largest magnitude at the last value, halves to even; batch norms folded"
            .into(),
        kept: made.kept.clone(),
        unpruned: made.unpruned.clone(),
        activations,
        source_checkpoint: network.checkpoint.digest.clone(),
        source_mask: network.mask.as_ref().map(|mask| mask.digest.clone()),
        program: concat!("rut ", env!("CARGO_PKG_VERSION")).into(),
    }
}

fn summary(path: &std::path::Path, made: &QuantizationDescription) -> String {
    let kept = if made.kept.is_empty() {
        "none".to_owned()
    } else {
        rut_formats::list(made.kept.iter().map(String::as_str))
    };
    let activations = match &made.activations {
        None => "of all bits".to_owned(),
        Some(found) => format!(
            "of {} bits behind {} ReLUs, ranges by {} on {} images of {}",
            found.bits,
            found.scales.len(),
            found.calibration,
            found.images,
            escape(&found.dataset),
        ),
    };
    format!(
        "{}\ncheckpoint   {}\nweights      of {} bits, {}\nof all bits  {kept}\nactivations  {activations}",
        made.model,
        escape(path).whole(),
        made.weight_bits,
        made.weight_scheme,
    )
}
