//! Checkpoints and masks as persons have them, good and bad. `fixtures/make_fixtures.py` made the files of PyTorch.

mod common;

use std::path::{Path, PathBuf};

use common::fixture;
use common::nets::of_fixtures;
use rut_models::{Checkpoint, Error, Mask, Weights};
use safetensors::tensor::{Dtype, TensorView};

/// The fixtures' value of element i.
fn ramp(count: usize) -> Vec<f32> {
    (1..=count).map(|i| i as f32 / 16.0).collect()
}

fn checkpoint(name: &str) -> Checkpoint {
    Checkpoint::open(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn message<T>(result: rut_models::Result<T>) -> String {
    result.err().expect("an error").to_string()
}

#[test]
fn every_layout_gives_the_same_weights() {
    let files = [
        "flat.pth",
        "flat_legacy.pth",
        "nested.pth",
        "nested_legacy.th",
        "nested_twice.pt",
        "model_prefix.pth",
        "linear.pth",
        "half.pth",
        "bfloat.pth",
        "double.pth",
        "not_contiguous.pth",
        "protocol_3.pth",
        "protocol_4.pth",
        "protocol_5.pth",
        "protocol_5_legacy.th",
        "name_of_21_characters.pth",
        "no_checksums.pth",
        "training.pth",
        "deflated.pth",
        "trailing.pth",
        "views.pth",
        "views_legacy.th",
    ];
    for name in files {
        let weights = Weights::assemble(&of_fixtures(), &checkpoint(name), None);
        let weights = weights.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            weights.get("conv1.weight").unwrap().data,
            ramp(54),
            "{name}"
        );
        assert_eq!(weights.get("fc.weight").unwrap().data, ramp(8), "{name}");
        assert_eq!(
            weights.get("bn1.running_var").unwrap().data,
            ramp(2),
            "{name}"
        );
    }
}

#[test]
fn what_was_done_to_the_keys_is_noted() {
    let nested = checkpoint("nested.pth");
    let weights = Weights::assemble(&of_fixtures(), &nested, None).unwrap();
    assert_eq!(
        weights.notes(),
        [
            "left out 1 counters",
            "took what stands under `state_dict.module`",
            "left out `optimizer` (1 key)"
        ]
    );
    assert_eq!(nested.digest.len(), 64);
    let unwrapped = nested.unwrapped().unwrap();
    assert_eq!(
        unwrapped.notes,
        [
            "left out 1 counters",
            "took the state dict under `state_dict`",
            "removed prefixes from 7 keys"
        ]
    );
    assert_eq!(unwrapped.tensors().len(), 7);
}

#[test]
fn pruned_modules_are_multiplied_out() {
    let pruned = checkpoint("pruned.pth");
    assert!(
        pruned
            .notes
            .contains(&"multiplied 1 pairs of `_orig` and `_mask`".to_string())
    );
    let weights = Weights::assemble(&of_fixtures(), &pruned, None).unwrap();
    let data = &weights.get("conv1.weight").unwrap().data;
    assert_eq!(data[..4], [0.0, 2.0 / 16.0, 0.0, 4.0 / 16.0]);
    assert_eq!(weights.density().layers[0].kept, 27);
}

#[test]
fn masks_of_every_kind_are_applied_once() {
    for name in [
        "mask_bool.pth",
        "mask_int8.pth",
        "mask_int64_legacy.pth",
        "mask_float.pth",
    ] {
        let mask = Mask::open(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        for file in ["flat.pth", "model_prefix.pth", "nested.pth"] {
            let weights =
                Weights::assemble(&of_fixtures(), &checkpoint(file), Some(&mask)).unwrap();
            let data = &weights.get("conv1.weight").unwrap().data;
            assert_eq!(
                data[..4],
                [0.0, 2.0 / 16.0, 0.0, 4.0 / 16.0],
                "{name} on {file}"
            );
            let density = weights.density();
            assert_eq!(
                (density.layers[0].kept, density.layers[0].masked),
                (27, true)
            );
            assert_eq!(density.overall.value(), 35.0 / 62.0);
            assert_eq!(
                density.without_stem_and_classifier.value(),
                1.0,
                "nothing lies between the two"
            );
        }
    }
}

#[test]
fn mask_values_other_than_0_and_1_are_refused() {
    let error = Mask::open(&fixture("mask_half.pth")).unwrap_err();
    assert!(
        matches!(&error, Error::MaskValue { name, index: 1, value: 0.5, .. } if name == "conv1.weight")
    );
    assert!(error.to_string().ends_with(
        "`conv1.weight` holds 0.5 at index 1, expected only 0 and 1: a mask says which weights stay, scores must be thresholded first"
    ));
}

#[test]
fn torch_script_is_refused() {
    let error = message(Checkpoint::open(&fixture("torch_script.pt")));
    assert!(
        error.contains(
            "torch_script.pt: it is a TorchScript archive, a program and not a state dict"
        ),
        "{error}"
    );
    assert!(
        error.ends_with("save its weights: torch.save(torch.jit.load(path).state_dict(), ...)"),
        "{error}"
    );
}

#[test]
fn pickled_networks_are_refused_by_class() {
    let error = message(Checkpoint::open(&fixture("whole_network.pth")));
    assert!(
        error.contains(
            "whole_network.pth: it holds no tensors but an object of the class `__main__.Net` under `net`"
        ) && error.ends_with("save its weights: torch.save(model.state_dict(), ...)"),
        "{error}"
    );
}

#[test]
fn masks_without_plain_elements_are_refused_by_kind() {
    for (kind, found) in [
        ("sparse", "sparse"),
        ("complex", "complex64"),
        ("meta", "meta"),
        ("quantised", "quantised"),
        ("f8", "float8_e4m3fn"),
    ] {
        let error = message(Mask::open(&fixture(&format!("mask_{kind}.pth"))));
        let expected = format!("`conv1.weight` holds {found} elements, expected dense booleans");
        assert!(error.contains(&expected), "{error}");
    }
}

#[test]
fn only_regular_files_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let error = message(Checkpoint::open(folder.path()));
    assert!(
        error.contains("expected a regular file, found a folder"),
        "{error}"
    );
    let device = Path::new("/dev/zero");
    if device.exists() {
        let error = message(Checkpoint::open(device));
        assert!(
            error.contains("expected a regular file, found a device"),
            "{error}"
        );
    }
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
fn integers_are_no_weights() {
    let error = message(Weights::assemble(
        &of_fixtures(),
        &checkpoint("integers.pth"),
        None,
    ));
    assert!(
        error.contains("it has no classifier (`fc.weight` holds i8 elements)"),
        "{error}"
    );
}

#[test]
fn two_keys_for_one_parameter_are_refused() {
    let error = message(Weights::assemble(
        &of_fixtures(),
        &checkpoint("twice.pth"),
        None,
    ));
    assert!(error.ends_with("keys `fc.bias` and `module.fc.bias` both mean `fc.bias`; expected one of them: remove the other"), "{error}");
}

#[test]
fn a_tensor_larger_than_its_file_is_refused() {
    let error = message(Checkpoint::open(&fixture("expanded.pth")));
    assert!(
        error.contains("`fc.weight` declares 4000000000 bytes, more than the file's"),
        "{error}"
    );
}

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
            "this is a mask of another network: name the mask that belongs to the \
             checkpoint, and its model (0 missing, 1 unexpected, 1 of another shape)\n  unexpected: layer1.0.conv1.weight\n  \
             of another shape: conv1.weight is [2, 3, 1, 1], expected [2, 3, 3, 3]"
        ),
        "{text}"
    );
}

fn opened(name: &str, bytes: &[u8]) -> String {
    let made = made(name, bytes);
    message(Checkpoint::open(&made.path))
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
