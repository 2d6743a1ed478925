//! Single pixels of one image. Here the lanes are sixteen pixels instead of sixteen images: the packed source is
//! gathered pixel by pixel, and the kernels are the same.

use rayon::prelude::*;

use super::block::Block;
use super::{Conv, Part};
use crate::arch::{Ahead, Fate, Init, Target};
use crate::error::{Error, Result};
use crate::lanes::{LANES, Lanes};
use crate::plane::{Plane, PlaneMut, check_pixels};
use crate::shape::Direction;
use crate::workspace::Workspace;

/// Up to sixteen written pixels of one phase.
struct Group<'a> {
    part: &'a Part,
    pixels: Vec<[usize; 2]>,
}

impl Conv {
    /// Adds the sums for the given pixels, and the bias, to what `target` holds there. They are
    /// added up in the order of [`run`](Self::run), to the same bits; those of
    /// [`Method::Winograd`](crate::Method::Winograd) directly, and so to the same up to rounding.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a plane does not fit the convolution, or a pixel lies outside.
    pub fn add_pixels(
        &self,
        workspace: &Workspace,
        source: Plane<'_>,
        target: PlaneMut<'_>,
        pixels: &[[usize; 2]],
    ) -> Result<()> {
        let [read, written] = self.shape.channels(self.direction);
        source.check("the plane that a convolution reads", read)?;
        target.check("the plane that a convolution writes", written)?;
        check_pixels(pixels, target.size)?;
        let (input, output) = match self.direction {
            Direction::Forward => (source.size, target.size),
            Direction::Backward => (target.size, source.size),
        };
        if self.shape.output(input) != Some(output) {
            return Err(Error::Shape {
                what: "the pair of planes of a convolution",
                found: format!("{input:?} and {output:?}"),
                expected: format!("{:?} for the output", self.shape.output(input)),
            });
        }
        let groups = self.groups(pixels);
        let sums: Vec<Vec<Lanes>> = groups
            .par_iter()
            .map(|group| self.group(workspace, source, &target, group))
            .collect();
        let width = target.size[1];
        for (group, sums) in groups.iter().zip(&sums) {
            for (lane, [y, x]) in group.pixels.iter().enumerate() {
                let at = (y * width + x) * written;
                let values = &mut target.values[at..at + written];
                for (value, sum) in values.iter_mut().zip(sums) {
                    *value = sum.0[lane];
                }
            }
        }
        Ok(())
    }

    fn groups(&self, pixels: &[[usize; 2]]) -> Vec<Group<'_>> {
        let step = self.steps.write;
        let of_part = |part: &Part, [y, x]: [usize; 2]| {
            y % step == part.phase.row && x % step == part.phase.column
        };
        let mut groups = Vec::new();
        for part in &self.parts {
            let here = pixels.iter().filter(|&&pixel| of_part(part, pixel));
            let here: Vec<[usize; 2]> = here.copied().collect();
            groups.extend(here.chunks(LANES).map(|pixels| Group {
                part,
                pixels: pixels.to_vec(),
            }));
        }
        groups
    }

    fn group(
        &self,
        workspace: &Workspace,
        source: Plane<'_>,
        target: &PlaneMut<'_>,
        group: &Group<'_>,
    ) -> Vec<Lanes> {
        let written = target.channels;
        let mut sums = vec![Lanes::ZERO; written];
        for (lane, [y, x]) in group.pixels.iter().enumerate() {
            let at = (y * target.size[1] + x) * written;
            let values = &target.values[at..at + written];
            for (sum, &value) in sums.iter_mut().zip(values) {
                sum.0[lane] = value;
            }
        }
        let mut scratch = workspace.take();
        for (index, block) in group.part.blocks.iter().enumerate() {
            let packed = scratch.lines(block.channels * group.part.packing.pitch);
            self.pack(packed, source, group, block);
            let target = Target {
                values: &mut sums,
                partial: &mut [],
                first: 0,
                pixel_stride: written,
                pixels: 1,
                channels: written,
                bias: &self.bias,
                init: if index == 0 {
                    Init::BiasAndDestination
                } else {
                    Init::Destination
                },
                fate: Fate::Store,
            };
            self.multiply(packed, &block.matrix, target, Ahead::default());
        }
        sums
    }

    fn pack(&self, packed: &mut [Lanes], source: Plane<'_>, group: &Group<'_>, block: &Block) {
        let (steps, packing) = (self.steps, &group.part.packing);
        packed.fill(Lanes::ZERO);
        for (lane, [y, x]) in group.pixels.iter().enumerate() {
            let q = [y / steps.write, x / steps.write];
            packing.each(steps, q, 1, source.size, |slot, pixel| {
                let Some([y, x]) = pixel else { return };
                let from = (y * source.size[1] + x) * source.channels + block.first;
                let values = &source.values[from..from + block.channels];
                for (channel, &value) in values.iter().enumerate() {
                    packed[channel * packing.pitch + slot].0[lane] = value;
                }
            });
        }
    }
}
