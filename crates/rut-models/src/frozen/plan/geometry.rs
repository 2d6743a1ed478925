//! Where the pixels of every value lie, for images of one size.

use rut_kernels::Area;

use super::Plan;
use crate::error::Result;
use crate::graph::{Graph, Shape};

/// The sizes of a plan's values.
#[derive(Debug, Clone)]
pub(in crate::frozen) struct Geometry {
    /// Height and width of every value; a row of features is one pixel.
    pub(in crate::frozen) sizes: Vec<[usize; 2]>,
    /// The pixels of every value that differ between images.
    pub(in crate::frozen) areas: Vec<Area>,
    /// The pixels that are kept for every value: those, and what their readers need around them.
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
}
