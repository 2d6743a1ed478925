//! Where the pixels of every value lie, for images of one size.

use rut_kernels::bf16::{ImageLayout, Layout, Row, halo, halo_to_image};
use rut_kernels::{ConvShape, Direction};

use super::arithmetic::Bf16;
use crate::error::{Error, Result};
use crate::frozen::plan::{Geometry, Kind, Plan, ValueId};

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
        self.rows(id) * size_of::<Row>()
    }

    /// Rows of a value of one image.
    pub(super) fn rows(&self, id: ValueId) -> usize {
        match (id, self.maps[id]) {
            (0, _) => self.image.rows(),
            (_, Some(layout)) => layout.rows(),
            (_, None) => 0,
        }
    }

    /// Whether two values are maps that lie alike.
    pub(super) fn are_alike(&self, a: ValueId, b: ValueId) -> bool {
        self.maps[a].is_some() && self.maps[a] == self.maps[b]
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
