//! Checkpoints and masks as PyTorch saves them, good and bad. `fixtures/make_fixtures.py` made the files of PyTorch.

mod common;

use std::path::Path;

use common::nets::of_fixtures;
use common::{checkpoint, fixture, message, ramp};
use rut_models::{Checkpoint, Error, Mask, Weights};

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
