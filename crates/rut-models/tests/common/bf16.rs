//! The engine in bfloat16 beside the reference in single precision.

use candle_core::{DType, Device, Tensor};
use rut_kernels::bf16::Bf16Isa;
use rut_models::{
    Bf16Network, CandleNetwork, Checkpoint, FrozenNetwork, Graph, Mask, Normalization, OutputGrads,
    Trace, Weights, find_ticket,
};
use rut_testkit::close::relative_l2;
use rut_testkit::place::root;
use rut_testkit::weights_rule;

use super::nets::values;

/// The best kernels that this processor has: tests ask for them by name, since the engine refuses those that are slower
/// than single precision.
pub fn isa() -> Bf16Isa {
    let mut best_first = Bf16Isa::ALL.into_iter().rev();
    let here = best_first.find(|isa| isa.is_available());
    here.unwrap_or(Bf16Isa::Portable)
}

/// An engine on those.
pub fn engine(graph: &Graph, weights: &Weights) -> Bf16Network {
    Bf16Network::on(graph, weights, isa()).unwrap()
}

/// Images between -2 and 2.
pub fn images(n: usize, [height, width]: [usize; 2]) -> Tensor {
    centred("engine", &[n, 3, height, width], 4.0)
}

/// Gradients of the logits, of the features, and of both.
pub fn gradients(graph: &Graph, n: usize) -> [OutputGrads; 3] {
    let logits = centred("grad", &[n, graph.classes()], 1.0);
    let features = centred("grad", &[n, graph.width()], 1.0);
    [
        OutputGrads::of_logits(&logits),
        OutputGrads::of_features(&features),
        OutputGrads {
            features: Some(features),
            logits: Some(logits),
        },
    ]
}

fn centred(name: &str, shape: &[usize], width: f32) -> Tensor {
    let values = weights_rule::image(name, shape.iter().product());
    let centred: Vec<f32> = values.into_iter().map(|v| width * (v - 0.5)).collect();
    Tensor::from_vec(centred, shape, &Device::Cpu).unwrap()
}

/// Relative L2 between the two, of logits and features, and of input gradients under the decisions of the engine in bfloat16.
#[derive(Debug)]
pub struct Apart {
    pub logits: f64,
    pub features: f64,
    /// For each of the output gradients.
    pub gradients: Vec<f64>,
}

impl Apart {
    /// `of` are the output gradients to go back from. What is inferred has to be what is traced, to the bit.
    pub fn measure(
        reference: &CandleNetwork,
        engine: &Bf16Network,
        images: &Tensor,
        of: &[OutputGrads],
    ) -> Self {
        let expected = reference.infer(images).unwrap();
        let found = engine.infer(images).unwrap();
        let mut gradients = Vec::new();
        for grads in of {
            let (traced, trace) = engine.trace_blocks(images).unwrap();
            assert_eq!(values(&traced.logits), values(&found.logits));
            assert_eq!(values(&traced.features), values(&found.features));
            let record = trace.record().unwrap();
            let replayed = reference.backward_with_record(&record, grads).unwrap();
            let back = Box::new(trace).backward_to_input(grads).unwrap();
            gradients.push(apart(&back, &replayed));
        }
        Self {
            logits: apart(&found.logits, &expected.logits),
            features: apart(&found.features, &expected.features),
            gradients,
        }
    }

    /// The largest of the gradients'.
    pub fn gradient(&self) -> f64 {
        self.gradients.iter().copied().fold(0.0, f64::max)
    }
}

/// Relative L2; numbers that are no numbers are never near.
pub fn apart(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.dims(), expected.dims());
    let (found, expected) = (values(found), values(expected));
    assert!(found.iter().all(|value| value.is_finite()));
    relative_l2(&found, &expected)
}

/// The reference in single precision.
pub fn reference(graph: &Graph, weights: &Weights) -> CandleNetwork {
    CandleNetwork::new(graph, weights, DType::F32, &Device::Cpu).unwrap()
}

/// The weights of the bundled ResNet-20 of a state, masked; `folder` is one of `checkpoints/`.
pub fn bundled(graph: &Graph, folder: &str, state: u32) -> Weights {
    let folder = root().join("checkpoints").join(folder);
    let files = find_ticket(&folder, "resnet20_cifar100", state).unwrap();
    let checkpoint = Checkpoint::open(&files.checkpoint).unwrap();
    let mask = files.mask.map(|mask| Mask::open(&mask).unwrap());
    Weights::assemble(graph, &checkpoint, mask.as_ref()).unwrap()
}

/// The bundled digits, each pixel four times as wide and high.
pub fn digits(n: usize, Normalization { mean, std }: Normalization) -> Tensor {
    let text = std::fs::read_to_string(root().join("data/digits/digits.csv")).unwrap();
    let mut pixels = Vec::new();
    for line in text.lines().take(n) {
        let levels: Vec<f32> = line
            .split(',')
            .take(64)
            .map(|level| level.parse().unwrap())
            .collect();
        for colour in 0..3 {
            for at in 0..32 * 32 {
                let level = levels[at / 32 / 4 * 8 + at % 32 / 4] / 16.0;
                pixels.push((level - mean[colour]) / std[colour]);
            }
        }
    }
    Tensor::from_vec(pixels, (n, 3, 32, 32), &Device::Cpu).unwrap()
}
