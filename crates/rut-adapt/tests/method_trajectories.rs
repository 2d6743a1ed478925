//! Whole trainings against `golden/methods/trajectory.*` and `joint.*`: losses of every epoch, maps, where they end.

mod listen;
mod tiny;

use std::sync::Arc;

use candle_core::Tensor;
use rut_adapt::{
    Descent, Finished, Joined, JointOptions, LinearHead, LoopOptions, Mapped, MappingChoice,
    Prompt, PromptOptimizer, PromptOptions, PromptSplits, PromptedNetwork, ScheduleKind,
    ScheduleOptions, Seed, find_label_mapping, joint, visual_prompt,
};
use rut_record::{Event, Options, Select, Shuffle};
use rut_testkit::close::{Tolerance, assert_close};

use listen::Listener;
use tiny::{Golden, Images, Tiny, prompt, values};

/// Images, mean and deviation are rounded to f32 here, which the golden ones are not.
const LOSS: Tolerance = Tolerance {
    abs: 1e-6,
    rel: 1e-6,
};
const VALUES: Tolerance = Tolerance {
    abs: 2e-5,
    rel: 1e-5,
};

fn training(epochs: u32, batch_size: usize, learning_rate: f64) -> LoopOptions {
    LoopOptions {
        epochs,
        steps: None,
        batch_size,
        learning_rate,
        schedule: ScheduleOptions::default(),
        seed: Seed(4),
        shuffle: Shuffle::Off,
        select: Select::Last,
        eval_every: 0,
    }
}

fn losses(listener: &Listener) -> Vec<f64> {
    let loss = |event: &Event| match event {
        Event::Epoch { loss, .. } => Some(*loss),
        _ => None,
    };
    listener.events.iter().filter_map(loss).collect()
}

fn accuracies(listener: &Listener) -> Vec<f64> {
    let accuracy = |event: &Event| match event {
        Event::Epoch { accuracy, .. } => Some(*accuracy),
        _ => None,
    };
    listener.events.iter().filter_map(accuracy).collect()
}

fn splits(images: &Images, classes: usize) -> PromptSplits<'_> {
    PromptSplits {
        train: images,
        validation: None,
        test: images,
        classes,
        target_names: &[],
        source_names: &[],
    }
}

fn prompted(golden: &Golden, mapping: MappingChoice, rate: f64) -> (Finished<Mapped>, Listener) {
    let images = Images::of(&golden.tensor("x"), golden.labels());
    let options = PromptOptions {
        training: training(6, 14, rate),
        descent: Descent::default(),
        mapping,
    };
    let start = PromptedNetwork {
        network: Tiny::of(golden),
        prompt: prompt("padding", (12, 8), &Options::default()).unwrap(),
    };
    let mut listener = Listener::default();
    let finished = visual_prompt(start, splits(&images, 7), &options, None, &mut listener);
    (finished.unwrap(), listener)
}

#[test]
fn flm_ilm_and_bayesian_trainings_are_the_golden_ones() {
    let golden = Golden::read("trajectory");
    for (name, key) in [
        ("flm", "flm"),
        ("ilm", "ilm"),
        ("blm", "blm"),
        ("blm-plus", "blmp"),
    ] {
        let mut options = Options::default();
        if name.ends_with("lm") && name != "blm" {
            options.set("ties", "index".into());
        }
        let row = find_label_mapping(name).unwrap();
        let (finished, listener) = prompted(&golden, MappingChoice { row, options }, 0.01);
        let want = golden.numbers(&format!("{key}/loss"));
        assert_close(name, &losses(&listener), &want, LOSS);
        let want = golden.numbers(&format!("{key}/train_acc"));
        assert_eq!(accuracies(&listener), want, "{name}");
        let delta = values(&finished.trained.prompt.values()[0]);
        assert_close(
            name,
            &delta,
            &golden.values(&format!("{key}.delta")),
            VALUES,
        );
        if name == "ilm" {
            let maps: Vec<Vec<u32>> =
                serde_json::from_value(golden.json["ilm"]["maps"].clone()).unwrap();
            assert_eq!(listener.mappings(), maps);
        }
        if name == "blm" || name == "blm-plus" {
            // The map that the last epoch was trained with.
            let map = finished.trained.map.unwrap().to_tensors().unwrap();
            let want = golden.values(&format!("{key}.W5"));
            assert_close(name, &values(&map["weights"]), &want, VALUES);
        }
    }
}

/// The golden map begins with other numbers than ours, so it is handed over.
#[test]
fn a_full_map_s_training_is_the_golden_one() {
    use std::sync::OnceLock;

    use rut_adapt::{LabelMap, LabelMappingSpec, MadeMap};

    static START: OnceLock<(Tensor, Tensor)> = OnceLock::new();
    static GIVEN: OnceLock<LabelMappingSpec> = OnceLock::new();
    let golden = Golden::read("trajectory");
    let weights = golden
        .tensor("fullymap.U0")
        .t()
        .unwrap()
        .contiguous()
        .unwrap();
    START.get_or_init(|| (weights, golden.tensor("fullymap.b0")));
    let row = GIVEN.get_or_init(|| LabelMappingSpec {
        make: |_| {
            let (weights, bias) = START.get().unwrap();
            let map = LabelMap::weighted(weights.clone(), Some(bias.clone()))?;
            Ok(MadeMap::unfounded(map.trained()))
        },
        ..*find_label_mapping("full").unwrap()
    });
    let (finished, listener) = prompted(&golden, MappingChoice::of(row), 1e-3);
    let want = golden.numbers("fullymap/loss");
    assert_close("losses", &losses(&listener), &want, LOSS);
    let map = finished.trained.map.unwrap();
    let found = values(&map.parameters()[0].t().unwrap());
    assert_close("U", &found, &golden.values("fullymap.U"), VALUES);
    assert_close(
        "b",
        &values(&map.parameters()[1]),
        &golden.values("fullymap.b"),
        VALUES,
    );
    let delta = values(&finished.trained.prompt.values()[0]);
    assert_close("delta", &delta, &golden.values("fullymap.delta"), VALUES);
}

fn joined(
    golden: &Golden,
    name: &str,
    prompt: Arc<dyn Prompt>,
    options: &JointOptions,
) -> (Finished<Joined>, Listener) {
    let images = if name.starts_with("pad") {
        "x_small"
    } else {
        "x_large"
    };
    let images = Images::of(&golden.tensor(images), golden.labels());
    let head = LinearHead {
        weight: golden.tensor(&format!("{name}.W0")),
        bias: golden.tensor(&format!("{name}.b0")),
    };
    let start = PromptedNetwork {
        network: Tiny::of(golden),
        prompt,
    };
    let mut listener = Listener::default();
    let finished = joint(
        (start, head),
        splits(&images, 5),
        options,
        None,
        &mut listener,
    );
    (finished.unwrap(), listener)
}

#[test]
fn prompt_and_head_together_are_the_golden_ones() {
    let golden = Golden::read("joint");
    let mut options = Options::default();
    options.set("rank", 2.into());
    let low_rank = prompt("lowrank", (12, 12), &options).unwrap();
    let begin = [
        low_rank.values()[0].clone(),
        golden.tensor("lorvp_head_sgd.A0"),
    ];
    let cosine = LoopOptions {
        schedule: ScheduleOptions {
            kind: ScheduleKind::Cosine,
            ..ScheduleOptions::default()
        },
        ..training(4, 10, 0.02)
    };
    let sgd = Descent {
        optimizer: PromptOptimizer::Sgd {
            momentum: 0.9,
            weight_decay: 1e-4,
        },
        ..Descent::default()
    };
    let by_adam = JointOptions {
        training: LoopOptions {
            schedule: ScheduleOptions {
                milestones: [0.5, 0.75],
                ..ScheduleOptions::default()
            },
            ..training(4, 10, 0.01)
        },
        descent: Descent::default(),
    };
    let by_sgd = JointOptions {
        training: cosine,
        descent: sgd,
    };
    let padding = prompt("padding", (12, 8), &Options::default()).unwrap();
    let low_rank = low_rank.with_parameters(&begin);
    for (name, prompt, options, parameters) in [
        ("pad_head_adam", padding, by_adam, vec!["delta"]),
        ("lorvp_head_sgd", low_rank, by_sgd, vec!["B", "A"]),
    ] {
        let (finished, listener) = joined(&golden, name, prompt, &options);
        let want = golden.numbers(&format!("{name}/loss"));
        assert_close(name, &losses(&listener), &want, LOSS);
        let Joined { prompt, head } = &finished.trained;
        let own = prompt.values();
        let found = own.iter().chain([&head.weight, &head.bias]);
        let names = parameters.into_iter().chain(["W", "b"]);
        for (found, part) in found.zip(names) {
            let name = format!("{name}.{part}");
            assert_close(&name, &values(found), &golden.values(&name), VALUES);
        }
    }
}
