//! A convolution with frozen weights, in one direction.

mod block;
mod phase;
mod piece;
mod plane;
mod winograd;

use rayon::prelude::*;

use crate::arch::{Ahead, Arch, DenseTile, Epilogue, Gather, Init, SparseTile, Target};
use crate::area::Area;
use crate::error::{Error, Result};
use crate::finish::{End, Ends, Start};
use crate::isa::Isa;
use crate::lanes::Lanes;
use crate::map::{Map, MapMut};
use crate::shape::{ConvShape, Direction};
use crate::workspace::{Scratch, Workspace};
use block::{Block, Matrix, Weights};
use phase::{Packing, Phase, Steps};
use piece::{Cuts, Piece};
use winograd::Winograd;

/// How the weights are stored and multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConvAlgorithm {
    /// All weights.
    Dense,
    /// Only those that are not zero, as compressed rows.
    Sparse,
    /// All weights, transformed: Winograd's F(4×4, 3×3), a quarter of the products. For kernels of 3×3 with stride 1
    /// and at most 2 pixels of padding. Tiles of 4×4 pixels are computed together: what is not a number reaches all
    /// pixels of a tile; and where the source holds only a part of its map, the rest of a tile counts as zero, which
    /// changes sums by no more than rounding.
    Winograd,
}

impl ConvAlgorithm {
    /// All algorithms.
    pub const ALL: [Self; 3] = [Self::Dense, Self::Sparse, Self::Winograd];

    /// Whether it can compute convolutions of this shape.
    pub fn fits(self, shape: ConvShape) -> bool {
        match self {
            Self::Dense | Self::Sparse => true,
            Self::Winograd => winograd::fits(shape),
        }
    }

    /// The name that tables and records hold.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::Sparse => "sparse",
            Self::Winograd => "winograd",
        }
    }
}

/// A convolution in one direction, its weights stored as a kernel reads them.
///
/// ```
/// use rut_kernels::{
///     Area, Conv, ConvShape, Direction, End, Ends, Isa, Lanes, Map, MapMut, ConvAlgorithm, Start, Workspace,
/// };
/// let shape = ConvShape { in_channels: 1, out_channels: 1, kernel: 3, stride: 1, padding: 1 };
/// let conv = Conv::new(Isa::best(), ConvAlgorithm::Dense, shape, Direction::Forward, &[1.0; 9], None)?;
/// let image = vec![Lanes::splat(1.0); 9];
/// let mut sums = vec![Lanes::ZERO; 9];
/// let (size, area) = ([3, 3], Area::whole(3, 3));
/// let source = Map { values: &image, size, area, channels: 1 };
/// let target = MapMut { values: &mut sums, size, area, channels: 1 };
/// let ends = Ends { start: Start::Fresh, end: End::Store };
/// conv.run(&Workspace::new(), source, target, area, ends)?;
/// assert_eq!(sums[4], Lanes::splat(9.0)); // the middle pixel sees nine, a corner four
/// assert_eq!(sums[0], Lanes::splat(4.0));
/// # Ok::<(), rut_kernels::Error>(())
/// ```
pub struct Conv {
    arch: &'static Arch,
    algorithm: ConvAlgorithm,
    shape: ConvShape,
    direction: Direction,
    steps: Steps,
    parts: Vec<Part>,
    /// For each row phase all of its columns together, where one alone would leave a group of channels part empty; the
    /// parts are then for what is left at an area's edges.
    wide: Vec<Part>,
    /// Takes the place of the parts' blocks, but not for the planes of one image.
    winograd: Option<Winograd>,
    /// Padded to whole groups of channels; for wide parts it repeats itself.
    bias: Vec<f32>,
}

/// A phase with its weights.
struct Part {
    phase: Phase,
    /// Neighbouring pixels that it writes at once: more than one if it is wide.
    columns: usize,
    packing: Packing,
    blocks: Vec<Block>,
}

impl Conv {
    /// Stores `weights` `[out, in, kernel, kernel]` for one direction. The bias has an entry for each channel that is
    /// written.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where weights or bias have another length than the shape implies, a count of the shape is zero, or the
    /// method does not fit the shape.
    pub fn new(
        isa: Isa,
        algorithm: ConvAlgorithm,
        shape: ConvShape,
        direction: Direction,
        weights: &[f32],
        bias: Option<&[f32]>,
    ) -> Result<Self> {
        let channels = shape.channels(direction);
        shape.check()?;
        let what = "the weights of a convolution";
        Error::check_len(what, weights.len(), shape.weights())?;
        if let Some(bias) = bias {
            Error::check_len("the bias of a convolution", bias.len(), channels[1])?;
        }
        if !algorithm.fits(shape) {
            return Err(Error::Shape {
                what: "the shape of a Winograd convolution",
                found: format!("{shape:?}"),
                expected: "kernel 3, stride 1 and padding up to 2".into(),
            });
        }
        let arch = Arch::of(isa);
        let steps = Steps::of(shape, direction);
        let view = Weights {
            values: weights,
            shape,
            direction,
        };
        let pixels = most_pixels(arch, algorithm);
        let part = |phase: Phase, columns: usize| {
            let packing = Packing::new(&phase.taps, steps, pixels);
            let taps = phase.taps.as_slice();
            let [read, written] = channels;
            let channels = [read, written * columns];
            let blocks = match algorithm {
                // Winograd's tiles need whole maps: the planes of one image are computed directly.
                ConvAlgorithm::Dense | ConvAlgorithm::Winograd => {
                    block::dense(arch, &view, channels, taps, &packing)
                }
                ConvAlgorithm::Sparse => block::sparse(&view, channels, taps, &packing),
            };
            Part {
                phase,
                columns,
                packing,
                blocks,
            }
        };
        let is_wide =
            algorithm == ConvAlgorithm::Dense && steps.write > 1 && channels[1] < arch.rows;
        let wide = if is_wide {
            Phase::wide(shape, direction)
        } else {
            Vec::new()
        };
        let columns = if is_wide { steps.write } else { 1 };
        let bias = bias.map_or_else(|| vec![0.0; channels[1]], <[f32]>::to_vec);
        let mut bias = bias.repeat(columns);
        bias.resize(bias.len().next_multiple_of(arch.rows), 0.0);
        let phases = Phase::all(shape, direction);
        let winograd = (algorithm == ConvAlgorithm::Winograd)
            .then(|| Winograd::new(arch, &view, shape, direction, &phases[0]));
        Ok(Self {
            arch,
            algorithm,
            shape,
            direction,
            steps,
            parts: phases.into_iter().map(|phase| part(phase, 1)).collect(),
            wide: wide.into_iter().map(|phase| part(phase, columns)).collect(),
            winograd,
            bias,
        })
    }

    /// Computes the pixels `area` of `target`, on the threads of the current rayon pool. Every sum is added up in the
    /// same order whatever the area and the number of threads.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a map or its bits do not fit the convolution, or `source` lacks pixels that are read.
    pub fn run(
        &self,
        workspace: &Workspace,
        source: Map<'_>,
        target: MapMut<'_>,
        area: Area,
        ends: Ends<'_>,
    ) -> Result<()> {
        let Ends { start, end } = ends;
        self.check(&source, &target, area, &end)?;
        let channels = target.channels;
        let job = self.job(source, &target, area, start);
        if let Some(winograd) = &self.winograd {
            winograd.run(workspace, &job, target.values, end, &self.bias);
            return Ok(());
        }
        let cuts = Cuts {
            most: most_pixels(self.arch, self.algorithm),
            step: self.steps.write,
        };
        let mut pieces = piece::cut(target.values, end, job.held, job.area, channels, cuts);
        if self.shape.kernel > 1 {
            // Down each column, so that the rows that neighbouring windows share stay in the cache.
            pieces.sort_unstable_by_key(|piece| (piece.left, piece.row));
        }
        pieces.into_par_iter().for_each_init(
            || ThreadScratch {
                scratch: workspace.take(),
                slots: Vec::new(),
            },
            |lent, piece| self.piece(&job, piece, lent),
        );
        Ok(())
    }

    fn job<'a>(&self, source: Map<'a>, target: &MapMut<'_>, area: Area, start: Start) -> Job<'a> {
        let pointwise = self.shape.kernel == 1 && self.shape.stride == 1 && self.shape.padding == 0;
        if pointwise && source.area == area && target.area == area {
            // Neighbouring rows are neighbours in memory: one long row.
            let line = Area::whole(1, area.len());
            let source = Map {
                size: [1, area.len()],
                area: line,
                ..source
            };
            return Job {
                source,
                held: line,
                area: line,
                start,
            };
        }
        Job {
            source,
            held: target.area,
            area,
            start,
        }
    }

    fn piece(&self, job: &Job<'_>, mut piece: Piece<'_>, lent: &mut ThreadScratch<'_>) {
        let step = self.steps.write;
        let whole = match self.wide.get(piece.row % step) {
            Some(part) => {
                let whole = piece.left.div_ceil(step)..(piece.left + piece.width) / step;
                if !whole.is_empty() {
                    self.tile(job, part, &mut piece, whole.clone(), lent);
                }
                whole
            }
            None => 0..0,
        };
        let row = piece.row % step;
        for part in self.parts.iter().filter(|part| part.phase.row == row) {
            let q = Phase::range(part.phase.column, step, piece.left, piece.width);
            let others = if whole.is_empty() {
                [q.clone(), 0..0]
            } else {
                [q.start..whole.start, whole.end..q.end]
            };
            for q in others {
                if !q.is_empty() {
                    self.tile(job, part, &mut piece, q, lent);
                }
            }
        }
    }

    /// The pixels q of one part in a piece: packs each block of channels and multiplies it.
    fn tile(
        &self,
        job: &Job<'_>,
        part: &Part,
        piece: &mut Piece<'_>,
        q: std::ops::Range<usize>,
        lent: &mut ThreadScratch<'_>,
    ) {
        let ThreadScratch { scratch, slots } = lent;
        let [read, written] = self.shape.channels(self.direction);
        let (step, pitch) = (self.steps.write, part.packing.pitch);
        let row = piece.row / step;
        slots.clear();
        part.packing.each(
            self.steps,
            [row, q.start],
            q.len(),
            job.source.size,
            |slot, pixel| {
                let from = pixel.map_or(Gather::ZERO, |[y, x]| {
                    (job.source.area.index(y, x) * read) as u32
                });
                slots.push((slot as u32, from));
            },
        );
        let first = (q.start * step + part.phase.column - piece.left) * written;
        let last = part.blocks.len().saturating_sub(1);
        let [packed, partial] = scratch.pieces(self.scratch(part, q.len()));
        for (index, block) in part.blocks.iter().enumerate() {
            let packed = &mut packed[..block.channels * pitch];
            (self.arch.gather)(Gather {
                source: job.source.values,
                packed,
                pitch,
                channels: block.channels,
                slots,
                shift: block.first,
            });
            let init = match (index, job.start) {
                (0, Start::Fresh) => Init::Bias,
                (0, Start::Add) => Init::BiasAndDestination,
                _ => Init::Partial,
            };
            let epilogue = if index == last {
                reborrow(&mut piece.epilogue)
            } else {
                Epilogue::Partial
            };
            let target = Target {
                values: piece.values,
                partial,
                first,
                pixel_stride: step * written,
                pixels: q.len(),
                channels: written * part.columns,
                bias: &self.bias,
                init,
                epilogue,
            };
            // What is gathered next: the tile's next block, else most likely the neighbouring tile's first.
            let next = part.blocks.get(index + 1);
            let ahead = Ahead {
                source: job.source.values,
                slots,
                shift: next.map_or(q.len() * self.steps.read * read, |next| next.first),
                channels: next.unwrap_or(&part.blocks[0]).channels,
            };
            self.multiply(packed, &block.matrix, target, ahead);
        }
    }

    /// Elements of the packed source of a part's widest block, and of a tile's unfinished sums.
    fn scratch(&self, part: &Part, pixels: usize) -> [usize; 2] {
        let channels = part.blocks.iter().map(|block| block.channels).max();
        let unfinished = if part.blocks.len() > 1 {
            self.bias.len() * pixels
        } else {
            0
        };
        [channels.unwrap_or(0) * part.packing.pitch, unfinished]
    }

    fn multiply(&self, source: &[Lanes], matrix: &Matrix, target: Target<'_>, ahead: Ahead<'_>) {
        match matrix {
            Matrix::Dense {
                offsets,
                terms,
                weights,
            } => (self.arch.dense)(DenseTile {
                source,
                offsets,
                terms: *terms,
                weights,
                target,
            }),
            Matrix::Sparse(rows) => (self.arch.sparse)(SparseTile {
                source,
                rows,
                ahead,
                target,
            }),
        }
    }

    fn check(
        &self,
        source: &Map<'_>,
        target: &MapMut<'_>,
        area: Area,
        end: &End<'_>,
    ) -> Result<()> {
        let [read, written] = self.shape.channels(self.direction);
        source.check("the map that a convolution reads", read)?;
        target.check("the map that a convolution writes", written)?;
        let (input, output) = match self.direction {
            Direction::Forward => (source.size, target.size),
            Direction::Backward => (target.size, source.size),
        };
        if self.shape.output(input) != Some(output) || !target.area.contains(area) {
            return Err(Error::Shape {
                what: "the pair of maps of a convolution",
                found: format!("{input:?} and {output:?}, written at {area:?}"),
                expected: format!("{:?} for the output", self.shape.output(input)),
            });
        }
        let bits = match end {
            End::ReluRecord(bits) => Some(bits.len()),
            End::Mask(bits) => Some(bits.len()),
            _ => None,
        };
        if let Some(bits) = bits {
            Error::check_len("the record of a ReLU", bits, target.values.len())?;
        }
        for part in &self.parts {
            if let Some(needed) = part.phase.reads(self.steps, area, source.size)
                && !source.area.contains(needed)
            {
                return Err(Error::Shape {
                    what: "the map that a convolution reads",
                    found: format!("{:?}", source.area),
                    expected: format!("at least {needed:?}"),
                });
            }
        }
        Ok(())
    }

    /// The algorithm.
    pub fn algorithm(&self) -> ConvAlgorithm {
        self.algorithm
    }

    /// The instruction set that it uses.
    pub fn isa(&self) -> Isa {
        self.arch.isa
    }
}

impl std::fmt::Debug for Conv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conv")
            .field("isa", &self.arch.isa)
            .field("method", &self.algorithm)
            .field("shape", &self.shape)
            .field("direction", &self.direction)
            .finish_non_exhaustive()
    }
}

/// One run: what is read, which pixels the target holds, which of them are computed, and what their sums start from.
struct Job<'a> {
    source: Map<'a>,
    held: Area,
    area: Area,
    start: Start,
}

/// Scratch memory of a thread, used by its pieces one after another.
struct ThreadScratch<'a> {
    scratch: Scratch<'a>,
    slots: Vec<(u32, u32)>,
}

fn most_pixels(arch: &Arch, algorithm: ConvAlgorithm) -> usize {
    match algorithm {
        ConvAlgorithm::Dense | ConvAlgorithm::Winograd => arch.dense_pixels,
        ConvAlgorithm::Sparse => arch.sparse_pixels,
    }
}

fn reborrow<'a>(epilogue: &'a mut Epilogue<'_>) -> Epilogue<'a> {
    match epilogue {
        Epilogue::Partial => Epilogue::Partial,
        Epilogue::Store => Epilogue::Store,
        Epilogue::Relu => Epilogue::Relu,
        Epilogue::ReluRecord(bits) => Epilogue::ReluRecord(bits),
        Epilogue::Mask(bits) => Epilogue::Mask(bits),
    }
}
