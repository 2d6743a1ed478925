//! A destination cut into pieces that threads may write at the same time.

use crate::arch::Epilogue;
use crate::area::Area;
use crate::finish::End;
use crate::lanes::Lanes;

/// Neighbouring pixels of one row, with their bits.
pub(super) struct Piece<'a> {
    pub(super) row: usize,
    pub(super) left: usize,
    pub(super) width: usize,
    pub(super) values: &'a mut [Lanes],
    pub(super) epilogue: Epilogue<'a>,
}

/// How rows are cut: in nearly equal parts of at most `most` steps of `step` pixels, between steps.
#[derive(Clone, Copy)]
pub(super) struct Cuts {
    pub(super) most: usize,
    pub(super) step: usize,
}

/// Cuts `area` of a destination that holds `whole`.
pub(super) fn cut<'a>(
    values: &'a mut [Lanes],
    end: End<'a>,
    whole: Area,
    area: Area,
    channels: usize,
    Cuts { most, step }: Cuts,
) -> Vec<Piece<'a>> {
    let mut cutter = Cutter::new(values, end);
    let (first, last) = (area.left / step, area.right().div_ceil(step));
    let parts = (last - first).div_ceil(most);
    let edge = |part: usize| {
        let at = (first + part * (last - first) / parts) * step;
        at.clamp(area.left, area.right())
    };
    let mut pieces = Vec::with_capacity(area.height * parts);
    for row in area.top..area.bottom() {
        for part in 0..parts {
            let (left, right) = (edge(part), edge(part + 1));
            if left == right {
                continue;
            }
            let from = whole.index(row, left) * channels;
            let (values, epilogue) = cutter.take(from, (right - left) * channels);
            pieces.push(Piece {
                row,
                left,
                width: right - left,
                values,
                epilogue,
            });
        }
    }
    pieces
}

/// What has not been cut off yet, beginning at element `at`.
pub(super) struct Cutter<'a> {
    values: &'a mut [Lanes],
    end: End<'a>,
    at: usize,
}

impl<'a> Cutter<'a> {
    pub(super) fn new(values: &'a mut [Lanes], end: End<'a>) -> Self {
        Self { values, end, at: 0 }
    }

    /// Elements `from..from + len`, with their bits; none of them may have been cut off before.
    pub(super) fn take(&mut self, from: usize, len: usize) -> (&'a mut [Lanes], Epilogue<'a>) {
        let skip = from - self.at;
        self.at = from + len;
        let values = advance(&mut self.values, skip, len);
        let epilogue = match &mut self.end {
            End::Store => Epilogue::Store,
            End::Relu => Epilogue::Relu,
            End::ReluRecord(bits) => Epilogue::ReluRecord(advance(bits, skip, len)),
            End::Mask(bits) => Epilogue::Mask(&bits[from..from + len]),
        };
        (values, epilogue)
    }
}

fn advance<'a, T>(rest: &mut &'a mut [T], skip: usize, len: usize) -> &'a mut [T] {
    let all = std::mem::take(rest);
    let (_, all) = all.split_at_mut(skip);
    let (here, after) = all.split_at_mut(len);
    *rest = after;
    here
}
