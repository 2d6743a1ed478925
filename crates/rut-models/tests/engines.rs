//! Every line of the table of engines against the reference.

mod common;

use candle_core::{DType, Device};
use common::nets::{by_rule, noise, values};
use rut_models::{ENGINES, Engine, Error, FrozenNetwork, Placement, Precision, find};
use rut_testkit::close::{Tolerance, assert_close};
use rut_testkit::weights_rule::weights;

/// Logits and features in f32, of the largest magnitude; engines that use Winograd's algorithm are a digit coarser.
const F32: Tolerance = Tolerance::rel(1e-4);

#[test]
fn every_engine_answers_as_the_reference_does() {
    let graph = find("resnet20_cifar10").unwrap().build();
    let weights = weights(&graph, Some(0.3));
    let images = noise("images", &[2, 3, 32, 32], DType::F32);
    let reference = rut_models::CandleNetwork::new(&graph, &weights, DType::F32, &Device::Cpu);
    let want = reference.unwrap().infer(&images).unwrap();
    for row in ENGINES {
        let network = row.engine.load(&graph, &weights, &Placement::default());
        let got = network.unwrap().infer(&images).unwrap();
        for (what, got, want) in [
            ("logits", got.logits, &want.logits),
            ("features", got.features, &want.features),
        ] {
            let what = format!("{what} of {}", row.name);
            assert_close(&what, &values(&got), &values(want), F32);
        }
    }
}

#[test]
fn f64_is_the_reference_s_whatever_is_asked_for() {
    let graph = find("resnet20_cifar10").unwrap().build();
    let weights = weights(&graph, None);
    let want = by_rule(&graph, DType::F64).engine();
    let wide = Placement {
        dtype: DType::F64,
        ..Placement::default()
    };
    for row in ENGINES {
        let network = row.engine.load(&graph, &weights, &wide);
        let network = network.unwrap();
        assert_eq!(network.engine(), want, "{}", row.name);
        assert_eq!(network.dtype(), DType::F64);
    }
}

/// The feature cache relies on it: an image's answer does not depend on the images beside it, nor on how
/// many there are. (The reference makes no such promise.)
#[test]
fn an_image_has_the_same_bits_alone_and_among_others() {
    let graph = find("resnet20_cifar10").unwrap().build();
    let weights = weights(&graph, Some(0.3));
    let images = noise("images", &[35, 3, 32, 32], DType::F32);
    for row in ENGINES {
        if !row.same_in_every_batch {
            continue;
        }
        let network = row.engine.load(&graph, &weights, &Placement::default());
        let network = network.unwrap();
        let all = network.infer(&images).unwrap();
        for (from, count) in [(0, 1), (34, 1), (3, 7), (16, 16), (20, 15)] {
            let some = network
                .infer(&images.narrow(0, from, count).unwrap())
                .unwrap();
            for (what, all, some) in [
                ("logits", &all.logits, &some.logits),
                ("features", &all.features, &some.features),
            ] {
                let among = all.narrow(0, from, count).unwrap();
                let what = format!("{what} of {} from {from}", row.name);
                assert_eq!(values(some), values(&among), "{what}");
            }
        }
    }
}

/// Of the others and of wider images it would be f32 under another name.
#[test]
fn bfloat16_is_refused_where_no_engine_has_it() {
    let graph = find("resnet20_cifar10").unwrap().build();
    let weights = weights(&graph, None);
    let load = |engine: Engine, dtype| {
        let placement = Placement {
            dtype,
            precision: Precision::Bf16,
            ..Placement::default()
        };
        engine.load(&graph, &weights, &placement).map(|_| ())
    };
    for engine in [Engine::Sparse, Engine::Reference] {
        let error = load(engine, DType::F32).unwrap_err();
        let Error::Precision { others, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(others, "auto or dense");
        let text = error.to_string();
        let named = [format!("`engine = {engine}`"), "`precision = bf16`".into()];
        assert!(named.iter().all(|part| text.contains(part)), "{text}");
    }
    for engine in [Engine::Auto, Engine::Dense] {
        let error = load(engine, DType::F64).unwrap_err();
        assert!(matches!(error, Error::Argument { .. }), "{error}");
    }
}
