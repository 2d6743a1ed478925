//! `rut ticket inspect`.

use anyhow::Result;
use rut_formats::{counted, escape};
use rut_models::{
    Checkpoint, Classifier, DensityReport, LayerDensity, Mask, QuantizationDescription, Weights,
};
use rut_record::{Method, Settings};
use rut_run::{network_files, reading};
use serde::Serialize;

use crate::args::LayerFlags;
use crate::exit::Usage;
use crate::layers::{resolve, variables, Overrides};
use crate::output::{json, note, result};
use crate::table::{columns, percent};

#[derive(Serialize)]
struct Inspection {
    model: &'static str,
    checkpoint: String,
    mask: Option<String>,
    /// What has few bits, of a quantized network.
    #[serde(skip_serializing_if = "Option::is_none")]
    quantization: Option<QuantizationDescription>,
    density: DensityReport,
    /// Weights of the checkpoint that are zero or not, where the mask keeps them or not.
    mask_against_weights: Option<MaskAgainstWeights>,
}

/// Mask and checkpoint side by side, over the masked layers, in weights.
#[derive(Default, Serialize)]
struct MaskAgainstWeights {
    kept_and_not_zero: usize,
    kept_but_zero: usize,
    pruned_and_zero: usize,
    /// Not zero: a loader that drops the mask (D11) would use them.
    pruned_but_not_zero: usize,
}

/// Looks into the ticket that the flags name.
pub fn inspect(flags: &Settings, as_json: bool) -> Result<()> {
    let overrides = Overrides {
        flags,
        layers: &LayerFlags::default(),
    };
    let spec = resolve(Method::Lp, overrides, &variables())
        .map_err(Usage)?
        .spec;
    let (model, files) = network_files(&spec)?;
    let failed = rut_run::Error::from;
    let checkpoint = Checkpoint::open(&files.checkpoint).map_err(failed)?;
    let mask = files
        .mask
        .as_deref()
        .map(Mask::open)
        .transpose()
        .map_err(failed)?;
    let reading = reading(&spec, Classifier::Optional);
    let (_, weights) =
        Weights::read(model, &checkpoint, mask.as_ref(), &reading).map_err(failed)?;
    weights.notes().iter().for_each(|text| note(text));
    let inspection = Inspection {
        model: model.name,
        checkpoint: files.checkpoint.display().to_string(),
        mask: files.mask.map(|mask| mask.display().to_string()),
        quantization: checkpoint.quantization().cloned(),
        density: weights.density().clone(),
        mask_against_weights: mask.as_ref().map(|_| against(weights.density())),
    };
    if as_json {
        json(&inspection)
    } else {
        result(&describe(&inspection))
    }
}

fn against(density: &DensityReport) -> MaskAgainstWeights {
    let masked = density.layers.iter().filter(|layer| layer.masked);
    masked.fold(MaskAgainstWeights::default(), |sum, layer| {
        let pruned = layer.total - layer.kept;
        MaskAgainstWeights {
            kept_and_not_zero: sum.kept_and_not_zero + layer.kept - layer.zeros,
            kept_but_zero: sum.kept_but_zero + layer.zeros,
            pruned_and_zero: sum.pruned_and_zero + pruned - layer.hidden,
            pruned_but_not_zero: sum.pruned_but_not_zero + layer.hidden,
        }
    })
}

fn describe(found: &Inspection) -> String {
    let density = &found.density;
    let mut text = format!(
        "{}\ncheckpoint  {}\nmask        {}\n\nweights kept                              {}\nwithout stem and classifier               {}\n",
        found.model,
        escape(&found.checkpoint).whole(),
        escape(found.mask.as_deref().unwrap_or("none: zeros of the checkpoint count as pruned")).whole(),
        density.overall,
        density.without_stem_and_classifier,
    );
    if let Some(quantization) = &found.quantization {
        let kept = match quantization.kept.len() {
            0 => String::new(),
            layers => format!(", all bits in {}", counted(layers, "layer")),
        };
        let activations = quantization.activations.as_ref();
        let activations = activations.map_or("all".to_owned(), |own| own.bits.to_string());
        text.push_str(&format!(
            "bits of a weight                          {}{kept}\nbits of an activation                     {activations}\n",
            quantization.weight_bits
        ));
    }
    if let Some(sides) = &found.mask_against_weights {
        text.push_str(&format!(
            "\nin masked layers     kept  pruned\nweight is not zero {:>6}  {:>6}\nweight is zero     {:>6}  {:>6}\n",
            sides.kept_and_not_zero, sides.pruned_but_not_zero, sides.kept_but_zero, sides.pruned_and_zero
        ));
        if sides.pruned_but_not_zero > 0 {
            text.push_str("the checkpoint holds values in pruned places: without its mask it is another network\n");
        }
    }
    let mut rows = vec![[
        "layer",
        "shape",
        "kept",
        "of",
        "density",
        "unmasked zeros",
        "",
    ]
    .map(str::to_owned)
    .to_vec()];
    rows.extend(density.layers.iter().map(row));
    format!("{text}\n{}", columns(&rows))
}

fn row(layer: &LayerDensity) -> Vec<String> {
    let shape: Vec<String> = layer.shape.iter().map(usize::to_string).collect();
    let share = layer.kept as f64 / layer.total.max(1) as f64;
    let masked = if layer.masked { "masked" } else { "" };
    vec![
        layer.name.clone(),
        shape.join("×"),
        layer.kept.to_string(),
        layer.total.to_string(),
        percent(share),
        layer.zeros.to_string(),
        masked.into(),
    ]
}
