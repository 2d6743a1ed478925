//! What the file of a quantized network says of itself must fit the model that it is read as.

use rut_models::{
    ActivationDescription, Checkpoint, Error, Graph, QuantizationDescription, Reading, Weights,
    find, quantized_file,
};
use rut_testkit::weights_rule;

#[test]
fn a_file_that_is_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.safetensors");
    let model = find("resnet20_cifar10").unwrap();
    let graph = model.build();
    let arrays = weights_rule::weights(&graph, None).own_arrays(&graph);
    let refused = |change: &dyn Fn(&mut QuantizationDescription), model: &str| {
        let mut description = description(&graph);
        change(&mut description);
        std::fs::write(&path, quantized_file(&arrays, &description).unwrap()).unwrap();
        let checkpoint = Checkpoint::open(&path)?;
        let model = find(model).unwrap();
        Weights::read(model, &checkpoint, None, &Reading::default()).map(|_| ())
    };
    refused(&|_| {}, model.name).unwrap();
    let ranges = |count: usize| {
        move |description: &mut QuantizationDescription| {
            let activations = description.activations.as_mut().unwrap();
            activations.scales.truncate(count);
        }
    };
    let zero = |description: &mut QuantizationDescription| {
        description.activations.as_mut().unwrap().scales[7] = 0.0;
    };
    let bits = |description: &mut QuantizationDescription| {
        description.activations.as_mut().unwrap().bits = 0;
    };
    let version = |description: &mut QuantizationDescription| description.version = 2;
    let own = model.name;
    for (result, expected) in [
        (refused(&ranges(0), own), "0 activation ranges, expected 19"),
        (
            refused(&ranges(18), own),
            "18 activation ranges, expected 19",
        ),
        (refused(&zero, own), "a scale of 0"),
        (refused(&bits, own), "found 0 bits"),
        (refused(&version, own), "has version 2, expected 1"),
    ] {
        let text = result.unwrap_err().to_string();
        assert!(
            text.contains(expected) && text.contains("rut quantize"),
            "{text}"
        );
        assert!(text.contains("q.safetensors"), "{text}");
    }
    let named = |description: &mut QuantizationDescription| description.model = "x\u{1b}[2J".into();
    let text = refused(&named, own).unwrap_err().to_string();
    assert!(text.contains("asked for as `resnet20_cifar10`"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    // A model of other shapes does not fit at all.
    assert!(matches!(
        refused(&|_| {}, "resnet56_cifar10"),
        Err(Error::Mismatch(_) | Error::Quantization { .. })
    ));
}

/// Weights of three bits and activations of four.
fn description(graph: &Graph) -> QuantizationDescription {
    QuantizationDescription {
        version: QuantizationDescription::VERSION,
        model: "resnet20_cifar10".into(),
        weight_bits: 3,
        weight_scheme: "symmetric per output channel".into(),
        kept: vec!["conv1.weight".into(), "linear.weight".into()],
        unpruned: Default::default(),
        activations: Some(ActivationDescription {
            bits: 4,
            scales: graph.relus().map(|_| 0.1).collect(),
            calibration: "min-max".into(),
            dataset: "cifar10".into(),
            images: 8,
            digest: "0".repeat(64),
        }),
        source_checkpoint: "0".repeat(64),
        source_mask: None,
        program: "test".into(),
    }
}
