//! One image. Here the lanes are sixteen stretches of neighbouring pixels instead of sixteen images: what a kernel
//! multiplies is gathered float by float, and the kernels are the same.

use rayon::prelude::*;

use super::block::Block;
use super::phase::Phase;
use super::{Conv, Part, most_pixels};
use crate::arch::{Ahead, Epilogue, Init, Target};
use crate::area::Area;
use crate::error::{Error, Result};
use crate::finish::Start;
use crate::lanes::{LANES, Lanes};
use crate::plane::{Plane, PlaneMut, check_areas};
use crate::shape::Direction;
use crate::workspace::Workspace;

/// Neighbouring pixels of one phase in one row.
#[derive(Clone, Copy)]
struct Stretch {
    /// The written row.
    row: usize,
    /// The first of them, counted in q.
    q: usize,
    len: usize,
}

/// Up to sixteen stretches of one phase: a tile of `pixels` pixels whose lanes they are.
struct Group<'a> {
    part: &'a Part,
    stretches: Vec<Stretch>,
    pixels: usize,
}

/// An element of a packed source, its lane, and the element of the plane that goes there.
type Move = (usize, usize, usize);

impl Conv {
    /// The pixels `areas` of one image: from the bias, or added to what `target` holds there. They are added up in the
    /// order of [`run`](Self::run), to the same bits; those of [`ConvAlgorithm::Winograd`](crate::ConvAlgorithm::Winograd) directly,
    /// and so to the same up to rounding.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a plane does not fit the convolution, or an area lies outside.
    pub fn run_plane(
        &self,
        workspace: &Workspace,
        source: Plane<'_>,
        target: PlaneMut<'_>,
        areas: &[Area],
        start: Start,
    ) -> Result<()> {
        let [read, written] = self.shape.channels(self.direction);
        source.check("the plane that a convolution reads", read)?;
        target.check("the plane that a convolution writes", written)?;
        check_areas(areas, target.size)?;
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
        let groups = self.groups(areas);
        let sums: Vec<Vec<f32>> = groups
            .par_iter()
            .map(|group| self.group(workspace, source, &target, group, start))
            .collect();
        // For each row the stretches in it.
        let mut rows: Vec<Vec<(usize, usize)>> = vec![Vec::new(); target.size[0]];
        for (index, group) in groups.iter().enumerate() {
            for (lane, stretch) in group.stretches.iter().enumerate() {
                rows[stretch.row].push((index, lane));
            }
        }
        let pitch = target.size[1] * written;
        let planes = target.values.par_chunks_mut(pitch.max(1)).zip(&rows);
        planes.for_each(|(row, stretches)| {
            for &(index, lane) in stretches {
                let (group, stretch) = (&groups[index], groups[index].stretches[lane]);
                let from = lane * group.pixels * written;
                let pixels = sums[index][from..].chunks_exact(written);
                for (pixel, sums) in pixels.take(stretch.len).enumerate() {
                    let at = self.column(group.part, stretch.q + pixel) * written;
                    row[at..at + written].copy_from_slice(sums);
                }
            }
        });
        Ok(())
    }

    /// The written column of a q.
    fn column(&self, part: &Part, q: usize) -> usize {
        q * self.steps.write + part.phase.column
    }

    fn groups(&self, areas: &[Area]) -> Vec<Group<'_>> {
        let step = self.steps.write;
        let most = most_pixels(self.arch, self.algorithm);
        let mut groups = Vec::new();
        for part in &self.parts {
            let mut stretches = Vec::new();
            for area in areas {
                let q = Phase::range(part.phase.column, step, area.left, area.width);
                let cuts = q.len().div_ceil(most);
                let rows = (area.top..area.bottom()).filter(|row| row % step == part.phase.row);
                for row in rows {
                    stretches.extend((0..cuts).map(|cut| {
                        let from = q.start + cut * q.len() / cuts;
                        let to = q.start + (cut + 1) * q.len() / cuts;
                        Stretch {
                            row,
                            q: from,
                            len: to - from,
                        }
                    }));
                }
            }
            // Those of a group are as long as its longest.
            stretches.sort_by_key(|stretch| stretch.len);
            groups.extend(stretches.chunks(LANES).map(|stretches| Group {
                part,
                stretches: stretches.to_vec(),
                pixels: stretches.last().map_or(0, |stretch| stretch.len),
            }));
        }
        groups
    }

    /// The sums of a group, `[stretches][pixels][written]`.
    fn group(
        &self,
        workspace: &Workspace,
        source: Plane<'_>,
        target: &PlaneMut<'_>,
        group: &Group<'_>,
        start: Start,
    ) -> Vec<f32> {
        let (part, pixels, written) = (group.part, group.pixels, target.channels);
        let mut scratch = workspace.take();
        let [packed, partial] = self.scratch(part, pixels);
        let [packed, partial, sums] = scratch.pieces([packed, partial, pixels * written]);
        if start == Start::Add {
            self.load(target, group, sums);
        }
        let moves = self.moves(source, group);
        let last = part.blocks.len().saturating_sub(1);
        for (index, block) in part.blocks.iter().enumerate() {
            let packed = &mut packed[..block.channels * part.packing.pitch];
            pack(packed, source, &moves, part, block);
            let target = Target {
                values: &mut *sums,
                partial: &mut *partial,
                first: 0,
                pixel_stride: written,
                pixels,
                channels: written,
                bias: &self.bias,
                init: match (index, start) {
                    (0, Start::Fresh) => Init::Bias,
                    (0, Start::Add) => Init::BiasAndDestination,
                    _ => Init::Partial,
                },
                epilogue: if index == last {
                    Epilogue::Store
                } else {
                    Epilogue::Partial
                },
            };
            self.multiply(packed, &block.matrix, target, Ahead::default());
        }
        let mut rows = vec![0.0; group.stretches.len() * sums.len()];
        for (at, sums) in sums.iter().enumerate() {
            let stretches = rows[at..].iter_mut().step_by(pixels * written);
            for (value, &sum) in stretches.zip(&sums.0) {
                *value = sum;
            }
        }
        rows
    }

    /// What the target holds, as sums `[pixels][written]`.
    fn load(&self, target: &PlaneMut<'_>, group: &Group<'_>, sums: &mut [Lanes]) {
        let written = target.channels;
        for (lane, stretch) in group.stretches.iter().enumerate() {
            let tile = sums.chunks_exact_mut(written).take(stretch.len);
            for (pixel, sums) in tile.enumerate() {
                let column = self.column(group.part, stretch.q + pixel);
                let at = (stretch.row * target.size[1] + column) * written;
                let values = &target.values[at..at + written];
                for (sum, &value) in sums.iter_mut().zip(values) {
                    sum.0[lane] = value;
                }
            }
        }
    }

    fn moves(&self, source: Plane<'_>, group: &Group<'_>) -> Vec<Move> {
        let mut moves = Vec::new();
        for (lane, stretch) in group.stretches.iter().enumerate() {
            let q = [stretch.row / self.steps.write, stretch.q];
            let (packing, len) = (&group.part.packing, stretch.len);
            packing.each(self.steps, q, len, source.size, |slot, pixel| {
                if let Some([y, x]) = pixel {
                    let from = (y * source.size[1] + x) * source.channels;
                    moves.push((slot, lane, from));
                }
            });
        }
        moves
    }
}

fn pack(packed: &mut [Lanes], source: Plane<'_>, moves: &[Move], part: &Part, block: &Block) {
    packed.fill(Lanes::ZERO);
    for &(slot, lane, from) in moves {
        let from = from + block.first;
        let values = &source.values[from..from + block.channels];
        let slots = packed[slot..].iter_mut().step_by(part.packing.pitch);
        for (element, &value) in slots.zip(values) {
            element.0[lane] = value;
        }
    }
}
