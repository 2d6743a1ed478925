//! Masks by every rule, against open_lth's and Synaptic-Flow's of `golden/methods/tickets.safetensors`.

use std::collections::{BTreeMap, BTreeSet};

use candle_core::{Device, Tensor};
use rut_compress::{
    Counted, KeptLayers, Prunable, PruneRule, Pruned, Result, Scope, masks_of_zeros,
};
use rut_models::{Array, Bias, Graph, GraphBuilder, MaskArray, Weights};
use rut_testkit::nets::{conv, values};
use rut_testkit::place;

fn graph() -> Graph {
    let mut b = GraphBuilder::new();
    let x = b.input();
    let x = b.conv_same(x, "conv1".into(), [4, 3, 3], 1);
    let x = b.batch_norm(x, "bn1".into(), 4);
    let x = b.relu(x);
    let x = b.conv(x, conv("conv2", [6, 4], [3, 2, 1], Bias::None));
    let x = b.batch_norm(x, "bn2".into(), 6);
    let x = b.relu(x);
    let x = b.global_avg_pool(x);
    let x = b.flatten(x);
    b.finish(x, "fc", 6, 5)
}

fn message<T>(result: Result<T>) -> String {
    result.err().expect("an error").to_string()
}

struct Golden(BTreeMap<String, Tensor>);

impl Golden {
    fn open() -> Self {
        let file = place::golden("methods/tickets.safetensors");
        let tensors = candle_core::safetensors::load(file, &Device::Cpu).unwrap();
        Self(tensors.into_iter().collect())
    }

    fn weights(&self) -> Weights {
        let graph = graph();
        let arrays = graph.parameters().into_iter().map(|p| {
            let data = values(&self.0[&format!("net.{}", p.name)]);
            let data = data.into_iter().map(|v| v as f32).collect();
            (
                p.name,
                Array {
                    shape: p.shape,
                    data,
                },
            )
        });
        Weights::from_arrays(&graph, arrays.collect()).unwrap()
    }

    fn same(&self, prefix: &str, found: &Pruned, layers: &[&str]) {
        assert_eq!(
            found.masks.keys().map(String::as_str).collect::<Vec<_>>(),
            layers
        );
        for layer in layers {
            let want = &self.0[&format!("{prefix}.{layer}")];
            assert_eq!(found.masks[*layer].shape, want.dims());
            let want: Vec<bool> = values(want).iter().map(|&v| v == 1.0).collect();
            assert_eq!(found.masks[*layer].keep, want, "{prefix}.{layer}");
        }
    }
}

const ALL: [&str; 3] = ["conv1.weight", "conv2.weight", "fc.weight"];

fn pruned(weights: &Weights, keep: &str, rule: PruneRule) -> Result<Pruned> {
    after(weights, BTreeMap::new(), keep, rule)
}

fn after(
    weights: &Weights,
    masks: BTreeMap<String, MaskArray>,
    keep: &str,
    rule: PruneRule,
) -> Result<Pruned> {
    let dense = KeptLayers::parse(keep.split(',')).unwrap();
    Prunable::by_magnitude(weights, masks, &dense).prune(&rule)
}

fn density(density: f64) -> PruneRule {
    PruneRule::Density {
        density,
        scope: Scope::Global,
        counted: Counted::WithoutDense,
    }
}

fn rounds(rounds: u32, counted: Counted) -> PruneRule {
    PruneRule::Rounds {
        rounds,
        scope: Scope::Global,
        counted,
    }
}

fn kept(found: &Pruned) -> usize {
    found.masks.values().map(MaskArray::kept).sum()
}

#[test]
fn single_precision_makes_no_ties_of_the_golden_weights() {
    let weights = Golden::open().weights();
    let arrays = ALL.map(|name| &weights.get(name).unwrap().data);
    let magnitudes = arrays
        .iter()
        .flat_map(|array| array.iter().map(|w| w.abs().to_bits()));
    let distinct: BTreeSet<u32> = magnitudes.collect();
    assert_eq!(distinct.len(), 108 + 216 + 30);
}

#[test]
fn rounds_are_open_lth_s() {
    let golden = Golden::open();
    let weights = golden.weights();
    for (level, total) in [(1, 282), (2, 224), (3, 178), (4, 141)] {
        let at_once = pruned(&weights, "none", rounds(level, Counted::WithoutDense)).unwrap();
        golden.same(&format!("olth.L{level}"), &at_once, &ALL);
        assert_eq!(kept(&at_once), total);
        // A mask that is in force goes on being so.
        let before = pruned(&weights, "none", rounds(level - 1, Counted::WithoutDense));
        let before = before.map_or_else(|_| BTreeMap::new(), |before| before.masks);
        let one_more = after(&weights, before, "none", rounds(1, Counted::WithoutDense)).unwrap();
        assert_eq!(one_more, at_once);
    }
}

#[test]
fn layers_that_are_left_dense_count_where_that_is_asked_for() {
    let weights = Golden::open().weights();
    let counted = pruned(&weights, "classifier", rounds(1, Counted::WithDense)).unwrap();
    let of = |found: &Pruned, name: &str| found.masks.get(name).map(MaskArray::kept);
    // `olth_ignore_fc_L1_kept` of tickets.json, whose mask of the classifier is all ones.
    assert_eq!(
        ALL.map(|name| of(&counted, name)),
        [Some(83), Some(169), None]
    );
    // ⌈0.2 · 324⌉ + 1 = 66 of 324 without them.
    let alone = pruned(&weights, "classifier", rounds(1, Counted::WithoutDense)).unwrap();
    assert_eq!(kept(&alone), 324 - 66);
    let half = |counted| PruneRule::Density {
        density: 0.5,
        scope: Scope::Global,
        counted,
    };
    let found = pruned(&weights, "classifier", half(Counted::WithDense)).unwrap();
    assert_eq!(kept(&found), 324 - 177);
    let found = pruned(&weights, "classifier", half(Counted::WithoutDense)).unwrap();
    assert_eq!(kept(&found), 324 - 162);
}

#[test]
fn a_mask_that_is_in_force_stays_so_in_layers_that_are_left_dense() {
    let weights = Golden::open().weights();
    let before = pruned(&weights, "none", density(0.7)).unwrap().masks;
    let found = after(&weights, before.clone(), "classifier", density(0.3)).unwrap();
    assert_eq!(found.masks["fc.weight"], before["fc.weight"]);
    for name in ["conv1.weight", "conv2.weight"] {
        let places = found.masks[name].keep.iter().zip(&before[name].keep);
        assert!(places.clone().all(|(now, then)| now <= then), "{name}");
    }
    // int(0.7 · 324) = 226 of the other two.
    assert_eq!(kept(&found) - before["fc.weight"].kept(), 324 - 226);
}

#[test]
fn densities_are_synaptic_flow_s() {
    let golden = Golden::open();
    let weights = golden.weights();
    for (share, count) in [(0.5, 177), (0.168, 60)] {
        let found = pruned(&weights, "none", density(share)).unwrap();
        golden.same(&format!("mask.mag.{share}"), &found, &ALL);
        assert_eq!(kept(&found), count);
        // From the tickets of higher density, too.
        let before = pruned(&weights, "none", density(0.7)).unwrap().masks;
        assert_eq!(
            after(&weights, before, "none", density(share)).unwrap(),
            found
        );
    }
    let whole = pruned(&weights, "none", density(1.0)).unwrap();
    assert_eq!(kept(&whole), 354);
    // int((1 - 0.999) · 354) is nothing.
    assert_eq!(pruned(&weights, "none", density(0.999)).unwrap(), whole);
}

#[test]
fn layer_by_layer_each_has_the_density() {
    let weights = Golden::open().weights();
    let rule = |density| PruneRule::Density {
        density,
        scope: Scope::Layer,
        counted: Counted::WithoutDense,
    };
    let found = pruned(&weights, "none", rule(0.25)).unwrap();
    assert_eq!(ALL.map(|name| found.masks[name].kept()), [27, 54, 8]);
    let weight = &weights.get("fc.weight").unwrap().data;
    let mut sorted: Vec<f32> = weight.iter().map(|w| w.abs()).collect();
    sorted.sort_by(f32::total_cmp);
    let keep: Vec<bool> = weight.iter().map(|w| w.abs() > sorted[21]).collect();
    assert_eq!(found.masks["fc.weight"].keep, keep);
    let rounds = PruneRule::Rounds {
        rounds: 1,
        scope: Scope::Layer,
        counted: Counted::WithoutDense,
    };
    // n + 1 of each, n = 22, 44, 6.
    let found = pruned(&weights, "none", rounds).unwrap();
    assert_eq!(ALL.map(|name| found.masks[name].kept()), [85, 171, 23]);
}

#[test]
fn groups_are_along_the_input_channels() {
    let golden = Golden::open();
    let weights = golden.weights();
    let rule = |text: &str| PruneRule::Groups(text.parse().unwrap());
    let found = pruned(&weights, "none", rule("2:4")).unwrap();
    golden.same("mask.2of4", &found, &["conv2.weight"]);
    assert_eq!(found.skipped, ["conv1.weight", "fc.weight"]);
    let found = pruned(&weights, "none", rule("1:3")).unwrap();
    assert_eq!(found.skipped, ["conv2.weight"]);
    assert_eq!(
        (
            found.masks["conv1.weight"].kept(),
            found.masks["fc.weight"].kept()
        ),
        (36, 10)
    );
    let refused = message(pruned(&weights, "none", rule("2:5")));
    assert!(
        refused.contains("field `scope` is 2:5, expected N:M whose M divides the input channels of a layer: 3 of `conv1.weight`, 4 of"),
        "{refused}"
    );
    // What a mask prunes stays pruned, and is not among those that are kept.
    let mut masks = pruned(&weights, "none", density(0.5)).unwrap().masks;
    let before = masks["conv2.weight"].clone();
    masks.remove("fc.weight");
    let found = after(&weights, masks, "none", rule("2:4")).unwrap();
    assert_eq!(found.masks.len(), 2);
    let now = &found.masks["conv2.weight"];
    for start in (0..216).step_by(36).flat_map(|filter| filter..filter + 9) {
        let group = [0, 9, 18, 27].map(|channel| start + channel);
        let kept = |mask: &MaskArray| group.iter().filter(|&&index| mask.keep[index]).count();
        assert_eq!(kept(now), kept(&before).min(2), "group at {start}");
        assert!(
            group
                .iter()
                .all(|&index| before.keep[index] || !now.keep[index])
        );
    }
}

fn ones() -> Weights {
    let graph = graph();
    let arrays = graph.parameters().into_iter().map(|p| {
        let data = vec![1.0; p.shape.iter().product()];
        (
            p.name,
            Array {
                shape: p.shape,
                data,
            },
        )
    });
    Weights::from_arrays(&graph, arrays.collect()).unwrap()
}

#[test]
fn of_equal_scores_the_smaller_index_stays() {
    let weights = ones();
    // int(0.05 · 354) = 17, the last ones of all.
    let found = pruned(&weights, "none", density(0.95)).unwrap();
    let last: Vec<bool> = (0..30).map(|index| index < 13).collect();
    assert_eq!(found.masks["fc.weight"].keep, last);
    assert_eq!(kept(&found), 337);
    let refused = message(pruned(&weights, "none", density(0.5)));
    assert!(
        refused.contains("`fc.weight` would lose all of its 30 weights"),
        "{refused}"
    );
}

#[test]
fn groups_of_equals_keep_the_first() {
    let found = pruned(&ones(), "none", PruneRule::Groups("2:4".parse().unwrap())).unwrap();
    let filter: Vec<bool> = (0..36).map(|index| index < 18).collect();
    assert_eq!(found.masks["conv2.weight"].keep, filter.repeat(6));
}

#[test]
fn scores_may_be_anything() {
    let weights = ones();
    let dense = KeptLayers::parse(["classifier"]).unwrap();
    let scored = |score: &dyn Fn(usize) -> f32| {
        let network = Prunable::by_score(&weights, BTreeMap::new(), &dense, |layer| {
            (0..layer.total).map(score).collect()
        });
        network.and_then(|network| network.prune(&density(0.5)))
    };
    let found = scored(&|index| -(index as f32)).unwrap();
    // Of conv1 108 and of conv2 216 weights the 162 with the smallest index: 81 each.
    let first: Vec<bool> = (0..108).map(|index| index < 81).collect();
    assert_eq!(found.masks["conv1.weight"].keep, first);
    assert_eq!(found.masks["conv2.weight"].kept(), 81);
    let refused = message(scored(&|index| if index == 3 { f32::NAN } else { 0.0 }));
    assert!(
        refused.contains("NaN at index 3 of `conv1.weight`"),
        "{refused}"
    );
    let short = Prunable::by_score(&weights, BTreeMap::new(), &dense, |_| vec![0.0; 2]);
    assert!(message(short).contains("one for each of its 108 weights"));
}

#[test]
fn what_is_out_of_range_is_named() {
    let weights = Golden::open().weights();
    for share in [0.0, -0.5, 1.5, f64::NAN] {
        let refused = message(pruned(&weights, "none", density(share)));
        let want = format!(
            "`density` is {share}, expected the share of weights that stay, above 0 and at most 1"
        );
        assert!(refused.contains(&want), "{refused}");
    }
    let refused = message(pruned(&weights, "none", density(0.01)));
    assert!(
        refused.contains("would lose all of its") && refused.contains("`scope = layer`"),
        "{refused}"
    );
    let refused = message(pruned(&weights, "none", rounds(0, Counted::WithoutDense)));
    assert!(
        refused.contains("field `rounds` is 0, expected at least 1"),
        "{refused}"
    );
    let refused = message(pruned(&weights, "none", rounds(40, Counted::WithoutDense)));
    assert!(
        refused.contains("field `rounds` is 40, expected at most"),
        "{refused}"
    );
    for text in ["0:4", "4:4", "5:4", "2", "a:b", "2:4:8", "-1:4"] {
        let refused = message(text.parse::<rut_compress::GroupSize>());
        assert!(refused.contains("whole numbers 0 < N < M"), "{refused}");
    }
    for words in [vec!["stem", "fc"], vec!["none", "stem"], vec![""]] {
        let refused = message(KeptLayers::parse(words));
        assert!(refused.contains("field `keep` is"), "{refused}");
    }
    let ticket = pruned(&weights, "none", density(0.5)).unwrap().masks;
    let refused = message(after(&weights, ticket, "none", density(0.8)));
    assert!(
        refused.contains("expected at most the 0.5000 of these weights that are kept already"),
        "{refused}"
    );
    let both = PruneRule::Density {
        density: 0.5,
        scope: Scope::Layer,
        counted: Counted::WithDense,
    };
    assert!(message(pruned(&weights, "stem", both)).contains("`count_kept`"));
}

#[test]
fn zeros_are_masks_where_there_are_any() {
    let weights = Golden::open().weights();
    assert!(message(masks_of_zeros(&weights)).contains("no weight of 3 convolutions"));
    let found = pruned(&weights, "stem,classifier", density(0.5)).unwrap();
    let graph = graph();
    let sparse = Weights::from_arrays(&graph, found.arrays(&graph, &weights)).unwrap();
    assert_eq!(masks_of_zeros(&sparse).unwrap(), found.masks);
    // They go first, so that nothing else has to.
    assert_eq!(
        pruned(&sparse, "stem,classifier", density(0.5))
            .unwrap()
            .masks,
        found.masks
    );
}
