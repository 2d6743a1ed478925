//! Sixteen images through a plan, forward and backward.

use rut_kernels::{
    End, Lanes, Map, MapMut, Start, Taken, Workspace, add_into, deinterleave, finish, interleave,
};

use super::arena::Arena;
use crate::error::{Error, Result};
use crate::frozen::plan::{Geometry, Kind, Plan, Step, ValueId};

/// The decisions of a forward pass over one block.
#[derive(Debug)]
pub(super) struct Decisions {
    /// For each value that a ReLU gave a bit for each element and lane.
    pub(super) relu: Vec<Option<Vec<u16>>>,
    /// For each step that is a max-pool the places that it took.
    pub(super) taken: Vec<Option<Vec<Taken>>>,
}

/// What one block runs with.
pub(super) struct Block<'a> {
    pub(super) plan: &'a Plan,
    pub(super) geometry: &'a Geometry,
    pub(super) workspace: &'a Workspace,
    pub(super) arena: &'a mut Arena,
}

/// Features and logits of a block's images, row by row.
pub(super) struct Rows {
    pub(super) features: Vec<f32>,
    pub(super) logits: Vec<f32>,
}

impl Block<'_> {
    /// `images` `[n, 3, h, w]` of up to sixteen images to features and logits; decisions only where they are kept.
    pub(super) fn forward(
        &mut self,
        images: &[f32],
        n: usize,
        keep: bool,
    ) -> Result<(Rows, Option<Decisions>)> {
        let mut decisions = keep.then(|| Decisions::empty(self.plan));
        let mut values: Vec<Option<Vec<Lanes>>> = vec![None; self.plan.values.len()];
        let mut input = self.arena.take(self.len(0));
        interleave(images, [n, 3, self.geometry.held[0].len()], &mut input)?;
        values[0] = Some(input);
        for (index, step) in self.plan.steps.iter().enumerate() {
            let mut target = match step.add {
                Some(add) => self.addend(&mut values, add, index)?,
                None => self.arena.take(self.len(step.into)),
            };
            let source = values[step.from].as_deref().ok_or_else(lost)?;
            self.step(index, step, source, &mut target, decisions.as_mut())?;
            values[step.into] = Some(target);
            for read in [Some(step.from), step.add].into_iter().flatten() {
                if self.plan.values[read].last_step == index
                    && let Some(buffer) = values[read].take()
                {
                    self.arena.give(buffer);
                }
            }
        }
        let rows = Rows {
            features: self.row(&values, self.plan.features, n)?,
            logits: self.row(&values, self.plan.logits, n)?,
        };
        values
            .into_iter()
            .flatten()
            .for_each(|buffer| self.arena.give(buffer));
        Ok((rows, decisions))
    }

    /// The buffer of a value that is added to: its own, or a copy where it is still read.
    fn addend(
        &mut self,
        values: &mut [Option<Vec<Lanes>>],
        add: ValueId,
        index: usize,
    ) -> Result<Vec<Lanes>> {
        if self.plan.values[add].last_step == index {
            return values[add].take().ok_or_else(lost);
        }
        let mut copy = self.arena.take(self.len(add));
        copy.copy_from_slice(values[add].as_deref().ok_or_else(lost)?);
        Ok(copy)
    }

    fn step(
        &self,
        index: usize,
        step: &Step,
        source: &[Lanes],
        target: &mut [Lanes],
        decisions: Option<&mut Decisions>,
    ) -> Result<()> {
        let area = self.geometry.areas[step.into];
        let source = self.map(step.from, source);
        let start = step.add.map_or(Start::Fresh, |_| Start::Add);
        let count = target.len();
        let (bits, taken) = match decisions {
            Some(decisions) => (
                Some(&mut decisions.relu[step.into]),
                Some(&mut decisions.taken[index]),
            ),
            None => (None, None),
        };
        let end = match (self.plan.values[step.into].relu, bits) {
            (false, _) => End::Store,
            (true, None) => End::Relu,
            (true, Some(bits)) => End::ReluRecord(bits.insert(vec![0; count])),
        };
        match &step.kind {
            Kind::Conv(layer) => {
                let target = self.map_mut(step.into, target);
                layer
                    .forward
                    .run(self.workspace, source, target, area, start, end)?;
            }
            Kind::Linear(layer) => {
                layer
                    .forward
                    .run(self.workspace, source.values, target, start, end)?;
            }
            Kind::MaxPool(pool) => {
                let taken = taken.map(|taken| {
                    let places = taken.insert(vec![Taken::default(); count]);
                    places.as_mut_slice()
                });
                pool.run(source, self.map_mut(step.into, target), area, taken)?;
            }
            Kind::Average(pool) => pool.run(source, self.map_mut(step.into, target))?,
            Kind::OptionA(option) => option.run(source, self.map_mut(step.into, target), area)?,
        }
        Ok(())
    }

    /// The gradient of the logits, `[n, classes]`, to that of the images, `[n, 3, h, w]`.
    pub(super) fn backward(
        &mut self,
        decisions: &Decisions,
        grad_logits: &[f32],
        n: usize,
        images: &mut [f32],
    ) -> Result<()> {
        let plan = self.plan;
        let mut grads = Gradients::new(plan);
        let mut grad = self.arena.take(self.len(plan.logits));
        interleave(grad_logits, [n, grad.len(), 1], &mut grad)?;
        grads.values[plan.logits] = Some(grad);
        for (index, step) in plan.steps.iter().enumerate().rev() {
            let Some(grad) = grads.values[step.into].take() else {
                continue;
            };
            self.step_backward(index, step, &grad, decisions, &mut grads)?;
            match step.add {
                Some(add) => self.pass_on(add, grad, decisions, &mut grads)?,
                None => self.arena.give(grad),
            }
        }
        let grad = grads.values[0].take().ok_or_else(lost)?;
        deinterleave(&grad, [n, 3, self.geometry.held[0].len()], images)?;
        self.arena.give(grad);
        Ok(())
    }

    fn step_backward(
        &mut self,
        index: usize,
        step: &Step,
        grad: &[Lanes],
        decisions: &Decisions,
        grads: &mut Gradients,
    ) -> Result<()> {
        let (mut target, start) = match grads.values[step.from].take() {
            Some(there) => (there, Start::Add),
            None => (self.arena.take(self.len(step.from)), Start::Fresh),
        };
        let area = self.geometry.areas[step.from];
        let end = grads.end(step.from, decisions);
        let source = self.map(step.into, grad);
        match &step.kind {
            Kind::Conv(layer) => {
                let target = self.map_mut(step.from, &mut target);
                layer
                    .backward
                    .run(self.workspace, source, target, area, start, end)?;
            }
            Kind::Linear(layer) => {
                layer
                    .backward
                    .run(self.workspace, source.values, &mut target, start, end)?;
            }
            Kind::MaxPool(pool) => {
                let taken = decisions.taken[index].as_deref().ok_or_else(lost)?;
                let target = self.map_mut(step.from, &mut target);
                pool.backward(source, taken, target, area, start, end)?;
            }
            Kind::Average(pool) => {
                pool.backward(source, self.map_mut(step.from, &mut target), start, end)?;
            }
            Kind::OptionA(option) => {
                let target = self.map_mut(step.from, &mut target);
                option.backward(source, target, area, start, end)?;
            }
        }
        grads.values[step.from] = Some(target);
        Ok(())
    }

    /// A sum gives its gradient to what was added as well.
    fn pass_on(
        &mut self,
        add: ValueId,
        mut grad: Vec<Lanes>,
        decisions: &Decisions,
        grads: &mut Gradients,
    ) -> Result<()> {
        let area = self.geometry.areas[add];
        let there = grads.values[add].take();
        let end = grads.end(add, decisions);
        match there {
            Some(mut there) => {
                let target = self.map_mut(add, &mut there);
                add_into(self.map(add, &grad), target, area, end)?;
                self.arena.give(grad);
                grads.values[add] = Some(there);
            }
            None => {
                if !matches!(end, End::Store) {
                    finish(self.map_mut(add, &mut grad), area, end)?;
                }
                grads.values[add] = Some(grad);
            }
        }
        Ok(())
    }

    fn row(&self, values: &[Option<Vec<Lanes>>], id: ValueId, n: usize) -> Result<Vec<f32>> {
        let value = values[id].as_deref().ok_or_else(lost)?;
        let channels = self.plan.values[id].channels;
        let mut rows = vec![0.0; n * value.len()];
        deinterleave(value, [n, channels, value.len() / channels], &mut rows)?;
        Ok(rows)
    }

    fn len(&self, id: ValueId) -> usize {
        self.geometry.held[id].len() * self.plan.values[id].channels
    }

    fn map<'a>(&self, id: ValueId, values: &'a [Lanes]) -> Map<'a> {
        Map {
            values,
            size: self.geometry.sizes[id],
            area: self.geometry.held[id],
            channels: self.plan.values[id].channels,
        }
    }

    fn map_mut<'a>(&self, id: ValueId, values: &'a mut [Lanes]) -> MapMut<'a> {
        MapMut {
            values,
            size: self.geometry.sizes[id],
            area: self.geometry.held[id],
            channels: self.plan.values[id].channels,
        }
    }
}

/// Gradients on the way back.
struct Gradients {
    values: Vec<Option<Vec<Lanes>>>,
    /// For each value how many gradients are still to be added.
    missing: Vec<usize>,
    relu: Vec<bool>,
}

impl Gradients {
    fn new(plan: &Plan) -> Self {
        Self {
            values: vec![None; plan.values.len()],
            missing: plan.values.iter().map(|value| value.readers).collect(),
            relu: plan.values.iter().map(|value| value.relu).collect(),
        }
    }

    /// How the next gradient that is added to a value ends: the last one goes back through the value's ReLU.
    fn end<'a>(&mut self, id: ValueId, decisions: &'a Decisions) -> End<'a> {
        self.missing[id] = self.missing[id].saturating_sub(1);
        match &decisions.relu[id] {
            Some(bits) if self.missing[id] == 0 && self.relu[id] => End::Mask(bits),
            _ => End::Store,
        }
    }
}

impl Decisions {
    fn empty(plan: &Plan) -> Self {
        Self {
            relu: vec![None; plan.values.len()],
            taken: vec![None; plan.steps.len()],
        }
    }
}

/// Only a plan that reads what no step wrote gets here.
fn lost() -> Error {
    Error::Argument {
        what: "a value of the plan",
        found: "absent".into(),
        expected: "written by an earlier step".into(),
    }
}
