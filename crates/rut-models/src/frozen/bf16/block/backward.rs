//! The way back of a block: the same segments and groups in the opposite order.

use rut_kernels::Start;
use rut_kernels::bf16::{Bf16Average, Bf16End, Bf16MaxPool, Bf16OptionA, Row, add_rows, mask_rows};

use super::{Block, Decisions, Group};
use crate::error::Result;
use crate::frozen::batch::Sums;
use crate::frozen::bf16::canvas;
use crate::frozen::bf16::layouts::{for_each_pixel, lost};
use crate::frozen::plan::{Kind, ValueId};

/// What a backward pass reads and writes.
struct Backward<'a> {
    means: &'a [f32],
    decisions: &'a Decisions,
    /// Where they are wanted.
    pixels: Option<&'a mut [f32]>,
    /// What goes back to shared pixels, where there are some.
    sums: Option<&'a mut Sums>,
}

impl Block<'_> {
    /// The gradient of the means to that of the images' own pixels `[n, 3, area]`, where it is wanted; what is needed for the
    /// gradient of the canvas is added to `sums`.
    pub(in crate::frozen::bf16) fn backward(
        &mut self,
        (means, decisions): (&[f32], &Decisions),
        pixels: Option<&mut [f32]>,
        sums: Option<&mut Sums>,
    ) -> Result<()> {
        let mut pass = Backward {
            means,
            decisions,
            pixels,
            sums,
        };
        let all = Group {
            first: 0,
            count: self.images,
        };
        self.backward_through(self.sizes.schedule.segments.len(), all, &mut pass)
    }

    fn backward_through(
        &mut self,
        segments: usize,
        group: Group,
        pass: &mut Backward<'_>,
    ) -> Result<()> {
        let Some(last) = segments.checked_sub(1) else {
            return Ok(());
        };
        let sizes = self.sizes;
        let segment = &sizes.schedule.segments[last];
        for group in group.parts(segment.images) {
            for index in segment.steps.clone().rev() {
                self.step_back(index, group, pass)?;
            }
            self.backward_through(last, group, pass)?;
        }
        Ok(())
    }

    fn step_back(&mut self, index: usize, group: Group, pass: &mut Backward<'_>) -> Result<()> {
        let (plan, sizes) = (self.plan, self.sizes);
        let step = &plan.steps[index];
        if let Some(sums) = &mut pass.sums
            && !matches!(step.kind, Kind::Average(_))
        {
            let images = self.images_in(step.into, group);
            canvas::add_rim(
                sums,
                sizes,
                (step.into, images),
                self.read(step.into, group)?,
            )?;
            self.sum_around(index, group, pass.decisions, sums)?;
        }
        if step.from == 0 {
            if let Some(pixels) = &mut pass.pixels {
                self.stem_back(index, group, pixels)?;
            }
            self.retire(step.into, group);
            return Ok(());
        }
        let mut target = self.take(step.from, group)?;
        let range = self.range(step.from, group);
        // The gradient of what is added is passed on after that of what is read.
        let start = if self.is_first(step.from, index) {
            Start::Fresh
        } else {
            Start::Add
        };
        if start == Start::Fresh {
            self.clear_around(step.from, &mut target[range.clone()])?;
        }
        let is_last = self.is_last(step.from, index) && step.add != Some(step.from);
        let end = self.end(step.from, is_last, group, pass.decisions);
        let area = sizes.geometry.areas[step.from];
        let layout = sizes.layouts.map(step.from)?;
        let target_rows = &mut target[range];
        if let Kind::Average(pool) = &step.kind {
            let width = self.mean_width();
            let means = &pass.means[group.first * width..][..group.count * width];
            let average = Bf16Average { side: pool.side };
            average.backward(layout, means, target_rows, (start, &end))?;
            self.put(step.from, target);
            return Ok(());
        }
        let grad = self.read(step.into, group)?;
        let layouts = [sizes.layouts.map(step.into)?, layout];
        match &step.kind {
            Kind::Conv { layer, .. } => {
                let [_, route] = sizes.routes[index].as_ref().ok_or_else(lost)?;
                let route = (route, self.place([step.into, step.from], group));
                layer.backward.run_at(
                    plan.arithmetic.isa,
                    route,
                    grad,
                    target_rows,
                    (start, end),
                )?;
            }
            Kind::MaxPool(pool) => {
                let taken = pass.decisions.taken[index].as_deref().ok_or_else(lost)?;
                let taken = &taken[sizes.layouts.range(step.into, group.images())];
                let areas = [sizes.geometry.areas[step.into], area];
                Bf16MaxPool::of(*pool, self.plan.arithmetic.isa).backward(
                    layouts,
                    areas,
                    (grad, taken),
                    target_rows,
                    &end,
                )?;
            }
            Kind::OptionA(option) => {
                Bf16OptionA::from(*option).backward(
                    layouts,
                    area,
                    grad,
                    target_rows,
                    (start, &end),
                )?;
            }
            Kind::Average(_) | Kind::Linear(_) => return Err(lost()),
        }
        self.put(step.from, target);
        self.pass_on(index, group, pass.decisions)
    }

    /// A sum gives its gradient to what was added as well; then it is not needed any more.
    fn pass_on(&mut self, index: usize, group: Group, decisions: &Decisions) -> Result<()> {
        let step = &self.plan.steps[index];
        let Some(add) = step.add else {
            self.retire(step.into, group);
            return Ok(());
        };
        let is_first = self.is_first(add, index) && add != step.from;
        let end = self.end(add, self.is_last(add, index), group, decisions);
        let is_shared = self.slot(add) == self.slot(step.into);
        let mut target = self.take(add, group)?;
        let rows = &mut target[self.range(add, group)];
        if !is_shared {
            let grad = self.read(step.into, group)?;
            if !self.sizes.layouts.are_alike(add, step.into) {
                self.pass_between([step.into, add], group, grad, (rows, is_first))?;
            } else if is_first {
                rows.copy_from_slice(grad);
            } else {
                add_rows(rows, grad)?;
            }
        }
        // What was added may be an image's own in fewer pixels.
        self.clear_around(add, rows)?;
        if let Bf16End::Mask(bits) = end {
            mask_rows(rows, bits)?;
        }
        self.put(add, target);
        if !is_shared {
            self.retire(step.into, group);
        }
        Ok(())
    }

    /// The gradient of a sum to what was added, whose images lie otherwise.
    fn pass_between(
        &self,
        ids: [ValueId; 2],
        group: Group,
        grad: &[Row],
        (target, is_first): (&mut [Row], bool),
    ) -> Result<()> {
        let layouts = [
            self.sizes.layouts.map(ids[0])?,
            self.sizes.layouts.map(ids[1])?,
        ];
        let images = (self.place(ids, group), group.count);
        let mut result = Ok(());
        for_each_pixel(layouts, images, |[from, into]| {
            if is_first {
                target[into] = grad[from];
            } else if result.is_ok() {
                result = add_rows(&mut target[into..=into], &grad[from..=from]);
            }
        });
        Ok(result?)
    }

    fn stem_back(&mut self, index: usize, group: Group, pixels: &mut [f32]) -> Result<()> {
        let sizes = self.sizes;
        let step = &self.plan.steps[index];
        let Kind::Conv { layer, .. } = &step.kind else {
            return Err(lost());
        };
        let [_, route] = sizes.routes[index].as_ref().ok_or_else(lost)?;
        let grad = self.read(step.into, group)?;
        let len = 3 * sizes.geometry.areas[0].len();
        let mut sums = vec![0.0; sizes.image_sums.len()];
        let rows = sizes.layouts.map(step.into)?.rows();
        for (image, grad) in grad.chunks_exact(rows).enumerate() {
            layer
                .backward
                .run_sums(self.plan.arithmetic.isa, route, grad, &mut sums)?;
            let pixels = &mut pixels[(group.first + image) * len..][..len];
            sizes.image_sums.place(&sums, pixels)?;
        }
        Ok(())
    }

    /// A max-pool over the edge of an area takes a shared pixel for some images and not for others: what these pixels get
    /// from it is summed image by image.
    fn sum_around(
        &mut self,
        index: usize,
        group: Group,
        decisions: &Decisions,
        sums: &mut Sums,
    ) -> Result<()> {
        let (sizes, step) = (self.sizes, &self.plan.steps[index]);
        let Kind::MaxPool(pool) = &step.kind else {
            return Ok(());
        };
        let strips = sizes.geometry.around(step.from);
        if strips.iter().all(|strip| strip.is_empty()) {
            return Ok(());
        }
        let layouts = [sizes.layouts.map(step.into)?, sizes.layouts.map(step.from)?];
        let mut around = self.shelf.take(layouts[1], group.count);
        let taken = decisions.taken[index].as_deref().ok_or_else(lost)?;
        let taken = &taken[sizes.layouts.range(step.into, group.images())];
        let grad = self.read(step.into, group)?;
        for strip in strips.into_iter().filter(|strip| !strip.is_empty()) {
            let areas = [sizes.geometry.areas[step.into], strip];
            let pool = Bf16MaxPool::of(*pool, self.plan.arithmetic.isa);
            pool.backward(layouts, areas, (grad, taken), &mut around, &Bf16End::Store)?;
        }
        canvas::add_around(sums, sizes, index, (step.from, 0..group.count), &around)?;
        self.shelf.give(layouts[1], group.count, around);
        Ok(())
    }

    /// Zeros around a value's area: no gradient that is an image's own is there.
    fn clear_around(&self, id: ValueId, rows: &mut [Row]) -> Result<()> {
        let (layout, strips) = (self.sizes.layouts.map(id)?, self.sizes.geometry.around(id));
        for plane in rows.chunks_exact_mut(layout.plane()) {
            for strip in strips {
                for y in strip.top..strip.bottom() {
                    let line = layout.row(y, strip.left)..;
                    plane[line][..strip.width * layout.together].fill(Row::ZERO);
                }
            }
        }
        Ok(())
    }

    /// Whether no later step reads a value: on the way back its gradient begins here.
    fn is_first(&self, id: ValueId, index: usize) -> bool {
        self.plan.values[id].last_step == index
    }

    /// Whether no earlier step reads a value: on the way back its gradient is complete here.
    fn is_last(&self, id: ValueId, index: usize) -> bool {
        let mut earlier = self.plan.steps[..index].iter();
        !earlier.any(|step| step.reads().any(|read| read == id))
    }

    fn end<'d>(
        &self,
        id: ValueId,
        is_last: bool,
        group: Group,
        decisions: &'d Decisions,
    ) -> Bf16End<'d> {
        match &decisions.relu[id] {
            Some(bits) if is_last => {
                Bf16End::Mask(&bits[self.sizes.layouts.range(id, group.images())])
            }
            _ => Bf16End::Store,
        }
    }
}
