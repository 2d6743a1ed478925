//! Quantized networks: weights against goldens of PyTorch, ranges of activations, and files.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor};
use rut_compress::{Calibration, Calibrator, KeptLayers, WeightQuantization, round_per_channel};
use rut_models::{
    ActivationDescription, CandleNetwork, Checkpoint, FrozenNetwork, Op, QuantizationDescription,
    Reading, Weights, find, quantized_file,
};
use rut_testkit::nets::{every_operation, values};
use rut_testkit::{place, weights_rule};

#[test]
fn weights_are_those_of_pytorch() {
    let golden = place::golden("methods/trajectory.safetensors");
    let tensors = candle_core::safetensors::load(golden, &Device::Cpu).unwrap();
    let floats = |name: &str| -> Vec<f32> {
        values(&tensors[name])
            .into_iter()
            .map(|w| w as f32)
            .collect()
    };
    let rows = tensors["quant.w"].dims()[0];
    for bits in [8, 4, 3] {
        let mut weights = floats("quant.w");
        round_per_channel(&mut weights, rows, bits).unwrap();
        let expected = floats(&format!("quant.w{bits}"));
        let largest = expected.iter().fold(0.0_f32, |most, w| most.max(w.abs()));
        for (found, expected) in weights.iter().zip(&expected) {
            assert!((found - expected).abs() <= 2e-7 * largest, "{bits} bits");
        }
    }
}

/// PyTorch 2.15: `torch.fake_quantize_per_channel_affine(w, w.abs().amax(1), zeros, 0, -1, 1)`.
#[test]
fn two_bits_are_those_of_pytorch() {
    let mut weights = [0.5, -0.26, 0.24, -0.5, 0.2, 0.11, -0.09, 0.0];
    round_per_channel(&mut weights, 2, 2).unwrap();
    assert_eq!(weights, [0.5, -0.5, 0.0, -0.5, 0.2, 0.2, 0.0, 0.0]);
}

/// The reference's values, sorted.
#[test]
fn ranges_end_at_the_largest_value_or_at_the_percentile() {
    let graph = every_operation();
    let weights = weights_rule::weights(&graph, None);
    let network = CandleNetwork::new(&graph, &weights, DType::F32, &Device::Cpu).unwrap();
    let batches: Vec<Tensor> = (0..3).map(|i| images(&format!("batch {i}"), 5)).collect();
    let mut sorted: BTreeMap<_, Vec<f32>> = BTreeMap::new();
    for batch in &batches {
        let mut keep = |id, value: &Tensor| {
            let values = value.flatten_all()?.to_vec1::<f32>()?;
            sorted.entry(id).or_default().extend(values);
            Ok(())
        };
        network.infer_observed(batch, &mut keep).unwrap();
    }
    sorted.values_mut().for_each(|v| v.sort_by(f32::total_cmp));
    for calibration in [
        Calibration::MinMax,
        Calibration::Percentile(100.0),
        Calibration::Percentile(99.9),
        Calibration::Percentile(75.0),
    ] {
        let mut calibrator = Calibrator::new(&graph, &weights, calibration).unwrap();
        for _ in 0..calibration.passes() {
            assert!(calibrator.ranges(4).is_err());
            batches
                .iter()
                .for_each(|batch| calibrator.observe(batch).unwrap());
            calibrator.end_pass();
        }
        let ranges = calibrator.ranges(4).unwrap();
        assert_eq!(ranges.len(), 3);
        for (range, relu) in ranges.iter().zip(graph.relus()) {
            let values = &sorted[&relu];
            let share = match calibration {
                Calibration::MinMax => 1.0,
                Calibration::Percentile(percentage) => percentage / 100.0,
            };
            let end = values[(share * values.len() as f64).ceil() as usize - 1];
            let scale = (f64::from(end) / 15.0) as f32;
            assert_eq!(range.scale(), scale, "{calibration}");
        }
    }
}

#[test]
fn a_calibration_that_cannot_be_is_refused() {
    let graph = every_operation();
    let weights = weights_rule::weights(&graph, None);
    for percentage in [0.0, -1.0, 100.1, f64::NAN] {
        let made = Calibrator::new(&graph, &weights, Calibration::Percentile(percentage));
        let error = made.map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("above 0 and at most 100"), "{error}");
    }
    let mut calibrator = Calibrator::new(&graph, &weights, Calibration::MinMax).unwrap();
    let nan = Tensor::full(f32::NAN, (1, 3, 37, 37), &Device::Cpu).unwrap();
    let error = calibrator.observe(&nan).unwrap_err().to_string();
    assert!(
        error.contains("NaN") && error.contains("calibration images"),
        "{error}"
    );
    // Finite images whose sums are not.
    let mut calibrator = Calibrator::new(&graph, &weights, Calibration::MinMax).unwrap();
    let huge = Tensor::full(f32::MAX, (1, 3, 37, 37), &Device::Cpu).unwrap();
    let error = calibrator.observe(&huge).unwrap_err().to_string();
    assert!(error.contains("finite numbers at node"), "{error}");
    let mut calibrator = Calibrator::new(&graph, &weights, Calibration::MinMax).unwrap();
    calibrator.end_pass();
    let error = calibrator.ranges(8).unwrap_err().to_string();
    assert!(error.contains("0 values"), "{error}");
}

#[test]
fn a_file_says_what_it_is_and_is_read_so() {
    let file = Made::new();
    let path = file.write();
    let checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!(checkpoint.quantization(), Some(&file.description));
    let model = find("resnet20_cifar10").unwrap();
    let (graph, weights) = Weights::read(model, &checkpoint, None, &Reading::default()).unwrap();
    let quantized = |node: &&rut_models::Node| matches!(node.op, Op::FakeQuantize(_));
    assert_eq!(graph.nodes().iter().filter(quantized).count(), 19);
    // Rounding to 3 bits makes zeros, but prunes nothing.
    assert_eq!(weights.density().overall.value(), 1.0);
    let zeros: usize = weights
        .density()
        .layers
        .iter()
        .map(|layer| layer.zeros)
        .sum();
    assert!(zeros > 1000, "{zeros}");
    // The same bytes again.
    let bytes = quantized_file(&file.arrays, &file.description).unwrap();
    assert_eq!(bytes, std::fs::read(&path).unwrap());
    // It computes close to what it was made of, and not the same.
    let (plain, before) = (model.build(), weights_rule::weights(&model.build(), None));
    let images = images("images", 4);
    let logits = |graph, weights| {
        let network = CandleNetwork::new(graph, weights, DType::F32, &Device::Cpu).unwrap();
        values(&network.infer(&images).unwrap().logits)
    };
    let apart =
        rut_testkit::close::relative_l2(&logits(&graph, &weights), &logits(&plain, &before));
    assert!((0.01..0.8).contains(&apart), "{apart}");
}

/// A ResNet-20 with weights of three bits and activations of four.
struct Made {
    folder: tempfile::TempDir,
    arrays: BTreeMap<String, rut_models::Array>,
    description: QuantizationDescription,
}

impl Made {
    fn new() -> Self {
        let model = find("resnet20_cifar10").unwrap();
        let graph = model.build();
        let weights = weights_rule::weights(&graph, None);
        let keep = KeptLayers::parse(["stem", "classifier"]).unwrap();
        let made = WeightQuantization { bits: 3, keep }
            .run(&graph, &weights)
            .unwrap();
        assert_eq!(made.kept, ["conv1.weight", "linear.weight"]);
        let rounded = Weights::from_arrays(&graph, made.arrays.clone()).unwrap();
        let mut calibrator = Calibrator::new(&graph, &rounded, Calibration::MinMax).unwrap();
        calibrator.observe(&images("calibration", 8)).unwrap();
        calibrator.end_pass();
        let ranges = calibrator.ranges(4).unwrap();
        let description = QuantizationDescription {
            version: QuantizationDescription::VERSION,
            model: model.name.into(),
            weight_bits: 3,
            weight_scheme: "symmetric per output channel".into(),
            kept: made.kept,
            unpruned: made.unpruned,
            activations: Some(ActivationDescription {
                bits: 4,
                scales: ranges.iter().map(|range| range.scale()).collect(),
                calibration: Calibration::MinMax.to_string(),
                dataset: "cifar10".into(),
                images: 8,
                digest: "0".repeat(64),
            }),
            source_checkpoint: "0".repeat(64),
            source_mask: None,
            program: "test".into(),
        };
        Self {
            folder: tempfile::tempdir().unwrap(),
            arrays: made.arrays,
            description,
        }
    }

    fn write(&self) -> std::path::PathBuf {
        let path = self.folder.path().join("q.safetensors");
        std::fs::write(
            &path,
            quantized_file(&self.arrays, &self.description).unwrap(),
        )
        .unwrap();
        path
    }
}

fn images(name: &str, n: usize) -> Tensor {
    let pixels = weights_rule::image(name, n * 3 * 37 * 37);
    Tensor::from_vec(pixels, (n, 3, 37, 37), &Device::Cpu).unwrap()
}
