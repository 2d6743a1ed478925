//! Steps of softmax regression against candle's autograd in f64, beside other heads, and on several threads.

use candle_core::{DType, Device, Tensor, Var};
use rut_adapt::{
    Adam, FeatureMatrix, HeadRates, LabelledFeatures, LinearHead, Seed, SoftmaxRegression,
    cross_entropy, gradients, label_tensor, score,
};

use rut_testkit::close;

use rut_record::FeatureType;

use close::{Tolerance, assert_close};

/// f32 against f64 over a dozen steps of Adam, the first of which turn the sign of small gradients into whole steps.
const F32: Tolerance = Tolerance {
    abs: 2e-5,
    rel: 2e-5,
};

fn data(rows: usize, width: usize, classes: u32) -> LabelledFeatures {
    let mut stream = Seed(9).stream("test features");
    let values = (0..rows * width).map(|_| stream.uniform() as f32);
    let features = FeatureMatrix::from_f32(values.collect(), width).unwrap();
    let labels = (0..rows as u32).map(|row| row * 7 % classes).collect();
    LabelledFeatures { features, labels }
}

fn start(width: usize, classes: usize) -> LinearHead {
    LinearHead::init(width, classes, Seed(4), DType::F32, &Device::Cpu).unwrap()
}

fn wide(tensor: &Tensor) -> Tensor {
    tensor.to_dtype(DType::F64).unwrap()
}

fn values(head: &LinearHead) -> Vec<f64> {
    let parts = head
        .parameters()
        .map(|part| wide(&part).flatten_all().unwrap());
    parts
        .iter()
        .flat_map(|part| part.to_vec1::<f64>().unwrap())
        .collect()
}

/// The slow, obvious step.
struct Oracle {
    features: Tensor,
    head: LinearHead,
    adam: Adam,
}

impl Oracle {
    fn step(&mut self, labels: &[u32], indices: &[usize], rates: HeadRates) -> (f64, usize) {
        let rows: Vec<u32> = indices.iter().map(|&i| i as u32).collect();
        let rows = Tensor::new(rows, &Device::Cpu).unwrap();
        let features = self.features.index_select(&rows, 0).unwrap();
        let labels: Vec<u32> = indices.iter().map(|&i| labels[i]).collect();
        let [weight, bias] = self
            .head
            .parameters()
            .map(|p| Var::from_tensor(&p).unwrap());
        let head = LinearHead {
            weight: weight.as_tensor().clone(),
            bias: bias.as_tensor().clone(),
        };
        let logits = head.logits(&features).unwrap();
        let loss = cross_entropy(&logits, &label_tensor(&labels, &logits).unwrap()).unwrap();
        let scored = score(&loss, &logits, &labels).unwrap();
        let parameters = self.head.parameters();
        let gradients: Vec<Tensor> = gradients(&loss, &[&weight, &bias])
            .unwrap()
            .iter()
            .zip(&parameters)
            .map(|(g, p)| (g + (p * rates.weight_decay).unwrap()).unwrap())
            .collect();
        let stepped = self
            .adam
            .step(&parameters, &gradients, &[rates.learning_rate; 2])
            .unwrap();
        self.head = LinearHead {
            weight: stepped[0].clone(),
            bias: stepped[1].clone(),
        };
        (scored.loss, scored.correct)
    }
}

/// Widths and class counts that no vector and no tile divides, batches with a rest.
#[test]
fn a_step_is_that_of_autograd() {
    for (width, classes, weight_decay) in
        [(1, 2, 0.0), (37, 3, 0.1), (64, 10, 0.0), (531, 13, 1e-3)]
    {
        let rates = HeadRates {
            learning_rate: 0.01,
            weight_decay,
        };
        let data = data(53, width, classes as u32);
        let head = start(width, classes);
        let mut fused = SoftmaxRegression::new(&head, 1).unwrap();
        let features = Tensor::from_vec(data.features.to_f32(), (53, width), &Device::Cpu).unwrap();
        let mut oracle = Oracle {
            features: wide(&features),
            head: LinearHead {
                weight: wide(&head.weight),
                bias: wide(&head.bias),
            },
            adam: Adam::new(),
        };
        let order: Vec<usize> = (0..53).map(|i| i * 12 % 53).collect();
        let mut scored = Vec::new();
        for indices in order.chunks(14).cycle().take(12) {
            fused.step(&data, indices, &[rates], &mut scored).unwrap();
            let want = oracle.step(&data.labels, indices, rates);
            assert_close("loss", &[scored[0].loss], &[want.0], F32);
            assert_eq!(scored[0].correct, want.1);
        }
        let got = values(&fused.head(0).unwrap());
        assert_close(
            &format!("{width} × {classes}"),
            &got,
            &values(&oracle.head),
            F32,
        );
    }
}

fn steps(
    training: &mut SoftmaxRegression,
    data: &LabelledFeatures,
    rates: &[HeadRates],
) -> Vec<f64> {
    let order: Vec<usize> = (0..data.labels.len()).rev().collect();
    let (mut scored, mut losses) = (Vec::new(), Vec::new());
    for indices in order.chunks(128) {
        training.step(data, indices, rates, &mut scored).unwrap();
        losses.extend(scored.iter().map(|scored| scored.loss));
    }
    losses
}

#[test]
fn threads_change_no_bit() {
    // Large enough for several threads to be worth their while, with rests everywhere.
    let data = data(300, 515, 23);
    let rates = [0.1, 0.01].map(|learning_rate| HeadRates {
        learning_rate,
        weight_decay: 0.0,
    });
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let mut training = SoftmaxRegression::new(&start(515, 23), 2).unwrap();
        let losses = pool.install(|| steps(&mut training, &data, &rates));
        let logits = pool.install(|| training.logits(1, &data.features).unwrap());
        (losses, values(&training.head(1).unwrap()), logits)
    };
    let want = with(1);
    for threads in [2, 3, 5] {
        assert!(with(threads) == want, "{threads} threads");
    }
}

#[test]
fn a_head_beside_others_has_the_bits_of_the_head_alone() {
    for kept in [FeatureType::F32, FeatureType::F16] {
        let mut data = data(300, 70, 7);
        let mut features = FeatureMatrix::new(70, kept);
        features.push(&data.features.to_f32()).unwrap();
        data.features = features;
        let rates: Vec<HeadRates> = [(0.1, 0.0), (0.01, 0.5), (1e-4, 1e-3)]
            .map(|(learning_rate, weight_decay)| HeadRates {
                learning_rate,
                weight_decay,
            })
            .to_vec();
        let mut together = SoftmaxRegression::new(&start(70, 7), 3).unwrap();
        let losses = steps(&mut together, &data, &rates);
        for (index, rates) in rates.iter().enumerate() {
            let mut alone = SoftmaxRegression::new(&start(70, 7), 1).unwrap();
            let own = steps(&mut alone, &data, &[*rates]);
            let beside: Vec<f64> = losses.iter().copied().skip(index).step_by(3).collect();
            assert_eq!(own, beside);
            let head = together.head(index).unwrap();
            assert_eq!(values(&alone.head(0).unwrap()), values(&head));
            let logits = together.logits(index, &data.features).unwrap();
            assert_eq!(alone.logits(0, &data.features).unwrap(), logits);
        }
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let data = data(5, 4, 3);
    let rates = [HeadRates {
        learning_rate: 0.1,
        weight_decay: 0.0,
    }];
    let refused = |width: usize, classes: usize, indices: &[usize], rates: &[HeadRates]| {
        let mut training = SoftmaxRegression::new(&start(width, classes), 1).unwrap();
        let result = training.step(&data, indices, rates, &mut Vec::new());
        result.unwrap_err().to_string()
    };
    for (error, texts) in [
        (
            refused(3, 3, &[0], &rates),
            ["features' width", "expected 3"],
        ),
        (refused(4, 2, &[1, 2], &rates), ["labels", "below 2"]),
        (refused(4, 3, &[0, 5], &rates), ["batch", "rows below 5"]),
        (refused(4, 3, &[], &rates), ["batch", "none"]),
        (refused(4, 3, &[0], &[]), ["rates", "expected 1"]),
    ] {
        assert!(texts.iter().all(|text| error.contains(text)), "{error}");
    }
    assert!(SoftmaxRegression::new(&start(4, 3), 0).is_err());
}
