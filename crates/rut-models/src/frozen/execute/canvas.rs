//! What is the same for all images of a batch, because the window does not reach it: computed once, forward; and on the
//! way back its gradient, summed over the batch. The network is piecewise linear and these pixels are on the same piece
//! for every image, so the sum of the gradients is the gradient of the sum.

use std::sync::Mutex;

use rut_kernels::{Area, Lanes, Plane, PlaneMut, Start, Workspace};

use super::arena::{Arena, Buffer};
use crate::error::Result;
use crate::frozen::batch::{Sums, lock};
use crate::frozen::plan::{Geometry, Kind, Plan, Step, ValueId};

/// The values of the pixels outside every area; inside they are of any content.
pub(super) struct Canvas {
    /// `[height][width][channels]` of each value of which some pixels are shared.
    values: Vec<Option<Buffer<f32>>>,
    /// For each value that was quantized the ReLU's value, from which the gradient that passes is known.
    relus: Vec<Option<Buffer<f32>>>,
    /// For each step that is a max-pool the places that it took.
    taken: Vec<Option<Vec<u8>>>,
}

/// What the canvas is computed with.
pub(super) struct Painter<'a> {
    pub(super) plan: &'a Plan,
    pub(super) geometry: &'a Geometry,
    pub(super) workspace: &'a Workspace,
    pub(super) arena: &'a Mutex<Arena>,
}

impl Painter<'_> {
    /// From the canvas `[3, h, w]` in the planar order of images.
    pub(super) fn forward(&self, planar: &[f32]) -> Result<Canvas> {
        let mut canvas = Canvas {
            values: vec![None; self.plan.values.len()],
            relus: vec![None; self.plan.values.len()],
            taken: vec![None; self.plan.steps.len()],
        };
        if self.geometry.is_partial(0) {
            let mut values = lock(self.arena).take_floats(planar.len());
            let pixels = planar.len() / 3;
            for (pixel, values) in values.chunks_exact_mut(3).enumerate() {
                for (channel, value) in values.iter_mut().enumerate() {
                    *value = planar[channel * pixels + pixel];
                }
            }
            canvas.values[0] = Some(values);
        }
        for (index, step) in self.plan.steps.iter().enumerate() {
            if self.geometry.is_partial(step.into) {
                self.step(index, step, &mut canvas)?;
            }
        }
        Ok(canvas)
    }

    fn step(&self, index: usize, step: &Step, canvas: &mut Canvas) -> Result<()> {
        let areas = &self.geometry.shared[step.into];
        let mut values = self.take(step.into);
        let start = match step.add.and_then(|add| canvas.values[add].as_deref()) {
            Some(other) => {
                self.copy(step.into, &mut values, areas, other)?;
                Start::Add
            }
            None => Start::Fresh,
        };
        let source = canvas.values[step.from].as_deref().unwrap_or_default();
        let source = self.plane(step.from, source);
        let target = self.plane_mut(step.into, &mut values);
        match &step.kind {
            Kind::Conv { layer, .. } => {
                let conv = &layer.forward;
                conv.run_plane(self.workspace, source, target, areas, start)?;
            }
            Kind::MaxPool(pool) => {
                canvas.taken[index] = Some(pool.run_plane(source, target, areas)?);
            }
            Kind::OptionA(option) => option.run_plane(source, target, areas)?,
            // What they write is whole, because they read every pixel.
            Kind::Average(_) | Kind::Linear(_) => {}
        }
        if self.plan.values[step.into].relu {
            let mut target = self.plane_mut(step.into, &mut values);
            target.for_each_run(areas, |_, run| {
                for value in run {
                    *value = if *value < 0.0 { 0.0 } else { *value };
                }
            })?;
        }
        self.quantize(step.into, &mut values, canvas)?;
        canvas.values[step.into] = Some(values);
        Ok(())
    }

    /// Rounds a ReLU's value to few bits where the plan says so.
    fn quantize(&self, id: ValueId, values: &mut [f32], canvas: &mut Canvas) -> Result<()> {
        let Some(quantize) = self.plan.values[id].quantize else {
            return Ok(());
        };
        let areas = &self.geometry.shared[id];
        let mut relu = self.take(id);
        self.copy(id, &mut relu, areas, values)?;
        self.plane_mut(id, values).for_each_run(areas, |_, run| {
            run.iter_mut()
                .for_each(|value| *value = quantize.value(*value));
        })?;
        canvas.relus[id] = Some(relu);
        Ok(())
    }

    /// The gradient of the canvas, `[3, h, w]` in the planar order, from the sums over all blocks; zero in the window.
    pub(super) fn backward(&self, canvas: &Canvas, sums: &Sums) -> Result<Vec<f32>> {
        let plan = self.plan;
        let mut grads: Vec<Option<Buffer<f32>>> = vec![None; plan.values.len()];
        let mut missing: Vec<usize> = plan.values.iter().map(|value| value.readers).collect();
        for (index, step) in plan.steps.iter().enumerate().rev() {
            let (from, add) = (step.from, step.add);
            let is_partial = |id: ValueId| self.geometry.is_partial(id);
            if !is_partial(from) && !add.is_some_and(is_partial) {
                continue;
            }
            let mut grad = match grads[step.into].take() {
                Some(grad) => grad,
                None => self.take(step.into),
            };
            let rims = &self.geometry.rims[step.into];
            let from_blocks = &sums.rims[step.into];
            self.spread(step.into, &mut grad, rims, from_blocks, |value, sum| {
                *value = sum
            });
            if self.geometry.is_partial(from) {
                self.step_back(index, &grad, canvas, &mut grads, sums)?;
            }
            missing[from] = missing[from].saturating_sub(1);
            self.mask(from, missing[from], canvas, &mut grads)?;
            if let Some(add) = add {
                if self.geometry.is_partial(add) {
                    self.pass_on(add, &grad, &mut grads)?;
                }
                missing[add] = missing[add].saturating_sub(1);
                self.mask(add, missing[add], canvas, &mut grads)?;
            }
            lock(self.arena).give_floats(grad);
        }
        let [height, width] = self.geometry.sizes[0];
        let mut planar = vec![0.0; 3 * height * width];
        if let Some(grad) = grads[0].take() {
            for area in self.geometry.shared[0] {
                for y in area.top..area.bottom() {
                    for x in area.left..area.right() {
                        for channel in 0..3 {
                            let at = (y * width + x) * 3 + channel;
                            planar[(channel * height + y) * width + x] = grad[at];
                        }
                    }
                }
            }
            lock(self.arena).give_floats(grad);
        }
        Ok(planar)
    }

    fn step_back(
        &self,
        index: usize,
        grad: &[f32],
        canvas: &Canvas,
        grads: &mut [Option<Buffer<f32>>],
        sums: &Sums,
    ) -> Result<()> {
        let step = &self.plan.steps[index];
        let id = step.from;
        let areas = &self.geometry.shared[id];
        let (mut values, start) = match grads[id].take() {
            Some(values) => (values, Start::Add),
            None => (self.take(id), Start::Fresh),
        };
        let source = self.plane(step.into, grad);
        if start == Start::Fresh && !matches!(step.kind, Kind::Conv { .. }) {
            values.fill(0.0);
        }
        let target = self.plane_mut(id, &mut values);
        match &step.kind {
            Kind::Conv { layer, .. } => {
                let conv = &layer.backward;
                conv.run_plane(self.workspace, source, target, areas, start)?;
            }
            Kind::MaxPool(pool) => {
                // Results inside the area have no place here: they were summed image by image.
                if let Some(taken) = canvas.taken[index].as_deref() {
                    pool.add_plane_backward(source, taken, target, areas)?;
                }
                let (around, from_blocks) = (self.geometry.around(id), &sums.around[index]);
                self.spread(id, &mut values, &around, from_blocks, |value, sum| {
                    *value += sum
                });
            }
            Kind::OptionA(option) => option.add_plane_backward(source, target, areas)?,
            Kind::Average(_) | Kind::Linear(_) => {}
        }
        grads[id] = Some(values);
        Ok(())
    }

    fn pass_on(&self, add: ValueId, grad: &[f32], grads: &mut [Option<Buffer<f32>>]) -> Result<()> {
        let areas = &self.geometry.shared[add];
        let values = match grads[add].take() {
            Some(mut values) => {
                let (width, channels) = self.width(add);
                self.plane_mut(add, &mut values)
                    .for_each_run(areas, |[row, column], run| {
                        let from = (row * width + column) * channels;
                        let pairs = run.iter_mut().zip(&grad[from..]);
                        pairs.for_each(|(value, grad)| *value += grad);
                    })?;
                values
            }
            None => {
                let mut values = self.take(add);
                self.copy(add, &mut values, areas, grad)?;
                values
            }
        };
        grads[add] = Some(values);
        Ok(())
    }

    /// Back through the ReLU of a value once its gradient is complete.
    fn mask(
        &self,
        id: ValueId,
        missing: usize,
        canvas: &Canvas,
        grads: &mut [Option<Buffer<f32>>],
    ) -> Result<()> {
        if missing > 0 || !self.plan.values[id].relu {
            return Ok(());
        }
        let value = &self.plan.values[id];
        let kept = match value.quantize {
            Some(_) => &canvas.relus[id],
            None => &canvas.values[id],
        };
        let (Some(values), Some(grad)) = (kept.as_deref(), grads[id].as_mut()) else {
            return Ok(());
        };
        // A shared value is that of its ReLU: zero where the ReLU cut it off.
        let passes = |x: f32| x > 0.0 && value.quantize.is_none_or(|quantize| quantize.passes(x));
        let (width, channels) = self.width(id);
        let areas = &self.geometry.shared[id];
        let mut plane = self.plane_mut(id, grad);
        plane.for_each_run(areas, |[row, column], run| {
            let from = (row * width + column) * channels;
            for (grad, &value) in run.iter_mut().zip(&values[from..]) {
                *grad = if passes(value) { *grad } else { 0.0 };
            }
        })?;
        Ok(())
    }

    /// Copies the pixels `areas` of another plane of the same size.
    fn copy(&self, id: ValueId, values: &mut [f32], areas: &[Area], other: &[f32]) -> Result<()> {
        let (width, channels) = self.width(id);
        let mut plane = self.plane_mut(id, values);
        plane.for_each_run(areas, |[row, column], run| {
            let from = (row * width + column) * channels;
            run.copy_from_slice(&other[from..from + run.len()]);
        })?;
        Ok(())
    }

    /// Brings sums that stand one after another to their pixels of a plane.
    fn spread(
        &self,
        id: ValueId,
        values: &mut [f32],
        areas: &[Area; 4],
        sums: &[f32],
        set: impl Fn(&mut f32, f32),
    ) {
        let (width, channels) = self.width(id);
        let mut sums = sums.iter();
        for area in areas {
            for row in area.top..area.bottom() {
                let at = (row * width + area.left) * channels;
                let values = values[at..at + area.width * channels].iter_mut();
                values
                    .zip(&mut sums)
                    .for_each(|(value, &sum)| set(value, sum));
            }
        }
    }

    fn width(&self, id: ValueId) -> (usize, usize) {
        (self.geometry.sizes[id][1], self.plan.values[id].channels)
    }

    fn take(&self, id: ValueId) -> Buffer<f32> {
        let [height, width] = self.geometry.sizes[id];
        let len = height * width * self.plan.values[id].channels;
        lock(self.arena).take_floats(len)
    }

    fn plane<'a>(&self, id: ValueId, values: &'a [f32]) -> Plane<'a> {
        Plane {
            values,
            size: self.geometry.sizes[id],
            channels: self.plan.values[id].channels,
        }
    }

    fn plane_mut<'a>(&self, id: ValueId, values: &'a mut [f32]) -> PlaneMut<'a> {
        PlaneMut {
            values,
            size: self.geometry.sizes[id],
            channels: self.plan.values[id].channels,
        }
    }
}

impl Canvas {
    /// Writes the shared pixels that a block holds around an area, for each lane alike.
    pub(super) fn surround(&self, geometry: &Geometry, id: ValueId, values: &mut [Lanes]) {
        let held = geometry.held[id];
        let Some(shared) = self.values[id].as_deref() else {
            return;
        };
        let channels = values.len() / held.len().max(1);
        let width = geometry.sizes[id][1];
        for strip in geometry.around(id) {
            for row in strip.top..strip.bottom() {
                let from = (row * width + strip.left) * channels;
                let at = held.index(row, strip.left) * channels;
                let run = values[at..at + strip.width * channels].iter_mut();
                run.zip(&shared[from..])
                    .for_each(|(value, &shared)| *value = Lanes::splat(shared));
            }
        }
    }

    /// Gives the memory back.
    pub(super) fn give(self, arena: &Mutex<Arena>) {
        let mut arena = lock(arena);
        let values = self.values.into_iter().chain(self.relus).flatten();
        values.for_each(|values| arena.give_floats(values));
    }
}

/// Zeros for every gradient that is needed, `[pixels][channels]`.
pub(super) fn zero_sums(plan: &Plan, geometry: &Geometry) -> Sums {
    let count = |areas: &[Area]| areas.iter().map(|area| area.len()).sum::<usize>();
    let ids = 0..plan.values.len();
    let mut sums = Sums {
        rims: ids
            .map(|id| vec![0.0; count(&geometry.rims[id]) * plan.values[id].channels])
            .collect(),
        around: vec![Vec::new(); plan.steps.len()],
    };
    for (step, around) in plan.steps.iter().zip(&mut sums.around) {
        if let Kind::MaxPool(_) = step.kind {
            let channels = plan.values[step.from].channels;
            *around = vec![0.0; count(&geometry.around(step.from)) * channels];
        }
    }
    sums
}

/// Adds a block's gradient of a value, over all lanes, where it goes back to shared pixels.
pub(super) fn add_rim(sums: &mut Sums, geometry: &Geometry, id: ValueId, grad: &[Lanes]) {
    let mut sums = sums.rims[id].iter_mut();
    for strip in geometry.rims[id] {
        add_strip(&mut sums, geometry.held[id], strip, grad);
    }
}

/// Adds what the max-pool of a step gives to the pixels around the area of `id`, which it reads.
pub(super) fn add_around(
    sums: &mut Sums,
    geometry: &Geometry,
    step: usize,
    id: ValueId,
    grad: &[Lanes],
) {
    let mut sums = sums.around[step].iter_mut();
    for strip in geometry.around(id) {
        add_strip(&mut sums, geometry.held[id], strip, grad);
    }
}

/// Adds the pixels of a strip, over all lanes, to the next sums.
fn add_strip(sums: &mut std::slice::IterMut<'_, f32>, held: Area, strip: Area, grad: &[Lanes]) {
    let channels = grad.len() / held.len().max(1);
    for row in strip.top..strip.bottom() {
        let from = held.index(row, strip.left) * channels;
        let run = &grad[from..from + strip.width * channels];
        // The sums come second: the first of two iterators is asked once more than there are pairs.
        for (lanes, sum) in run.iter().zip(&mut *sums) {
            *sum += lanes.0.iter().sum::<f32>();
        }
    }
}
