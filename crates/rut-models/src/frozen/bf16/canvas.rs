//! What is the same for all images of a batch, because the window does not reach it: computed once, forward, as one image;
//! and on the way back its gradient, summed over the batch in single precision before it is rounded.

use std::ops::Range;

use rut_kernels::bf16::{
    Bf16End, Bf16MaxPool, Bf16OptionA, CHANNELS, Layout, Row, add_rows, mask_rows, zeros,
};
use rut_kernels::{Area, Start};

use super::arithmetic::Bf16;
use super::block::{Block, Decisions};
use super::layouts::lost;
use super::shelf::Shelf;
use super::sizes::{CanvasSizes, Sizes};
use crate::error::Result;
use crate::frozen::batch::Sums;
use crate::frozen::plan::{Kind, Plan, ValueId};

/// The place of a max-pool's results that were summed image by image: no pixel of a window has it.
const NO_PLACE: u8 = u8::MAX;

/// The canvas as it went through the network; where the window reaches, values are of any content.
pub(super) struct Canvas {
    /// The canvas itself, `[3, h, w]`, zero in the window.
    pixels: Vec<f32>,
    /// Of each value of which some pixels are shared.
    values: Vec<Option<Vec<Row>>>,
    decisions: Decisions,
}

/// What the canvas is computed with.
pub(super) struct Painter<'a> {
    pub(super) plan: &'a Plan<Bf16>,
    pub(super) sizes: &'a Sizes,
    pub(super) canvas: &'a CanvasSizes,
}

impl Painter<'_> {
    /// From the canvas `[3, h, w]`, which is ignored inside the window.
    pub(super) fn forward(&self, canvas: &[f32], shelf: &mut Shelf) -> Result<Canvas> {
        let geometry = &self.sizes.geometry;
        let [height, width] = geometry.sizes[0];
        let mut pixels = vec![0.0; canvas.len()];
        for strip in geometry.shared[0] {
            for (plane, from) in pixels
                .chunks_exact_mut(height * width)
                .zip(canvas.chunks_exact(height * width))
            {
                for y in strip.top..strip.bottom() {
                    let run = y * width + strip.left..y * width + strip.right();
                    plane[run.clone()].copy_from_slice(&from[run]);
                }
            }
        }
        let mut block = Block::new(self.plan, &self.canvas.whole, shelf, 1);
        let partial = |id: ValueId| geometry.is_partial(id);
        let (values, mut decisions) = block.keep_values(&pixels, partial)?;
        for (index, step) in self.plan.steps.iter().enumerate() {
            let Some(taken) = decisions.taken.get_mut(index).and_then(Option::as_mut) else {
                continue;
            };
            let layout = self.canvas.whole.layouts.map(step.into)?;
            for_each_row(layout, &[geometry.areas[step.into]], |row, _| {
                taken[row] = [NO_PLACE; CHANNELS];
            });
        }
        Ok(Canvas {
            pixels,
            values,
            decisions,
        })
    }

    /// The gradient of the canvas, `[3, h, w]`, from the sums over all blocks; zero in the window.
    pub(super) fn backward(&self, canvas: &Canvas, sums: &Sums) -> Result<Vec<f32>> {
        let (plan, geometry) = (self.plan, &self.sizes.geometry);
        let mut grads: Vec<Option<Vec<Row>>> = vec![None; plan.values.len()];
        let mut missing: Vec<usize> = plan.values.iter().map(|value| value.readers).collect();
        let mut pixels = vec![0.0; canvas.pixels.len()];
        for (index, step) in plan.steps[..self.canvas.strips.len()]
            .iter()
            .enumerate()
            .rev()
        {
            let (from, add) = (step.from, step.add);
            let is_partial = |id: ValueId| geometry.is_partial(id);
            if !is_partial(from) && !add.is_some_and(is_partial) {
                continue;
            }
            let layout = self.canvas.whole.layouts.map(step.into)?;
            let mut grad = grads[step.into].take().unwrap_or_else(|| zeros(layout, 1));
            let mut rims = sums.rims[step.into].as_chunks::<CHANNELS>().0.iter();
            for_each_row(layout, &geometry.rims[step.into], |row, _| {
                if let Some(sums) = rims.next() {
                    grad[row] = Row::rounded(sums);
                }
            });
            if from == 0 {
                self.image_back(index, &grad, &mut pixels)?;
                continue;
            }
            if is_partial(from) {
                self.step_back(index, &grad, canvas, &mut grads, sums)?;
            }
            missing[from] = missing[from].saturating_sub(1);
            self.mask(from, missing[from], canvas, &mut grads)?;
            if let Some(add) = add {
                if is_partial(add) {
                    self.pass_on(add, &grad, layout, &mut grads)?;
                }
                missing[add] = missing[add].saturating_sub(1);
                self.mask(add, missing[add], canvas, &mut grads)?;
            }
        }
        Ok(pixels)
    }

    fn image_back(&self, index: usize, grad: &[Row], pixels: &mut [f32]) -> Result<()> {
        let Kind::Conv { layer, .. } = &self.plan.steps[index].kind else {
            return Err(lost());
        };
        let [height, width] = self.sizes.geometry.sizes[0];
        let strips = self.sizes.geometry.shared[0]
            .into_iter()
            .filter(|strip| !strip.is_empty());
        for (strip, (route, placing)) in strips.zip(&self.canvas.image_strips) {
            let mut sums = vec![0.0; placing.len()];
            layer
                .backward
                .run_sums(self.plan.arithmetic.isa, route, grad, &mut sums)?;
            let mut part = vec![0.0; 3 * strip.len()];
            placing.place(&sums, &mut part)?;
            for (line, values) in part.chunks_exact(strip.width).enumerate() {
                let (colour, y) = (line / strip.height, strip.top + line % strip.height);
                let at = (colour * height + y) * width + strip.left;
                pixels[at..at + strip.width].copy_from_slice(values);
            }
        }
        Ok(())
    }

    fn step_back(
        &self,
        index: usize,
        grad: &[Row],
        canvas: &Canvas,
        grads: &mut [Option<Vec<Row>>],
        sums: &Sums,
    ) -> Result<()> {
        let step = &self.plan.steps[index];
        let layouts = &self.canvas.whole.layouts;
        let (source, target_layout) = (layouts.map(step.into)?, layouts.map(step.from)?);
        let areas = self.sizes.geometry.shared[step.from];
        let (mut target, start) = match grads[step.from].take() {
            Some(there) => (there, Start::Add),
            None => (zeros(target_layout, 1), Start::Fresh),
        };
        match &step.kind {
            Kind::Conv { layer, .. } => {
                for route in &self.canvas.strips[index] {
                    let ends = (start, Bf16End::Store);
                    layer
                        .backward
                        .run(self.plan.arithmetic.isa, route, grad, &mut target, ends)?;
                }
            }
            Kind::MaxPool(pool) => {
                let pool = Bf16MaxPool::of(*pool, self.plan.arithmetic.isa);
                let taken = canvas.decisions.taken[index].as_deref().ok_or_else(lost)?;
                for area in areas.into_iter().filter(|area| !area.is_empty()) {
                    let known = [source.area, area];
                    pool.backward(
                        [source, target_layout],
                        known,
                        (grad, taken),
                        &mut target,
                        &Bf16End::Store,
                    )?;
                }
                let mut around = sums.around[index].chunks_exact(CHANNELS);
                for_each_row(
                    target_layout,
                    &self.sizes.geometry.around(step.from),
                    |row, _| {
                        if let Some(sums) = around.next() {
                            let mut values = target[row].to_f32();
                            values
                                .iter_mut()
                                .zip(sums)
                                .for_each(|(value, sum)| *value += sum);
                            target[row] = Row::rounded(&values);
                        }
                    },
                );
            }
            Kind::OptionA(option) => {
                let option = Bf16OptionA::from(*option);
                for area in areas.into_iter().filter(|area| !area.is_empty()) {
                    let ends = (start, &Bf16End::Store);
                    option.backward([source, target_layout], area, grad, &mut target, ends)?;
                }
            }
            Kind::Average(_) | Kind::Linear(_) => {}
        }
        grads[step.from] = Some(target);
        Ok(())
    }

    fn pass_on(
        &self,
        add: ValueId,
        grad: &[Row],
        from: &Layout,
        grads: &mut [Option<Vec<Row>>],
    ) -> Result<()> {
        let layout = self.canvas.whole.layouts.map(add)?;
        let target = grads[add].get_or_insert_with(|| zeros(layout, 1));
        let areas = self.sizes.geometry.shared[add];
        let mut rows = Vec::new();
        for_each_row(layout, &areas, |row, _| rows.push(row));
        let mut at = rows.into_iter();
        let mut result = Ok(());
        for_each_row(from, &areas, |row, _| {
            if let Some(at) = at.next()
                && result.is_ok()
            {
                result = add_rows(&mut target[at..=at], &grad[row..=row]);
            }
        });
        Ok(result?)
    }

    /// Back through the ReLU of a value once its gradient is complete.
    fn mask(
        &self,
        id: ValueId,
        missing: usize,
        canvas: &Canvas,
        grads: &mut [Option<Vec<Row>>],
    ) -> Result<()> {
        let bits = canvas.decisions.relu[id].as_deref();
        if let (0, Some(bits), Some(grad)) = (missing, bits, grads[id].as_mut()) {
            mask_rows(grad, bits)?;
        }
        Ok(())
    }
}

impl Canvas {
    /// Writes the shared pixels that images hold around an area, of those in `rows` the ones of `images`.
    pub(super) fn surround(
        &self,
        sizes: &Sizes,
        id: ValueId,
        rows: &mut [Row],
        images: Range<usize>,
    ) -> Result<()> {
        let (Some(shared), Some(canvas)) = (self.values[id].as_deref(), &sizes.canvas) else {
            return Ok(());
        };
        let (layout, whole) = (sizes.layouts.map(id)?, canvas.whole.layouts.map(id)?);
        let strips = sizes.geometry.around(id);
        let strips = strips.into_iter().filter(|strip| !strip.is_empty());
        for image in images {
            let first = layout.first_row(image);
            for plane in 0..layout.planes() {
                for strip in strips.clone() {
                    for y in strip.top..strip.bottom() {
                        let to = first + plane * layout.plane() + layout.row(y, strip.left);
                        let from = plane * whole.plane() + whole.row(y, strip.left);
                        let rows = rows[to..].iter_mut().step_by(layout.together);
                        let shared = &shared[from..from + strip.width];
                        for (row, &shared) in rows.zip(shared) {
                            *row = shared;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The pixels `[3, held]` that an image holds, from those of its window, `[3, area]`.
    pub(super) fn around_patch(&self, sizes: &Sizes, patch: &[f32]) -> Vec<f32> {
        let ([height, width], held, area) = (
            sizes.geometry.sizes[0],
            sizes.geometry.held[0],
            sizes.geometry.areas[0],
        );
        let mut pixels = Vec::with_capacity(3 * held.len());
        for colour in 0..3 {
            for y in held.top..held.bottom() {
                let at = (colour * height + y) * width;
                pixels.extend_from_slice(&self.pixels[at + held.left..at + held.right()]);
                if (area.top..area.bottom()).contains(&y) {
                    let line = pixels.len() - held.width + area.left - held.left;
                    let from = (colour * area.height + y - area.top) * area.width;
                    pixels[line..line + area.width]
                        .copy_from_slice(&patch[from..from + area.width]);
                }
            }
        }
        pixels
    }
}

/// Zeros for every gradient that is needed, 32 numbers for each row, plane by plane.
pub(super) fn zero_sums(plan: &Plan<Bf16>, sizes: &Sizes) -> Result<Sums> {
    let geometry = &sizes.geometry;
    let count = |areas: &[Area]| areas.iter().map(|area| area.len()).sum::<usize>();
    let mut sums = Sums {
        rims: vec![Vec::new(); plan.values.len()],
        around: vec![Vec::new(); sizes.routes.len()],
    };
    for (index, step) in plan.steps[..sizes.routes.len() - 1].iter().enumerate() {
        let planes = sizes.layouts.map(step.into)?.planes();
        let len = count(&geometry.rims[step.into]) * planes * CHANNELS;
        sums.rims[step.into] = vec![0.0; len];
        if let Kind::MaxPool(_) = step.kind {
            let len = count(&geometry.around(step.from)) * planes * CHANNELS;
            sums.around[index] = vec![0.0; len];
        }
    }
    Ok(sums)
}

/// Adds the gradients of a value of some images where they go back to shared pixels.
pub(super) fn add_rim(
    sums: &mut Sums,
    sizes: &Sizes,
    (id, images): (ValueId, Range<usize>),
    grads: &[Row],
) -> Result<()> {
    let layout = sizes.layouts.map(id)?;
    let rims = &sizes.geometry.rims[id];
    add_all(&mut sums.rims[id], layout, rims, (grads, images));
    Ok(())
}

/// Adds what the max-pool of a step gives to the pixels around the area of `id`, which it reads.
pub(super) fn add_around(
    sums: &mut Sums,
    sizes: &Sizes,
    step: usize,
    (id, images): (ValueId, Range<usize>),
    grads: &[Row],
) -> Result<()> {
    let layout = sizes.layouts.map(id)?;
    let around = sizes.geometry.around(id);
    add_all(&mut sums.around[step], layout, &around, (grads, images));
    Ok(())
}

/// Adds the rows of some areas of images to sums, image by image.
fn add_all(
    sums: &mut [f32],
    layout: &Layout,
    areas: &[Area],
    (grads, images): (&[Row], Range<usize>),
) {
    for image in images {
        let first = layout.first_row(image);
        for_each_row(layout, areas, |row, at| {
            let sums = &mut sums[at * CHANNELS..][..CHANNELS];
            for (sum, value) in sums.iter_mut().zip(grads[first + row].to_f32()) {
                *sum += value;
            }
        });
    }
}

/// Visits the rows of areas, plane by plane, with their number.
fn for_each_row(layout: &Layout, areas: &[Area], mut visit: impl FnMut(usize, usize)) {
    let mut count = 0;
    for plane in 0..layout.planes() {
        for area in areas {
            for y in area.top..area.bottom() {
                for x in area.left..area.right() {
                    visit(plane * layout.plane() + layout.row(y, x), count);
                    count += 1;
                }
            }
        }
    }
}
