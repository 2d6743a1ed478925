//! Matrix products of features, on the widest vectors that the machine has: in f32 here, in f64 in `double`.
//!
//! Every sum has an order of its own that no tile, thread or neighbour changes: a logit is summed along the features in as
//! many partial sums as a vector has lanes, a gradient along the batch from its first row. So a head beside others has the
//! bits of the same head alone.

pub(crate) mod double;

use pulp::{Arch, Simd, WithSimd};

/// Rows of a matrix [n, width] picked by index.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) width: usize,
    pub(crate) picks: &'a [usize],
}

impl<'a> Rows<'a> {
    pub(crate) fn part(self, start: usize, len: usize) -> Self {
        let picks = &self.picks[start..start + len];
        Self { picks, ..self }
    }

    #[inline(always)]
    fn row(self, index: usize) -> &'a [f32] {
        let start = self.picks[index] * self.width;
        &self.values[start..start + self.width]
    }
}

/// `logits` [rows, outputs] = rows · `weight`ᵀ, with `weight` [outputs, width].
pub(crate) fn logits(rows: Rows<'_>, weight: &[f32], logits: &mut [f32]) {
    let outputs = weight.len() / rows.width;
    Arch::new().dispatch(Forward {
        rows,
        weight,
        outputs,
        logits,
    });
}

/// `gradient` [outputs, width] = columns `first`.. of `logits`ᵀ · rows, with `logits` [rows, stride].
pub(crate) fn gradient(rows: Rows<'_>, logits: Columns<'_>, gradient: &mut [f32]) {
    Arch::new().dispatch(Backward {
        rows,
        logits,
        gradient,
    });
}

/// Columns of a matrix [n, stride] from `first` on.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) stride: usize,
    pub(crate) first: usize,
}

impl Columns<'_> {
    #[inline(always)]
    fn at(self, row: usize, column: usize) -> f32 {
        self.values[row * self.stride + self.first + column]
    }
}

struct Forward<'a> {
    rows: Rows<'a>,
    weight: &'a [f32],
    outputs: usize,
    logits: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        // As many accumulators as registers hold beside their operands.
        if S::REGISTER_COUNT >= 32 {
            self.tiles::<S, 4, 5>(simd);
        } else {
            self.tiles::<S, 4, 2>(simd);
        }
    }
}

impl Forward<'_> {
    #[inline(always)]
    fn tiles<S: Simd, const R: usize, const C: usize>(&mut self, simd: S) {
        let count = self.rows.picks.len();
        let whole = count - count % R;
        for row in (0..whole).step_by(R) {
            self.columns::<S, R, C>(simd, row);
        }
        for row in whole..count {
            self.columns::<S, 1, C>(simd, row);
        }
    }

    #[inline(always)]
    fn columns<S: Simd, const R: usize, const C: usize>(&mut self, simd: S, row: usize) {
        let whole = self.outputs - self.outputs % C;
        for column in (0..whole).step_by(C) {
            self.tile::<S, R, C>(simd, row, column);
        }
        for column in whole..self.outputs {
            self.tile::<S, R, 1>(simd, row, column);
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const R: usize, const C: usize>(
        &mut self,
        simd: S,
        row: usize,
        column: usize,
    ) {
        let width = self.rows.width;
        let lanes = width / S::F32_LANES;
        let empty: &[f32] = &[];
        let (mut x, mut x_tail) = ([S::as_simd_f32s(empty).0; R], [empty; R]);
        let (mut w, mut w_tail) = ([S::as_simd_f32s(empty).0; C], [empty; C]);
        for r in 0..R {
            let (head, tail) = S::as_simd_f32s(self.rows.row(row + r));
            (x[r], x_tail[r]) = (&head[..lanes], tail);
        }
        for c in 0..C {
            let start = (column + c) * width;
            let (head, tail) = S::as_simd_f32s(&self.weight[start..start + width]);
            (w[c], w_tail[c]) = (&head[..lanes], tail);
        }
        let mut sums = [[simd.splat_f32s(0.0); C]; R];
        for i in 0..lanes {
            for c in 0..C {
                let weight = w[c][i];
                for r in 0..R {
                    sums[r][c] = simd.mul_add_e_f32s(x[r][i], weight, sums[r][c]);
                }
            }
        }
        if !x_tail[0].is_empty() {
            for c in 0..C {
                let weight = simd.partial_load_f32s(w_tail[c]);
                for r in 0..R {
                    let x = simd.partial_load_f32s(x_tail[r]);
                    sums[r][c] = simd.mul_add_e_f32s(x, weight, sums[r][c]);
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            for (c, sum) in sums.iter().enumerate() {
                self.logits[(row + r) * self.outputs + column + c] = simd.reduce_sum_f32s(*sum);
            }
        }
    }
}

/// Features of a block whose gradient stays in the nearest cache while the batch goes by.
const BLOCK: usize = 512;

/// Rows of the batch that are added to a gradient at once.
const ROWS: usize = 8;

struct Backward<'a> {
    rows: Rows<'a>,
    logits: Columns<'a>,
    gradient: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            rows,
            logits,
            gradient,
        } = self;
        gradient.fill(0.0);
        let (width, count) = (rows.width, rows.picks.len());
        let whole = count - count % ROWS;
        for start in (0..width).step_by(BLOCK) {
            let block = start..(start + BLOCK).min(width);
            for row in (0..whole).step_by(ROWS) {
                let mut x: [&[f32]; ROWS] = [&[]; ROWS];
                for (r, x) in x.iter_mut().enumerate() {
                    *x = &rows.row(row + r)[block.clone()];
                }
                for (column, gradient) in gradient.chunks_exact_mut(width).enumerate() {
                    let mut g = [0.0; ROWS];
                    for (r, g) in g.iter_mut().enumerate() {
                        *g = logits.at(row + r, column);
                    }
                    add_rows(simd, g, x, &mut gradient[block.clone()]);
                }
            }
            for row in whole..count {
                let x = [&rows.row(row)[block.clone()]];
                for (column, gradient) in gradient.chunks_exact_mut(width).enumerate() {
                    let g = [logits.at(row, column)];
                    add_rows(simd, g, x, &mut gradient[block.clone()]);
                }
            }
        }
    }
}

/// `to` += Σ g·x, one row after the other.
#[inline(always)]
fn add_rows<S: Simd, const R: usize>(simd: S, g: [f32; R], x: [&[f32]; R], to: &mut [f32]) {
    let (to, to_tail) = S::as_mut_simd_f32s(to);
    let lanes = to.len();
    let empty: &[f32] = &[];
    let mut factors = [simd.splat_f32s(0.0); R];
    let (mut heads, mut tails) = ([S::as_simd_f32s(empty).0; R], [empty; R]);
    for r in 0..R {
        factors[r] = simd.splat_f32s(g[r]);
        let (head, tail) = S::as_simd_f32s(x[r]);
        (heads[r], tails[r]) = (&head[..lanes], tail);
    }
    for (i, to) in to.iter_mut().enumerate() {
        let mut sum = *to;
        for r in 0..R {
            sum = simd.mul_add_e_f32s(factors[r], heads[r][i], sum);
        }
        *to = sum;
    }
    if !to_tail.is_empty() {
        let mut sum = simd.partial_load_f32s(to_tail);
        for r in 0..R {
            sum = simd.mul_add_e_f32s(factors[r], simd.partial_load_f32s(tails[r]), sum);
        }
        simd.partial_store_f32s(to_tail, sum);
    }
}
