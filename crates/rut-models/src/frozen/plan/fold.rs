//! Batch norm with fixed statistics as part of the convolution before it.

use crate::array::Array;
use crate::error::{Error, Result};
use crate::graph::{BatchNorm, Bias, Conv, Linear};
use crate::weights::Weights;

/// Weights and bias of a layer; those of a convolution with its batch norm are folded in f64 and rounded once.
pub(crate) struct Folded {
    /// `[out, in, kernel, kernel]` or `[out, in]`; what was zero stays zero.
    pub(crate) weights: Vec<f32>,
    /// `[out]`.
    pub(crate) bias: Vec<f32>,
}

pub(crate) fn conv(weights: &Weights, conv: &Conv, norm: Option<&BatchNorm>) -> Result<Folded> {
    let kernel = &array(weights, &conv.param, "weight")?.data;
    let mut bias = match conv.bias {
        Bias::Added => wide(&array(weights, &conv.param, "bias")?.data),
        Bias::None => vec![0.0; conv.out_channels],
    };
    let mut factors = vec![1.0; conv.out_channels];
    if let Some(norm) = norm {
        let values = |leaf| Ok::<_, Error>(wide(&array(weights, &norm.param, leaf)?.data));
        let (weight, shift) = (values("weight")?, values("bias")?);
        let (mean, variance) = (values("running_mean")?, values("running_var")?);
        for channel in 0..conv.out_channels {
            let factor = weight[channel] / (variance[channel] + norm.eps).sqrt();
            factors[channel] = factor;
            bias[channel] = (bias[channel] - mean[channel]) * factor + shift[channel];
        }
    }
    let row = kernel.len() / conv.out_channels;
    let rows = kernel.chunks(row).zip(&factors);
    let weights = rows
        .flat_map(|(row, factor)| row.iter().map(move |&w| (f64::from(w) * factor) as f32))
        .collect();
    Ok(Folded {
        weights,
        bias: bias.into_iter().map(|value| value as f32).collect(),
    })
}

/// Matrix and bias of a linear layer; its columns are reordered from `[channels][pixels]` to `[pixels][channels]`.
pub(super) fn linear(weights: &Weights, linear: &Linear, channels: usize) -> Result<Folded> {
    let matrix = &array(weights, &linear.param, "weight")?.data;
    let pixels = linear.in_features / channels.max(1);
    let mut reordered = Vec::with_capacity(matrix.len());
    for row in matrix.chunks(linear.in_features) {
        for pixel in 0..pixels {
            reordered.extend((0..channels).map(|channel| row[channel * pixels + pixel]));
        }
    }
    Ok(Folded {
        weights: reordered,
        bias: array(weights, &linear.param, "bias")?.data.clone(),
    })
}

fn array<'a>(weights: &'a Weights, param: &str, leaf: &str) -> Result<&'a Array> {
    let name = format!("{param}.{leaf}");
    weights.get(&name).ok_or_else(|| Error::Argument {
        what: "the set of weights",
        found: format!("without `{name}`"),
        expected: "the weights that were assembled for this graph".into(),
    })
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}
