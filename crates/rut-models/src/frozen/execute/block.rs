//! Sixteen images through a plan, forward and backward.

use rut_kernels::{
    End, Ends, Lanes, Map, MapMut, PoolGradient, Start, Taken, Workspace, add_into, deinterleave,
    finish, interleave,
};

use super::arena::{Arena, Buffer};
use super::canvas::{self, Canvas};
use crate::error::{Error, Result};
use crate::frozen::batch::{RowGrads, Rows, Sums};
use crate::frozen::plan::{Geometry, Kind, Plan, Step, ValueId};

/// The decisions of a forward pass over one block.
#[derive(Debug)]
pub(super) struct Decisions {
    /// For each value that a ReLU gave a bit for each element and lane.
    pub(super) relu: Vec<Option<Buffer<u16>>>,
    /// For each step that is a max-pool the places that it took.
    pub(super) taken: Vec<Option<Vec<Taken>>>,
}

/// What one block runs with.
pub(super) struct Block<'a> {
    pub(super) plan: &'a Plan,
    pub(super) geometry: &'a Geometry,
    pub(super) workspace: &'a Workspace,
    pub(super) arena: &'a mut Arena,
    /// What is the same for all images, where some of it is.
    pub(super) canvas: Option<&'a Canvas>,
}

impl Block<'_> {
    /// Up to sixteen images, the pixels `[n, 3, area]` of each that are its own, to features and logits; decisions only
    /// where they are kept.
    pub(super) fn forward(
        &mut self,
        images: &[f32],
        n: usize,
        keep: bool,
    ) -> Result<(Rows, Option<Decisions>)> {
        let mut decisions = keep.then(|| Decisions::empty(self.plan));
        let mut values: Vec<Option<Buffer<Lanes>>> = vec![None; self.plan.values.len()];
        values[0] = Some(self.input(images, n)?);
        for (index, step) in self.plan.steps.iter().enumerate() {
            let mut target = match step.add {
                Some(add) => self.addend(&mut values, add, index)?,
                None => self.arena.take(self.len(step.into)),
            };
            let source = values[step.from].as_deref().ok_or_else(lost)?;
            self.step(index, step, source, &mut target, decisions.as_mut())?;
            self.surround(step.into, &mut target);
            values[step.into] = Some(target);
            for read in step.reads() {
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

    fn input(&mut self, images: &[f32], n: usize) -> Result<Buffer<Lanes>> {
        let (held, area) = (self.geometry.held[0], self.geometry.areas[0]);
        let mut input = self.arena.take(self.len(0));
        if held == area {
            interleave(images, [n, 3, area.len()], &mut input)?;
            return Ok(input);
        }
        let mut window = self.arena.take(3 * area.len());
        interleave(images, [n, 3, area.len()], &mut window)?;
        for (row, pixels) in window.chunks_exact(3 * area.width).enumerate() {
            let at = 3 * held.index(area.top + row, area.left);
            input[at..at + pixels.len()].copy_from_slice(pixels);
        }
        self.arena.give(window);
        self.surround(0, &mut input);
        Ok(input)
    }

    fn surround(&self, id: ValueId, values: &mut [Lanes]) {
        if let Some(canvas) = self.canvas {
            canvas.surround(self.geometry, id, values);
        }
    }

    /// The buffer of a value that is added to: its own, or a copy where it is still read.
    fn addend(
        &mut self,
        values: &mut [Option<Buffer<Lanes>>],
        add: ValueId,
        index: usize,
    ) -> Result<Buffer<Lanes>> {
        if self.plan.values[add].last_step == index {
            return values[add].take().ok_or_else(lost);
        }
        let mut copy = self.arena.take(self.len(add));
        copy.copy_from_slice(values[add].as_deref().ok_or_else(lost)?);
        Ok(copy)
    }

    fn step(
        &mut self,
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
        let (mut bits, taken) = match decisions {
            Some(decisions) => (
                Some(&mut decisions.relu[step.into]),
                Some(&mut decisions.taken[index]),
            ),
            None => (None, None),
        };
        let end = match (self.plan.values[step.into].relu, bits.as_deref_mut()) {
            (false, _) => End::Store,
            (true, None) => End::Relu,
            (true, Some(bits)) => {
                let bits = bits.insert(self.arena.take_bits(count));
                End::ReluRecord(bits)
            }
        };
        match &step.kind {
            Kind::Conv { layer, .. } => {
                let target = self.map_mut(step.into, target);
                layer
                    .forward
                    .run(self.workspace, source, target, area, Ends { start, end })?;
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
                pool.run(
                    self.plan.arithmetic.isa,
                    source,
                    self.map_mut(step.into, target),
                    area,
                    taken,
                )?;
            }
            Kind::Average(pool) => pool.run(source, self.map_mut(step.into, target))?,
            Kind::OptionA(option) => option.run(source, self.map_mut(step.into, target), area)?,
        }
        if let Some(quantize) = self.plan.values[step.into].quantize {
            let bits = bits.and_then(|bits| bits.as_deref_mut());
            quantize.run(target, bits)?;
        }
        Ok(())
    }

    /// The gradients of the outputs to that of the images' own pixels, `[n, 3, area]`, where it is wanted; what is needed for
    /// the gradient of the canvas is added to `sums`.
    pub(super) fn backward(
        &mut self,
        decisions: &Decisions,
        rows: &RowGrads<'_>,
        images: Option<&mut [f32]>,
        mut sums: Option<&mut Sums>,
    ) -> Result<()> {
        let plan = self.plan;
        let mut grads = Gradients::new(plan);
        if let Some(logits) = rows.logits {
            grads.values[plan.logits] = Some(self.grad_of(plan.logits, logits, rows.count)?);
        }
        if let Some(features) = rows.features {
            let mut grad = self.grad_of(plan.features, features, rows.count)?;
            if rows.logits.is_none() {
                // The last layer, which would have been the last to add to it, has no gradient.
                let end = grads.end(plan.features, decisions);
                let area = self.geometry.areas[plan.features];
                if !matches!(end, End::Store) {
                    finish(self.map_mut(plan.features, &mut grad), area, end)?;
                }
            }
            grads.values[plan.features] = Some(grad);
        }
        for (index, step) in plan.steps.iter().enumerate().rev() {
            let Some(grad) = grads.values[step.into].take() else {
                continue;
            };
            if let Some(sums) = &mut sums {
                canvas::add_rim(sums, self.geometry, step.into, &grad);
                self.sum_around(index, step, &grad, decisions, sums)?;
            }
            if step.from > 0 || images.is_some() {
                self.step_backward(index, step, &grad, decisions, &mut grads)?;
            }
            match step.add {
                Some(add) => self.pass_on(add, grad, decisions, &mut grads)?,
                None => self.arena.give(grad),
            }
        }
        if let Some(images) = images {
            let grad = grads.values[0].take().ok_or_else(lost)?;
            self.output(&grad, rows.count, images)?;
            self.arena.give(grad);
        }
        Ok(())
    }

    /// Rows `[n, ...]` as the gradient of a value.
    fn grad_of(&mut self, id: ValueId, rows: &[f32], n: usize) -> Result<Buffer<Lanes>> {
        let mut grad = self.arena.take(self.len(id));
        let channels = self.plan.values[id].channels;
        let pixels = grad.len() / channels;
        interleave(rows, [n, channels, pixels], &mut grad)?;
        Ok(grad)
    }

    fn output(&mut self, grad: &[Lanes], n: usize, images: &mut [f32]) -> Result<()> {
        let (held, area) = (self.geometry.held[0], self.geometry.areas[0]);
        if held == area {
            return Ok(deinterleave(grad, [n, 3, area.len()], images)?);
        }
        let mut window = self.arena.take(3 * area.len());
        for (row, pixels) in window.chunks_exact_mut(3 * area.width).enumerate() {
            let from = 3 * held.index(area.top + row, area.left);
            pixels.copy_from_slice(&grad[from..from + pixels.len()]);
        }
        deinterleave(&window, [n, 3, area.len()], images)?;
        self.arena.give(window);
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
            None => {
                let mut target = self.arena.take(self.len(step.from));
                self.clear_around(step.from, &mut target);
                (target, Start::Fresh)
            }
        };
        let area = self.geometry.areas[step.from];
        let end = grads.end(step.from, decisions);
        let source = self.map(step.into, grad);
        match &step.kind {
            Kind::Conv { layer, .. } => {
                let target = self.map_mut(step.from, &mut target);
                layer
                    .backward
                    .run(self.workspace, source, target, area, Ends { start, end })?;
            }
            Kind::Linear(layer) => {
                layer
                    .backward
                    .run(self.workspace, source.values, &mut target, start, end)?;
            }
            Kind::MaxPool(pool) => {
                let result = self.pool_gradient(index, step, grad, decisions)?;
                let target = self.map_mut(step.from, &mut target);
                pool.backward(result, target, area, start, end)?;
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

    /// Zeros around a value's area: no gradient that is an image's own is there, and Winograd's tiles read it.
    fn clear_around(&self, id: ValueId, grad: &mut [Lanes]) {
        let held = self.geometry.held[id];
        let channels = self.plan.values[id].channels;
        for strip in self.geometry.around(id) {
            for row in strip.top..strip.bottom() {
                let from = held.index(row, strip.left) * channels;
                grad[from..from + strip.width * channels].fill(Lanes::ZERO);
            }
        }
    }

    fn pool_gradient<'a>(
        &self,
        index: usize,
        step: &Step,
        grad: &'a [Lanes],
        decisions: &'a Decisions,
    ) -> Result<PoolGradient<'a>> {
        Ok(PoolGradient {
            grad: self.map(step.into, grad),
            taken: decisions.taken[index].as_deref().ok_or_else(lost)?,
            area: self.geometry.areas[step.into],
            isa: self.plan.arithmetic.isa,
        })
    }

    /// A max-pool over the edge of an area takes a shared pixel for some images and not for others: what these pixels
    /// get from it is summed image by image. Everything else is linear there.
    fn sum_around(
        &mut self,
        index: usize,
        step: &Step,
        grad: &[Lanes],
        decisions: &Decisions,
        sums: &mut Sums,
    ) -> Result<()> {
        let Kind::MaxPool(pool) = &step.kind else {
            return Ok(());
        };
        let strips = self.geometry.around(step.from);
        if strips.iter().all(|strip| strip.is_empty()) {
            return Ok(());
        }
        let mut around = self.arena.take(self.len(step.from));
        for strip in strips.into_iter().filter(|strip| !strip.is_empty()) {
            let result = self.pool_gradient(index, step, grad, decisions)?;
            let target = self.map_mut(step.from, &mut around);
            pool.backward(result, target, strip, Start::Fresh, End::Store)?;
        }
        canvas::add_around(sums, self.geometry, index, step.from, &around);
        self.arena.give(around);
        Ok(())
    }

    /// A sum gives its gradient to what was added as well.
    fn pass_on(
        &mut self,
        add: ValueId,
        mut grad: Buffer<Lanes>,
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
                self.clear_around(add, &mut grad);
                if !matches!(end, End::Store) {
                    finish(self.map_mut(add, &mut grad), area, end)?;
                }
                grads.values[add] = Some(grad);
            }
        }
        Ok(())
    }

    fn row(&self, values: &[Option<Buffer<Lanes>>], id: ValueId, n: usize) -> Result<Vec<f32>> {
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
    values: Vec<Option<Buffer<Lanes>>>,
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
    /// Gives the memory back.
    pub(super) fn give(self, arena: &mut Arena) {
        let bits = self.relu.into_iter().flatten();
        bits.for_each(|bits| arena.give_bits(bits));
    }

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
