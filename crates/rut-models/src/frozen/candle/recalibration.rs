//! The statistics of batch norms, estimated again from images: after pruning, those of the dense network do not fit what flows
//! through the layers any more. Nothing is trained, and labels are not needed.

use std::collections::BTreeMap;

use candle_core::{D, DType, Device, Tensor};

use super::norm::{Affine, Statistics};
use super::pass::Pass;
use crate::array::Array;
use crate::error::{Error, Result};
use crate::graph::{Graph, Op};
use crate::weights::Weights;

/// Running means and variances of a network, as PyTorch keeps them in training mode with `momentum=None`: the plain average over
/// batches of the batch's mean and of its unbiased variance, while each batch is normalised by its own mean and biased variance.
/// Sums are in f64. A batch counts as much as any other, whatever its size.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use rut_models::{Array, GraphBuilder, Recalibration, Weights};
/// let mut b = GraphBuilder::new();
/// let x = b.input();
/// let x = b.batch_norm(x, "bn1".into(), 3);
/// let x = b.global_avg_pool(x);
/// let x = b.flatten(x);
/// let graph = b.finish(x, "fc", 3, 2);
/// let ones = |p: rut_models::Parameter| (p.name, Array { data: vec![1.0; p.shape.iter().product()], shape: p.shape });
/// let weights = Weights::from_arrays(&graph, graph.parameters().into_iter().map(ones).collect())?;
/// let mut recalibration = Recalibration::new(&graph, &weights, DType::F32)?;
/// let batch = Tensor::new(&[[[[0f32, 2.0]], [[1.0, 1.0]], [[5.0, 6.0]]]], &Device::Cpu)?; // one image of 1 × 2 pixels
/// recalibration.add(&batch)?;
/// let statistics = recalibration.finish()?;
/// assert_eq!(statistics["bn1.running_mean"].data, [1.0, 1.0, 5.5]);
/// assert_eq!(statistics["bn1.running_var"].data, [2.0, 0.0, 0.5]);
/// # Ok::<(), rut_models::Error>(())
/// ```
pub struct Recalibration {
    pass: Pass,
    norms: BTreeMap<usize, Norm>,
    batches: usize,
}

/// A batch norm, and the sums over batches so far.
struct Norm {
    param: String,
    affine: Affine,
    /// Means and unbiased variances.
    sums: Statistics,
}

impl Recalibration {
    /// Begins with no batch. Forward passes compute in `dtype`, f32 or f64, by the reference engine on the CPU.
    ///
    /// # Errors
    ///
    /// [`Error::Recalibrate`] for a network without batch norm; [`Error::Argument`] for weights of another graph.
    pub fn new(graph: &Graph, weights: &Weights, dtype: DType) -> Result<Self> {
        let mut norms = BTreeMap::new();
        for (index, node) in graph.nodes().iter().enumerate() {
            let Op::BatchNorm(norm) = &node.op else {
                continue;
            };
            let zeros = || vec![0.0; norm.channels];
            norms.insert(
                index,
                Norm {
                    param: norm.param.clone(),
                    affine: Affine::new(norm, weights)?,
                    sums: Statistics {
                        mean: zeros(),
                        variance: zeros(),
                    },
                },
            );
        }
        if norms.is_empty() {
            return Err(failed(
                "it has no batch norm, whose statistics would be estimated; leave the recalibration out",
            ));
        }
        Ok(Self {
            pass: Pass::new(graph, weights, dtype, &Device::Cpu)?,
            norms,
            batches: 0,
        })
    }

    /// Adds a batch of normalised images, [n, 3, h, w] of the element type that it was begun with.
    ///
    /// # Errors
    ///
    /// [`Error::Recalibrate`] where a channel has a single value in the whole batch, so that it has no variance.
    pub fn add(&mut self, images: &Tensor) -> Result<()> {
        let Self { pass, norms, .. } = self;
        pass.walk(images, |index, _, read| {
            let (Some(norm), Some(x)) = (norms.get_mut(&index), read.first()) else {
                return pass.value(index, read);
            };
            let (found, count) = statistics(x)?;
            if count < 2 {
                return Err(failed(&format!(
                    "a channel of `{}` has a single value in a batch, which has no variance; expected batches of 2 images or more",
                    norm.param
                )));
            }
            let unbiased = count as f64 / (count - 1) as f64;
            add(&mut norm.sums.mean, &found.mean, 1.0);
            add(&mut norm.sums.variance, &found.variance, unbiased);
            let layer = norm.affine.layer(&found, pass.dtype(), pass.device())?;
            layer.forward(x)
        })?;
        self.batches += 1;
        Ok(())
    }

    /// `running_mean` and `running_var` of every batch norm, by parameter.
    ///
    /// # Errors
    ///
    /// [`Error::Recalibrate`] without a batch, or where images or weights gave something that is not finite.
    pub fn finish(self) -> Result<BTreeMap<String, Array>> {
        if self.batches == 0 {
            return Err(failed("there are no images; expected one batch or more"));
        }
        let mut arrays = BTreeMap::new();
        for norm in self.norms.into_values() {
            let of = [
                ("running_mean", norm.sums.mean),
                ("running_var", norm.sums.variance),
            ];
            for (leaf, sums) in of {
                let name = format!("{}.{leaf}", norm.param);
                let average = |sum: &f64| (sum / self.batches as f64) as f32;
                let data: Vec<f32> = sums.iter().map(average).collect();
                if let Some(value) = data.iter().find(|value| !value.is_finite()) {
                    return Err(failed(&format!(
                        "`{name}` would be {value}, expected finite numbers: the network's values overflow on these images"
                    )));
                }
                let shape = vec![data.len()];
                arrays.insert(name, Array { shape, data });
            }
        }
        Ok(arrays)
    }
}

impl std::fmt::Debug for Recalibration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recalibration")
            .field("norms", &self.norms.len())
            .field("batches", &self.batches)
            .finish_non_exhaustive()
    }
}

/// Mean and biased variance of each channel of `x` [n, channels, h, w], and of how many values. One image after the other, so
/// that no copy of the batch is in f64.
fn statistics(x: &Tensor) -> Result<(Statistics, usize)> {
    let (images, channels, height, width) = x.dims4()?;
    let count = images * height * width;
    let sums = |value: &dyn Fn(Tensor) -> candle_core::Result<Tensor>| -> Result<Vec<f64>> {
        let mut sums = vec![0.0; channels];
        for image in 0..images {
            let flat = x.narrow(0, image, 1)?.reshape((channels, height * width))?;
            let of_image = value(flat.to_dtype(DType::F64)?)?.sum(D::Minus1)?;
            add(&mut sums, &of_image.to_vec1::<f64>()?, 1.0);
        }
        sums.iter_mut().for_each(|sum| *sum /= count as f64);
        Ok(sums)
    };
    let mean = sums(&Ok)?;
    let centre = Tensor::from_slice(&mean, (channels, 1), x.device())?;
    let variance = sums(&|image| image.broadcast_sub(&centre)?.sqr())?;
    Ok((Statistics { mean, variance }, count))
}

/// `sums` + `values` · `factor`.
fn add(sums: &mut [f64], values: &[f64], factor: f64) {
    let places = sums.iter_mut().zip(values);
    places.for_each(|(sum, value)| *sum += value * factor);
}

fn failed(problem: &str) -> Error {
    Error::Recalibrate {
        problem: problem.into(),
    }
}
