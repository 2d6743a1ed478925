//! A network's weights with batch norms folded in and rounded.

use std::collections::BTreeMap;

use rut_models::{Array, BatchNorm, Bias, Conv, Graph, Linear, Node, Op, Weights, fold_conv};

use super::rounded::round_per_channel;
use crate::error::Result;
use crate::kept_layers::KeptLayers;

/// How weights are rounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightQuantization {
    /// Bits of a weight, 2 to 16.
    pub bits: u32,
    /// Layers that stay as they are.
    pub keep: KeptLayers,
}

/// Weights after rounding, under the network's own names.
#[derive(Debug, Clone)]
pub struct QuantizedWeights {
    /// Every parameter; those of a classifier only if the network has one.
    pub arrays: BTreeMap<String, Array>,
    /// Names of the weights that stayed as they were.
    pub kept: Vec<String>,
    /// For each layer's weight how many weights were not pruned before: rounding makes zeros that are no pruned places.
    pub unpruned: BTreeMap<String, usize>,
}

impl WeightQuantization {
    /// Folds each batch norm into the convolution before it, in f64, and rounds every layer that is not kept
    /// ([`round_per_channel`]). Of a folded batch norm the shift is left: weight 1, mean 0, and a variance with which it does
    /// not change what it is given.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`](crate::Error::Argument) for a number of bits that cannot be; [`rut_models::Error::Graph`] for a batch
    /// norm behind a convolution that something else reads as well; as [`fold_conv`] for weights of another network.
    pub fn run(&self, graph: &Graph, weights: &Weights) -> Result<QuantizedWeights> {
        let mut made = QuantizedWeights {
            arrays: weights.own_arrays(graph),
            kept: Vec::new(),
            unpruned: BTreeMap::new(),
        };
        let layers = &weights.density().layers;
        for layer in layers {
            made.unpruned.insert(layer.name.clone(), layer.kept);
            if self.keep.contains(layer.role) {
                made.kept.push(layer.name.clone());
            }
        }
        for (index, node) in graph.nodes().iter().enumerate() {
            match &node.op {
                Op::Conv(conv) => {
                    let norm = norm_behind(graph, index)?;
                    if !made.kept.contains(&format!("{}.weight", conv.param)) {
                        self.conv(weights, conv, norm, &mut made)?;
                    }
                }
                Op::Linear(linear) => self.linear(linear, &mut made)?,
                _ => {}
            }
        }
        Ok(made)
    }

    fn conv(
        &self,
        weights: &Weights,
        conv: &Conv,
        norm: Option<&BatchNorm>,
        made: &mut QuantizedWeights,
    ) -> Result<()> {
        let mut folded = fold_conv(weights, conv, norm)?;
        round_per_channel(&mut folded.weights, conv.out_channels, self.bits)?;
        let mut set = |param: &str, leaf: &str, data: Vec<f32>| {
            if let Some(array) = made.arrays.get_mut(&format!("{param}.{leaf}")) {
                array.data = data;
            }
        };
        set(&conv.param, "weight", folded.weights);
        let channels = conv.out_channels;
        let Some(norm) = norm else {
            set(&conv.param, "bias", folded.bias);
            return Ok(());
        };
        if conv.bias == Bias::Added {
            set(&conv.param, "bias", vec![0.0; channels]);
        }
        set(&norm.param, "weight", vec![1.0; channels]);
        set(&norm.param, "bias", folded.bias);
        set(&norm.param, "running_mean", vec![0.0; channels]);
        // With eps it is 1, but for an error that no product of a weight can show.
        let variance = (1.0 - norm.eps) as f32;
        set(&norm.param, "running_var", vec![variance; channels]);
        Ok(())
    }

    fn linear(&self, linear: &Linear, made: &mut QuantizedWeights) -> Result<()> {
        let name = format!("{}.weight", linear.param);
        if made.kept.contains(&name) {
            return Ok(());
        }
        match made.arrays.get_mut(&name) {
            Some(array) => round_per_channel(&mut array.data, linear.out_features, self.bits),
            None => Ok(()),
        }
    }
}

/// The batch norm behind a convolution, if one is.
fn norm_behind(graph: &Graph, conv: usize) -> Result<Option<&BatchNorm>> {
    let nodes = graph.nodes().iter().enumerate();
    let reads = |node: &Node| node.inputs.iter().any(|id| id.index() == conv);
    let readers: Vec<_> = nodes.filter(|(_, node)| reads(node)).collect();
    let norm = |node: &&(usize, &Node)| matches!(node.1.op, Op::BatchNorm(_));
    match (readers.as_slice(), readers.iter().find(norm)) {
        (
            [
                (
                    _,
                    Node {
                        op: Op::BatchNorm(norm),
                        ..
                    },
                ),
            ],
            _,
        ) => Ok(Some(norm)),
        (_, Some((index, node))) => Err(rut_models::Error::Graph {
            node: *index,
            op: node.op.name(),
            reason: "it cannot be folded into a convolution that other nodes read as well".into(),
        }
        .into()),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use rut_models::{GraphBuilder, find};
    use rut_testkit::weights_rule;

    use super::*;

    /// What the fast engine computes with: it folds the batch norm again, which must not change a bit.
    #[test]
    fn folding_again_changes_nothing() {
        let model = find("resnet20_cifar10").unwrap();
        let graph = model.build();
        let arrays = graph.parameters().into_iter().map(|parameter| {
            let count: usize = parameter.shape.iter().product();
            let data = (0..count).map(|i| 0.3 + (i * 7919 % 1013) as f32 / 997.0);
            let array = Array::new(parameter.shape, data.collect()).unwrap();
            (parameter.name, array)
        });
        let weights = Weights::from_arrays(&graph, arrays.collect()).unwrap();
        for bits in [2, 4, 8, 16] {
            let keep = KeptLayers::parse(["stem"]).unwrap();
            let made = WeightQuantization { bits, keep }.run(&graph, &weights);
            let made = made.unwrap();
            assert_eq!(made.kept, ["conv1.weight"]);
            let again = Weights::from_arrays(&graph, made.arrays.clone()).unwrap();
            for (index, node) in graph.nodes().iter().enumerate() {
                let Op::Conv(conv) = &node.op else { continue };
                let name = format!("{}.weight", conv.param);
                if made.kept.contains(&name) {
                    assert_eq!(again.get(&name), weights.get(&name));
                    continue;
                }
                let norm = norm_behind(&graph, index).unwrap();
                let folded = fold_conv(&again, conv, norm).unwrap();
                assert_eq!(folded.weights, made.arrays[&name].data, "{name}");
                let levels = distinct(&folded.weights[..folded.weights.len() / conv.out_channels]);
                assert!(levels < 1 << bits, "{name}: {levels} values");
                // Within half a step of the folded weights.
                let before = fold_conv(&weights, conv, norm).unwrap();
                let row = before.weights.len() / conv.out_channels;
                let rows = before.weights.chunks(row).zip(folded.weights.chunks(row));
                for (before, after) in rows {
                    let largest = before.iter().fold(0.0_f32, |most, w| most.max(w.abs()));
                    let step = largest / ((1 << (bits - 1)) - 1) as f32;
                    let near =
                        |(b, a): (&f32, &f32)| (b - a).abs() <= 0.501 * step + 1e-7 * largest;
                    assert!(before.iter().zip(after).all(near), "{name}");
                }
                // The constant part, which is not rounded.
                assert_eq!(folded.bias, before.bias, "{name}");
            }
        }
    }

    #[test]
    fn a_batch_norm_that_is_not_alone_behind_its_convolution_is_refused() {
        let mut b = GraphBuilder::new();
        let x = b.input();
        let x = b.conv_same(x, "conv1".into(), [2, 3, 1], 1);
        let y = b.batch_norm(x, "bn1".into(), 2);
        let x = b.add(x, y);
        let x = b.global_avg_pool(x);
        let x = b.flatten(x);
        let graph = b.finish(x, "fc", 2, 2);
        let weights = weights_rule::weights(&graph, None);
        let keep = KeptLayers::parse(["none"]).unwrap();
        let made = WeightQuantization { bits: 8, keep }.run(&graph, &weights);
        let error = made.unwrap_err().to_string();
        assert!(
            error.contains("node 2") && error.contains("other nodes read as well"),
            "{error}"
        );
    }

    fn distinct(values: &[f32]) -> usize {
        let mut bits: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
        bits.sort_unstable();
        bits.dedup();
        bits.len()
    }
}
