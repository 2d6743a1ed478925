//! A block of images through the maps of a plan: group by group through one segment after the other. The way back is in
//! `backward`.

mod backward;

use std::ops::Range;

use rut_kernels::Start;
use rut_kernels::bf16::{Bf16Average, Bf16End, Bf16MaxPool, Bf16OptionA, Places, Row};

use super::arithmetic::Bf16;
use super::canvas::Canvas;
use super::layouts::{for_each_pixel, lost};
use super::shelf::Shelf;
use super::sizes::Sizes;
use crate::error::Result;
use crate::frozen::plan::{Kind, Plan, Step, ValueId};

/// The decisions of a forward pass over one block, in the layouts of the values.
#[derive(Debug)]
pub(super) struct Decisions {
    /// Images of the block.
    pub(super) images: usize,
    /// For each value that a ReLU gave a bit for each channel of each row.
    pub(super) relu: Vec<Option<Vec<u32>>>,
    /// For each step that is a max-pool the places that it took.
    pub(super) taken: Vec<Option<Vec<Places>>>,
}

/// What one block runs with.
pub(super) struct Block<'a> {
    plan: &'a Plan<Bf16>,
    sizes: &'a Sizes,
    shelf: &'a mut Shelf,
    /// For each slot the rows of as many images as the schedule says; values forward, gradients backward.
    slots: Vec<Option<Vec<Row>>>,
    /// Images of the block.
    images: usize,
    /// What is the same for all images, where some of it is.
    canvas: Option<&'a Canvas>,
    /// Whether memory is kept after its last use.
    keeps: bool,
}

/// Some images of a block.
#[derive(Debug, Clone, Copy)]
struct Group {
    first: usize,
    count: usize,
}

/// What a forward pass reads and writes.
struct Forward<'a> {
    /// `[n, 3, area]`.
    pixels: &'a [f32],
    /// `[n, pixels · channels]`.
    means: &'a mut [f32],
    decisions: Option<&'a mut Decisions>,
}

impl<'a> Block<'a> {
    pub(super) fn new(
        plan: &'a Plan<Bf16>,
        sizes: &'a Sizes,
        shelf: &'a mut Shelf,
        images: usize,
    ) -> Self {
        Self {
            plan,
            sizes,
            shelf,
            slots: vec![None; plan.values.len()],
            images,
            canvas: None,
            keeps: false,
        }
    }

    /// With what surrounds the images' own pixels.
    pub(super) fn on(mut self, canvas: Option<&'a Canvas>) -> Self {
        self.canvas = canvas;
        self
    }

    /// One image `[3, h, w]` up to the last value of which `wanted` holds: those values, and all decisions.
    pub(super) fn keep_values(
        &mut self,
        pixels: &[f32],
        wanted: impl Fn(ValueId) -> bool,
    ) -> Result<(Vec<Option<Vec<Row>>>, Decisions)> {
        self.keeps = true;
        let mut decisions = self.no_decisions();
        let mut pass = Forward {
            pixels,
            means: &mut [],
            decisions: Some(&mut decisions),
        };
        let group = Group { first: 0, count: 1 };
        for (index, step) in self.plan.steps[..self.sizes.routes.len()]
            .iter()
            .enumerate()
        {
            if wanted(step.into) {
                self.step(index, group, &mut pass)?;
            }
        }
        Ok((std::mem::take(&mut self.slots), decisions))
    }

    /// Pixels `[n, 3, area]` to the means `[n, pixels · channels]` of the last maps; decisions only where they are kept.
    pub(super) fn forward(
        &mut self,
        pixels: &[f32],
        keep: bool,
    ) -> Result<(Vec<f32>, Option<Decisions>)> {
        let mut decisions = keep.then(|| self.no_decisions());
        let mut means = vec![0.0; self.images * self.mean_width()];
        let mut pass = Forward {
            pixels,
            means: &mut means,
            decisions: decisions.as_mut(),
        };
        let all = Group {
            first: 0,
            count: self.images,
        };
        self.forward_through(self.sizes.schedule.segments.len(), all, &mut pass)?;
        Ok((means, decisions))
    }

    /// A group through the first `segments` segments.
    fn forward_through(
        &mut self,
        segments: usize,
        group: Group,
        pass: &mut Forward<'_>,
    ) -> Result<()> {
        let Some(last) = segments.checked_sub(1) else {
            return Ok(());
        };
        let sizes = self.sizes;
        let segment = &sizes.schedule.segments[last];
        for group in group.parts(segment.images) {
            self.forward_through(last, group, pass)?;
            for index in segment.steps.clone() {
                self.step(index, group, pass)?;
            }
        }
        Ok(())
    }

    fn step(&mut self, index: usize, group: Group, pass: &mut Forward<'_>) -> Result<()> {
        let plan = self.plan;
        let step = &plan.steps[index];
        if let Kind::Average(pool) = &step.kind {
            let width = self.mean_width();
            let means = &mut pass.means[group.first * width..][..group.count * width];
            let source = self.read(step.from, group)?;
            Bf16Average { side: pool.side }.run(
                self.sizes.layouts.map(step.from)?,
                source,
                means,
            )?;
            self.retire(step.from, group);
            return Ok(());
        }
        let start = step.add.map_or(Start::Fresh, |_| Start::Add);
        let mut target = self.take(step.into, group)?;
        self.copy_added(step, &mut target, group)?;
        let rows = self.range(step.into, group);
        let kept = self.sizes.layouts.range(step.into, group.images());
        let (relu, taken) = match &mut pass.decisions {
            Some(decisions) => (
                decisions.relu[step.into]
                    .as_mut()
                    .map(|bits| &mut bits[kept.clone()]),
                decisions.taken[index]
                    .as_mut()
                    .map(|places| &mut places[kept]),
            ),
            None => (None, None),
        };
        let end = match (plan.values[step.into].relu, relu) {
            (false, _) => Bf16End::Store,
            (true, None) => Bf16End::Relu,
            (true, Some(bits)) => Bf16End::ReluRecord(bits),
        };
        let area = self.sizes.geometry.areas[step.into];
        let target_rows = &mut target[rows];
        match &step.kind {
            Kind::Conv { layer, .. } => {
                let [route, _] = self.sizes.routes[index].as_ref().ok_or_else(lost)?;
                let isa = plan.arithmetic.isa;
                if step.from == 0 {
                    self.stem(index, group, pass.pixels, target_rows, end)?;
                } else {
                    let source = self.read(step.from, group)?;
                    let route = (route, self.place([step.from, step.into], group));
                    layer
                        .forward
                        .run_at(isa, route, source, target_rows, (start, end))?;
                }
            }
            Kind::MaxPool(pool) => {
                let layouts = [
                    self.sizes.layouts.map(step.from)?,
                    self.sizes.layouts.map(step.into)?,
                ];
                let source = self.read(step.from, group)?;
                Bf16MaxPool::of(*pool, self.plan.arithmetic.isa).run(
                    layouts,
                    area,
                    source,
                    target_rows,
                    taken,
                )?;
            }
            Kind::OptionA(option) => {
                let layouts = [
                    self.sizes.layouts.map(step.from)?,
                    self.sizes.layouts.map(step.into)?,
                ];
                let source = self.read(step.from, group)?;
                Bf16OptionA::from(*option).run(layouts, area, source, target_rows)?;
            }
            Kind::Average(_) | Kind::Linear(_) => return Err(lost()),
        }
        if let Some(canvas) = self.canvas {
            let range = self.range(step.into, group);
            let images = self.images_in(step.into, group);
            canvas.surround(self.sizes, step.into, &mut target[range], images)?;
        }
        self.put(step.into, target);
        for id in step.reads() {
            if plan.values[id].last_step == index && self.slot(id) != self.slot(step.into) {
                self.retire(id, group);
            }
        }
        Ok(())
    }

    /// The first convolution, image by image: each is written into the same rows.
    fn stem(
        &mut self,
        index: usize,
        group: Group,
        pixels: &[f32],
        target: &mut [Row],
        mut end: Bf16End<'_>,
    ) -> Result<()> {
        let (plan, sizes) = (self.plan, self.sizes);
        let Kind::Conv { layer, .. } = &plan.steps[index].kind else {
            return Err(lost());
        };
        let [route, _] = sizes.routes[index].as_ref().ok_or_else(lost)?;
        let layout = &sizes.layouts.image;
        let mut rows = self.shelf.take_image(layout);
        let len = 3 * sizes.geometry.areas[0].len();
        let image_rows = target.len() / group.count;
        for (image, target) in target.chunks_exact_mut(image_rows).enumerate() {
            let pixels = &pixels[(group.first + image) * len..][..len];
            match self.canvas {
                Some(canvas) => layout.fill(&canvas.around_patch(sizes, pixels), &mut rows)?,
                None => layout.fill(pixels, &mut rows)?,
            }
            let bits = image * image_rows..(image + 1) * image_rows;
            let end = match &mut end {
                Bf16End::ReluRecord(all) => Bf16End::ReluRecord(&mut all[bits]),
                Bf16End::Relu => Bf16End::Relu,
                _ => Bf16End::Store,
            };
            layer.forward.run(
                plan.arithmetic.isa,
                route,
                &rows,
                target,
                (Start::Fresh, end),
            )?;
        }
        self.shelf.give_image(layout, rows);
        Ok(())
    }

    /// What is added to, where it stands elsewhere.
    fn copy_added(&self, step: &Step<Bf16>, target: &mut [Row], group: Group) -> Result<()> {
        let Some(add) = step
            .add
            .filter(|&add| self.slot(add) != self.slot(step.into))
        else {
            return Ok(());
        };
        let there = self.read(add, group)?;
        let target = &mut target[self.range(step.into, group)];
        if self.sizes.layouts.are_alike(add, step.into) {
            target.copy_from_slice(there);
            return Ok(());
        }
        let layouts = [
            self.sizes.layouts.map(add)?,
            self.sizes.layouts.map(step.into)?,
        ];
        let place = self.place([add, step.into], group);
        for_each_pixel(layouts, (place, group.count), |[from, into]| {
            target[into] = there[from];
        });
        Ok(())
    }

    fn slot(&self, id: ValueId) -> ValueId {
        self.sizes.schedule.slots[id]
    }

    /// The rows of a group in a value's memory, with those of the images that stand with them.
    fn range(&self, id: ValueId, group: Group) -> Range<usize> {
        let first = group.first % self.sizes.schedule.images[id];
        self.sizes.layouts.range(id, first..first + group.count)
    }

    /// The place of a group's first image among those that stand together, where the images of only one of two values do.
    fn place(&self, ids: [ValueId; 2], group: Group) -> usize {
        let [a, b] = ids.map(|id| self.sizes.layouts.images_together(id));
        group.first % a.max(b)
    }

    /// The images of a group among those of its rows.
    fn images_in(&self, id: ValueId, group: Group) -> Range<usize> {
        let first = group.first % self.sizes.layouts.images_together(id);
        first..first + group.count
    }

    fn read(&self, id: ValueId, group: Group) -> Result<&[Row]> {
        let rows = self.slots[self.slot(id)].as_deref().ok_or_else(lost)?;
        Ok(&rows[self.range(id, group)])
    }

    /// A value's memory, to be put back.
    fn take(&mut self, id: ValueId, group: Group) -> Result<Vec<Row>> {
        let images = self.sizes.schedule.images[id];
        let slot = self.slot(id);
        match self.slots[slot].take() {
            Some(rows) => Ok(rows),
            None => {
                debug_assert_eq!(group.first % images, 0);
                Ok(self.shelf.take(self.sizes.layouts.map(id)?, images))
            }
        }
    }

    fn put(&mut self, id: ValueId, rows: Vec<Row>) {
        let slot = self.slot(id);
        self.slots[slot] = Some(rows);
    }

    /// Gives a value's memory back after the last group that it holds.
    fn retire(&mut self, id: ValueId, group: Group) {
        let images = self.sizes.schedule.images[id];
        let end = group.first + group.count;
        let slot = self.slot(id);
        if self.keeps {
            return;
        }
        if (end.is_multiple_of(images) || end == self.images)
            && let (Some(rows), Ok(layout)) = (self.slots[slot].take(), self.sizes.layouts.map(id))
        {
            self.shelf.give(layout, images, rows);
        }
    }

    /// Means of an image.
    fn mean_width(&self) -> usize {
        let step = &self.plan.steps[self.sizes.routes.len() - 1];
        let side = match &step.kind {
            Kind::Average(pool) => pool.side,
            _ => 1,
        };
        side * side * self.plan.values[step.into].channels
    }

    fn no_decisions(&self) -> Decisions {
        let rows = |id: ValueId| self.sizes.layouts.range(id, 0..self.images).len();
        let steps = &self.plan.steps[..self.sizes.routes.len()];
        let mut decisions = Decisions {
            images: self.images,
            relu: vec![None; self.plan.values.len()],
            taken: vec![None; steps.len()],
        };
        for (index, step) in steps.iter().enumerate() {
            if self.plan.values[step.into].relu {
                decisions.relu[step.into] = Some(vec![0; rows(step.into)]);
            }
            if matches!(step.kind, Kind::MaxPool(_)) {
                decisions.taken[index] = Some(vec![Places::default(); rows(step.into)]);
            }
        }
        decisions
    }
}

impl Group {
    fn images(self) -> Range<usize> {
        self.first..self.first + self.count
    }

    /// Groups of at most so many images, beginning at multiples of their number.
    fn parts(self, images: usize) -> impl Iterator<Item = Self> {
        let end = self.first + self.count;
        (self.first..end).step_by(images).map(move |first| Self {
            first,
            count: images.min(end - first),
        })
    }
}
