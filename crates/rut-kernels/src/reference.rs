//! The oracle: a convolution written down as its definition, in f64. Every kernel is compared with it; it is slow.

use crate::error::{Error, Result};
use crate::shape::{ConvShape, Direction};

/// A convolution in f64, one product after the other.
///
/// ```
/// use rut_kernels::{ConvShape, Direction, reference::Reference};
/// let shape = ConvShape { in_channels: 1, out_channels: 1, kernel: 2, stride: 1, padding: 0 };
/// let weights = [1.0, 2.0, 3.0, 4.0];
/// let oracle = Reference { shape, input: [2, 3], weights: &weights, bias: None };
/// let sums = oracle.run(Direction::Forward, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0])?;
/// assert_eq!(sums, [5.0, 3.0]);
/// let gradient = oracle.run(Direction::Backward, &[1.0, 1.0])?;
/// assert_eq!(gradient, [1.0, 3.0, 2.0, 3.0, 7.0, 4.0]);
/// # Ok::<(), rut_kernels::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
    /// The shape.
    pub shape: ConvShape,
    /// Height and width of the input, in either direction.
    pub input: [usize; 2],
    /// `[out, in, kernel, kernel]`.
    pub weights: &'a [f64],
    /// Added to what is written, an entry for each channel.
    pub bias: Option<&'a [f64]>,
}

impl Reference<'_> {
    /// Reads `source` `[images, channels, height, width]`, the input or the gradient of the output, and gives the output or
    /// the gradient of the input in the same order.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a length is not what the shape and the size imply, or the kernel is larger than the input.
    pub fn run(&self, direction: Direction, source: &[f64]) -> Result<Vec<f64>> {
        self.shape.check()?;
        let output = self.shape.checked_output(self.input)?;
        let (from, to) = match direction {
            Direction::Forward => (self.input, output),
            Direction::Backward => (output, self.input),
        };
        let [read, written] = self.shape.channels(direction);
        let (read, pixels) = (read * from[0] * from[1], to[0] * to[1]);
        Error::check_len("the weights", self.weights.len(), self.shape.weights())?;
        if let Some(bias) = self.bias {
            Error::check_len("the bias", bias.len(), written)?;
        }
        if read == 0 || !source.len().is_multiple_of(read) {
            return Err(Error::Shape {
                what: "the map that a convolution reads",
                found: format!("{} elements", source.len()),
                expected: format!("a multiple of {read}"),
            });
        }
        let mut sums = Vec::with_capacity(source.len() / read * written * pixels);
        for image in source.chunks_exact(read) {
            let first = sums.len();
            for channel in 0..written {
                let bias = self.bias.map_or(0.0, |bias| bias[channel]);
                sums.resize(sums.len() + pixels, bias);
            }
            let sums = &mut sums[first..];
            self.products(output, |out, input, weight| match direction {
                Direction::Forward => sums[out] += weight * image[input],
                Direction::Backward => sums[input] += weight * image[out],
            });
        }
        Ok(sums)
    }

    /// Calls `term(output element, input element, weight)` for every product of one image.
    fn products(&self, [height, width]: [usize; 2], mut term: impl FnMut(usize, usize, f64)) {
        let ConvShape {
            in_channels,
            out_channels,
            kernel,
            stride,
            padding,
        } = self.shape;
        let inside = |at: usize, k: usize, limit: usize| {
            (at * stride + k)
                .checked_sub(padding)
                .filter(|&at| at < limit)
        };
        for out in 0..out_channels {
            for input in 0..in_channels {
                for tap in 0..kernel * kernel {
                    let weight = self.weights[(out * in_channels + input) * kernel * kernel + tap];
                    for row in 0..height {
                        let Some(y) = inside(row, tap / kernel, self.input[0]) else {
                            continue;
                        };
                        for column in 0..width {
                            if let Some(x) = inside(column, tap % kernel, self.input[1]) {
                                let written = (out * height + row) * width + column;
                                let read = (input * self.input[0] + y) * self.input[1] + x;
                                term(written, read, weight);
                            }
                        }
                    }
                }
            }
        }
    }
}
