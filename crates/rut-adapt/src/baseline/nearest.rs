//! The nearest rows of a feature matrix by cosine: products of a block of rows with all queries while the block lies in the
//! cache, and of each query the best so far. No matrix of all cosines is made.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::features::FeatureMatrix;
use crate::products::{self, Rows};

/// A row, and its cosine with the query. The greater of two is the farther; of equal cosines, that of the larger index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Neighbour {
    pub(super) cosine: f32,
    pub(super) index: usize,
}

impl Eq for Neighbour {}

impl Ord for Neighbour {
    fn cmp(&self, other: &Self) -> Ordering {
        let farther = other.cosine.total_cmp(&self.cosine);
        farther.then(self.index.cmp(&other.index))
    }
}

impl PartialOrd for Neighbour {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Values of a block of rows, which stays in a core's second cache, a slice at a time, while the queries go by.
const BLOCK_VALUES: usize = 1 << 18;

/// Rows of a block: a multiple of every number of columns in a product's tile.
fn block_rows(width: usize) -> usize {
    const TILE: usize = 10;
    (BLOCK_VALUES / width / TILE).max(1) * TILE
}

/// The most features of a slice: the rows of a product's tile stay in the nearest cache.
const SLICE: usize = 768;

/// Features of a slice: slices are of about one size, and of whole vectors.
fn slice_width(width: usize) -> usize {
    const LANES: usize = 16;
    let slices = width.div_ceil(SLICE);
    width.div_ceil(slices).next_multiple_of(LANES)
}

/// Rows one slice of features after the other, so that rows whose length is a power of two do not drive one another out of
/// the cache.
#[derive(Default)]
struct Sliced {
    values: Vec<f32>,
    rows: usize,
}

impl Sliced {
    /// Takes `rows` [n, width] in.
    fn set(&mut self, rows: &[f32], width: usize) {
        let slice = slice_width(width);
        self.rows = rows.len() / width;
        self.values.clear();
        for start in (0..width).step_by(slice) {
            let end = (start + slice).min(width);
            for row in rows.chunks_exact(width) {
                self.values.extend_from_slice(&row[start..end]);
            }
        }
    }

    /// The slices [n, slice], in their order.
    fn slices(&self, width: usize) -> impl Iterator<Item = &[f32]> {
        self.values.chunks(slice_width(width) * self.rows)
    }
}

/// `dots` [queries, rows] of all queries with all rows: the sum over the slices, in their order.
fn multiply(
    queries: &Sliced,
    rows: &Sliced,
    width: usize,
    part: &mut Vec<f32>,
    dots: &mut Vec<f32>,
) {
    let picks: Vec<usize> = (0..queries.rows).collect();
    dots.clear();
    dots.resize(queries.rows * rows.rows, 0.0);
    part.resize(dots.len(), 0.0);
    for (queries, rows) in queries.slices(width).zip(rows.slices(width)) {
        let queries = Rows {
            values: queries,
            width: queries.len() / picks.len(),
            picks: &picks,
        };
        products::logits(queries, rows, part);
        for (dot, part) in dots.iter_mut().zip(&*part) {
            *dot += part;
        }
    }
}

/// The `count` nearest rows of `train` of each of `queries` [n, width], which are of unit length, nearest first; all rows, where
/// there are fewer. `inverse` is 1 / length of every row. A query's cosines do not depend on the queries beside it.
pub(super) fn nearest(
    train: &FeatureMatrix,
    inverse: &[f64],
    queries: &[f32],
    count: usize,
) -> Vec<Vec<Neighbour>> {
    let (width, block) = (train.width(), block_rows(train.width()));
    let (mut sliced, mut rows) = (Sliced::default(), Sliced::default());
    sliced.set(queries, width);
    let (mut widened, mut part, mut dots) = (Vec::new(), Vec::new(), Vec::new());
    let mut kept = vec![BinaryHeap::new(); sliced.rows];
    for start in (0..train.len()).step_by(block) {
        let end = (start + block).min(train.len());
        rows.set(train.widened(start..end, &mut widened), width);
        multiply(&sliced, &rows, width, &mut part, &mut dots);
        for (kept, dots) in kept.iter_mut().zip(dots.chunks_exact(end - start)) {
            for ((index, dot), inverse) in (start..end).zip(dots).zip(&inverse[start..end]) {
                // Adding zero makes -0 the same as 0.
                let cosine = (f64::from(*dot) * inverse) as f32 + 0.0;
                offer(kept, Neighbour { cosine, index }, count);
            }
        }
    }
    kept.into_iter().map(BinaryHeap::into_sorted_vec).collect()
}

/// Keeps the `count` nearest.
#[inline(always)]
fn offer(kept: &mut BinaryHeap<Neighbour>, new: Neighbour, count: usize) {
    if kept.len() < count {
        kept.push(new);
    } else if let Some(mut farthest) = kept.peek_mut()
        && new < *farthest
    {
        *farthest = new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(train: Vec<f32>, query: &[f32], count: usize) -> Vec<(usize, f32)> {
        let train = FeatureMatrix::from_f32(train, query.len()).unwrap();
        let inverse = super::super::unit::inverse_lengths(&train).unwrap();
        let found = nearest(&train, &inverse, query, count);
        found[0].iter().map(|n| (n.index, n.cosine)).collect()
    }

    #[test]
    fn of_equal_cosines_the_smaller_index_is_nearer() {
        let train = vec![0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, -3.0, 4.0, 0.0];
        let query = [1.0, 0.0];
        let all = [(1, 1.0), (3, 1.0), (5, 1.0), (0, 0.0), (2, 0.0), (4, 0.0)];
        for count in 1..=8 {
            let want = &all[..count.min(all.len())];
            assert_eq!(found(train.clone(), &query, count), want);
        }
    }

    #[test]
    fn a_query_of_zeros_has_the_first_rows() {
        let train = vec![-1.0, -1.0, 0.0, 0.0, 1.0, 1.0];
        assert_eq!(found(train, &[0.0, 0.0], 2), [(0, 0.0), (1, 0.0)]);
    }

    /// More rows than a block, of few different cosines.
    #[test]
    fn blocks_do_not_matter() {
        let width = 4096;
        let rows = 5 * block_rows(width) + 3;
        let at = |row: usize| (row * 7919) % 23;
        let train = (0..rows).flat_map(|row| {
            let mut values = vec![0.0; width];
            (values[0], values[width - 1]) = (at(row) as f32, 5.0);
            values
        });
        let mut query = vec![0.0; width];
        query[0] = 1.0;
        let mut want: Vec<usize> = (0..rows).collect();
        want.sort_by_key(|&row| (std::cmp::Reverse(at(row)), row));
        let found = found(train.collect(), &query, 40);
        let indices: Vec<usize> = found.into_iter().map(|(index, _)| index).collect();
        assert_eq!(indices, want[..40]);
    }
}
