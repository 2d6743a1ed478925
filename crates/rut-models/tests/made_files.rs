//! Checkpoints and masks made here: what does not fit the network, and damaged and hostile files.

mod common;

use std::path::{Path, PathBuf};

use common::nets::of_fixtures;
use common::{checkpoint, fixture, message, ramp};
use rut_models::{Checkpoint, Error, Mask, Reading, Weights, find};
use safetensors::tensor::{Dtype, TensorView};

/// A safetensors file made here, and the folder that it lies in.
struct Made {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn made(name: &str, bytes: &[u8]) -> Made {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    Made {
        _folder: folder,
        path,
    }
}

fn good() -> Vec<(&'static str, Vec<usize>, Vec<f32>)> {
    vec![
        ("conv1.weight", vec![2, 3, 3, 3], ramp(54)),
        ("bn1.weight", vec![2], ramp(2)),
        ("bn1.bias", vec![2], ramp(2)),
        ("bn1.running_mean", vec![2], ramp(2)),
        ("bn1.running_var", vec![2], ramp(2)),
        ("fc.weight", vec![4, 2], ramp(8)),
        ("fc.bias", vec![4], ramp(4)),
    ]
}

fn serialized(tensors: &[(&str, Vec<usize>, Vec<f32>)]) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, _, data)| data.iter().flat_map(|x| x.to_le_bytes()).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
        (
            *name,
            TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap(),
        )
    });
    safetensors::serialize(views, None).unwrap()
}

fn assembled(tensors: &[(&str, Vec<usize>, Vec<f32>)]) -> rut_models::Result<Weights> {
    let made = made("network.safetensors", &serialized(tensors));
    Weights::assemble(&of_fixtures(), &Checkpoint::open(&made.path)?, None)
}

fn opened(name: &str, bytes: &[u8]) -> String {
    let made = made(name, bytes);
    message(Checkpoint::open(&made.path))
}

#[test]
fn safetensors_give_the_same_weights() {
    let weights = assembled(&good()).unwrap();
    assert_eq!(weights.get("conv1.weight").unwrap().data, ramp(54));
    assert_eq!(weights.density().overall.value(), 1.0);
}

#[test]
fn all_differences_stand_in_one_error() {
    let mut tensors = good();
    tensors.remove(1);
    tensors[0] = ("conv1.weight", vec![2, 27], ramp(54));
    tensors.push(("layer9.weight", vec![1], ramp(1)));
    tensors.retain(|(name, ..)| *name != "bn1.bias");
    let error = assembled(&tensors).unwrap_err();
    let Error::Mismatch(mismatch) = &error else {
        panic!("{error}")
    };
    assert_eq!(mismatch.missing, ["bn1.weight", "bn1.bias"]);
    assert_eq!(mismatch.unexpected, ["layer9.weight"]);
    let text = error.to_string();
    assert!(text.starts_with("match the checkpoint "), "{text}");
    assert!(
        text.ends_with(
            "network.safetensors with the network: \
             expected exactly the network's parameters: name the model that the file was trained as \
             (2 missing, 1 unexpected, 1 of another shape)\n  \
             missing: bn1.weight\n  missing: bn1.bias\n  unexpected: layer9.weight\n  \
             of another shape: conv1.weight is [2, 27], expected [2, 3, 3, 3]"
        ),
        "{text}"
    );
}

#[test]
fn another_number_of_classes_is_explained() {
    let mut tensors = good();
    tensors[5] = ("fc.weight", vec![10, 2], ramp(20));
    tensors[6] = ("fc.bias", vec![10], ramp(10));
    let text = assembled(&tensors).unwrap_err().to_string();
    assert!(
        text.ends_with(
            "the file's classifier has 10 classes, the network 4: choose the model of the task that the \
             file was trained on (0 missing, 0 unexpected, 2 of another shape)\n  of another shape: fc.bias is [10], expected [4]\n  \
             of another shape: fc.weight is [10, 2], expected [4, 2]"
        ),
        "{text}"
    );
}

#[test]
fn both_names_of_the_classifier_are_one_too_many() {
    let mut tensors = good();
    tensors.push(("linear.weight", vec![4, 2], ramp(8)));
    let text = assembled(&tensors).unwrap_err().to_string();
    assert!(text.ends_with("\n  unexpected: linear.weight"), "{text}");
}

#[test]
fn two_other_names_of_the_classifier_are_one_too_many() {
    let mut tensors = good();
    (tensors[5].0, tensors[6].0) = ("linear.weight", "linear.bias");
    tensors.push(("classifier.weight", vec![4, 2], ramp(8)));
    let text = assembled(&tensors).unwrap_err().to_string();
    assert!(
        text.ends_with("\n  unexpected: classifier.weight"),
        "{text}"
    );
}

#[test]
fn weights_at_hand_are_checked_like_a_file() {
    let arrays = |tensors: Vec<(&str, Vec<usize>, Vec<f32>)>| {
        let array = |(name, shape, data): (&str, _, _)| {
            (name.to_string(), rut_models::Array { shape, data })
        };
        Weights::from_arrays(&of_fixtures(), tensors.into_iter().map(array).collect())
    };
    let mut other_name = good();
    (other_name[5].0, other_name[6].0) = ("linear.weight", "linear.bias");
    assert_eq!(
        arrays(other_name).unwrap().get("fc.weight").unwrap().data,
        ramp(8)
    );
    let mut short = good();
    short[6].2.pop();
    assert!(
        message(arrays(short))
            .contains("with 3 values of `fc.bias`, expected 4 values for the shape [4]")
    );
    assert!(message(arrays(Vec::new())).contains("7 missing, 0 unexpected"));
}

#[test]
fn weights_that_are_not_finite_are_named() {
    let mut tensors = good();
    tensors[0].2[7] = f32::NAN;
    let text = assembled(&tensors).unwrap_err().to_string();
    assert!(text.ends_with("`conv1.weight` holds NaN at index 7, expected finite numbers: the file is damaged or its training diverged"), "{text}");
    let mut tensors = good();
    tensors[4].2[1] = -0.5;
    let text = assembled(&tensors).unwrap_err().to_string();
    assert!(
        text.contains(
            "`bn1.running_var` holds -0.5 at index 1, expected finite variances of at least 0"
        ),
        "{text}"
    );
}

#[test]
fn a_mask_of_another_network_is_refused() {
    let tensors = [
        ("conv1.weight", vec![2, 3, 1, 1], vec![1.0; 6]),
        ("layer1.0.conv1.weight", vec![1], vec![1.0]),
    ];
    let made = made("other_mask.safetensors", &serialized(&tensors));
    let mask = Mask::open(&made.path).unwrap();
    let text = message(Weights::assemble(
        &of_fixtures(),
        &checkpoint("flat.pth"),
        Some(&mask),
    ));
    assert!(text.starts_with("match the mask "), "{text}");
    assert!(
        text.ends_with(
            "conv1.weight is [2, 3, 1, 1], expected [2, 3, 3, 3]: name the mask that was made for this \
             checkpoint, and its model (0 missing, 1 unexpected, 1 of another shape)\n  unexpected: layer1.0.conv1.weight\n  \
             of another shape: conv1.weight is [2, 3, 1, 1], expected [2, 3, 3, 3]"
        ),
        "{text}"
    );
}

#[test]
fn a_mask_of_other_keys_or_shapes_names_the_first() {
    let remedy = "name the mask that was made for this checkpoint, and its model";
    for (tensors, first) in [
        (
            vec![("conv1.weight", vec![2, 3, 3], vec![1.0; 18])],
            "conv1.weight is [2, 3, 3], expected [2, 3, 3, 3]",
        ),
        (
            vec![
                ("conv1.weight", vec![2, 3, 3, 3], vec![1.0; 54]),
                ("conv9.weight", vec![1], vec![1.0]),
            ],
            "the network has no `conv9.weight`",
        ),
    ] {
        let made = made("other_mask.safetensors", &serialized(&tensors));
        let mask = Mask::open(&made.path).unwrap();
        let text = message(Weights::assemble(
            &of_fixtures(),
            &checkpoint("flat.pth"),
            Some(&mask),
        ));
        assert!(text.contains(&format!("{first}: {remedy} (")), "{text}");
    }
}

#[test]
fn a_wrong_key_lists_the_top_level_keys_where_no_network_is() {
    let tensors: Vec<_> = (0..12)
        .map(|i| (format!("part\u{1b}{i:02}.w"), vec![1], vec![1.0]))
        .collect();
    let tensors: Vec<_> = tensors
        .iter()
        .map(|(name, shape, data)| (name.as_str(), shape.clone(), data.clone()))
        .collect();
    let made = made("no_network.safetensors", &serialized(&tensors));
    let reading = Reading {
        key: Some("model".into()),
        ..Reading::default()
    };
    let checkpoint = Checkpoint::open(&made.path).unwrap();
    let model = find("resnet20_cifar10").unwrap();
    let text = message(Weights::read(model, &checkpoint, None, &reading));
    assert!(
        text.contains(r"there is no key `model`; the top-level keys are `part\u{1b}00`, `part"),
        "{text}"
    );
    assert!(text.ends_with(r"`part\u{1b}09` and 2 more"), "{text}");
}

#[test]
fn safetensors_headers_are_bounded() {
    let with_header = |header: &[u8], data: usize| {
        let length = (header.len() as u64).to_le_bytes();
        [&length[..], header, &vec![0; data]].concat()
    };
    let axes = format!(
        r#"{{"w":{{"dtype":"F32","shape":[{}1],"data_offsets":[0,4]}}}}"#,
        "1,".repeat(100)
    );
    let text = opened("axes.safetensors", &with_header(axes.as_bytes(), 4));
    assert!(text.contains("one of its tensors has 101 axes"), "{text}");
    let long = format!(
        r#"{{"w":{{"dtype":"F32","shape":[{}1],"data_offsets":[0,4]}}}}"#,
        "1,".repeat(1 << 20)
    );
    let text = opened("long.safetensors", &with_header(long.as_bytes(), 4));
    assert!(
        text.contains("2097206 bytes, of which at most 1114"),
        "{text}"
    );
    let kind = format!(
        r#"{{"w":{{"dtype":"{}","shape":[1],"data_offsets":[0,4]}}}}"#,
        "\\u001b".repeat(1000)
    );
    let text = opened("kind.safetensors", &with_header(kind.as_bytes(), 4));
    assert!(
        text.contains(r"\u{1b}") && text.len() < 2500 && !text.contains('\x1b'),
        "{text}"
    );
}

#[test]
fn a_header_that_lies_allocates_nothing() {
    let header =
        br#"{"fc.bias":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend([0; 16]);
    let text = opened("lie.safetensors", &bytes);
    assert!(
        text.contains("lie.safetensors: its safetensors header does not fit its"),
        "{text}"
    );
    let text = opened(
        "long.safetensors",
        &[&u64::MAX.to_le_bytes()[..], b"{}"].concat(),
    );
    assert!(
        text.contains("its safetensors header does not fit its 10 bytes"),
        "{text}"
    );
}

#[test]
fn truncated_files_are_refused() {
    let whole = serialized(&good());
    let text = opened("cut.safetensors", &whole[..whole.len() - 5]);
    assert!(
        text.contains("its safetensors header does not fit")
            && text.contains("download or copy the file again"),
        "{text}"
    );
    for name in ["flat.pth", "flat_legacy.pth", "nested.pth"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for part in [1, 2, 3] {
            let text = opened(name, &whole[..whole.len() * part / 4]);
            assert!(
                text.contains(name) && text.contains("expected a complete .safetensors or PyTorch"),
                "{text}"
            );
        }
    }
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let text = opened("empty.pth", b"");
    assert!(
        text.contains("empty.pth: the file is empty; expected a complete"),
        "{text}"
    );
    let text = opened("page.pth", b"<!DOCTYPE html><html>404 not found</html>");
    assert!(text.contains("not a PyTorch checkpoint"), "{text}");
    let text = message(Checkpoint::open(Path::new("/absent/network.pth")));
    assert!(text.starts_with("read /absent/network.pth: "), "{text}");
    let text = opened("none.safetensors", &serialized(&[]));
    assert!(text.contains("it holds no tensors"), "{text}");
}
