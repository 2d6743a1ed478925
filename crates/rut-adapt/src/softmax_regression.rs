//! Softmax regression on frozen features: the steps of one linear head, or of several that are stacked and trained side by
//! side on the same batches. It keeps no epochs and chooses nothing: for that, see `linear_probe`.
//!
//! A step computes loss, gradient and Adam's update without autograd and, once its buffers have grown, without an
//! allocation. All arithmetic but the loss is in f32. A head's numbers do not depend on the heads beside it, nor on the
//! number of threads.

mod loss;
mod rows;
mod update;

use candle_core::{Device, Tensor};
use pulp::Arch;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::features::FeatureMatrix;
use crate::features::LabelledFeatures;
use crate::head::LinearHead;
use crate::loss::Scored;
use crate::products::{self, Columns, Rows};
use crate::state::TrainingState;
use loss::RowScore;
use rows::{Batch, batch_rows, head_logits};
use update::{Adam, Parameter, Update};

/// What a head is trained with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeadRates {
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// Times the parameters, weight and bias, added to their gradients: the `weight_decay` of `torch.optim.Adam`.
    pub weight_decay: f64,
}

/// Linear heads in training, with one Adam each.
///
/// ```
/// use candle_core::{DType, Device};
/// use rut_adapt::FeatureMatrix;
/// use rut_adapt::LinearHead;
/// use rut_adapt::LabelledFeatures;
/// use rut_adapt::{HeadRates, SoftmaxRegression};
/// let features = FeatureMatrix::from_f32(vec![1.0, 0.0, 0.0, 1.0], 2)?;
/// let data = LabelledFeatures { features, labels: vec![0, 1] };
/// let head = LinearHead::init(2, 2, rut_adapt::Seed(4), DType::F32, &Device::Cpu)?;
/// let mut training = SoftmaxRegression::new(&head, 1)?;
/// let rates = [HeadRates { learning_rate: 0.1, weight_decay: 0.0 }];
/// let mut scored = Vec::new();
/// for _ in 0..20 {
///     training.step(&data, &[0, 1], &rates, &mut scored)?;
/// }
/// assert_eq!(scored[0].correct, 2);
/// # Ok::<(), rut_adapt::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SoftmaxRegression {
    heads: usize,
    classes: usize,
    width: usize,
    /// Steps taken.
    steps: u32,
    /// [heads × classes, width]
    weight: Parameter,
    /// [heads × classes]
    bias: Parameter,
    buffers: Buffers,
}

/// What a step needs and no other step does.
#[derive(Clone, Debug, Default)]
struct Buffers {
    /// Rows that are not in single precision where they lie, [batch, width].
    rows: Vec<f32>,
    /// 0, 1, 2 …
    counting: Vec<usize>,
    /// Logits, then their gradient, [batch, heads × classes].
    logits: Vec<f32>,
    /// [batch, heads]
    scores: Vec<RowScore>,
}

/// Multiplications below which a second thread costs more than it brings.
const WORTH_A_THREAD: usize = 1 << 18;

impl SoftmaxRegression {
    /// `heads` heads that all start as `head`.
    ///
    /// # Errors
    /// If there are none, or `head` is not f32 of shape [classes, width].
    pub fn new(head: &LinearHead, heads: usize) -> Result<Self> {
        if heads == 0 {
            return Err(unfit("heads", "at least 1", "none"));
        }
        let (classes, width) = head.weight.dims2()?;
        let weight: Vec<f32> = head.weight.flatten_all()?.to_vec1()?;
        let bias: Vec<f32> = head.bias.to_vec1()?;
        if bias.len() != classes || weight.is_empty() {
            let found = format!("[{classes}, {width}] and [{}]", bias.len());
            return Err(unfit("head", "[classes, width] and [classes]", &found));
        }
        Ok(Self {
            heads,
            classes,
            width,
            steps: 0,
            weight: Parameter::new(weight.repeat(heads)),
            bias: Parameter::new(bias.repeat(heads)),
            buffers: Buffers::default(),
        })
    }

    /// Number of heads.
    pub fn heads(&self) -> usize {
        self.heads
    }

    /// One step of every head on the rows of `data` at `indices`, with the rates of each. `scored` becomes each head's loss
    /// and hits before the step.
    ///
    /// # Errors
    /// If there are no rows, an index or a label is out of range, or a length does not fit.
    pub fn step(
        &mut self,
        data: &LabelledFeatures,
        indices: &[usize],
        rates: &[HeadRates],
        scored: &mut Vec<Scored>,
    ) -> Result<()> {
        self.check(data, indices, rates)?;
        if self.threads(indices.len()) == 1 {
            self.checked_step(data, indices, rates, scored);
        } else {
            // On a thread of the pool, so that only one hand-over is waited for and not one for each product.
            rayon::scope(|_| self.checked_step(data, indices, rates, scored));
        }
        Ok(())
    }

    fn checked_step(
        &mut self,
        data: &LabelledFeatures,
        indices: &[usize],
        rates: &[HeadRates],
        scored: &mut Vec<Scored>,
    ) {
        let part = indices.len().div_ceil(self.threads(indices.len()));
        let mut buffers = std::mem::take(&mut self.buffers);
        let Buffers {
            rows,
            counting,
            logits,
            scores,
        } = &mut buffers;
        let rows = batch_rows(&data.features, indices, part, rows, counting);
        logits.resize(indices.len() * self.outputs(), 0.0);
        scores.resize(indices.len() * self.heads, RowScore::default());
        let batch = Batch {
            rows,
            labels: &data.labels,
            indices,
        };
        self.forward(batch, logits, scores);
        scored.clear();
        scored.extend((0..self.heads).map(|head| {
            let rows = scores.iter().skip(head);
            loss::mean(rows.step_by(self.heads))
        }));
        self.steps += 1;
        self.backward(rows, logits, rates);
        self.buffers = buffers;
    }

    /// Logits of every row under the head at `head`, [n, classes], row-major.
    ///
    /// # Errors
    /// If there is no such head, or the features have another width.
    pub fn logits(&self, head: usize, features: &FeatureMatrix) -> Result<Vec<f32>> {
        let at = self.rows_of(head)?;
        let weight = &self.weight.values[at.start * self.width..at.end * self.width];
        head_logits(weight, &self.bias.values[at], features)
    }

    /// The head at `head` as it is.
    ///
    /// # Errors
    /// If there is no such head.
    pub fn head(&self, head: usize) -> Result<LinearHead> {
        let at = self.rows_of(head)?;
        let weight = &self.weight.values[at.start * self.width..at.end * self.width];
        let shape = (self.classes, self.width);
        Ok(LinearHead {
            weight: Tensor::from_slice(weight, shape, &Device::Cpu)?,
            bias: Tensor::from_slice(&self.bias.values[at], self.classes, &Device::Cpu)?,
        })
    }

    /// Writes the optimisers' step count and moments into `state`.
    ///
    /// # Errors
    /// If a tensor cannot be made.
    pub fn save(&self, state: &mut TrainingState) -> Result<()> {
        state.put_number("adam.step", u64::from(self.steps));
        let shapes = [vec![self.outputs(), self.width], vec![self.outputs()]];
        for (index, (parameter, shape)) in [&self.weight, &self.bias]
            .into_iter()
            .zip(shapes)
            .enumerate()
        {
            let tensor =
                |values: &[f32]| Tensor::from_slice(values, shape.as_slice(), &Device::Cpu);
            state.put_tensor(&format!("adam.{index}.mean"), &tensor(&parameter.mean)?);
            state.put_tensor(&format!("adam.{index}.square"), &tensor(&parameter.square)?);
        }
        Ok(())
    }

    /// Takes over `heads` and what [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// If something is missing or of another shape.
    pub fn restore(&mut self, heads: &[LinearHead], state: &TrainingState) -> Result<()> {
        if heads.len() != self.heads {
            return Err(unfit(
                "heads",
                &self.heads.to_string(),
                &heads.len().to_string(),
            ));
        }
        let mut again = Self::new(&heads[0], self.heads)?;
        for (head, (weight, bias)) in heads.iter().zip(
            again
                .weight
                .values
                .chunks_exact_mut(self.classes * self.width)
                .zip(again.bias.values.chunks_exact_mut(self.classes)),
        ) {
            weight.copy_from_slice(&head.weight.flatten_all()?.to_vec1::<f32>()?);
            bias.copy_from_slice(&head.bias.to_vec1::<f32>()?);
        }
        let steps = crate::select::position(state, "adam.step")?;
        let shapes = [vec![self.outputs(), self.width], vec![self.outputs()]];
        for (index, (parameter, shape)) in [&mut again.weight, &mut again.bias]
            .into_iter()
            .zip(shapes)
            .enumerate()
        {
            let like = Tensor::zeros(shape, candle_core::DType::F32, &Device::Cpu)?;
            let read = |part: &str| -> Result<Vec<f32>> {
                let tensor = state.tensor_like(&format!("adam.{index}.{part}"), &like)?;
                Ok(tensor.flatten_all()?.to_vec1()?)
            };
            (parameter.mean, parameter.square) = (read("mean")?, read("square")?);
        }
        again.steps = steps;
        *self = again;
        Ok(())
    }

    fn outputs(&self) -> usize {
        self.heads * self.classes
    }

    /// The outputs of one head.
    fn rows_of(&self, head: usize) -> Result<std::ops::Range<usize>> {
        if head < self.heads {
            return Ok(head * self.classes..(head + 1) * self.classes);
        }
        Err(unfit(
            "head",
            &format!("below {}", self.heads),
            &head.to_string(),
        ))
    }

    fn check(&self, data: &LabelledFeatures, indices: &[usize], rates: &[HeadRates]) -> Result<()> {
        let len = data.features.len();
        let differ = |field, expected: usize, found: usize| {
            Err(unfit(field, &expected.to_string(), &found.to_string()))
        };
        if data.features.width() != self.width {
            return differ("features' width", self.width, data.features.width());
        }
        if data.labels.len() != len {
            return differ("labels", len, data.labels.len());
        }
        if rates.len() != self.heads {
            return differ("rates", self.heads, rates.len());
        }
        if indices.is_empty() {
            return Err(unfit("batch", "at least one row", "none"));
        }
        for &index in indices {
            if index >= len {
                return Err(unfit(
                    "batch",
                    &format!("rows below {len}"),
                    &index.to_string(),
                ));
            }
            let label = data.labels[index];
            if label as usize >= self.classes {
                let expected = format!("below {}", self.classes);
                return Err(unfit(
                    "labels",
                    &expected,
                    &format!("{label} of row {index}"),
                ));
            }
        }
        Ok(())
    }

    fn threads(&self, rows: usize) -> usize {
        if rows * self.weight.values.len() < WORTH_A_THREAD {
            1
        } else {
            rayon::current_num_threads()
        }
    }

    /// Gradients of the mean loss by every logit.
    fn forward(&self, batch: Batch<'_>, logits: &mut [f32], scores: &mut [RowScore]) {
        let count = batch.indices.len();
        let part = count.div_ceil(self.threads(count));
        let scale = 1.0 / count as f32;
        let work = |(index, (logits, scores)): (usize, (&mut [f32], &mut [RowScore]))| {
            let batch = batch.part(index * part, scores.len() / self.heads);
            self.forward_part(batch, scale, logits, scores);
        };
        let (logits_part, scores_part) = (part * self.outputs(), part * self.heads);
        if part == count {
            return work((0, (logits, scores)));
        }
        logits
            .par_chunks_mut(logits_part)
            .zip(scores.par_chunks_mut(scores_part))
            .enumerate()
            .for_each(work);
    }

    fn forward_part(
        &self,
        batch: Batch<'_>,
        scale: f32,
        logits: &mut [f32],
        scores: &mut [RowScore],
    ) {
        products::logits(batch.rows, &self.weight.values, logits);
        let rows = logits.chunks_exact_mut(self.outputs());
        let scores = scores.chunks_exact_mut(self.heads);
        for ((row, scores), &index) in rows.zip(scores).zip(batch.indices) {
            let label = batch.labels[index] as usize;
            let heads = row.chunks_exact_mut(self.classes);
            let biases = self.bias.values.chunks_exact(self.classes);
            for ((logits, bias), score) in heads.zip(biases).zip(scores) {
                add(logits, bias);
                *score = loss::row_gradient(logits, label, scale);
            }
        }
    }

    /// Gradients of the parameters, and the optimisers' step.
    fn backward(&mut self, rows: Rows<'_>, logits: &[f32], rates: &[HeadRates]) {
        let (outputs, classes, width) = (self.outputs(), self.classes, self.width);
        let part = outputs.div_ceil(self.threads(rows.picks.len()));
        let adam = Adam::at(self.steps);
        let work = |(index, parameter): (usize, Slices<'_>)| {
            let first = index * part;
            let values = Columns {
                values: logits,
                stride: outputs,
                first,
            };
            let Slices(weights, means, squares, gradients) = parameter;
            products::gradient(rows, values, gradients);
            let places = (weights.chunks_exact_mut(width)).zip(means.chunks_exact_mut(width));
            let rest = (squares.chunks_exact_mut(width)).zip(gradients.chunks_exact(width));
            for (row, ((values, mean), (square, gradient))) in places.zip(rest).enumerate() {
                let step = adam.step(rates[(first + row) / classes]);
                Arch::new().dispatch(Update {
                    step,
                    values,
                    mean,
                    square,
                    gradient,
                });
            }
        };
        let Parameter {
            values,
            mean,
            square,
            gradient,
        } = &mut self.weight;
        if part == outputs {
            work((0, Slices(values, mean, square, gradient)));
        } else {
            let chunk = part * width;
            let places = values.par_chunks_mut(chunk).zip(mean.par_chunks_mut(chunk));
            let rest = (square.par_chunks_mut(chunk)).zip(gradient.par_chunks_mut(chunk));
            places
                .zip(rest)
                .map(|((values, mean), (square, gradient))| Slices(values, mean, square, gradient))
                .enumerate()
                .for_each(work);
        }
        self.step_bias(logits, adam, rates);
    }

    fn step_bias(&mut self, logits: &[f32], adam: Adam, rates: &[HeadRates]) {
        let (outputs, classes) = (self.outputs(), self.classes);
        let Parameter {
            values,
            mean,
            square,
            gradient,
        } = &mut self.bias;
        gradient.fill(0.0);
        logits
            .chunks_exact(outputs)
            .for_each(|row| add(gradient, row));
        for (head, rates) in rates.iter().enumerate() {
            let at = head * classes..(head + 1) * classes;
            Arch::new().dispatch(Update {
                step: adam.step(*rates),
                values: &mut values[at.clone()],
                mean: &mut mean[at.clone()],
                square: &mut square[at.clone()],
                gradient: &gradient[at],
            });
        }
    }
}

/// Values, means, squares and gradients of some outputs.
struct Slices<'a>(&'a mut [f32], &'a mut [f32], &'a mut [f32], &'a mut [f32]);

/// What is too small to move a parameter, as 0: a head that has learnt its images would else work with subnormal numbers,
/// which processors are slow at.
#[inline(always)]
fn normal(value: f32) -> f32 {
    if value.abs() < 1e-30 { 0.0 } else { value }
}

fn add(to: &mut [f32], values: &[f32]) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += value;
    }
}

fn unfit(field: &'static str, expected: &str, found: &str) -> Error {
    Error::Option {
        field,
        expected: expected.into(),
        found: found.into(),
    }
}
