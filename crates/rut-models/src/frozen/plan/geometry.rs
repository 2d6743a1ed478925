//! Where the pixels of every value lie, for images of one size, and which of them differ between the images of a batch.

use rut_kernels::{Area, ConvShape};

use super::{Arithmetic, Kind, Plan, Step, ValueId};
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
    /// The pixels of every value that are the same for all images.
    pub(in crate::frozen) shared: Vec<[Area; 4]>,
    /// The pixels in every value's area whose gradients reach pixels that are the same for all images.
    pub(in crate::frozen) rims: Vec<[Area; 4]>,
}

impl Geometry {
    /// For whole images of a size.
    ///
    /// # Errors
    ///
    /// [`Error::Graph`](crate::Error::Graph) names the node that does not fit.
    pub(in crate::frozen) fn whole<A: Arithmetic>(
        graph: &Graph,
        plan: &Plan<A>,
        [height, width]: [usize; 2],
    ) -> Result<Self> {
        let shapes = graph.shapes([3, height, width])?;
        let size = |value: &super::Value| match shapes[value.node.index()] {
            Shape::Map { height, width, .. } => [height, width],
            Shape::Flat(_) => [1, 1],
        };
        let sizes: Vec<[usize; 2]> = plan.values.iter().map(size).collect();
        let areas: Vec<Area> = sizes.iter().map(|&[h, w]| Area::whole(h, w)).collect();
        let none = vec![areas[0].around(areas[0]); areas.len()];
        Ok(Self {
            sizes,
            held: areas.clone(),
            areas,
            shared: none.clone(),
            rims: none,
        })
    }

    /// For images that differ only inside `window`: each value's area is what the window reaches.
    ///
    /// # Errors
    ///
    /// [`Error::Graph`](crate::Error::Graph) names the node that does not fit.
    pub(in crate::frozen) fn windowed<A: Arithmetic>(
        graph: &Graph,
        plan: &Plan<A>,
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
        for (shared, (&[height, width], &area)) in
            (geometry.shared.iter_mut()).zip(geometry.sizes.iter().zip(&geometry.areas))
        {
            *shared = Area::whole(height, width).around(area);
        }
        for step in &plan.steps {
            geometry.rims[step.into] = geometry.rim(plan, step);
        }
        Ok(geometry)
    }

    /// What of a step's result goes back to pixels of what it reads that are the same for all images.
    fn rim<A: Arithmetic>(&self, plan: &Plan<A>, step: &Step<A>) -> [Area; 4] {
        let area = self.areas[step.into];
        let inside = match (&step.kind, window_of(plan, step)) {
            // Which pixel it took differs between the images, so that blocks go back through it themselves.
            (Kind::MaxPool(_), _) | (_, None) => area,
            (_, Some(shape)) => {
                let sizes = [self.sizes[step.from], self.sizes[step.into]];
                shape.inside(self.areas[step.from], sizes[0], sizes[1])
            }
        };
        let own = step.add.map_or(area, |add| self.areas[add]);
        area.around(area.intersection(inside).intersection(own))
    }

    /// Widens what is held until every step finds what it reads. A sum shares the memory of what it adds to, so both
    /// hold the same pixels.
    fn hold<A: Arithmetic>(&mut self, plan: &Plan<A>) {
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

    /// The pixels that are kept for a value around its area.
    pub(in crate::frozen) fn around(&self, id: ValueId) -> [Area; 4] {
        self.held[id].around(self.areas[id])
    }

    /// Whether some pixels of a value are the same for all images.
    pub(in crate::frozen) fn is_partial(&self, id: usize) -> bool {
        let [height, width] = self.sizes[id];
        self.areas[id] != Area::whole(height, width)
    }
}

impl<A: Arithmetic> Plan<A> {
    /// Whether a step reads all pixels of a value at once.
    pub(in crate::frozen) fn reads_whole(&self, id: ValueId) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| step.from == id && window_of(self, step).is_none())
    }
}

/// The window that each pixel of a step's result reads, where there is one.
fn window_of<A: Arithmetic>(plan: &Plan<A>, step: &Step<A>) -> Option<ConvShape> {
    let channels = plan.values[step.from].channels;
    match &step.kind {
        Kind::Conv { shape, .. } => Some(*shape),
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
