//! What comes after the last map, in single precision: linear layers on sixteen images at a time.

use rut_kernels::{Area, End, Lanes, MapMut, Start, Workspace, deinterleave, finish, interleave};

use super::arithmetic::Bf16;
use super::layouts::lost;
use crate::error::Result;
use crate::frozen::batch::{RowGrads, Rows};
use crate::frozen::plan::{Kind, LinearLayer, Plan, Step, ValueId};

/// The steps of a plan after the maps.
pub(super) struct Tail<'a> {
    pub(super) plan: &'a Plan<Bf16>,
    /// The first of them.
    pub(super) first: usize,
    pub(super) workspace: &'a Workspace,
}

/// For each value that a ReLU gave a bit for each element and lane, of up to sixteen images.
pub(super) type Bits = Vec<Option<Vec<u16>>>;

impl Tail<'_> {
    /// Means `[n, pixels · channels]` of up to sixteen images to features and logits, and the ReLUs' bits.
    pub(super) fn forward(&self, means: &[f32], n: usize) -> Result<(Rows, Bits)> {
        let mut values: Vec<Option<Vec<Lanes>>> = vec![None; self.plan.values.len()];
        let mut bits: Bits = vec![None; self.plan.values.len()];
        // Means are in the engine's own order, channels innermost.
        values[self.mean()] = Some(lanes(means, n, means.len() / n)?);
        for step in self.steps() {
            let source = values[step.from].as_deref().ok_or_else(lost)?;
            let mut target = vec![Lanes::ZERO; self.plan.values[step.into].channels];
            let end = if self.plan.values[step.into].relu {
                End::ReluRecord(bits[step.into].insert(vec![0; target.len()]))
            } else {
                End::Store
            };
            let layer = self.linear(step)?;
            layer
                .forward
                .run(self.workspace, source, &mut target, Start::Fresh, end)?;
            values[step.into] = Some(target);
        }
        let row = |id: ValueId| {
            let value = values[id].as_deref().ok_or_else(lost)?;
            let channels = self.plan.values[id].channels;
            rows_of(value, [n, channels, value.len() / channels])
        };
        let rows = Rows {
            features: row(self.plan.features)?,
            logits: row(self.plan.logits)?,
        };
        Ok((rows, bits))
    }

    /// The gradients of features and logits to that of the means, `[n, pixels · channels]`.
    pub(super) fn backward(&self, rows: &RowGrads<'_>, bits: &Bits) -> Result<Vec<f32>> {
        let mut grads: Vec<Option<Vec<Lanes>>> = vec![None; self.plan.values.len()];
        let given = [
            (self.plan.features, rows.features),
            (self.plan.logits, rows.logits),
        ];
        for (id, of) in given {
            if let Some(of) = of {
                let channels = self.plan.values[id].channels;
                grads[id] = Some(lanes(of, rows.count, channels)?);
            }
        }
        for step in self.steps().iter().rev() {
            let Some(mut grad) = grads[step.into].take() else {
                continue;
            };
            if let Some(bits) = &bits[step.into] {
                // All that reads it has added its part.
                let area = Area::whole(1, 1);
                let (size, channels) = ([1, 1], grad.len());
                let map = MapMut {
                    values: &mut grad,
                    size,
                    area,
                    channels,
                };
                finish(map, area, End::Mask(bits))?;
            }
            let layer = self.linear(step)?;
            let (mut target, start) = match grads[step.from].take() {
                Some(there) => (there, Start::Add),
                None => (vec![Lanes::ZERO; self.width(step.from)], Start::Fresh),
            };
            layer
                .backward
                .run(self.workspace, &grad, &mut target, start, End::Store)?;
            grads[step.from] = Some(target);
        }
        let grad = grads[self.mean()].take().ok_or_else(lost)?;
        rows_of(&grad, [rows.count, grad.len(), 1])
    }

    fn steps(&self) -> &[Step<Bf16>] {
        &self.plan.steps[self.first..]
    }

    /// The value that the average pool gives.
    fn mean(&self) -> ValueId {
        self.plan.steps[self.first - 1].into
    }

    fn width(&self, id: ValueId) -> usize {
        let pixels = match &self.plan.steps[self.first - 1].kind {
            Kind::Average(pool) if id == self.mean() => pool.side * pool.side,
            _ => 1,
        };
        pixels * self.plan.values[id].channels
    }

    fn linear<'s>(&self, step: &'s Step<Bf16>) -> Result<&'s LinearLayer> {
        match &step.kind {
            Kind::Linear(layer) => Ok(layer),
            _ => Err(lost()),
        }
    }
}

/// Rows `[count, channels, pixels]` with the channels innermost.
fn lanes(rows: &[f32], count: usize, channels: usize) -> Result<Vec<Lanes>> {
    let mut lanes = vec![Lanes::ZERO; rows.len() / count];
    let pixels = lanes.len() / channels;
    interleave(rows, [count, channels, pixels], &mut lanes)?;
    Ok(lanes)
}

/// The opposite: rows `[count, channels, pixels]`.
fn rows_of(value: &[Lanes], size: [usize; 3]) -> Result<Vec<f32>> {
    let mut rows = vec![0.0; size[0] * value.len()];
    deinterleave(value, size, &mut rows)?;
    Ok(rows)
}
