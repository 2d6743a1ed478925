//! The readable engine on any candle device: one node after the other, batch norm unfolded, nothing fused. It is the
//! oracle that faster engines are compared with.

mod conv;
mod isa;
mod layer;
mod norm;
mod parameter;
mod pass;
mod pool;
mod quantize;
mod recalibration;
mod record;

use std::fmt;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};

use super::network::{EngineInfo, FrozenNetwork, OutputGrads, Outputs, Trace};
use crate::error::{Error, Result};
use crate::graph::{Graph, NodeId};
use crate::weights::Weights;
use pass::{Keep, Pass};
pub use recalibration::Recalibration;
pub use record::Record;

/// The reference engine. A trace keeps one byte per ReLU element and four per max-pool output, and never computes a
/// gradient of a weight.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use rut_models::{Array, Bias, CandleNetwork, Conv, FrozenNetwork, GraphBuilder, OutputGrads, Weights};
/// let mut b = GraphBuilder::new();
/// let x = b.input();
/// let x = b.conv(x, Conv { param: "conv1".into(), in_channels: 3, out_channels: 1, kernel: 1, stride: 1, padding: 0, bias: Bias::None });
/// let x = b.global_avg_pool(x);
/// let x = b.flatten(x);
/// let graph = b.finish(x, "fc", 1, 2);
/// let ones = |p: rut_models::Parameter| (p.name, Array { data: vec![1.0; p.shape.iter().product()], shape: p.shape });
/// let weights = Weights::from_arrays(&graph, graph.parameters().into_iter().map(ones).collect())?;
/// let network = CandleNetwork::new(&graph, &weights, DType::F32, &Device::Cpu)?;
/// let (outputs, trace) = network.trace(&Tensor::ones((1, 3, 2, 2), DType::F32, &Device::Cpu)?)?;
/// assert_eq!(outputs.logits.to_vec2::<f32>()?, [[4.0, 4.0]]); // the mean of 1 + 1 + 1, and a bias of 1
/// let gradient = trace.backward_to_input(&OutputGrads::of_logits(&outputs.logits.ones_like()?))?;
/// assert_eq!(gradient.sum_all()?.to_scalar::<f32>()?, 6.0);
/// # Ok::<(), rut_models::Error>(())
/// ```
pub struct CandleNetwork {
    pass: Arc<Pass>,
}

impl CandleNetwork {
    /// Copies the weights to `device` as `dtype`, which is `DType::F32` or `DType::F64`.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for another element type, or for weights of another graph; [`Error::Candle`] where the
    /// device fails.
    pub fn new(graph: &Graph, weights: &Weights, dtype: DType, device: &Device) -> Result<Self> {
        if !matches!(dtype, DType::F32 | DType::F64) {
            return Err(Error::Argument {
                what: "the element type",
                found: format!("{dtype:?}"),
                expected: "F32 or F64".into(),
            });
        }
        let pass = Arc::new(Pass::new(graph, weights, dtype, device)?);
        Ok(Self { pass })
    }

    /// A forward pass that gives its record away, for comparison with another engine: which ReLUs let through, which
    /// pixel each max-pool took.
    ///
    /// # Errors
    ///
    /// As [`FrozenNetwork::trace`].
    pub fn trace_recording(&self, images: &Tensor) -> Result<(Outputs, Record)> {
        self.pass.forward(images, Keep::Record)
    }

    /// A forward pass without a record; `observe` sees the value of every node behind the input, in the order of evaluation.
    ///
    /// # Errors
    ///
    /// As [`FrozenNetwork::infer`], and those of `observe`.
    pub fn infer_observed(
        &self,
        images: &Tensor,
        observe: &mut dyn FnMut(NodeId, &Tensor) -> Result<()>,
    ) -> Result<Outputs> {
        self.pass.walk(images, |index, _, read| {
            let value = self.pass.value(index, read)?;
            observe(NodeId(index), &value)?;
            Ok(value)
        })
    }

    /// The gradient of the images under a record, which may come from another engine's forward pass.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] where the record lacks a node or has another shape.
    pub fn backward_with_record(&self, record: &Record, grads: &OutputGrads) -> Result<Tensor> {
        self.pass.backward(record, grads)
    }
}

impl fmt::Debug for CandleNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CandleNetwork")
            .field("width", &self.width())
            .field("classes", &self.classes())
            .field("dtype", &self.dtype())
            .field("device", &self.device())
            .finish_non_exhaustive()
    }
}

/// What [`FrozenNetwork::engine`] of any reference network says.
pub(super) fn info() -> EngineInfo {
    EngineInfo {
        name: "reference-1",
        isa: isa::widest(),
    }
}

impl FrozenNetwork for CandleNetwork {
    fn engine(&self) -> EngineInfo {
        info()
    }

    fn classes(&self) -> usize {
        self.pass.graph().classes()
    }

    fn width(&self) -> usize {
        self.pass.graph().width()
    }

    fn dtype(&self) -> DType {
        self.pass.dtype()
    }

    fn device(&self) -> &Device {
        self.pass.device()
    }

    fn infer(&self, images: &Tensor) -> Result<Outputs> {
        Ok(self.pass.forward(images, Keep::Nothing)?.0)
    }

    fn trace(&self, images: &Tensor) -> Result<(Outputs, Box<dyn Trace>)> {
        let (outputs, record) = self.pass.forward(images, Keep::Record)?;
        let pass = self.pass.clone();
        Ok((outputs, Box::new(CandleTrace { pass, record })))
    }
}

struct CandleTrace {
    pass: Arc<Pass>,
    record: Record,
}

impl Trace for CandleTrace {
    fn backward_to_input(self: Box<Self>, grads: &OutputGrads) -> Result<Tensor> {
        self.pass.backward(&self.record, grads)
    }
}
