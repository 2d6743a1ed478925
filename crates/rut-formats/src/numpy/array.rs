//! An array: element type, shape, order of the elements, and bytes, borrowed where that is possible.

use std::borrow::Cow;
use std::ops::Range;

use super::{Dtype, Kind};
use crate::Fault;

/// More axes than an array of images has, and so few that shapes are copied freely.
pub const MAX_DIMS: usize = 8;

/// The order in which elements stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// The last axis runs fastest (C).
    RowMajor,
    /// The first axis runs fastest (Fortran).
    ColumnMajor,
}

/// An array of numbers; as many bytes as its shape asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Array<'a> {
    dtype: Dtype,
    shape: Vec<usize>,
    layout: Layout,
    data: Cow<'a, [u8]>,
}

impl<'a> Array<'a> {
    /// Puts an array together; `place` is for the error.
    ///
    /// # Errors
    /// If there are more or fewer bytes than the shape asks for, or the elements are objects.
    pub fn new(
        dtype: Dtype,
        shape: Vec<usize>,
        layout: Layout,
        data: impl Into<Cow<'a, [u8]>>,
        place: &str,
    ) -> Result<Array<'a>, Fault> {
        let data = data.into();
        let expected = elements(&shape).and_then(|count| count.checked_mul(dtype.size));
        if expected != Some(data.len()) || dtype.kind == Kind::Object {
            let expected = format!("the bytes of {shape:?} elements of {} bytes", dtype.size);
            return Err(Fault::new(
                place,
                expected,
                format!("{} bytes; fetch the file again", data.len()),
            ));
        }
        Ok(Array {
            dtype,
            shape,
            layout,
            data,
        })
    }

    /// What its elements are.
    pub fn dtype(&self) -> Dtype {
        self.dtype
    }

    /// Elements along each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Whether elements are unsigned bytes.
    pub fn is_bytes(&self) -> bool {
        self.dtype.kind == Kind::Unsigned && self.dtype.size == 1
    }

    /// The elements as whole numbers, in the order in which they stand; `None` for others.
    pub fn integers(&self) -> impl Iterator<Item = Option<i64>> {
        let elements = self.data.chunks_exact(self.dtype.size);
        elements.map(|element| self.dtype.integer(element))
    }

    /// The elements as floating-point numbers, in the order in which they stand; `None` for others.
    pub fn floats(&self) -> impl Iterator<Item = Option<f64>> {
        let elements = self.data.chunks_exact(self.dtype.size);
        elements.map(|element| self.dtype.float(element))
    }

    /// The same array with the last axis running fastest.
    pub fn row_major(self) -> Array<'a> {
        match self.layout {
            Layout::RowMajor => self,
            Layout::ColumnMajor => Array {
                data: Cow::Owned(self.transposed()),
                layout: Layout::RowMajor,
                ..self
            },
        }
    }

    /// The bytes with the last axis running fastest.
    pub fn into_row_major(self) -> Cow<'a, [u8]> {
        self.row_major().data
    }

    /// Walks the elements in row-major order, an odometer of indices in hand.
    fn transposed(&self) -> Vec<u8> {
        let size = self.dtype.size;
        let strides = self.strides();
        let mut index = vec![0; self.shape.len()];
        let mut rows = Vec::with_capacity(self.data.len());
        while rows.len() < self.data.len() {
            let at: usize = index
                .iter()
                .zip(&strides)
                .map(|(i, stride)| i * stride)
                .sum();
            rows.extend(self.data.iter().skip(at).take(size));
            advance(&mut index, &self.shape);
        }
        rows
    }

    /// Bytes from one element to the next along each axis, first axis fastest.
    fn strides(&self) -> Vec<usize> {
        let mut stride = self.dtype.size;
        let step = |&length: &usize| {
            let this = stride;
            stride = stride.saturating_mul(length);
            this
        };
        self.shape.iter().map(step).collect()
    }
}

/// Elements of an array of this shape, or `None` if they cannot be counted.
pub fn elements(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1_usize, |count, &length| count.checked_mul(length))
}

/// The next index, the last axis fastest.
fn advance(index: &mut [usize], shape: &[usize]) {
    for (i, &length) in index.iter_mut().zip(shape).rev() {
        *i += 1;
        if *i < length {
            return;
        }
        *i = 0;
    }
}

/// Where `part`, borrowed from `file`, lies in it; `None` if it is from elsewhere.
pub fn range_in(file: &[u8], part: &[u8]) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(file.as_ptr().addr())?;
    let range = start..start.checked_add(part.len())?;
    (range.end <= file.len()).then_some(range)
}

#[cfg(test)]
mod tests;
