//! What is the same for all images of a batch, because the window does not reach it: computed once, forward; and on the
//! way back its gradient, summed over the batch. The network is piecewise linear and these pixels are on the same piece
//! for every image, so the sum of the gradients is the gradient of the sum.

use rayon::prelude::*;
use rut_kernels::{Area, Lanes, Plane, PlaneMut, Workspace};

use crate::error::Result;
use crate::frozen::plan::{Geometry, Kind, Plan, Step, ValueId};

/// The values of the pixels outside every area; inside they are zero.
#[derive(Debug)]
pub(super) struct Canvas {
    /// `[height][width][channels]` of each value of which some pixels are shared.
    pub(super) values: Vec<Option<Vec<f32>>>,
    /// For each step that is a max-pool the places that it took.
    taken: Vec<Option<Vec<u8>>>,
}

/// Gradients summed over a batch, `[height][width][channels]`.
#[derive(Clone)]
pub(super) struct Sums {
    values: Vec<Option<Vec<f32>>>,
}

/// What the canvas is computed with.
#[derive(Clone, Copy)]
pub(super) struct Painter<'a> {
    pub(super) plan: &'a Plan,
    pub(super) geometry: &'a Geometry,
    pub(super) workspace: &'a Workspace,
}

impl Painter<'_> {
    /// From the canvas `[3, h, w]` in the planar order of images.
    pub(super) fn forward(self, planar: &[f32]) -> Result<Canvas> {
        let mut canvas = Canvas::blank(self.plan);
        if self.geometry.is_partial(0) {
            canvas.values[0] = Some(interleaved(planar));
        }
        for (index, step) in self.plan.steps.iter().enumerate() {
            if self.geometry.is_partial(step.into) {
                self.step(index, step, &mut canvas)?;
            }
        }
        Ok(canvas)
    }

    fn step(self, index: usize, step: &Step, canvas: &mut Canvas) -> Result<()> {
        let pixels = self.geometry.shared(step.into);
        let channels = self.plan.values[step.into].channels;
        let mut values = vec![0.0; self.len(step.into)];
        if let Some(other) = step.add.and_then(|add| canvas.values[add].as_deref()) {
            let width = self.geometry.sizes[step.into][1];
            for [y, x] in &pixels {
                let at = (y * width + x) * channels;
                values[at..at + channels].copy_from_slice(&other[at..at + channels]);
            }
        }
        let source = canvas.values[step.from].as_deref().unwrap_or_default();
        let source = self.plane(step.from, source);
        let target = self.plane_mut(step.into, &mut values);
        match &step.kind {
            Kind::Conv(layer) => {
                layer
                    .forward
                    .add_pixels(self.workspace, source, target, &pixels)?;
            }
            Kind::MaxPool(pool) => {
                let taken = canvas.taken[index].insert(vec![u8::MAX; target.values.len()]);
                pool.run_pixels(source, target, &pixels, taken)?;
            }
            Kind::OptionA(option) => option.run_pixels(source, target, &pixels)?,
            // What they write is whole, because they read every pixel.
            Kind::Average(_) | Kind::Linear(_) => {}
        }
        if self.plan.values[step.into].relu {
            for value in &mut values {
                *value = if *value < 0.0 { 0.0 } else { *value };
            }
        }
        canvas.values[step.into] = Some(values);
        Ok(())
    }

    /// Zeros for every value whose summed gradient is needed.
    pub(super) fn no_sums(self) -> Sums {
        let mut sums = Sums {
            values: vec![None; self.plan.values.len()],
        };
        for step in &self.plan.steps {
            let shared = |id: ValueId| self.geometry.is_partial(id);
            if shared(step.from) || step.add.is_some_and(shared) {
                for id in [step.from, step.into] {
                    sums.values[id].get_or_insert_with(|| vec![0.0; self.len(id)]);
                }
            }
        }
        sums
    }

    /// The gradient of the canvas, `[3, h, w]` in the planar order, from the sums over all blocks; zero in the window.
    pub(super) fn backward(self, canvas: &Canvas, mut sums: Sums) -> Result<Vec<f32>> {
        let values = self.plan.values.iter();
        let mut missing: Vec<usize> = values.map(|value| value.readers).collect();
        for (index, step) in self.plan.steps.iter().enumerate().rev() {
            let Some(grad) = sums.values[step.into].take() else {
                continue;
            };
            if self.geometry.is_partial(step.from) {
                self.step_back(index, step, &grad, canvas, &mut sums)?;
            }
            missing[step.from] = missing[step.from].saturating_sub(1);
            self.mask(step.from, missing[step.from], canvas, &mut sums);
            if let Some(add) = step.add {
                missing[add] = missing[add].saturating_sub(1);
                self.pass_on(add, &grad, &mut sums);
                self.mask(add, missing[add], canvas, &mut sums);
            }
        }
        let [height, width] = self.geometry.sizes[0];
        let mut planar = vec![0.0; 3 * height * width];
        if let Some(grad) = &sums.values[0] {
            for [y, x] in self.geometry.shared(0) {
                for channel in 0..3 {
                    let at = (y * width + x) * 3 + channel;
                    planar[(channel * height + y) * width + x] = grad[at];
                }
            }
        }
        Ok(planar)
    }

    fn step_back(
        self,
        index: usize,
        step: &Step,
        grad: &[f32],
        canvas: &Canvas,
        sums: &mut Sums,
    ) -> Result<()> {
        let pixels = self.geometry.shared(step.from);
        let len = self.len(step.from);
        let values = sums.values[step.from].get_or_insert_with(|| vec![0.0; len]);
        let source = self.plane(step.into, grad);
        let target = self.plane_mut(step.from, values);
        match &step.kind {
            Kind::Conv(layer) => {
                layer
                    .backward
                    .add_pixels(self.workspace, source, target, &pixels)?;
            }
            Kind::MaxPool(pool) => {
                // Results inside the area have no place here: they were summed image by image.
                if let Some(taken) = canvas.taken[index].as_deref() {
                    pool.add_pixels_backward(source, taken, target, &pixels)?;
                }
            }
            Kind::OptionA(option) => option.add_pixels_backward(source, target, &pixels)?,
            Kind::Average(_) | Kind::Linear(_) => {}
        }
        Ok(())
    }

    fn pass_on(self, add: ValueId, grad: &[f32], sums: &mut Sums) {
        let channels = self.plan.values[add].channels;
        let width = self.geometry.sizes[add][1];
        let len = self.len(add);
        let pixels = self.geometry.shared(add);
        if pixels.is_empty() {
            return;
        }
        let values = sums.values[add].get_or_insert_with(|| vec![0.0; len]);
        for [y, x] in pixels {
            let at = (y * width + x) * channels;
            let pairs = values[at..at + channels].iter_mut().zip(&grad[at..]);
            pairs.for_each(|(value, grad)| *value += grad);
        }
    }

    /// Back through the ReLU of a value once its gradient is complete.
    fn mask(self, id: ValueId, missing: usize, canvas: &Canvas, sums: &mut Sums) {
        if missing > 0 || !self.plan.values[id].relu {
            return;
        }
        let (Some(values), Some(grads)) = (&canvas.values[id], &mut sums.values[id]) else {
            return;
        };
        let (channels, width) = (self.plan.values[id].channels, self.geometry.sizes[id][1]);
        for [y, x] in self.geometry.shared(id) {
            let at = (y * width + x) * channels;
            let pairs = grads[at..at + channels].iter_mut().zip(&values[at..]);
            for (grad, &value) in pairs {
                // A shared value is that of its ReLU: zero where the ReLU cut it off.
                *grad = if value > 0.0 { *grad } else { 0.0 };
            }
        }
    }

    fn len(self, id: ValueId) -> usize {
        let [height, width] = self.geometry.sizes[id];
        height * width * self.plan.values[id].channels
    }

    fn plane(self, id: ValueId, values: &[f32]) -> Plane<'_> {
        Plane {
            values,
            size: self.geometry.sizes[id],
            channels: self.plan.values[id].channels,
        }
    }

    fn plane_mut(self, id: ValueId, values: &mut [f32]) -> PlaneMut<'_> {
        PlaneMut {
            values,
            size: self.geometry.sizes[id],
            channels: self.plan.values[id].channels,
        }
    }
}

impl Canvas {
    /// Nothing is shared.
    pub(super) fn blank(plan: &Plan) -> Self {
        Self {
            values: vec![None; plan.values.len()],
            taken: vec![None; plan.steps.len()],
        }
    }

    /// Writes the shared pixels that a block holds around an area, for each lane alike.
    pub(super) fn surround(&self, geometry: &Geometry, id: ValueId, values: &mut [Lanes]) {
        let (held, area) = (geometry.held[id], geometry.areas[id]);
        let Some(shared) = self.values[id].as_deref().filter(|_| held != area) else {
            return;
        };
        let channels = values.len() / held.len().max(1);
        let width = geometry.sizes[id][1];
        for y in held.top..held.bottom() {
            for x in held.left..held.right() {
                let inside = (area.top..area.bottom()).contains(&y)
                    && (area.left..area.right()).contains(&x);
                if inside {
                    continue;
                }
                let from = (y * width + x) * channels;
                let at = held.index(y, x) * channels;
                let pairs = values[at..at + channels].iter_mut().zip(&shared[from..]);
                pairs.for_each(|(value, &shared)| *value = Lanes::splat(shared));
            }
        }
    }
}

impl Sums {
    /// Zeros for the same values.
    pub(super) fn zeros_like(&self) -> Self {
        let zeros = |values: &Option<Vec<f32>>| values.as_ref().map(|v| vec![0.0; v.len()]);
        Self {
            values: self.values.iter().map(zeros).collect(),
        }
    }

    /// Adds another's.
    pub(super) fn merge(&mut self, other: &Self) {
        for (sums, others) in self.values.iter_mut().zip(&other.values) {
            if let (Some(sums), Some(others)) = (sums, others) {
                let pairs = sums.par_iter_mut().with_min_len(4096).zip(others);
                pairs.for_each(|(sum, other)| *sum += other);
            }
        }
    }

    /// Adds a block's gradient of a value, over its area and all lanes, where the sum is needed.
    pub(super) fn add(&mut self, geometry: &Geometry, id: ValueId, grad: &[Lanes]) {
        self.add_area(geometry, id, geometry.areas[id], grad);
    }

    /// The same over another area.
    pub(super) fn add_area(
        &mut self,
        geometry: &Geometry,
        id: ValueId,
        area: Area,
        grad: &[Lanes],
    ) {
        let Some(sums) = self.values[id].as_deref_mut() else {
            return;
        };
        let held = geometry.held[id];
        let channels = grad.len() / held.len().max(1);
        let width = geometry.sizes[id][1];
        for y in area.top..area.bottom() {
            let from = held.index(y, area.left) * channels;
            let at = (y * width + area.left) * channels;
            let row = area.width * channels;
            let pairs = sums[at..at + row].iter_mut().zip(&grad[from..from + row]);
            pairs.for_each(|(sum, lanes)| *sum += lanes.0.iter().sum::<f32>());
        }
    }
}

/// `[channels, pixels]` to `[pixels, channels]`, three channels.
fn interleaved(planar: &[f32]) -> Vec<f32> {
    let pixels = planar.len() / 3;
    (0..planar.len())
        .map(|at| planar[at % 3 * pixels + at / 3])
        .collect()
}
