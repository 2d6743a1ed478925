//! Weights in the order in which the kernels read them: panels of 32 outputs, and in each of them for every step two tiles
//! of 16 outputs with 16 pairs of inputs.

use super::image::{COLOURS, PIXELS};
use super::row::{CHANNELS, Row, round, widen};
use crate::error::{Error, Result};
use crate::shape::{ConvShape, Direction};

/// Largest kernel, stride and padding: no network has one near it, and offsets stay far from overflow.
const LARGEST: usize = 1 << 10;
/// Rows of a step: two tiles, each of 16 pairs of inputs.
pub(crate) const STEP_ROWS: usize = 32;

/// The weights of a convolution in one direction, rounded to bfloat16, and its bias.
#[derive(Debug, Clone)]
pub struct Panels {
    pub(crate) shape: ConvShape,
    pub(crate) kind: PanelKind,
    /// Steps of a panel.
    pub(crate) steps: usize,
    /// Pairs of inputs of a step that may have weights; those after them have none.
    pub(crate) pairs: usize,
    pub(crate) rows: Vec<Row>,
    /// 32 for each panel.
    pub(crate) bias: Vec<f32>,
}

/// What a convolution reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PanelKind {
    /// From map to map.
    Map(Direction),
    /// From an image in two halves to a map.
    FromImage,
    /// From a map to the gradient of an image: `stride` × `stride` pixels at once, three colours each.
    ToImage,
}

impl Panels {
    /// Of a convolution from map to map, from weights `[out, in, kernel, kernel]`; the bias is that of what is written.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a length is not that of the shape.
    pub fn new(
        shape: ConvShape,
        direction: Direction,
        weights: &[f32],
        bias: Option<&[f32]>,
    ) -> Result<Self> {
        check(shape, weights)?;
        let [read, written] = shape.channels(direction);
        let (groups, taps) = (read.div_ceil(CHANNELS), shape.kernel * shape.kernel);
        let weight = |out: usize, step: usize, k: usize| {
            let (tap, input) = (step / groups, step % groups * CHANNELS + k);
            if out >= written || input >= read {
                return 0.0;
            }
            let [o, i] = match direction {
                Direction::Forward => [out, input],
                Direction::Backward => [input, out],
            };
            weights[(o * shape.in_channels + i) * taps + tap]
        };
        let rows = pack(written.div_ceil(CHANNELS), taps * groups, weight);
        Ok(Self {
            shape,
            kind: PanelKind::Map(direction),
            steps: taps * groups,
            pairs: pairs(read),
            rows,
            bias: padded(bias, written)?,
        })
    }

    /// Of a network's first convolution, from an image in two halves. Weights too are the sum of two bfloat16 numbers; the
    /// product of the two rests is left out.
    ///
    /// # Errors
    ///
    /// As [`Panels::new`]; and where it does not read three colours through at most ten columns.
    pub fn from_image(shape: ConvShape, weights: &[f32], bias: Option<&[f32]>) -> Result<Self> {
        check(shape, weights)?;
        check_image(shape)?;
        let kernel = shape.kernel;
        let weight = |out: usize, step: usize, k: usize| {
            let (dy, dx, colour) = (step % kernel, k / COLOURS, k % COLOURS);
            if out >= shape.out_channels || dx >= kernel {
                return 0.0;
            }
            let value = weights[((out * COLOURS + colour) * kernel + dy) * kernel + dx];
            let high = widen(round(value));
            if step < kernel { high } else { value - high }
        };
        Ok(Self {
            shape,
            kind: PanelKind::FromImage,
            steps: 2 * kernel,
            pairs: pairs(COLOURS * kernel),
            rows: pack(shape.out_channels.div_ceil(CHANNELS), 2 * kernel, weight),
            bias: padded(bias, shape.out_channels)?,
        })
    }

    /// Of the same convolution on the way back: from the gradient of its output to that of the image, weights again as sums
    /// of two.
    ///
    /// # Errors
    ///
    /// As [`Panels::from_image`]; and where the stride is above two.
    pub fn to_image(shape: ConvShape, weights: &[f32]) -> Result<Self> {
        check(shape, weights)?;
        check_image(shape)?;
        let (kernel, stride) = (shape.kernel, shape.stride);
        let groups = shape.out_channels.div_ceil(CHANNELS);
        let reach = Reach::of(shape);
        let half = reach.len() * reach.len() * groups;
        let weight = |out: usize, step: usize, k: usize| {
            let (tap, input) = (step % half / groups, step % groups * CHANNELS + k);
            let (sub, colour) = (out / COLOURS, out % COLOURS);
            if sub >= stride * stride || input >= shape.out_channels {
                return 0.0;
            }
            let dy = reach.tap(tap / reach.len(), sub / stride);
            let dx = reach.tap(tap % reach.len(), sub % stride);
            let (Some(dy), Some(dx)) = (dy, dx) else {
                return 0.0;
            };
            let value = weights[((input * COLOURS + colour) * kernel + dy) * kernel + dx];
            let high = widen(round(value));
            if step < half { high } else { value - high }
        };
        Ok(Self {
            shape,
            kind: PanelKind::ToImage,
            steps: 2 * half,
            pairs: pairs(shape.out_channels),
            rows: pack(1, 2 * half, weight),
            bias: vec![0.0; CHANNELS],
        })
    }

    /// Bytes of the weights.
    pub fn bytes(&self) -> usize {
        size_of_val(self.rows.as_slice())
    }

    /// Panels of 32 outputs.
    pub(crate) fn count(&self) -> usize {
        self.bias.len() / CHANNELS
    }

    /// The rows of a panel.
    pub(crate) fn panel(&self, index: usize) -> &[Row] {
        let len = self.steps * STEP_ROWS;
        &self.rows[index * len..][..len]
    }

    /// The bias of a panel.
    pub(crate) fn bias_of(&self, index: usize) -> &[f32; CHANNELS] {
        let (chunks, _) = self.bias.as_chunks::<CHANNELS>();
        &chunks[index]
    }
}

/// Which pixels of the output a pixel of the image goes back to, along one axis: those at `first..=last` from the pixel
/// itself divided by the stride.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    shape: ConvShape,
    pub(crate) first: isize,
    pub(crate) last: isize,
}

impl Reach {
    pub(crate) fn of(shape: ConvShape) -> Self {
        let [kernel, stride, padding] =
            [shape.kernel, shape.stride, shape.padding].map(|n| n as isize);
        // (sub + padding − d) / stride, for every sub in 0..stride and d in 0..kernel where it is whole.
        Self {
            shape,
            first: -((kernel - 1 - padding).div_euclid(stride)),
            last: (stride - 1 + padding).div_euclid(stride),
        }
    }

    pub(crate) fn len(&self) -> usize {
        (self.last - self.first + 1).max(0) as usize
    }

    /// The weight with which the pixel at a distance reached pixel `sub` of its block.
    fn tap(&self, index: usize, sub: usize) -> Option<usize> {
        let at = self.first + index as isize;
        let tap = (sub + self.shape.padding) as isize - at * self.shape.stride as isize;
        let tap = usize::try_from(tap).ok()?;
        (tap < self.shape.kernel).then_some(tap)
    }
}

/// `weight(output, step, input of the step)` in the order of the kernels.
fn pack(panels: usize, steps: usize, weight: impl Fn(usize, usize, usize) -> f32) -> Vec<Row> {
    let mut rows = Vec::with_capacity(panels * steps * STEP_ROWS);
    for panel in 0..panels {
        for step in 0..steps {
            for tile in 0..2 {
                for pair in 0..CHANNELS / 2 {
                    let mut row = Row::ZERO;
                    for (at, value) in row.0.iter_mut().enumerate() {
                        let out = panel * CHANNELS + tile * CHANNELS / 2 + at / 2;
                        *value = round(weight(out, step, 2 * pair + at % 2));
                    }
                    rows.push(row);
                }
            }
        }
    }
    rows
}

/// Pairs of a step's inputs, of so many in all.
fn pairs(inputs: usize) -> usize {
    inputs.min(CHANNELS).div_ceil(2)
}

fn padded(bias: Option<&[f32]>, written: usize) -> Result<Vec<f32>> {
    let mut padded = vec![0.0; written.next_multiple_of(CHANNELS)];
    if let Some(bias) = bias {
        Error::check_len("the bias", bias.len(), written)?;
        padded[..written].copy_from_slice(bias);
    }
    Ok(padded)
}

fn check(shape: ConvShape, weights: &[f32]) -> Result<()> {
    shape.check()?;
    if [shape.kernel, shape.stride, shape.padding]
        .into_iter()
        .any(|n| n > LARGEST)
    {
        return Err(Error::Shape {
            what: "the shape of a convolution",
            found: format!("{shape:?}"),
            expected: format!("kernel, stride and padding of at most {LARGEST}"),
        });
    }
    Error::check_len("the weights", weights.len(), shape.weights())
}

fn check_image(shape: ConvShape) -> Result<()> {
    let fits = shape.in_channels == COLOURS && shape.kernel <= PIXELS && shape.stride <= 2;
    if fits && shape.padding < shape.kernel {
        return Ok(());
    }
    Err(Error::Shape {
        what: "the first convolution",
        found: format!("{shape:?}"),
        expected: format!(
            "{COLOURS} channels, a kernel of at most {PIXELS} and above the padding, a stride of 1 or 2"
        ),
    })
}
