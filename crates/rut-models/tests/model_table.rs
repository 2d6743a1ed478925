//! The table of models against torchvision's parameter names and shapes, and against itself.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use rut_models::{MODELS, Shape, find};
use rut_testkit::place::golden;

type Keys = BTreeMap<String, Vec<usize>>;

#[test]
fn every_model_has_the_published_keys_and_shapes() {
    let text = std::fs::read(golden("model_keys.json")).unwrap();
    let file: serde_json::Value = serde_json::from_slice(&text).unwrap();
    let mut published: BTreeMap<String, Keys> =
        serde_json::from_value(file["models"].clone()).unwrap();
    for model in MODELS {
        let own: Keys = model
            .build()
            .parameters()
            .into_iter()
            .map(|p| (p.name, p.shape))
            .collect();
        let published = published
            .remove(model.name)
            .unwrap_or_else(|| panic!("{} is not in model_keys.json", model.name));
        assert_eq!(own, published, "{}", model.name);
    }
    assert!(
        published.is_empty(),
        "not in MODELS: {:?}",
        published.keys()
    );
}

#[test]
fn every_row_agrees_with_its_graph() {
    for model in MODELS {
        let graph = model.build();
        let side = model.input_size as usize;
        let shapes = graph
            .shapes([3, side, side])
            .unwrap_or_else(|error| panic!("{}: {error}", model.name));
        assert_eq!(
            shapes[graph.features().index()],
            Shape::Flat(model.width),
            "{}",
            model.name
        );
        assert_eq!(
            shapes[graph.logits().index()],
            Shape::Flat(model.classes),
            "{}",
            model.name
        );
        assert_eq!(
            (graph.width(), graph.classes()),
            (model.width, model.classes),
            "{}",
            model.name
        );
        assert_eq!(
            model.upstream.class_names().len(),
            model.classes,
            "{}",
            model.name
        );
        assert_eq!((model.graph)(7).classes(), 7, "{}", model.name);
        for weights in model.weights {
            let file = weights.url.rsplit('/').next().unwrap();
            assert!(file.contains(weights.sha256_prefix), "{file}");
            assert!(weights.evaluation.crop == model.input_size, "{file}");
        }
    }
}

#[test]
fn names_and_aliases_are_one_model_each() {
    let mut seen = BTreeSet::new();
    for model in MODELS {
        for name in model.aliases.iter().chain([&model.name]) {
            assert!(seen.insert(*name), "{name} twice");
            assert_eq!(find(name).unwrap().name, model.name);
        }
    }
    assert_eq!(MODELS.len(), 21);
}

#[test]
fn an_image_may_have_another_size_than_the_models() {
    for (name, size) in [
        ("resnet50", [3, 97, 131]),
        ("vgg16_bn", [3, 64, 96]),
        ("resnet20_cifar10", [3, 48, 31]),
    ] {
        let model = find(name).unwrap();
        let shapes = model.build().shapes(size).unwrap();
        assert_eq!(shapes.last(), Some(&Shape::Flat(model.classes)));
    }
}
