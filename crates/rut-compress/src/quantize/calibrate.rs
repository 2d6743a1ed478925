//! Ranges of activations from images.

use candle_core::{DType, Device, Tensor};
use rut_models::{ActivationRange, CandleNetwork, Graph, NodeId, Weights};

use crate::error::{Error, Result};

/// Half of the bits of an f32.
const HALF: u32 = 16;

/// Where the range of a ReLU's values ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Calibration {
    /// At the largest value.
    MinMax,
    /// At the smallest value that this percentage of all values does not exceed, above 0 and at most 100.
    Percentile(f64),
}

impl Calibration {
    /// How often the images are looked at.
    pub fn passes(self) -> usize {
        match self {
            Self::MinMax => 1,
            Self::Percentile(_) => 2,
        }
    }
}

impl std::fmt::Display for Calibration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MinMax => f.write_str("min-max"),
            Self::Percentile(percentage) => write!(f, "percentile {percentage}"),
        }
    }
}

/// Watches the values of a network's ReLUs, computed by the reference engine in f32. It looks at all images as often as
/// [`Calibration::passes`] says; [`end_pass`](Self::end_pass) stands between and after.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use rut_compress::{Calibration, Calibrator};
/// use rut_models::{Array, GraphBuilder, Weights};
/// let mut b = GraphBuilder::new();
/// let x = b.input();
/// let x = b.conv_same(x, "conv1".into(), [1, 3, 1], 1);
/// let x = b.relu(x);
/// let x = b.global_avg_pool(x);
/// let x = b.flatten(x);
/// let graph = b.finish(x, "fc", 1, 2);
/// let ones = |p: rut_models::Parameter| (p.name, Array { data: vec![1.0; p.shape.iter().product()], shape: p.shape });
/// let weights = Weights::from_arrays(&graph, graph.parameters().into_iter().map(ones).collect())?;
/// let mut calibrator = Calibrator::new(&graph, &weights, Calibration::MinMax)?;
/// calibrator.observe(&Tensor::ones((1, 3, 2, 2), DType::F32, &Device::Cpu)?)?;
/// calibrator.end_pass();
/// assert_eq!(calibrator.ranges(8)?[0].scale(), 3.0 / 255.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Calibrator {
    network: CandleNetwork,
    relus: Vec<(NodeId, Seen)>,
    calibration: Calibration,
    pass: usize,
}

/// What is known of a ReLU's values. As they are not negative, their order is that of their bits as whole numbers.
struct Seen {
    count: u64,
    largest: f32,
    /// How many values have each upper half of bits, and then, of those with the half that is looked for, each lower one.
    halves: Vec<u64>,
    /// The upper half that the percentile has, and how many values lie below it.
    upper: Option<(u32, u64)>,
    /// The percentile.
    found: Option<f32>,
}

impl Calibrator {
    /// # Errors
    ///
    /// [`Error::Argument`] for a percentage that is not above 0 and at most 100; as [`CandleNetwork::new`].
    pub fn new(graph: &Graph, weights: &Weights, calibration: Calibration) -> Result<Self> {
        if let Calibration::Percentile(percentage) = calibration
            && !(percentage > 0.0 && percentage <= 100.0)
        {
            return Err(Error::Argument {
                what: "the percentile of a range",
                found: percentage.to_string(),
                expected: "a percentage above 0 and at most 100".into(),
            });
        }
        Ok(Self {
            network: CandleNetwork::new(graph, weights, DType::F32, &Device::Cpu)?,
            relus: graph.relus().map(|id| (id, Seen::nothing())).collect(),
            calibration,
            pass: 0,
        })
    }

    /// Looks at a batch of normalised images, `[n, 3, h, w]`.
    ///
    /// # Errors
    ///
    /// [`rut_models::Error::Argument`] where a value is not finite; as [`FrozenNetwork::infer`](rut_models::FrozenNetwork::infer).
    pub fn observe(&mut self, images: &Tensor) -> Result<()> {
        let (calibration, pass) = (self.calibration, self.pass);
        let relus = &mut self.relus;
        finite(&images.flatten_all()?.to_vec1::<f32>()?, 0)?;
        let mut observe = |id: NodeId, value: &Tensor| -> rut_models::Result<()> {
            let seen = relus.iter_mut().find(|(relu, _)| *relu == id);
            let Some((_, seen)) = seen else { return Ok(()) };
            let values = value.flatten_all()?.to_vec1::<f32>()?;
            finite(&values, id.index())?;
            seen.add(&values, calibration, pass);
            Ok(())
        };
        self.network.infer_observed(images, &mut observe)?;
        Ok(())
    }

    /// All images were looked at once more.
    pub fn end_pass(&mut self) {
        if let Calibration::Percentile(percentage) = self.calibration {
            for (_, seen) in &mut self.relus {
                seen.narrow(percentage);
            }
        }
        self.pass += 1;
    }

    /// For each ReLU, in the order of evaluation, values of `bits` bits that end where the range does. A ReLU that gave nothing
    /// but zeros has the range up to 1.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] where there were no images, or the passes were not ended; [`rut_models::Error::Kernel`] for a number of
    /// bits that cannot be.
    pub fn ranges(&self, bits: u32) -> Result<Vec<ActivationRange>> {
        let done = self.pass == self.calibration.passes();
        let range = |(_, seen): &(NodeId, Seen)| {
            let end = match self.calibration {
                Calibration::MinMax => (seen.count > 0).then_some(seen.largest),
                Calibration::Percentile(_) => seen.found,
            };
            let Some(end) = end.filter(|_| done) else {
                return Err(Error::Argument {
                    what: "the calibration of a network",
                    found: format!("{} values in {} passes", seen.count, self.pass),
                    expected: format!("images in {} passes", self.calibration.passes()),
                });
            };
            let end = if end > 0.0 { end } else { 1.0 };
            let scale = (f64::from(end) / (f64::from(bits).exp2() - 1.0)) as f32;
            Ok(ActivationRange::new(bits, scale)?)
        };
        self.relus.iter().map(range).collect()
    }
}

fn finite(values: &[f32], node: usize) -> rut_models::Result<()> {
    match values.iter().find(|value| !value.is_finite()) {
        None => Ok(()),
        Some(bad) => Err(rut_models::Error::Argument {
            what: "a value of the calibration images",
            found: bad.to_string(),
            expected: format!("finite numbers at node {node}"),
        }),
    }
}

impl Seen {
    fn nothing() -> Self {
        Self {
            count: 0,
            largest: 0.0,
            halves: Vec::new(),
            upper: None,
            found: None,
        }
    }

    fn add(&mut self, values: &[f32], calibration: Calibration, pass: usize) {
        if pass == 0 {
            self.count += values.len() as u64;
        }
        if calibration == Calibration::MinMax {
            self.largest = values.iter().copied().fold(self.largest, f32::max);
            return;
        }
        self.halves.resize(1 << HALF, 0);
        for value in values {
            // Zero has two signs.
            let bits = (value + 0.0).to_bits();
            match self.upper {
                None => self.halves[(bits >> HALF) as usize] += 1,
                Some((upper, _)) if upper == bits >> HALF => {
                    self.halves[(bits & 0xFFFF) as usize] += 1;
                }
                Some(_) => {}
            }
        }
    }

    /// From the counts of one half of the bits to the half that the percentile has.
    fn narrow(&mut self, percentage: f64) {
        let rank = (percentage / 100.0 * self.count as f64).ceil().max(1.0) as u64;
        let mut below = self.upper.map_or(0, |(_, below)| below);
        let counts = std::mem::take(&mut self.halves);
        for (half, count) in counts.into_iter().enumerate() {
            if below + count < rank {
                below += count;
                continue;
            }
            match self.upper {
                None => self.upper = Some((half as u32, below)),
                Some((upper, _)) => self.found = Some(f32::from_bits(upper << HALF | half as u32)),
            }
            return;
        }
    }
}
