//! Where the pixels of every value lie, for images of one size.

use std::ops::Range;

use rut_kernels::bf16::{ImageLayout, Layout, Row, halo, halo_to_image};
use rut_kernels::{ConvShape, Direction};

use super::arithmetic::Bf16;
use crate::error::{Error, Result};
use crate::frozen::batch::BLOCK_IMAGES;
use crate::frozen::plan::{Geometry, Kind, Plan, Step, ValueId};

/// Maps of at most so many columns lie with those of other images: by themselves, halos and borders would be an eighth of all
/// products and more.
const NARROW: usize = 8;

/// Where the pixels of every value lie.
pub(super) struct Layouts {
    pub(super) image: ImageLayout,
    /// None of the image, and of what comes after the last map.
    maps: Vec<Option<Layout>>,
}

impl Layouts {
    /// Those of a plan's values. `end` is the number of steps up to the average pool, itself included; `stem` is the convolution that
    /// reads the image.
    pub(super) fn new(plan: &Plan<Bf16>, geometry: &Geometry, end: usize, stem: ConvShape) -> Self {
        let mut halos = vec![0; plan.values.len()];
        let mut is_map = vec![false; plan.values.len()];
        for step in &plan.steps[..end - 1] {
            is_map[step.into] = true;
            let Kind::Conv { shape, .. } = &step.kind else {
                continue;
            };
            let back = if step.from == 0 {
                halo_to_image(*shape)
            } else {
                halos[step.from] = halos[step.from].max(halo(*shape, Direction::Forward));
                halo(*shape, Direction::Backward)
            };
            halos[step.into] = halos[step.into].max(back);
        }
        // A sum stands where what it is added to stood, which may be a sum as well: to the first of them, and back.
        let sums = || {
            plan.steps[..end]
                .iter()
                .filter_map(|step| Some([step.add?, step.into]))
        };
        for [add, into] in sums().rev().chain(sums()) {
            let most = halos[add].max(halos[into]);
            (halos[add], halos[into]) = (most, most);
        }
        let map = |id: ValueId| Layout {
            channels: plan.values[id].channels,
            area: geometry.held[id],
            halo: halos[id],
            together: 1,
        };
        Self {
            image: ImageLayout {
                area: geometry.held[0],
                padding: stem.padding,
            },
            maps: (0..halos.len())
                .map(|id| is_map[id].then(|| map(id)))
                .collect(),
        }
    }

    /// The same for a whole block of images: the maps of a few pixels of all its images stand together, where only convolutions and
    /// averages touch them; and so do those that a convolution of a stride reads for them.
    pub(super) fn together(mut self, steps: &[Step<Bf16>]) -> Self {
        let touches =
            |step: &Step<Bf16>, id| step.into == id || step.reads().any(|read| read == id);
        let can = |id: ValueId| {
            steps.iter().filter(|step| touches(step, id)).all(|step| {
                let summed = matches!(step.kind, Kind::Conv { .. } | Kind::Average(_));
                summed && step.from != 0
            })
        };
        let mut is_together: Vec<bool> = self.maps.iter().map(|_| false).collect();
        for (id, layout) in self.maps.iter().enumerate() {
            let is_narrow = layout.is_some_and(|layout| layout.area.width <= NARROW);
            is_together[id] = is_narrow && can(id);
        }
        for step in steps {
            if let Kind::Conv { shape, .. } = &step.kind
                && (shape.stride > 1 && is_together[step.into])
            {
                is_together[step.from] |= self.maps[step.from].is_some() && can(step.from);
            }
        }
        for (layout, is_together) in self.maps.iter_mut().zip(is_together) {
            if let (Some(layout), true) = (layout, is_together) {
                layout.together = BLOCK_IMAGES;
            }
        }
        self
    }

    pub(super) fn map(&self, id: ValueId) -> Result<&Layout> {
        self.maps.get(id).and_then(Option::as_ref).ok_or_else(lost)
    }

    /// Bytes of a value of one image.
    pub(super) fn bytes(&self, id: ValueId) -> usize {
        let rows = match (id, self.maps[id]) {
            (0, _) => self.image.rows(),
            (_, Some(layout)) => layout.rows() / layout.together,
            (_, None) => 0,
        };
        rows * size_of::<Row>()
    }

    /// Images of a value that stand together.
    pub(super) fn images_together(&self, id: ValueId) -> usize {
        self.maps[id].map_or(1, |layout| layout.together)
    }

    /// The rows of some images of a map, with those of the images that stand with them.
    pub(super) fn range(&self, id: ValueId, images: Range<usize>) -> Range<usize> {
        let Some(layout) = self.maps[id] else {
            return 0..0;
        };
        let rows = layout.rows();
        images.start / layout.together * rows..images.end.div_ceil(layout.together) * rows
    }

    /// Whether images of any map stand together.
    pub(super) fn any_together(&self) -> bool {
        self.maps.iter().flatten().any(|layout| layout.together > 1)
    }

    /// Whether two values are maps that lie alike.
    pub(super) fn are_alike(&self, a: ValueId, b: ValueId) -> bool {
        self.maps[a].is_some() && self.maps[a] == self.maps[b]
    }
}

/// Visits the rows of all pixels of `count` images in two maps of the same pixels; where the images of only one of them stand
/// together, the first of them is at place `first`.
pub(super) fn for_each_pixel(
    layouts: [&Layout; 2],
    (first, count): (usize, usize),
    mut visit: impl FnMut([usize; 2]),
) {
    let area = layouts[0].area;
    for image in 0..count {
        let images = layouts
            .map(|layout| layout.first_row(image + if layout.together == 1 { 0 } else { first }));
        for plane in 0..layouts[0].planes() {
            for y in area.top..area.bottom() {
                for x in area.left..area.right() {
                    visit([0, 1].map(|side| {
                        let layout: &Layout = layouts[side];
                        images[side] + plane * layout.plane() + layout.row(y, x)
                    }));
                }
            }
        }
    }
}

/// Only a plan that reads what no step wrote gets here.
pub(super) fn lost() -> Error {
    Error::Argument {
        what: "a value of the plan",
        found: "absent".into(),
        expected: "written by an earlier step".into(),
    }
}
