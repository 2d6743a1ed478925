//! Where the pixels of every value lie, for images of one size.

use std::ops::Range;

use rut_kernels::bf16::{ImageLayout, Layout, Row, halo, halo_to_image};
use rut_kernels::{ConvShape, Direction};

use super::arithmetic::Bf16;
use crate::error::{Error, Result};
use crate::frozen::batch::BLOCK_IMAGES;
use crate::frozen::plan::{Geometry, Kind, Plan, Step, ValueId};

/// Maps of at most so many columns may stand with those of other images: by themselves, halos and borders would be an eighth of
/// all products and more.
const NARROW: usize = 8;

/// Where the pixels of every value lie.
pub(super) struct Layouts {
    pub(super) image: ImageLayout,
    /// None of the image, and of what comes after the last map.
    maps: Vec<Option<Layout>>,
}

impl Layouts {
    /// Those of a plan's values. `end` is the number of steps up to the average pool, itself included; `stem` is the convolution that
    /// reads the image; in a whole block narrow maps may stand together.
    pub(super) fn new(
        plan: &Plan<Bf16>,
        geometry: &Geometry,
        end: usize,
        (stem, whole_block): (ConvShape, bool),
    ) -> Self {
        let steps = &plan.steps[..end];
        let mut halos = vec![0; plan.values.len()];
        let mut is_map = vec![false; plan.values.len()];
        for step in &steps[..end - 1] {
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
        let width = |id: ValueId| geometry.held[id].width;
        let is_together = if whole_block {
            narrow_maps(steps, &is_map, width)
        } else {
            vec![false; is_map.len()]
        };
        widen_halos(steps, &mut halos, &is_map, &is_together);
        let map = |id: ValueId| Layout {
            channels: plan.values[id].channels,
            area: geometry.held[id],
            halo: halos[id],
            together: if is_together[id] { BLOCK_IMAGES } else { 1 },
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

/// Which maps hold all images of a block together: narrow ones that only convolutions and averages touch, and those that a
/// convolution of a stride reads for them. No other map is written after them, so that the steps between them and the average go
/// through a whole block at a time without keeping many wide maps.
fn narrow_maps(
    steps: &[Step<Bf16>],
    is_map: &[bool],
    width: impl Fn(ValueId) -> usize,
) -> Vec<bool> {
    let mut can = is_map.to_vec();
    for step in steps {
        let is_summed = matches!(step.kind, Kind::Conv { .. } | Kind::Average(_));
        if !is_summed || step.from == 0 {
            can[step.into] = false;
            step.reads().for_each(|id| can[id] = false);
        }
    }
    let mut is_together: Vec<bool> = can
        .iter()
        .enumerate()
        .map(|(id, &can)| can && width(id) <= NARROW)
        .collect();
    for step in steps {
        if let Kind::Conv { shape, .. } = &step.kind
            && (shape.stride > 1 && is_together[step.into])
        {
            is_together[step.from] |= can[step.from];
        }
    }
    let written = steps.iter().map(|step| step.into);
    let apart = |&id: &ValueId| is_map[id] && !is_together[id];
    let wide = written.clone().rposition(|id| apart(&id));
    for id in written.take(wide.map_or(0, |last| last + 1)) {
        is_together[id] = false;
    }
    is_together
}

/// Makes halos as wide as those of other maps with which they should lie alike: a sum stands where what it is added to stood; and
/// where images stand apart and both maps of a convolution have the same lines, the end of one runs on into the next.
fn widen_halos(steps: &[Step<Bf16>], halos: &mut [usize], is_map: &[bool], is_together: &[bool]) {
    loop {
        let before = halos.to_vec();
        for step in steps {
            let has_same_lines =
                matches!(&step.kind, Kind::Conv { shape, .. } if shape.stride == 1);
            let runs_on = has_same_lines && !is_together[step.into];
            let alike = [step.add, runs_on.then_some(step.from)];
            for other in alike.into_iter().flatten() {
                if is_map[other] && is_together[other] == is_together[step.into] {
                    let most = halos[other].max(halos[step.into]);
                    (halos[other], halos[step.into]) = (most, most);
                }
            }
        }
        if *halos == before {
            return;
        }
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
