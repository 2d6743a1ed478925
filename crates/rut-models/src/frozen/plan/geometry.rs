//! Where the pixels of every value lie, for images of one size, and which of them differ between the images of a batch.

use rut_kernels::{Area, ConvShape};

use super::{Kind, Plan, Step, ValueId};
use crate::error::Result;
use crate::graph::{Graph, Shape};

/// The sizes of a plan's values.
#[derive(Debug, Clone)]
pub(in crate::frozen) struct Geometry {
    /// Height and width of every value; a row of features is one pixel.
    pub(in crate::frozen) sizes: Vec<[usize; 2]>,
    /// The pixels of every value that are computed for each image.
    pub(in crate::frozen) areas: Vec<Area>,
    /// The pixels that are kept for every value: those, and what its readers need around them.
    pub(in crate::frozen) held: Vec<Area>,
}

impl Geometry {
    /// For whole images of a size.
    ///
    /// # Errors
    ///
    /// [`Error::Graph`](crate::Error::Graph) names the node that does not fit.
    pub(in crate::frozen) fn whole(
        graph: &Graph,
        plan: &Plan,
        [height, width]: [usize; 2],
    ) -> Result<Self> {
        let shapes = graph.shapes([3, height, width])?;
        let size = |value: &super::Value| match shapes[value.node.index()] {
            Shape::Map { height, width, .. } => [height, width],
            Shape::Flat(_) => [1, 1],
        };
        let sizes: Vec<[usize; 2]> = plan.values.iter().map(size).collect();
        let areas: Vec<Area> = sizes.iter().map(|&[h, w]| Area::whole(h, w)).collect();
        Ok(Self {
            sizes,
            held: areas.clone(),
            areas,
        })
    }

    /// For images that differ only inside `window`: each value's area is what the window reaches.
    ///
    /// # Errors
    ///
    /// [`Error::Graph`](crate::Error::Graph) names the node that does not fit.
    pub(in crate::frozen) fn windowed(
        graph: &Graph,
        plan: &Plan,
        size: [usize; 2],
        window: Area,
    ) -> Result<Self> {
        let mut geometry = Self::whole(graph, plan, size)?;
        // Means and linear layers read all pixels of every image: what they read is computed whole.
        geometry.areas[0] = window;
        for step in &plan.steps {
            let Some(shape) = window_of(plan, step) else {
                continue;
            };
            let into = geometry.sizes[step.into];
            let reached = shape.reach(geometry.areas[step.from], into);
            let reached = step
                .add
                .map_or(reached, |add| union(reached, geometry.areas[add]));
            if !plan.reads_whole(step.into) {
                geometry.areas[step.into] = reached;
            }
        }
        geometry.held.clone_from(&geometry.areas);
        geometry.hold(plan);
        Ok(geometry)
    }

    /// Widens what is held until every step finds what it reads. A sum shares the memory of what it adds to, so both
    /// hold the same pixels.
    fn hold(&mut self, plan: &Plan) {
        loop {
            let before = self.held.clone();
            for step in plan.steps.iter().rev() {
                if let Some(shape) = window_of(plan, step) {
                    let needed = shape.read(self.areas[step.into], self.sizes[step.from]);
                    self.held[step.from] = union(self.held[step.from], needed);
                }
                if let Some(add) = step.add {
                    let shared = union(self.held[add], self.held[step.into]);
                    self.held[add] = shared;
                    self.held[step.into] = shared;
                }
            }
            if self.held == before {
                return;
            }
        }
    }

    /// Whether some pixels of a value are the same for all images.
    pub(in crate::frozen) fn is_partial(&self, id: usize) -> bool {
        let [height, width] = self.sizes[id];
        self.areas[id] != Area::whole(height, width)
    }

    /// The pixels of a value that are the same for all images, row by row.
    pub(in crate::frozen) fn shared(&self, id: usize) -> Vec<[usize; 2]> {
        let [height, width] = self.sizes[id];
        let area = self.areas[id];
        let inside = |y: usize, x: usize| {
            (area.top..area.bottom()).contains(&y) && (area.left..area.right()).contains(&x)
        };
        (0..height)
            .flat_map(|y| (0..width).map(move |x| [y, x]))
            .filter(|&[y, x]| !inside(y, x))
            .collect()
    }
}

impl Plan {
    /// Whether a step reads all pixels of a value at once.
    pub(in crate::frozen) fn reads_whole(&self, id: ValueId) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| step.from == id && window_of(self, step).is_none())
    }
}

/// The window that each pixel of a step's result reads, where there is one.
fn window_of(plan: &Plan, step: &Step) -> Option<ConvShape> {
    let channels = plan.values[step.from].channels;
    match &step.kind {
        Kind::Conv(layer) => Some(layer.shape),
        Kind::MaxPool(pool) => Some(pool.shape(channels)),
        Kind::OptionA(option) => Some(ConvShape {
            in_channels: option.in_channels,
            out_channels: option.out_channels,
            kernel: 1,
            stride: 2,
            padding: 0,
        }),
        Kind::Average(_) | Kind::Linear(_) => None,
    }
}

/// The smallest area that covers both.
fn union(a: Area, b: Area) -> Area {
    if a.is_empty() || b.is_empty() {
        return if a.is_empty() { b } else { a };
    }
    let (top, left) = (a.top.min(b.top), a.left.min(b.left));
    Area {
        top,
        left,
        height: a.bottom().max(b.bottom()) - top,
        width: a.right().max(b.right()) - left,
    }
}
