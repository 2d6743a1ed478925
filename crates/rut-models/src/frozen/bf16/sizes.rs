//! A plan for images of one size: where the pixels of every value lie, the routes of all convolutions, and the schedule.

use std::sync::Arc;

use rut_kernels::ConvShape;
use rut_kernels::bf16::{ImageSums, Route};

use super::arithmetic::Bf16;
use super::layouts::{Layouts, lost};
use super::schedule::Schedule;
use crate::error::{Error, Result};
use crate::frozen::batch::BLOCK_IMAGES;
use crate::frozen::plan::{Geometry, Kind, Plan, Step};

/// What [`Plan`] becomes for one size of images: for whole blocks, and for a block of fewer images where those are not the same.
pub(super) struct BlockSizes {
    pub(super) full: Sizes,
    part: Option<Sizes>,
}

impl BlockSizes {
    /// Of whole images.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`] where maps do not fit the kernels.
    pub(super) fn whole(plan: &Plan<Bf16>, geometry: Geometry) -> Result<Self> {
        let full = Sizes::scheduled(plan, geometry.clone(), true)?;
        let part = full.layouts.any_together();
        let part = part.then(|| Sizes::scheduled(plan, geometry, false));
        Ok(Self {
            full,
            part: part.transpose()?,
        })
    }

    /// Of images that differ only in a window; `whole` is the geometry of all of them.
    ///
    /// # Errors
    ///
    /// As [`BlockSizes::whole`].
    pub(super) fn windowed(plan: &Plan<Bf16>, geometry: Geometry, whole: Geometry) -> Result<Self> {
        let mut sizes = Self::whole(plan, geometry)?;
        let canvas = CanvasSizes::new(plan, &sizes.full.geometry, whole)?;
        let canvas = Arc::new(canvas);
        if let Some(part) = &mut sizes.part {
            part.canvas = Some(canvas.clone());
        }
        sizes.full.canvas = Some(canvas);
        Ok(sizes)
    }

    /// For a block of so many images.
    pub(super) fn of(&self, images: usize) -> &Sizes {
        match &self.part {
            Some(part) if images < BLOCK_IMAGES => part,
            _ => &self.full,
        }
    }
}

/// The same for blocks of one kind.
pub(super) struct Sizes {
    pub(super) geometry: Geometry,
    pub(super) layouts: Layouts,
    /// For each step that is a convolution its ways forward and back.
    pub(super) routes: Vec<Option<[Route; 2]>>,
    /// Where the gradient of the image comes from.
    pub(super) image_sums: ImageSums,
    pub(super) schedule: Schedule,
    /// What is computed once for all images, where there is a window.
    pub(super) canvas: Option<Arc<CanvasSizes>>,
}

/// What is the same for all images.
pub(super) struct CanvasSizes {
    /// All of it, as one image.
    pub(super) whole: Sizes,
    /// For each step that is a convolution the ways back to the shared pixels of what it reads.
    pub(super) strips: Vec<Vec<Route>>,
    /// The same to those of the image.
    pub(super) image_strips: Vec<(Route, ImageSums)>,
}

impl CanvasSizes {
    /// `geometry` is that of the images' own pixels, `whole` that of all of them.
    fn new(plan: &Plan<Bf16>, geometry: &Geometry, whole: Geometry) -> Result<Self> {
        let whole = Sizes::of(plan, whole, false)?;
        let (shared, isa) = (&geometry.shared, plan.arithmetic.isa);
        let mut strips = Vec::new();
        let mut image_strips = Vec::new();
        for step in &plan.steps[..whole.routes.len()] {
            let mut routes = Vec::new();
            if let Kind::Conv { layer, .. } = &step.kind {
                let source = whole.layouts.map(step.into)?;
                for &strip in shared[step.from].iter().filter(|strip| !strip.is_empty()) {
                    if step.from == 0 {
                        image_strips.push(Route::to_image(&layer.backward, source, strip, isa)?);
                    } else {
                        let target = whole.layouts.map(step.from)?;
                        routes.push(Route::new(&layer.backward, source, target, strip, isa)?);
                    }
                }
            }
            strips.push(routes);
        }
        Ok(Self {
            whole,
            strips,
            image_strips,
        })
    }
}

impl Sizes {
    /// With the order in which a block goes through the plan.
    fn scheduled(plan: &Plan<Bf16>, geometry: Geometry, whole_block: bool) -> Result<Self> {
        let mut sizes = Self::of(plan, geometry, whole_block)?;
        let weights = |step: &Step<Bf16>| match &step.kind {
            Kind::Conv { layer, .. } => layer.bytes(),
            _ => 0,
        };
        let weights: Vec<usize> = plan.steps.iter().map(weights).collect();
        let steps = &plan.steps[..sizes.routes.len()];
        sizes.schedule = Schedule::new(steps, plan.values.len(), &sizes.layouts, &weights);
        Ok(sizes)
    }

    fn of(plan: &Plan<Bf16>, geometry: Geometry, whole_block: bool) -> Result<Self> {
        let end = map_steps(plan)?;
        let stem = stem(plan, end)?;
        let layouts = Layouts::new(plan, &geometry, end, (stem, whole_block));
        let isa = plan.arithmetic.isa;
        let mut sums = None;
        let mut routes = Vec::new();
        for step in &plan.steps[..end] {
            let Kind::Conv { layer, .. } = &step.kind else {
                routes.push(None);
                continue;
            };
            let target = layouts.map(step.into)?;
            let [from, into] = [step.from, step.into].map(|id| geometry.areas[id]);
            routes.push(Some(if step.from == 0 {
                let there = Route::from_image(&layer.forward, &layouts.image, target, into, isa)?;
                let (back, placing) = Route::to_image(&layer.backward, target, from, isa)?;
                sums = Some(placing);
                [there, back]
            } else {
                let source = layouts.map(step.from)?;
                let there = Route::new(&layer.forward, source, target, into, isa)?;
                [
                    there,
                    Route::new(&layer.backward, target, source, from, isa)?,
                ]
            }));
        }
        Ok(Self {
            geometry,
            layouts,
            routes,
            image_sums: sums.ok_or_else(lost)?,
            schedule: Schedule::apart(end, plan.values.len()),
            canvas: None,
        })
    }
}

/// The number of steps up to the average that ends the maps, itself included.
///
/// # Errors
///
/// [`Error::Graph`] for networks that are not maps, then an average, then linear layers.
pub(super) fn map_steps(plan: &Plan<Bf16>) -> Result<usize> {
    let is_average = |step: &Step<Bf16>| matches!(step.kind, Kind::Average(_));
    let is_linear = |step: &Step<Bf16>| matches!(step.kind, Kind::Linear(_));
    let refused = |step: Option<&Step<Bf16>>, reason: &str| Error::Graph {
        node: step.map_or(0, |step| plan.values[step.into].node.index()),
        op: "an operation",
        reason: format!("{reason} in bf16; use the precision f32"),
    };
    let last = plan.steps.iter().position(is_average);
    let last = last.ok_or_else(|| refused(None, "maps have to end in an average pool"))?;
    let (maps, tail) = (&plan.steps[..last], &plan.steps[last + 1..]);
    if let Some(step) = maps.iter().find(|step| is_linear(step)) {
        return Err(refused(
            Some(step),
            "a linear layer has to come after the average pool",
        ));
    }
    if let Some(step) = tail.iter().find(|step| !is_linear(step)) {
        return Err(refused(
            Some(step),
            "only linear layers may come after the average pool",
        ));
    }
    let reads_pooled = |step: &&Step<Bf16>| {
        matches!(step.kind, Kind::MaxPool(_)) && plan.values[step.from].readers != 1
    };
    if let Some(step) = maps.iter().find(reads_pooled) {
        return Err(refused(
            Some(step),
            "what a max-pool reads may not be read again",
        ));
    }
    stem(plan, last + 1)?;
    Ok(last + 1)
}

/// The shape of the one convolution that reads the image.
fn stem(plan: &Plan<Bf16>, end: usize) -> Result<ConvShape> {
    let mut readers = plan.steps[..end]
        .iter()
        .filter(|step| step.reads().any(|id| id == 0));
    match (
        readers.next().map(|step| (&step.kind, step.add)),
        readers.next(),
    ) {
        (Some((Kind::Conv { shape, .. }, None)), None) => Ok(*shape),
        _ => Err(Error::Graph {
            node: 0,
            op: "the input",
            reason:
                "in bf16 one convolution reads the image, and nothing else; use the precision f32"
                    .into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use rut_kernels::Area;
    use rut_kernels::bf16::Bf16Isa;

    use super::*;
    use crate::{Array, Weights, find};

    /// ResNet-18 on images of 224 pixels, of which the pixels of a window are an image's own: the width of each map in the order in
    /// which they are written, and how many images stand together.
    fn maps(window: Option<Area>) -> Vec<[usize; 2]> {
        let graph = find("resnet18").unwrap().build();
        let arrays: BTreeMap<String, Array> = graph
            .parameters()
            .into_iter()
            .map(|of| {
                let numbers = vec![0.5; of.shape.iter().product()];
                (of.name, Array::new(of.shape, numbers).unwrap())
            })
            .collect();
        let weights = Weights::from_arrays(&graph, arrays).unwrap();
        let arithmetic = Bf16::new(Bf16Isa::Portable).unwrap();
        let plan = Plan::new(&graph, &weights, arithmetic).unwrap();
        let size = [224, 224];
        let whole = Geometry::whole(&graph, &plan, size).unwrap();
        let sizes = match window {
            None => BlockSizes::whole(&plan, whole),
            Some(window) => {
                let part = Geometry::windowed(&graph, &plan, size, window).unwrap();
                BlockSizes::windowed(&plan, part, whole)
            }
        }
        .unwrap();
        for images in 1..BLOCK_IMAGES {
            assert!(!sizes.of(images).layouts.any_together());
        }
        let layouts = &sizes.of(BLOCK_IMAGES).layouts;
        let end = sizes.full.routes.len();
        let maps = plan.steps[..end - 1].iter().map(|step| {
            let layout = layouts.map(step.into).unwrap();
            [layout.area.width, layout.together]
        });
        maps.collect()
    }

    #[test]
    fn narrow_maps_of_a_whole_block_stand_together() {
        let maps = maps(None);
        // Besides the narrowest, the one that the strided convolutions read for them.
        let kinds: BTreeSet<[usize; 2]> = maps.iter().copied().collect();
        let expected = [[112, 1], [56, 1], [28, 1], [14, 1], [14, 16], [7, 16]];
        assert_eq!(kinds, BTreeSet::from(expected));
        assert_eq!(maps.iter().filter(|&&map| map == [14, 16]).count(), 1);
    }

    #[test]
    fn maps_before_wider_ones_stand_apart() {
        for side in [2, 6, 32] {
            let at = (224 - side) / 2;
            let window = Area {
                top: at,
                left: at,
                height: side,
                width: side,
            };
            let maps = maps(Some(window));
            let first = maps.iter().position(|&[_, together]| together > 1);
            let first = first.expect("the last maps are narrow");
            assert!(maps[..first].iter().any(|&[width, _]| width > 8));
            assert!(maps[first..].iter().all(|&[_, together]| together > 1));
        }
    }
}
