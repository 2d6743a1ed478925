//! What a convolution does besides summing: where its sums start, and how they are stored.

use crate::error::{Error, Result};

/// What a sum starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// From the bias, if the convolution has one, else from zero.
    Fresh,
    /// From what the destination holds, and the bias: a residual, or a gradient that is already there.
    Add,
}

/// How a sum is stored. Bits stand like the destination's elements, `[height][width][channels]`, one u16 for sixteen
/// lanes, the first lane lowest.
#[derive(Debug)]
pub enum End<'a> {
    /// It is stored.
    Store,
    /// Below zero it becomes zero.
    Relu,
    /// The same, and the bit of each lane says whether it was above zero.
    ReluRecord(&'a mut [u16]),
    /// Where the bit is 0 it becomes zero: the way back through a recorded ReLU.
    Mask(&'a [u16]),
}

/// Both ends of a convolution's sums.
#[derive(Debug)]
pub struct Ends<'a> {
    /// What they start from.
    pub start: Start,
    /// How they are stored.
    pub end: End<'a>,
}

impl<'a> End<'a> {
    /// One for each chunk of a destination of `len` elements.
    pub(crate) fn chunks(self, len: usize, chunk: usize) -> Result<Vec<End<'a>>> {
        let count = len.div_ceil(chunk.max(1));
        let bits = match &self {
            End::ReluRecord(bits) => bits.len(),
            End::Mask(bits) => bits.len(),
            _ => len,
        };
        if bits != len {
            return Err(Error::Shape {
                what: "the record of a ReLU",
                found: format!("{bits} elements"),
                expected: format!("{len}"),
            });
        }
        Ok(match self {
            End::Store => (0..count).map(|_| End::Store).collect(),
            End::Relu => (0..count).map(|_| End::Relu).collect(),
            End::ReluRecord(bits) => bits.chunks_mut(chunk.max(1)).map(End::ReluRecord).collect(),
            End::Mask(bits) => bits.chunks(chunk.max(1)).map(End::Mask).collect(),
        })
    }
}
