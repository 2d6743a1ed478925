//! Batch norm with fixed statistics as part of the convolution before it.

use crate::array::Array;
use crate::error::{Error, Result};
use crate::graph::{BatchNorm, Bias, Conv, Linear};
use crate::weights::Weights;

/// Weights and bias of a layer; those of a convolution with its batch norm are folded in f64 and rounded once.
#[derive(Debug, Clone)]
pub struct Folded {
    /// `[out, in, kernel, kernel]` or `[out, in]`; what was zero stays zero.
    pub weights: Vec<f32>,
    /// `[out]`.
    pub bias: Vec<f32>,
}

/// Folds the batch norm `norm`, if there is one, into the convolution `conv` before it.
///
/// # Errors
///
/// [`Error::Argument`] where `weights` lack one of the parameters, or it has another number of values.
pub fn fold_conv(weights: &Weights, conv: &Conv, norm: Option<&BatchNorm>) -> Result<Folded> {
    let channels = conv.out_channels;
    let row = conv.in_channels * conv.kernel * conv.kernel;
    let values = |param, leaf, count| sized(array(weights, param, leaf)?, param, leaf, count);
    let kernel = values(&conv.param, "weight", channels * row)?;
    let mut bias = match conv.bias {
        Bias::Added => wide(values(&conv.param, "bias", channels)?),
        Bias::None => vec![0.0; channels],
    };
    let mut factors = vec![1.0; channels];
    if let Some(norm) = norm {
        let values = |leaf| Ok::<_, Error>(wide(values(&norm.param, leaf, channels)?));
        let (weight, shift) = (values("weight")?, values("bias")?);
        let (mean, variance) = (values("running_mean")?, values("running_var")?);
        for channel in 0..channels {
            let factor = weight[channel] / (variance[channel] + norm.eps).sqrt();
            factors[channel] = factor;
            bias[channel] = (bias[channel] - mean[channel]) * factor + shift[channel];
        }
    }
    let rows = kernel.chunks(row.max(1)).zip(&factors);
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

fn sized<'a>(array: &'a Array, param: &str, leaf: &str, count: usize) -> Result<&'a [f32]> {
    if array.data.len() == count {
        return Ok(&array.data);
    }
    Err(Error::Argument {
        what: "the size of a parameter",
        found: format!("{} values of `{param}.{leaf}`", array.data.len()),
        expected: format!("{count}, as the layer has"),
    })
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::graph::GraphBuilder;

    #[test]
    fn weights_of_another_size_are_refused() {
        let mut b = GraphBuilder::new();
        let x = b.input();
        let x = b.conv_same(x, "conv1".into(), [2, 3, 1], 1);
        let x = b.global_avg_pool(x);
        let x = b.flatten(x);
        let graph = b.finish(x, "fc", 2, 2);
        let arrays: BTreeMap<String, Array> = graph
            .parameters()
            .into_iter()
            .map(|parameter| {
                let data = vec![1.0; parameter.shape.iter().product()];
                let shape = parameter.shape;
                (parameter.name, Array { shape, data })
            })
            .collect();
        let weights = Weights::from_arrays(&graph, arrays).unwrap();
        let conv = |out_channels, kernel| Conv {
            param: "conv1".into(),
            in_channels: 3,
            out_channels,
            kernel,
            stride: 1,
            padding: 0,
            bias: Bias::None,
        };
        assert_eq!(
            fold_conv(&weights, &conv(2, 1), None).unwrap().bias,
            [0.0; 2]
        );
        for (conv, expected) in [
            (conv(3, 1), "expected 9"),
            (conv(2, 3), "expected 54"),
            (conv(0, 1), "expected 0"),
        ] {
            let error = fold_conv(&weights, &conv, None).unwrap_err().to_string();
            assert!(
                error.contains("6 values of `conv1.weight`") && error.contains(expected),
                "{error}"
            );
        }
        let norm = BatchNorm {
            param: "fc".into(),
            channels: 2,
            eps: 0.0,
        };
        let error = fold_conv(&weights, &conv(2, 1), Some(&norm))
            .unwrap_err()
            .to_string();
        assert!(error.contains("`fc.weight`"), "{error}");
    }
}
