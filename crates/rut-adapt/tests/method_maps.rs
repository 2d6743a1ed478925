//! Label mappings against `golden/methods/label_mappings.*`.

mod tiny;

use candle_core::{DType, Device, Tensor, Var};
use rut_adapt::{
    Adam, Evidence, LabelMap, MadeMap, Making, MappingChoice, Seed, Ties, bayesian_weights,
    cross_entropy, find_label_mapping, frequency_map, gradients, semantic_map,
};
use rut_models::Placement;
use rut_record::Options;
use rut_testkit::close::{Tolerance, assert_close};

use tiny::{Golden, values};

const NEAR: Tolerance = Tolerance {
    abs: 1e-12,
    rel: 1e-12,
};

fn golden() -> Golden {
    Golden::read("label_mappings")
}

fn lists(golden: &Golden, key: &str) -> Vec<Vec<u32>> {
    serde_json::from_value(golden.json[key].clone()).unwrap()
}

fn source(golden: &Golden) -> (usize, usize) {
    let whole = |key: &str| golden.json[key].as_u64().unwrap() as usize;
    (whole("S"), whole("T"))
}

fn seen(golden: &Golden, empty: Evidence) -> Evidence {
    let mut evidence = empty;
    let (logits, labels) = (golden.tensor("f"), golden.labels());
    // In three batches, as a pass does.
    for (at, labels) in labels.chunks(40).enumerate() {
        let rows = logits.narrow(0, 40 * at, labels.len()).unwrap();
        evidence.add(&rows, labels).unwrap();
    }
    evidence
}

/// The sources of each target with a positive weight, in ascending order.
fn sources(map: &LabelMap) -> Vec<Vec<u32>> {
    if let Some(sources) = map.sources() {
        return sources.iter().map(|&source| vec![source]).collect();
    }
    let weights = map.to_tensors().unwrap()["weights"].t().unwrap();
    let columns = weights.to_vec2::<f32>().unwrap();
    let positive = |column: &Vec<f32>| {
        let pairs = (0..).zip(column);
        pairs.filter(|(_, w)| **w > 0.0).map(|(s, _)| s).collect()
    };
    columns.iter().map(positive).collect()
}

fn sorted(lists: Vec<Vec<u32>>) -> Vec<Vec<u32>> {
    let sort = |mut list: Vec<u32>| {
        list.sort_unstable();
        list
    };
    lists.into_iter().map(sort).collect()
}

fn made(
    golden: &Golden,
    name: &str,
    set: &[(&str, serde_json::Value)],
) -> rut_adapt::Result<MadeMap> {
    let (sources, targets) = source(golden);
    let mut options = Options::default();
    for (key, value) in set {
        options.set(key, value.clone());
    }
    let choice = MappingChoice {
        row: find_label_mapping(name).unwrap(),
        options,
    };
    let placement = Placement {
        dtype: DType::F64,
        ..Placement::default()
    };
    let names = |count: usize, of: &str| -> Vec<String> {
        (0..count).map(|class| format!("{of} {class}")).collect()
    };
    (choice.row.make)(Making {
        sources,
        targets,
        source_names: &names(sources, "source"),
        target_names: &names(targets, "target"),
        images: golden.labels().len(),
        seed: Seed(4),
        placement: &placement,
        options: &choice.options,
        evidence: &mut |asked| Ok(seen(golden, asked)),
    })
}

fn weights(made: &MadeMap) -> Vec<f64> {
    values(&made.map.to_tensors().unwrap()["weights"])
}

#[test]
fn greedy_maps_of_one_and_more_sources_are_the_golden_ones() {
    let golden = golden();
    let (s, t) = source(&golden);
    let evidence = seen(&golden, Evidence::new(s, t));
    let counts: Vec<Vec<u64>> = serde_json::from_value(golden.json["counts"].clone()).unwrap();
    assert_eq!(evidence.counts, counts.concat());
    for each in 1..=3 {
        let found = frequency_map(&evidence, Ties::Index, each).unwrap().map;
        assert_eq!(
            sources(&found),
            lists(&golden, &format!("greedy_m{each}_map"))
        );
        assert_eq!(
            sources(&found),
            sorted(lists(&golden, &format!("freqmap_m{each}")))
        );
        let choice = [("ties", "index".into()), ("map_sources", each.into())];
        for name in ["flm", "ilm"] {
            assert_eq!(made(&golden, name, &choice).unwrap().map, found);
        }
        if each == 3 {
            let logits = found.apply(&golden.tensor("f")).unwrap();
            let near = Tolerance {
                abs: 1e-6,
                rel: 1e-6,
            };
            assert_close("z", &values(&logits), &golden.values("z_freqmap_m3"), near);
        }
    }
    let tied: Vec<Vec<u64>> = serde_json::from_value(golden.json["tie_counts"].clone()).unwrap();
    let counts = tied.concat();
    let mut tied = Evidence::new(5, 3);
    tied.counts = counts;
    let found = frequency_map(&tied, Ties::Index, 1).unwrap();
    assert_eq!(sources(&found.map), lists(&golden, "tie_freqmap_m1"));
    assert_eq!(found.without_evidence, [2]);
}

#[test]
fn more_sources_than_there_are_is_refused() {
    let golden = golden();
    for (name, each) in [("flm", 4), ("ilm", 0), ("rlm", 4), ("flm", u32::MAX)] {
        let error = made(&golden, name, &[("map_sources", each.into())]).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("map_sources") && text.contains("from 1 to 3"),
            "{text}"
        );
    }
    let random = made(&golden, "rlm", &[("map_sources", 3.into())]).unwrap();
    let all = sources(&random.map);
    assert!(all.iter().all(|own| own.len() == 3));
}

#[test]
fn bayesian_maps_are_the_golden_ones() {
    let golden = golden();
    let (s, t) = source(&golden);
    for (lambda, name) in [(1.0, "W_blm_lam1"), (0.5, "W_blm_lam0.5")] {
        let found = made(&golden, "blm", &[("laplace", lambda.into())]).unwrap();
        assert_close(name, &weights(&found), &golden.values(name), NEAR);
        if lambda == 1.0 {
            let logits = found
                .map
                .apply(&golden.tensor("f").to_dtype(DType::F64).unwrap());
            assert_close(
                "z",
                &values(&logits.unwrap()),
                &golden.values("z_blm"),
                NEAR,
            );
        }
    }
    for keep in [1, 2, 3, 20] {
        let evidence = seen(&golden, Evidence::new(s, t).with_largest(keep));
        let name = format!("A_blmp_k{keep}");
        assert_close(&name, &evidence.largest, &golden.values(&name), NEAR);
        let name = format!("W_blmp_k{keep}_lam1");
        let found = bayesian_weights(&evidence.largest, t, 1.0);
        assert_close(&name, &found, &golden.values(&name), NEAR);
        // ⌊α·T⌋ of six targets.
        let share = (keep as f64 + 0.01) / t as f64;
        let found = made(&golden, "blm-plus", &[("top_share", share.into())]).unwrap();
        assert_close(&name, &weights(&found), &golden.values(&name), NEAR);
    }
}

#[test]
fn a_loss_goes_back_through_a_bayesian_map() {
    let golden = golden();
    let found = made(&golden, "blm-plus", &[("top_share", 0.5.into())]).unwrap();
    let logits = golden.tensor("f").to_dtype(DType::F64).unwrap();
    let logits = Var::from_tensor(&logits).unwrap();
    let mapped = found.map.apply(logits.as_tensor()).unwrap();
    let labels = Tensor::new(golden.labels(), &Device::Cpu).unwrap();
    let loss = cross_entropy(&mapped, &labels).unwrap();
    let want = golden.json["ce_blmp_k3"].as_f64().unwrap();
    assert_close("loss", &values(&loss), &[want], NEAR);
    let gradient = gradients(&loss, &[&logits]).unwrap();
    let want = golden.values("dce_df_blmp_k3");
    assert_close("gradient", &values(&gradient[0]), &want, NEAR);
}

#[test]
fn a_target_without_images_is_uniform_and_listed() {
    let mut golden = golden();
    let labels = golden.tensor("y").to_vec1::<i64>().unwrap();
    let moved = labels
        .iter()
        .map(|&label| if label == 2 { 0 } else { label });
    let moved = Tensor::from_iter(moved, &Device::Cpu).unwrap();
    golden.tensors.insert("y".into(), moved);
    for name in ["blm", "blm-plus"] {
        let found = made(&golden, name, &[]).unwrap();
        assert_eq!(found.without_evidence, [2]);
        let weights = weights(&found);
        assert!(weights.iter().skip(2).step_by(6).all(|&w| w == 0.05));
        let sum: f64 = weights.iter().sum();
        assert!((sum - 6.0).abs() < 1e-12, "{sum}");
    }
}

#[test]
fn a_full_map_is_trained_to_the_golden_one() {
    let golden = golden();
    let start = golden.tensor("fm_U0").t().unwrap().contiguous().unwrap();
    let map = LabelMap::weighted(start, Some(golden.tensor("fm_b0"))).unwrap();
    let mut map = map.trained();
    let logits = golden.tensor("f").to_dtype(DType::F64).unwrap();
    let labels = Tensor::new(golden.labels(), &Device::Cpu).unwrap();
    let (mut adam, mut losses) = (Adam::new(), Vec::new());
    for _ in 0..5 {
        let parameters = map.parameters().to_vec();
        let vars = parameters.iter().map(|p| Var::from_tensor(p).unwrap());
        let vars: Vec<Var> = vars.collect();
        let traced = vars.iter().map(|var| var.as_tensor().clone()).collect();
        let loss = cross_entropy(
            &map.with_parameters(traced).apply(&logits).unwrap(),
            &labels,
        );
        let loss = loss.unwrap();
        losses.extend(values(&loss));
        let gradients = gradients(&loss, &vars.iter().collect::<Vec<_>>()).unwrap();
        let stepped = adam.step(&parameters, &gradients, &[1e-3; 2]).unwrap();
        map = map.with_parameters(stepped);
    }
    assert_close("losses", &losses, &golden.numbers("fm_loss"), NEAR);
    let weights = map.parameters()[0].t().unwrap();
    assert_close("U", &values(&weights), &golden.values("fm_U5"), NEAR);
    assert_close(
        "b",
        &values(&map.parameters()[1]),
        &golden.values("fm_b5"),
        NEAR,
    );
    // The one that a run begins with.
    let full = made(&golden, "full", &[]).unwrap().map;
    assert_eq!(full.trained_values(), 20 * 6 + 6);
    let bound = 1.0 / 20f64.sqrt();
    assert!(
        values(&full.parameters()[0])
            .iter()
            .all(|w| w.abs() <= bound)
    );
}

#[test]
fn semantic_maps_are_the_golden_ones() {
    let golden = golden();
    let (source, target) = (golden.tensor("sem_source"), golden.tensor("sem_target"));
    for each in [1, 3] {
        let found = semantic_map(&source, &target, each).unwrap();
        assert_eq!(found, lists(&golden, &format!("semantic_m{each}")));
    }
}

/// A file of embeddings with `names` in its metadata.
fn embeddings(golden: &Golden, names: &str) -> tempfile::NamedTempFile {
    let tensors = [("source", "sem_source"), ("target", "sem_target")];
    let tensors = tensors.map(|(name, of)| (name.to_owned(), golden.tensor(of)));
    let bytes = rut_adapt::serialize(&tensors.into(), "names", names).unwrap();
    let file = tempfile::NamedTempFile::with_suffix(".safetensors").unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

fn names(sources: usize, targets: usize, first: &str) -> String {
    let list = |count: usize, of: &str| -> String {
        let line = |class| format!("{of}={of} {class}\n");
        (0..count).map(line).collect()
    };
    let all = list(sources, "source") + &list(targets, "target");
    all.replace("target=target 0", &format!("target={first}"))
}

#[test]
fn embeddings_of_other_names_or_shapes_are_refused() {
    let mut golden = golden();
    let with = |golden: &Golden, names: &str| {
        let file = embeddings(golden, names);
        let path = file.path().to_str().unwrap().to_owned();
        made(golden, "semantic", &[("embeddings", path.into())])
    };
    let found = with(&golden, &names(20, 6, "target 0")).unwrap();
    assert_eq!(sources(&found.map), lists(&golden, "semantic_m1"));
    let none = made(&golden, "semantic", &[]).unwrap_err().to_string();
    assert!(none.contains("embeddings = none"), "{none}");
    for (names, texts) in [
        (names(20, 6, "cat"), ["the name `target 0`", "found `cat`"]),
        (names(20, 5, "target 0"), ["6 names of `target`", "found 5"]),
        (String::new(), ["20 names of `source`", "found 0"]),
        (
            "other".into(),
            ["in `names` of its metadata", "embed_names.py"],
        ),
    ] {
        let error = with(&golden, &names).unwrap_err().to_string();
        assert!(texts.iter().all(|text| error.contains(text)), "{error}");
        assert!(error.contains(".safetensors"), "{error}");
    }
    let narrow = golden.tensor("sem_target").narrow(1, 0, 7).unwrap();
    golden
        .tensors
        .insert("sem_target".into(), narrow.contiguous().unwrap());
    let error = with(&golden, &names(20, 6, "target 0"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("of one width") && error.contains("8 and 7"),
        "{error}"
    );
    let zeros = (golden.tensor("sem_target") * 0.0).unwrap();
    golden.tensors.insert("sem_target".into(), zeros);
    let error = with(&golden, &names(20, 6, "target 0"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("in row 0"), "{error}");
}

#[test]
fn the_mode_is_evp_s_and_the_identity_the_first_classes() {
    let golden = golden();
    let want: Vec<u32> = serde_json::from_value(golden.json["evp_index"].clone()).unwrap();
    let found = made(&golden, "mode", &[]).unwrap();
    assert_eq!(found.map.sources().unwrap(), want);
    let identity = made(&golden, "identity", &[]).unwrap();
    assert_eq!(identity.map.sources().unwrap(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn numbers_out_of_range_are_refused() {
    let golden = golden();
    for (name, key, value) in [
        ("blm", "laplace", serde_json::json!(-1.0)),
        ("blm-plus", "top_share", 0.0.into()),
        ("blm-plus", "top_share", (-1.0).into()),
    ] {
        let error = made(&golden, name, &[(key, value)])
            .unwrap_err()
            .to_string();
        assert!(error.contains(key), "{error}");
    }
}
