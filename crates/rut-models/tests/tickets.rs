//! Finding a ticket's files by name, and measuring the bundled ones.

mod common;

use std::path::Path;

use rut_models::{Checkpoint, LayerRole, Mask, Weights, find, find_ticket};
use rut_testkit::place;

fn folder(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    folder
}

fn found(names: &[&str], model: &str, state: u32) -> Result<(String, Option<String>), String> {
    let folder = folder(names);
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    find_ticket(folder.path(), model, state)
        .map(|files| (name(&files.checkpoint), files.mask.map(|mask| name(&mask))))
        .map_err(|error| {
            error
                .to_string()
                .replace(&folder.path().display().to_string(), "DIR")
        })
}

#[test]
fn the_state_is_a_whole_number_of_the_name() {
    let names = [
        "resnet50_dyn4_8_checkpoint.pth",
        "resnet50_dyn4_8_mask.pth",
        "resnet50_dyn4_18_checkpoint.pth",
        "resnet50_dyn4_18_mask.pth",
    ];
    assert_eq!(
        found(&names, "resnet50", 8).unwrap(),
        (names[0].into(), Some(names[1].into()))
    );
    assert_eq!(found(&names, "resnet50", 18).unwrap().0, names[2]);
}

#[test]
fn only_the_dense_member_may_lack_a_mask() {
    let names = [
        "resnet18_0_checkpoint.safetensors",
        "resnet18_1_checkpoint.safetensors",
    ];
    assert_eq!(
        found(&names, "resnet18", 0).unwrap(),
        (names[0].into(), None)
    );
    assert_eq!(
        found(&names, "resnet18", 1).unwrap_err(),
        "find the mask of resnet18, state 1 in DIR: expected one file resnet18*_1_mask{.safetensors,.pth,.pt,.th}, found none; \
         the folder holds resnet18_0_checkpoint.safetensors, resnet18_1_checkpoint.safetensors"
    );
}

#[test]
fn a_model_is_not_another_with_a_longer_name() {
    let names = ["vgg11_bn_a_0_checkpoint.pth", "vgg11_a_0_checkpoint.pth"];
    assert_eq!(found(&names, "vgg11", 0).unwrap().0, names[1]);
    assert_eq!(found(&names, "vgg11_bn", 0).unwrap().0, names[0]);
}

#[test]
fn several_matches_are_listed() {
    let names = [
        "resnet18_a_2_checkpoint.pth",
        "resnet18_b_2_checkpoint.safetensors",
    ];
    let error = found(&names, "resnet18", 2).unwrap_err();
    assert!(
        error.ends_with(
            "found resnet18_a_2_checkpoint.pth, resnet18_b_2_checkpoint.safetensors; name the files (field `checkpoint`, field `mask`)"
        ),
        "{error}"
    );
    assert!(
        found(&[], "resnet18", 2)
            .unwrap_err()
            .ends_with("found none; the folder holds nothing")
    );
}

/// The densities that the bundle's description gives, without the first convolution and the classifier.
#[test]
fn bundled_tickets_have_their_density() {
    let Some(folder) = place::shared("quickstart") else {
        return;
    };
    let graph = find("resnet20_cifar100").unwrap().build();
    for (state, percent) in [
        (0, "100.00 %"),
        (2, "64.00 %"),
        (4, "40.96 %"),
        (6, "26.21 %"),
        (8, "16.78 %"),
    ] {
        let files = find_ticket(&folder, "resnet20_cifar100", state).unwrap();
        let checkpoint = Checkpoint::open(&files.checkpoint).unwrap();
        let mask = files.mask.map(|mask| Mask::open(&mask).unwrap());
        let weights = Weights::assemble(&graph, &checkpoint, mask.as_ref()).unwrap();
        let report = weights.density();
        assert_eq!(report.without_stem_and_classifier.to_string(), percent);
        let masked = |layer: &&rut_models::LayerDensity| layer.masked;
        assert_eq!(
            report.layers.iter().filter(masked).count(),
            if state == 0 {
                0
            } else {
                report.layers.len() - 2
            }
        );
        assert_eq!(report.layers[0].role, LayerRole::Stem);
        assert_eq!(report.layers.last().unwrap().role, LayerRole::Classifier);
    }
}
