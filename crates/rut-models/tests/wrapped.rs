//! Networks and masks as frameworks save them: under dictionaries and prefixes, beside other things, without a classifier.
//! `fixtures/make_wrapped.py` made the files.

mod common;

use std::collections::BTreeMap;

use common::{fixture, message, nets};
use rut_models::{
    Array, Checkpoint, Classifier, Graph, GraphBuilder, Mask, ModelSpec, Reading, Weights, find,
};

fn graph(classes: usize) -> Graph {
    let mut b = GraphBuilder::new();
    let x = b.input();
    let x = b.conv_same(x, "conv1".into(), [2, 3, 3], 1);
    let x = b.batch_norm(x, "bn1".into(), 2);
    let x = b.relu(x);
    let x = b.global_avg_pool(x);
    let x = b.flatten(x);
    b.finish(x, "fc", 2, classes)
}

/// The fixtures' network as a row of the table.
fn model() -> ModelSpec {
    assert_eq!(graph(4), nets::of_fixtures());
    ModelSpec {
        name: "fixture",
        classes: 4,
        width: 2,
        graph,
        ..*find("resnet18").expect("in the table")
    }
}

fn checkpoint(name: &str) -> Checkpoint {
    common::checkpoint(&format!("wrapped/{name}"))
}

fn read(name: &str, reading: &Reading) -> rut_models::Result<(Graph, Weights)> {
    Weights::read(&model(), &checkpoint(name), None, reading)
}

fn key(key: &str) -> Reading {
    Reading {
        key: Some(key.into()),
        ..Reading::default()
    }
}

fn probed() -> Reading {
    Reading {
        classifier: Classifier::Optional,
        ..Reading::default()
    }
}

/// Whether it is the network, and not the other one, whose values are larger by 1.
fn is_the_network(name: &str, weights: &Weights) {
    let first = |key: &str| weights.get(key).expect("a parameter").data[0];
    assert_eq!(
        (first("bn1.weight"), first("bn1.running_var")),
        (0.0625, 0.0625),
        "{name}"
    );
    assert_eq!(
        weights.get("conv1.weight").expect("a parameter").data[53],
        54.0 / 16.0,
        "{name}"
    );
}

#[test]
fn the_one_network_in_a_file_is_found_wherever_it_stands() {
    let cases = [
        ("lightning.ckpt", "state_dict.model"),
        ("criterion.ckpt", "state_dict.model"),
        ("net_module.pth", "net.module"),
        ("compiled.pth", "model_state._orig_mod"),
        ("two_levels.pth", "checkpoint.weights.model.net"),
        ("ema_only.pth", "ema"),
        ("averaged.pth", "module"),
        ("backbone_and_fc.pth", "state_dict.backbone"),
        ("mmpretrain.pth", "state_dict.backbone"),
        ("pruned.pth", "state_dict.module"),
    ];
    for (name, under) in cases {
        let (_, weights) =
            read(name, &Reading::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(weights.under(), under, "{name}");
        assert_eq!(weights.classes(), Some(4), "{name}");
        if name != "pruned.pth" {
            is_the_network(name, &weights);
        }
        let notes = weights.notes().join("\n");
        assert!(
            notes.contains(&format!("took what stands under `{under}`")),
            "{name}: {notes}"
        );
    }
}

#[test]
fn what_is_left_out_is_noted() {
    for (name, printed) in [
        ("lightning.ckpt", "left out 1 counters"),
        ("criterion.ckpt", "left out `criterion` (1 key)"),
        ("averaged.pth", "left out 2 counters"),
        (
            "mmpretrain.pth",
            "took `state_dict.head.fc` as the classifier",
        ),
        ("pruned.pth", "multiplied 1 pairs"),
    ] {
        let notes = read(name, &Reading::default())
            .unwrap()
            .1
            .notes()
            .join("\n");
        assert!(notes.contains(printed), "{name}: {notes}");
    }
    for (name, printed) in [
        (
            "swav.pth",
            "left out `projection_head` and `prototypes` (3 keys)",
        ),
        ("moco.pth", "`queue`"),
        ("moco.pth", "took `state_dict.module.encoder_q`"),
        ("simsiam.pth", "left out `fc` and `predictor` (4 keys)"),
        ("headless.pth", "no classifier"),
        ("wide_head.pth", "no classifier: `fc.weight` is [3, 9]"),
        (
            "seven_classes.pth",
            "7 source classes, taken from the file's classifier",
        ),
    ] {
        let notes = read(name, &probed()).unwrap().1.notes().join("\n");
        assert!(notes.contains(printed), "{name}: {notes}");
    }
}

#[test]
fn probing_needs_no_classifier_and_prompting_says_that_one_is_missing() {
    for name in [
        "headless.pth",
        "swav.pth",
        "moco.pth",
        "simsiam.pth",
        "wide_head.pth",
    ] {
        let (graph, weights) = read(name, &probed()).unwrap_or_else(|e| panic!("{name}: {e}"));
        is_the_network(name, &weights);
        assert_eq!((graph.classes(), weights.classes()), (1, None), "{name}");
        let roles: Vec<&str> = weights
            .density()
            .layers
            .iter()
            .map(|l| l.name.as_str())
            .collect();
        assert_eq!(
            roles,
            ["conv1.weight"],
            "{name}: a head that is not there has no density"
        );
        let text = message(read(name, &Reading::default()));
        assert!(
            text.contains("it has no classifier") && text.contains("`fc.weight`"),
            "{name}: {text}"
        );
    }
}

#[test]
fn the_number_of_classes_is_the_file_s_or_must_be() {
    let (graph, weights) = read("seven_classes.pth", &Reading::default()).unwrap();
    assert_eq!((graph.classes(), weights.classes()), (7, Some(7)));
    let by_hand = |classes| Reading {
        classes: Some(classes),
        ..probed()
    };
    assert!(read("seven_classes.pth", &by_hand(7)).is_ok());
    let text = message(read("seven_classes.pth", &by_hand(4)));
    assert!(
        text.contains("the file's classifier has 7 classes, the network 4"),
        "{text}"
    );
    assert!(message(read("headless.pth", &by_hand(4))).contains("it has no classifier"));
}

#[test]
fn of_several_networks_a_key_decides() {
    let cases: [(&str, [&str; 2]); 6] = [
        ("dino.pth", ["student.module.backbone", "teacher.backbone"]),
        ("byol.pth", ["online_encoder", "target_encoder"]),
        ("raw_and_ema.pth", ["model", "model_ema.module"]),
        ("raw_and_shadow.pth", ["state_dict", "shadow"]),
        ("top_and_ema.pth", [".", "ema"]),
        ("raw_and_best.pth", ["state_dict", "best_state"]),
    ];
    for (name, places) in cases {
        let text = message(read(name, &Reading::default()));
        for place in places {
            assert!(text.contains(&format!("`{place}`")), "{name}: {text}");
        }
        assert!(text.contains("`checkpoint_key`"), "{name}: {text}");
        for (place, plus) in places.into_iter().zip([0.0, 1.0]) {
            if place == "shadow" {
                continue;
            }
            let (_, weights) = read(name, &key(place)).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(
                weights.get("bn1.bias").unwrap().data[0],
                0.0625 + plus,
                "{name}"
            );
        }
    }
    let (_, teacher) = read("dino.pth", &key("teacher")).unwrap();
    assert_eq!(teacher.under(), "teacher.backbone");
    let text = message(read("moco.pth", &key("encoder_k")));
    let found = "`state_dict.module.encoder_k` and `state_dict.module.encoder_q`";
    let expected = format!("there is no key `encoder_k`; the network was found under {found}");
    assert!(text.contains(&expected), "{text}");
    let (_, second) = read(
        "moco.pth",
        &Reading {
            key: Some("state_dict.module.encoder_k".into()),
            ..probed()
        },
    )
    .unwrap();
    assert_eq!(second.get("bn1.bias").unwrap().data[0], 1.0625);
}

#[test]
fn a_key_that_is_not_there_is_answered_with_those_that_are() {
    let text = message(read("dino.pth", &key("teach")));
    assert!(
        text.contains("`teach`")
            && text.contains("`student.module.backbone` and `teacher.backbone`"),
        "{text}"
    );
}

#[test]
fn what_no_network_needs_is_not_read() {
    let text = message(read("integers_beside.pth", &Reading::default()));
    assert!(
        text.contains("unexpected: fc.weight_scale_packed"),
        "{text}"
    );
    let text = message(read("parametrised.pth", &Reading::default()));
    assert!(text.contains("remove_parametrizations"), "{text}");
}

/// Which of two networks a record of an earlier version means, without having said so.
#[test]
fn the_earlier_rule_takes_what_it_took() {
    for name in ["raw_and_ema.pth", "raw_and_best.pth", "net_module.pth"] {
        let unwrapped = checkpoint(name).unwrapped().unwrap();
        let read = Weights::read(&model(), &unwrapped, None, &Reading::default());
        is_the_network(
            name,
            &read.unwrap_or_else(|error| panic!("{name}: {error}")).1,
        );
    }
}

#[test]
fn masks_are_found_wherever_they_stand() {
    for name in [
        "mask_nested.pth",
        "mask_of_module.pth",
        "mask_of_prune.pth",
        "mask_beside_weights.pth",
    ] {
        let mask = Mask::open(&fixture(&format!("wrapped/{name}")));
        let mask = mask.unwrap_or_else(|error| panic!("{name}: {error}"));
        for file in ["ema_only.pth", "lightning.ckpt", "nan_pruned.pth"] {
            let read = Weights::read(
                &model(),
                &checkpoint(file),
                Some(&mask),
                &Reading::default(),
            );
            let (_, weights) = read.unwrap_or_else(|error| panic!("{name}, {file}: {error}"));
            let layer = &weights.density().layers[0];
            assert_eq!(
                (layer.kept, layer.total, layer.zeros),
                (27, 54, 0),
                "{name}, {file}"
            );
            assert_eq!(layer.hidden, 27, "{name}, {file}");
        }
    }
    let two = Mask::open(&fixture("wrapped/masks_of_two_levels.pth")).unwrap();
    let read = Weights::read(
        &model(),
        &checkpoint("ema_only.pth"),
        Some(&two),
        &Reading::default(),
    );
    let text = message(read);
    assert!(text.contains("`mask_1` and `mask_2`"), "{text}");
}

#[test]
fn a_value_that_is_no_number_is_named_unless_it_is_pruned() {
    let text = message(read("nan_pruned.pth", &Reading::default()));
    assert!(
        text.contains("`conv1.weight` holds NaN at index 0"),
        "{text}"
    );
}

/// A file of `model`'s parameters, renamed; element i of each is i.
fn renamed(model: &ModelSpec, name: impl Fn(&str) -> Option<String>) -> Checkpoint {
    let arrays = model.build().parameters().into_iter().filter_map(|p| {
        let count: usize = p.shape.iter().product();
        let data = (0..count).map(|i| (i % 97) as f32 / 97.0).collect();
        Some((
            name(&p.name)?,
            Array {
                shape: p.shape,
                data,
            },
        ))
    });
    saved(arrays.collect())
}

fn saved(arrays: BTreeMap<String, Array>) -> Checkpoint {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    let bytes: BTreeMap<&str, (Vec<usize>, Vec<u8>)> = arrays
        .iter()
        .map(|(name, array)| {
            let bytes = array.data.iter().flat_map(|x| x.to_le_bytes()).collect();
            (name.as_str(), (array.shape.clone(), bytes))
        })
        .collect();
    let views = bytes.iter().map(|(name, (shape, bytes))| {
        let f32 = safetensors::tensor::Dtype::F32;
        (
            *name,
            safetensors::tensor::TensorView::new(f32, shape.clone(), bytes).unwrap(),
        )
    });
    std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    Checkpoint::open(&path).unwrap()
}

/// A parameter of torchvision's ResNet as transformers' `ResNetForImageClassification` calls it.
fn hugging_face(name: &str) -> String {
    let part = |layer: &str| {
        if layer.starts_with("conv") {
            "convolution"
        } else {
            "normalization"
        }
    };
    let components: Vec<&str> = name.split('.').collect();
    match components[..] {
        ["fc", leaf] => format!("classifier.1.{leaf}"),
        [layer, leaf] => format!("resnet.embedder.embedder.{}.{leaf}", part(layer)),
        [stage, block, "downsample", number, leaf] => {
            let stage: usize = stage[5..].parse().unwrap();
            let part = ["convolution", "normalization"][number.parse::<usize>().unwrap()];
            format!(
                "resnet.encoder.stages.{}.layers.{block}.shortcut.{part}.{leaf}",
                stage - 1
            )
        }
        [stage, block, layer, leaf] => {
            let stage: usize = stage[5..].parse().unwrap();
            let number: usize = layer
                .trim_start_matches(char::is_alphabetic)
                .parse()
                .unwrap();
            format!(
                "resnet.encoder.stages.{}.layers.{block}.layer.{}.{}.{leaf}",
                stage - 1,
                number - 1,
                part(layer)
            )
        }
        _ => panic!("{name}"),
    }
}

#[test]
fn the_names_of_hugging_face_and_of_a_sequence_of_children_are_read() {
    for model in ["resnet18", "resnet50"].map(|name| find(name).unwrap()) {
        let own = renamed(model, |name| Some(name.to_owned()));
        let theirs = renamed(model, |name| Some(hugging_face(name)));
        let (_, own) = Weights::read(model, &own, None, &Reading::default()).unwrap();
        let (_, theirs) = Weights::read(model, &theirs, None, &Reading::default()).unwrap();
        for parameter in model.build().parameters() {
            assert_eq!(own.get(&parameter.name), theirs.get(&parameter.name));
        }
        let notes = theirs.notes().join("\n");
        assert!(notes.contains("`ResNetForImageClassification`"), "{notes}");
    }
    let resnet18 = find("resnet18").unwrap();
    let children = renamed(resnet18, |name| {
        let (first, rest) = name.split_once('.')?;
        let number = match first {
            "conv1" => "0",
            "bn1" => "1",
            "fc" => return None,
            stage => ["4", "5", "6", "7"][stage[5..].parse::<usize>().ok()? - 1],
        };
        Some(format!("backbone.{number}.{rest}"))
    });
    let (_, weights) = Weights::read(resnet18, &children, None, &probed()).unwrap();
    assert_eq!((weights.under(), weights.classes()), ("backbone", None));
}

#[test]
fn timm_s_vgg_is_read() {
    let vgg11 = find("vgg11").unwrap();
    let own = renamed(vgg11, |name| Some(name.to_owned()));
    let theirs = |classifier: bool| {
        let arrays = own.tensors().iter().filter_map(|(name, array)| {
            let name = name.replace("classifier.0", "pre_logits.fc1");
            let name = name.replace("classifier.3", "pre_logits.fc2");
            let name = name.replace("classifier.6", "head.fc");
            let shape = match name.as_str() {
                "pre_logits.fc1.weight" => vec![4096, 512, 7, 7],
                "pre_logits.fc2.weight" => vec![4096, 4096, 1, 1],
                _ => array.shape.clone(),
            };
            let data = array.data.clone();
            (classifier || !name.starts_with("head")).then_some((name, Array { shape, data }))
        });
        saved(arrays.collect())
    };
    let (_, own) = Weights::read(vgg11, &own, None, &Reading::default()).unwrap();
    let (_, with) = Weights::read(vgg11, &theirs(true), None, &Reading::default()).unwrap();
    for parameter in vgg11.build().parameters() {
        assert_eq!(own.get(&parameter.name), with.get(&parameter.name));
    }
    let (_, without) = Weights::read(vgg11, &theirs(false), None, &probed()).unwrap();
    assert_eq!(
        without.get("classifier.3.weight"),
        own.get("classifier.3.weight")
    );
    assert_eq!(without.classes(), None);
}

#[test]
fn a_file_of_another_network_says_what_it_looks_like() {
    let resnet50 = find("resnet50").unwrap();
    let deep = renamed(resnet50, |name| {
        Some(match name {
            "conv1.weight" => "conv1.0.weight".into(),
            "bn1.weight" => "conv1.3.weight".into(),
            _ => name
                .replace("downsample.1", "downsample.2")
                .replace("downsample.0", "downsample.1"),
        })
    });
    let text = message(Weights::read(resnet50, &deep, None, &probed()));
    let first = text.lines().next().unwrap_or_default();
    assert!(first.contains("looks like timm's resnet50d"), "{text}");
    assert!(text.lines().count() <= 40, "{text}");
    let resnet18 = renamed(find("resnet18").unwrap(), |name| {
        Some(format!("net.{name}"))
    });
    let text = message(Weights::read(
        find("resnet34").unwrap(),
        &resnet18,
        None,
        &probed(),
    ));
    assert!(
        text.lines()
            .next()
            .unwrap_or_default()
            .contains("it fits `resnet18`"),
        "{text}"
    );
    let other = renamed(find("resnet18").unwrap(), |name| {
        Some(format!("net.x{name}"))
    });
    let text = message(Weights::read(resnet50, &other, None, &probed()));
    assert!(
        text.lines()
            .next()
            .unwrap_or_default()
            .contains("all 102 keys begin with `net.`"),
        "{text}"
    );
}
