//! What a convolution does besides summing: where its sums start, and what becomes of them.

/// What a sum starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// From the bias, if the convolution has one, else from zero.
    Fresh,
    /// From what the destination holds, and the bias: a residual, or a gradient that is already there.
    Add,
}

/// What becomes of a sum. Bits stand like the destination's elements, `[height][width][channels]`, one u16 for sixteen
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
