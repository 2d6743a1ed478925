//! ILM-VP against PyTorch's f64 trajectory (`golden/vp_trajectory.*`), and going on after a stop.

mod listen;
mod tiny;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use candle_core::{DType, Device, Tensor, Var};
use close::{Tolerance, assert_close};
use listen::Listener;
use rut_adapt::{
    Descent, Error, Finished, LabelMap, LabelMappingSpec, LabelledImages, LoopOptions, MadeMap,
    Making, Mapped, MappingChoice, PaddingPrompt, Pass, PromptOptions, PromptShape, PromptSplits,
    Prompted, PromptedNetwork, Refresh, Reporter, ScheduleOptions, Seed, TrainingState,
    cross_entropy, find_label_mapping, visual_prompt,
};
use rut_data::ImageRegion;
use rut_models::{
    CandleNetwork, CpuNetwork, FrozenNetwork, Graph, Kernels, Normalization, Placement, Weights,
    logits_window,
};
use rut_record::{Event, Options, Select, Shuffle};
use rut_testkit::close;
use rut_testkit::place;
use rut_testkit::weights_rule;
use tiny::Images;

fn golden() -> (BTreeMap<String, Tensor>, serde_json::Value) {
    let path = place::golden("vp_trajectory.safetensors");
    let tensors = candle_core::safetensors::load(path, &Device::Cpu).unwrap();
    let json = std::fs::read_to_string(place::golden("vp_trajectory.json")).unwrap();
    (
        tensors.into_iter().collect(),
        serde_json::from_str(&json).unwrap(),
    )
}

fn images(tensors: &BTreeMap<String, Tensor>) -> Images {
    let labels = tensors["labels"].to_vec1::<i64>().unwrap();
    let pixels = tensors["images"].flatten_all().unwrap();
    Images {
        pixels: pixels.to_vec1().unwrap(),
        labels: labels.into_iter().map(|label| label as u32).collect(),
        side: 33,
    }
}

fn parts(model: &str) -> (Graph, Weights) {
    let graph = rut_models::find(model).unwrap().build();
    let weights = weights_rule::weights(&graph, None);
    (graph, weights)
}

fn padding(canvas: usize, image_size: usize, region: ImageRegion) -> PromptShape {
    PromptShape {
        canvas,
        image_size,
        region,
        normalization: Normalization::IMAGENET,
    }
}

fn every(tensor: &Tensor, step: usize) -> Vec<f64> {
    let planes = tensor
        .to_dtype(DType::F64)
        .unwrap()
        .to_vec3::<f64>()
        .unwrap();
    let rows = planes.iter().flat_map(|plane| plane.iter().step_by(step));
    rows.flat_map(|row| row.iter().step_by(step))
        .copied()
        .collect()
}

fn values(tensor: &Tensor) -> Vec<f64> {
    let wide = tensor.to_dtype(DType::F64).unwrap();
    wide.flatten_all().unwrap().to_vec1().unwrap()
}

fn options(epochs: u32) -> LoopOptions {
    LoopOptions {
        epochs,
        steps: None,
        batch_size: 10,
        learning_rate: 0.01,
        schedule: ScheduleOptions::default(),
        seed: Seed(4),
        shuffle: Shuffle::Off,
        select: Select::Last,
        eval_every: 0,
    }
}

/// The mean of two sources for each target, as it is.
static WEIGHTED: LabelMappingSpec = LabelMappingSpec {
    name: "weighted",
    title: "the mean of two sources",
    options: &[],
    one_to_one: false,
    refresh: |_| Ok(Refresh::Once),
    make: |making| Ok(MadeMap::unfounded(mean_of_two(&making)?)),
};

/// The same as the start of a map that is trained.
static TRAINED: LabelMappingSpec = LabelMappingSpec {
    name: "trained",
    make: |making| Ok(MadeMap::unfounded(mean_of_two(&making)?.trained())),
    ..WEIGHTED
};

fn mean_of_two(making: &Making<'_>) -> rut_adapt::Result<LabelMap> {
    let (sources, targets) = (making.sources, making.targets);
    let weight = |at: usize| {
        if (at / targets) % targets == at % targets {
            0.5f32
        } else {
            0.0
        }
    };
    let weights = Tensor::from_iter((0..sources * targets).map(weight), &Device::Cpu)?;
    let bias = Tensor::zeros(targets, DType::F32, &Device::Cpu)?;
    LabelMap::weighted(weights.reshape((sources, targets))?, Some(bias))
}

fn row(name: &str) -> &'static LabelMappingSpec {
    let own = [&WEIGHTED, &TRAINED].into_iter();
    let found = own.into_iter().find(|row| row.name == name);
    found.or_else(|| find_label_mapping(name)).unwrap()
}

fn prompt_options(training: LoopOptions, map: &str) -> PromptOptions {
    let mut options = Options::default();
    options.set("ties", "index".into());
    let mapping = MappingChoice {
        row: row(map),
        options,
    };
    PromptOptions {
        training,
        descent: Descent::default(),
        mapping,
    }
}

fn splits(images: &Images, classes: usize) -> PromptSplits<'_> {
    PromptSplits {
        train: images,
        validation: Some(images),
        test: images,
        classes,
        target_names: &[],
        source_names: &[],
    }
}

/// Losses 1e-7 relative, first gradient and final prompt 1e-6 absolute, mappings equal: `golden/README.md`.
#[test]
fn losses_maps_gradient_and_prompt_are_pytorch_s() {
    let (tensors, json) = golden();
    let data = images(&tensors);
    let (graph, weights) = parts("resnet18");
    let network = CandleNetwork::new(&graph, &weights, DType::F64, &Device::Cpu).unwrap();
    let network: Arc<dyn FrozenNetwork> = Arc::new(network);
    let prompt = PaddingPrompt::new(
        padding(224, 33, ImageRegion::Whole),
        DType::F64,
        &Device::Cpu,
    )
    .unwrap();

    let first_map: Vec<u32> = serde_json::from_value(json["mappings"][0].clone()).unwrap();
    let gradient = first_gradient(&network, &prompt, &data, first_map);
    let absolute = Tolerance {
        abs: 1e-6,
        rel: 0.0,
    };
    let want = values(&tensors["first_program_grad_every_5th_pixel"]);
    assert_close("first gradient", &every(&gradient, 5), &want, absolute);

    let mut listener = Listener::default();
    let finished = visual_prompt(
        PromptedNetwork {
            network: network.clone(),
            prompt: Arc::new(prompt),
        },
        splits(&data, 5),
        &prompt_options(options(6), "ilm"),
        None,
        &mut listener,
    )
    .unwrap();
    let want: Vec<f64> = serde_json::from_value(json["losses"].clone()).unwrap();
    let relative = Tolerance {
        abs: 0.0,
        rel: 1e-7,
    };
    assert_close("losses", &listener.losses(), &want, relative);
    let want: Vec<Vec<u32>> = serde_json::from_value(json["mappings"].clone()).unwrap();
    assert_eq!(listener.mappings(), want);
    let program = every(&finished.trained.prompt.values()[0], 5);
    let want = values(&tensors["program_every_5th_pixel"]);
    assert_close("program", &program, &want, absolute);
    let logits = mapped_logits(&*network, &finished.trained, &data);
    let want = values(&tensors["final_mapped_logits"]);
    assert_close("final mapped logits", &logits, &want, absolute);
}

/// The same run in f32 on the CPU engine: losses 2e-3 relative (`golden/README.md`) for as long as the maps are the same. With
/// twenty images a prediction near a tie decides a map, and rounding a prediction.
#[test]
fn the_cpu_engine_follows_the_trajectory() {
    let (tensors, json) = golden();
    let data = images(&tensors);
    let losses: Vec<f64> = serde_json::from_value(json["losses"].clone()).unwrap();
    let maps: Vec<Vec<u32>> = serde_json::from_value(json["mappings"].clone()).unwrap();
    let steps = losses.len() / maps.len();
    let (graph, weights) = parts("resnet18");
    for kernels in [Kernels::Auto, Kernels::Dense, Kernels::Sparse] {
        let network = Arc::new(CpuNetwork::new(&graph, &weights, kernels).unwrap());
        let prompt = PaddingPrompt::new(
            padding(224, 33, ImageRegion::Whole),
            DType::F32,
            &Device::Cpu,
        )
        .unwrap();
        let mut listener = Listener::default();
        visual_prompt(
            PromptedNetwork {
                network,
                prompt: Arc::new(prompt),
            },
            splits(&data, 5),
            &prompt_options(options(6), "ilm"),
            None,
            &mut listener,
        )
        .unwrap();
        let found = listener.mappings();
        let same = found.iter().zip(&maps).take_while(|(a, b)| a == b).count();
        assert!(same >= 2, "{kernels:?}: {found:?}");
        let found = listener.losses();
        let pairs = found.iter().zip(&losses).take(same * steps);
        let worst = pairs.fold(0.0, |worst: f64, (a, b)| worst.max(((a - b) / b).abs()));
        assert!(worst <= 2e-3, "{kernels:?}: {worst:e}");
    }
}

fn first_gradient(
    network: &Arc<dyn FrozenNetwork>,
    prompt: &PaddingPrompt,
    data: &Images,
    map: Vec<u32>,
) -> Tensor {
    let batch = data.batch(&(0..10).collect::<Vec<_>>()).unwrap();
    let images = tensor(&batch.images, 10);
    let program = Var::from_tensor(&prompt.program).unwrap();
    let input = prompt.window(program.as_tensor(), &images).unwrap();
    let source = logits_window(
        network,
        &input.canvas,
        &input.patches,
        input.top,
        input.left,
    );
    let logits = LabelMap::one_to_one(map, 1000)
        .unwrap()
        .apply(&source.unwrap());
    let labels = Tensor::new(batch.labels, &Device::Cpu).unwrap();
    let loss = cross_entropy(&logits.unwrap(), &labels).unwrap();
    loss.backward()
        .unwrap()
        .remove(program.as_tensor())
        .unwrap()
}

fn tensor(pixels: &[f32], n: usize) -> Tensor {
    let images = Tensor::from_slice(pixels, (n, 3, 33, 33), &Device::Cpu).unwrap();
    images.to_dtype(DType::F64).unwrap()
}

fn mapped_logits(network: &dyn FrozenNetwork, trained: &Mapped, data: &Images) -> Vec<f64> {
    let images = tensor(&data.pixels, data.len());
    let prompt = &trained.prompt;
    let Prompted::Window(input) = prompt.apply(&prompt.values(), &images).unwrap() else {
        panic!("a padding prompt leaves a window");
    };
    let source = network.infer_window(&input).unwrap().logits;
    values(&trained.map.as_ref().unwrap().apply(&source).unwrap())
}

/// More images than a pass takes at once, for the 32-pixel canvas of the small network.
fn small_images() -> Images {
    let labels: Vec<u32> = (0..40).map(|i| i % 5).collect();
    let noise: Vec<f32> = weights_rule::uniform("small images", 40 * 3 * 64)
        .map(|u| u as f32)
        .collect();
    let bright = |i: usize, u: f32| 0.5 * u + 0.1 * labels[i / (3 * 64)] as f32;
    let pixels = noise
        .iter()
        .enumerate()
        .map(|(i, &u)| bright(i, u))
        .collect();
    Images {
        pixels,
        labels,
        side: 8,
    }
}

/// A network of which a pass takes milliseconds, made once.
fn small_network() -> Arc<dyn FrozenNetwork> {
    static NETWORK: LazyLock<Arc<CpuNetwork>> = LazyLock::new(|| {
        let (graph, weights) = parts("resnet20_cifar10");
        Arc::new(CpuNetwork::new(&graph, &weights, Kernels::Auto).unwrap())
    });
    NETWORK.clone()
}

fn small_prompted() -> PromptedNetwork {
    let prompt =
        PaddingPrompt::new(padding(32, 8, ImageRegion::Whole), DType::F32, &Device::Cpu).unwrap();
    PromptedNetwork {
        network: small_network(),
        prompt: Arc::new(prompt),
    }
}

fn small_run(
    data: &Images,
    options: &LoopOptions,
    map: &str,
    state: Option<&TrainingState>,
    listener: &mut Listener,
) -> rut_adapt::Result<Finished<Mapped>> {
    visual_prompt(
        small_prompted(),
        splits(data, 5),
        &prompt_options(options.clone(), map),
        state,
        listener,
    )
}

/// Stopped after any batch: of a mapping pass, of training, of a validation pass.
#[test]
fn a_run_stopped_anywhere_goes_on_to_the_same_bits() {
    let data = small_images();
    let options = LoopOptions {
        shuffle: Shuffle::On,
        select: Select::BestVal,
        eval_every: 1,
        ..options(2)
    };
    let maps = [
        ("ilm", 1),
        ("flm", 5),
        ("rlm", 5),
        ("weighted", 19),
        ("trained", 7),
    ];
    for (map, every) in maps {
        let mut whole = Listener::default();
        let want = small_run(&data, &options, map, None, &mut whole).unwrap();
        for stop_at in (1..=whole.asked).step_by(every) {
            let mut first = Listener::stopping_at(stop_at);
            let stopped = small_run(&data, &options, map, None, &mut first).unwrap_err();
            assert!(matches!(stopped, Error::Stopped { .. }), "{stopped}");
            let (state, events_before) = first.into_saved();
            let mut second = Listener::default();
            let got = small_run(&data, &options, map, Some(&state), &mut second).unwrap();
            let events: Vec<_> = events_before.into_iter().chain(second.events).collect();
            assert_eq!(events, whole.events, "{map}, stopped at {stop_at}");
            let program =
                |finished: &Finished<Mapped>| values(&finished.trained.prompt.values()[0]);
            assert_eq!(program(&got), program(&want), "{map}, stopped at {stop_at}");
            assert_eq!(got.trained.map, want.trained.map);
            let rest = |f: &Finished<Mapped>| (f.epoch, f.selected_accuracy, f.final_loss, f.steps);
            assert_eq!(rest(&got), rest(&want), "{map}, stopped at {stop_at}");
        }
    }
}

#[test]
fn logits_of_the_split_looked_at_are_those_of_the_prompt_that_is_kept() {
    let (data, listener) = (small_images(), &mut Listener::default());
    for select in [Select::Last, Select::BestVal] {
        let mut options = options(4);
        (options.select, options.eval_every) = (select, 1);
        let kept = small_run(&data, &options, "ilm", None, listener).unwrap();
        let (prompt, network) = (kept.trained.prompt, small_network());
        let again = PromptedNetwork { network, prompt };
        let again = again.source_logits(&data, &Pass::test(), &mut Reporter::new(listener));
        assert_eq!(*kept.trained.watched.unwrap(), again.unwrap(), "{select:?}");
    }
}

#[test]
fn the_maps_are_made_as_often_as_their_kind_says() {
    let data = small_images();
    for (map, made) in [
        ("ilm", 3),
        ("flm", 1),
        ("rlm", 1),
        ("weighted", 1),
        ("trained", 1),
    ] {
        let mut listener = Listener::default();
        small_run(&data, &options(3), map, None, &mut listener).unwrap();
        assert_eq!(listener.mappings().len(), made, "{map}");
    }
}

/// What is trained beside the prompt moves, and what is not stays; both are checked by their largest weights.
#[test]
fn a_map_is_trained_beside_the_prompt_where_it_says_so() {
    let data = small_images();
    let run = |map: &str| {
        let mut listener = Listener::default();
        let finished = small_run(&data, &options(4), map, None, &mut listener).unwrap();
        let largest = listener.events.iter().find_map(|event| match event {
            Event::Mapped { weights, .. } => weights.clone(),
            _ => None,
        });
        (finished, largest.unwrap(), listener.losses())
    };
    let (weighted, begun, losses) = run("weighted");
    assert_eq!(
        begun.largest[3],
        [(3, 0.5), (8, 0.5), (0, 0.0), (1, 0.0), (2, 0.0)]
    );
    assert_eq!(
        weighted.trained.map.unwrap().weights().unwrap().unwrap(),
        begun
    );
    let (trained, same, trained_losses) = run("trained");
    assert_eq!(same, begun);
    assert_eq!(trained_losses[0], losses[0]);
    let map = trained.trained.map.unwrap();
    let moved = values(&map.parameters()[0])
        .into_iter()
        .zip(values(&mean()));
    assert!(moved.into_iter().all(|(after, before)| after != before));
    assert!(values(&map.parameters()[1]).iter().all(|bias| *bias != 0.0));
    let last = |losses: &[f64]| losses[losses.len() - 1];
    assert!(
        last(&trained_losses) < last(&losses),
        "{trained_losses:?}, {losses:?}"
    );
}

/// The weights that maps of two sources begin with.
fn mean() -> Tensor {
    let options = Options::default();
    let making = Making {
        source_names: &[],
        target_names: &[],
        images: 0,
        placement: &Placement::default(),
        sources: 10,
        targets: 5,
        seed: Seed(0),
        options: &options,
        evidence: &mut |_| unreachable!("no image is looked at"),
    };
    mean_of_two(&making).unwrap().trained().parameters()[0].clone()
}

#[test]
fn more_target_than_source_classes_are_refused() {
    let data = small_images();
    let error = visual_prompt(
        small_prompted(),
        splits(&data, 11),
        &prompt_options(options(1), "ilm"),
        None,
        &mut Listener::default(),
    )
    .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("11 target classes onto 10 source classes"),
        "{text}"
    );
}

#[test]
fn an_image_without_a_border_is_refused() {
    let error = PaddingPrompt::new(
        padding(32, 32, ImageRegion::Whole),
        DType::F32,
        &Device::Cpu,
    )
    .unwrap_err();
    assert!(
        error.to_string().contains("no pixel is left to train"),
        "{error}"
    );
}
