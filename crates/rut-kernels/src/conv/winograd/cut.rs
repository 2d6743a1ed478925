//! A destination cut into tiles of 4×4 pixels, and these into ranges of channels, which threads may write at the same
//! time.

use crate::arch::{Bits, Epilogue, Pixels, Square, WRITTEN};
use crate::area::Area;
use crate::conv::piece::Cutter;
use crate::finish::End;
use crate::lanes::Lanes;

/// An area and the tiles that it touches, row by row: their first ones and numbers along both axes. Tiles begin at
/// multiples of 4 of the whole map, so that no pixel's sum depends on the area.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    area: Area,
    top: usize,
    left: usize,
    columns: usize,
    pub(super) tiles: usize,
}

impl Grid {
    pub(super) fn new(area: Area) -> Self {
        let [top, left] = [area.top / WRITTEN, area.left / WRITTEN];
        let rows = area.bottom().div_ceil(WRITTEN) - top;
        let columns = area.right().div_ceil(WRITTEN) - left;
        Self {
            area,
            top,
            left,
            columns,
            tiles: rows * columns,
        }
    }

    /// The first row and column of a tile.
    pub(super) fn pixel(&self, tile: usize) -> [usize; 2] {
        [
            (self.top + tile / self.columns) * WRITTEN,
            (self.left + tile % self.columns) * WRITTEN,
        ]
    }

    fn tile(&self, row: usize, column: usize) -> usize {
        (row / WRITTEN - self.top) * self.columns + column / WRITTEN - self.left
    }
}

/// Cuts the grid's area of a destination that holds `whole`: for each range of `step` channels all tiles of the grid.
pub(super) fn cut<'a>(
    values: &'a mut [Lanes],
    end: End<'a>,
    whole: Area,
    grid: Grid,
    channels: usize,
    step: usize,
) -> Vec<Vec<Square<'a>>> {
    let blank = || Square {
        values: Pixels::default(),
        bits: match end {
            End::Store => Bits::Store,
            End::Relu => Bits::Relu,
            End::ReluRecord(_) => Bits::ReluRecord(Pixels::default()),
            End::Mask(_) => Bits::Mask(Pixels::default()),
        },
    };
    let parts = channels.div_ceil(step);
    let mut squares: Vec<Vec<Square<'a>>> = (0..parts)
        .map(|_| (0..grid.tiles).map(|_| blank()).collect())
        .collect();
    let mut cutter = Cutter::new(values, end);
    for row in grid.area.top..grid.area.bottom() {
        for column in grid.area.left..grid.area.right() {
            let tile = grid.tile(row, column);
            let pixel = row % WRITTEN * WRITTEN + column % WRITTEN;
            let first = whole.index(row, column) * channels;
            for (part, squares) in squares.iter_mut().enumerate() {
                let from = part * step;
                let len = step.min(channels - from);
                let (values, epilogue) = cutter.take(first + from, len);
                let square = &mut squares[tile];
                square.values[pixel] = values;
                match (&mut square.bits, epilogue) {
                    (Bits::ReluRecord(bits), Epilogue::ReluRecord(here)) => bits[pixel] = here,
                    (Bits::Mask(bits), Epilogue::Mask(here)) => bits[pixel] = here,
                    _ => {}
                }
            }
        }
    }
    squares
}
