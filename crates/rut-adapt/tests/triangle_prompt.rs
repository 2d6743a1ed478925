//! A padding prompt around images that fill the strict upper triangle of their square: it is trained in the rest of the
//! square too. Against differences, against the formula on the whole canvas, and through a run.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor, Var};
use rut_adapt::{Descent, Error, ScheduleOptions, Seed};
use rut_adapt::{
    Finished, LabelMap, LabelledImages, LoopOptions, Mapped, MappingChoice, PaddingPrompt, Prompt,
    PromptOptions, PromptShape, PromptSplits, PromptedNetwork, TrainingState, cross_entropy,
    find_label_mapping, visual_prompt,
};
use rut_data::{Batch, ImageRegion};
use rut_models::{
    CandleNetwork, CpuNetwork, FrozenNetwork, Kernels, Normalization, logits, logits_window,
};

use rut_testkit::close;
mod listen;
use rut_testkit::weights_rule;

use rut_record::{Options, Select, Shuffle};

use close::{Tolerance, assert_close, relative_l2};
use listen::Listener;

const CANVAS: usize = 32;
/// Odd, so that there is a row more before the image than after it.
const SIDE: usize = 9;
const BEFORE: usize = 12;
const IMAGES: usize = 12;

/// A central difference in f64, away from the kinks of the network; rounding of the losses is divided by the step.
const DIFFERENCE: Tolerance = Tolerance {
    abs: 1e-9,
    rel: 1e-5,
};
/// The same sums in another order, in f64.
const REORDERED: Tolerance = Tolerance {
    abs: 1e-15,
    rel: 1e-12,
};
/// Relative distance of gradients of an f32 engine from those in f64: rounding flips ReLUs at zero.
const FLIPPED: f64 = 1e-2;

fn options(region: ImageRegion) -> PromptShape {
    PromptShape {
        canvas: CANVAS,
        image_size: SIDE,
        region,
        normalization: Normalization::IMAGENET,
    }
}

fn prompt(dtype: DType) -> PaddingPrompt {
    PaddingPrompt::new(options(ImageRegion::UpperTriangle), dtype, &Device::Cpu).unwrap()
}

/// A program of no symmetry.
fn program(dtype: DType) -> Tensor {
    let values: Vec<f64> = weights_rule::uniform("program", 3 * CANVAS * CANVAS)
        .map(|u| 4.0 * u - 2.0)
        .collect();
    let program = Tensor::from_vec(values, (3, CANVAS, CANVAS), &Device::Cpu).unwrap();
    program.to_dtype(dtype).unwrap()
}

/// Strict upper triangles, the same in three channels.
fn pixels() -> Vec<f32> {
    let noise: Vec<f32> = weights_rule::image("triangles", IMAGES * SIDE * SIDE);
    let triangle = |image: usize, at: usize| {
        if at % SIDE > at / SIDE {
            noise[image * SIDE * SIDE + at]
        } else {
            0.0
        }
    };
    let planes = (0..IMAGES).flat_map(|image| (0..3).map(move |_| image));
    planes
        .flat_map(|image| (0..SIDE * SIDE).map(move |at| (image, at)))
        .map(|(image, at)| triangle(image, at))
        .collect()
}

fn images(dtype: DType) -> Tensor {
    let images = Tensor::from_vec(pixels(), (IMAGES, 3, SIDE, SIDE), &Device::Cpu).unwrap();
    images.to_dtype(dtype).unwrap()
}

fn label_of(image: usize) -> u32 {
    image as u32 % 3
}

fn network(dtype: DType) -> Arc<dyn FrozenNetwork> {
    let graph = rut_models::find("resnet20_cifar10").unwrap().build();
    let weights = weights_rule::weights(&graph, None);
    match dtype {
        DType::F32 => Arc::new(CpuNetwork::new(&graph, &weights, Kernels::Auto).unwrap()),
        _ => Arc::new(CandleNetwork::new(&graph, &weights, dtype, &Device::Cpu).unwrap()),
    }
}

fn values(tensor: &Tensor) -> Vec<f64> {
    let wide = tensor.to_dtype(DType::F64).unwrap();
    wide.flatten_all().unwrap().to_vec1().unwrap()
}

fn loss(logits: &Tensor) -> Tensor {
    let labels: Vec<u32> = (0..IMAGES).map(label_of).collect();
    cross_entropy(logits, &Tensor::new(labels, &Device::Cpu).unwrap()).unwrap()
}

/// Through the window, as the loop does it.
fn windowed_loss(network: &Arc<dyn FrozenNetwork>, program: &Tensor) -> Tensor {
    let prompt = prompt(network.dtype());
    let input = prompt.window(program, &images(network.dtype())).unwrap();
    let logits = logits_window(
        network,
        &input.canvas,
        &input.patches,
        input.top,
        input.left,
    );
    loss(&logits.unwrap())
}

/// Whether place `at` of a canvas [3, S, S] is trained.
fn trained(at: usize) -> bool {
    let (row, column) = (at / CANVAS % CANVAS, at % CANVAS);
    let inside = |place: usize| (BEFORE..BEFORE + SIDE).contains(&place);
    !(inside(row) && inside(column) && column > row)
}

/// u = (Z(x) + sigmoid(P) ⊙ M − mean) / std on the whole canvas, term by term.
fn whole_loss(network: &Arc<dyn FrozenNetwork>, program: &Tensor) -> Tensor {
    let dtype = network.dtype();
    let mask = (0..3 * CANVAS * CANVAS).map(|at| u8::from(trained(at)));
    let mask = Tensor::from_iter(mask, &Device::Cpu).unwrap();
    let mask = mask.reshape((3, CANVAS, CANVAS)).unwrap();
    let border = candle_nn::ops::sigmoid(program).unwrap() * mask.to_dtype(dtype).unwrap();
    let after = CANVAS - SIDE - BEFORE;
    let padded = images(dtype)
        .pad_with_zeros(2, BEFORE, after)
        .and_then(|images| images.pad_with_zeros(3, BEFORE, after));
    let sum = padded.unwrap().broadcast_add(&border.unwrap()).unwrap();
    let channel = |values: [f32; 3]| {
        let values = Tensor::new(&values, &Device::Cpu).unwrap();
        values.to_dtype(dtype).unwrap().reshape((3, 1, 1)).unwrap()
    };
    let Normalization { mean, std } = Normalization::IMAGENET;
    let input = sum
        .broadcast_sub(&channel(mean))
        .and_then(|x| x.broadcast_div(&channel(std)));
    loss(&logits(network, &input.unwrap()).unwrap())
}

type Loss = fn(&Arc<dyn FrozenNetwork>, &Tensor) -> Tensor;

fn gradient(of: Loss, network: &Arc<dyn FrozenNetwork>) -> (f64, Vec<f64>) {
    let program = Var::from_tensor(&program(network.dtype())).unwrap();
    let loss = of(network, program.as_tensor());
    let gradients = loss.backward().unwrap();
    let gradient = gradients.get(program.as_tensor()).unwrap();
    (values(&loss)[0], values(gradient))
}

#[test]
fn the_gradient_is_that_of_the_formula_on_the_whole_canvas() {
    let network = network(DType::F64);
    let (loss, want) = gradient(whole_loss, &network);
    let (found, got) = gradient(windowed_loss, &network);
    assert_close("loss", &[found], &[loss], REORDERED);
    assert_close("gradient", &got, &want, REORDERED);
    for (at, gradient) in got.iter().enumerate() {
        assert_eq!(*gradient != 0.0, trained(at), "at {at}: {gradient}");
    }
}

#[test]
fn the_cpu_engine_has_the_same_gradient() {
    let (loss, want) = gradient(whole_loss, &network(DType::F64));
    let (found, got) = gradient(windowed_loss, &network(DType::F32));
    assert!((found - loss).abs() <= 1e-5 * loss, "{found} {loss}");
    let distance = relative_l2(&got, &want);
    assert!(distance <= FLIPPED, "{distance:e}");
    assert!((0..want.len()).all(|at| trained(at) || got[at] == 0.0));
}

/// In the border, in the triangle, on its diagonal, and where the image is.
#[test]
fn the_gradient_matches_differences() {
    let network = network(DType::F64);
    let (_, gradient) = gradient(windowed_loss, &network);
    let base = values(&program(DType::F64));
    let loss_at = |at: usize, by: f64| {
        let mut moved = base.clone();
        moved[at] += by;
        let program = Tensor::from_vec(moved, (3, CANVAS, CANVAS), &Device::Cpu).unwrap();
        values(&windowed_loss(&network, &program))[0]
    };
    let step = 1e-5;
    let inside = |row, column| (BEFORE + row) * CANVAS + BEFORE + column;
    let plane = CANVAS * CANVAS;
    let places = [
        0,
        plane + 5 * CANVAS + 20,
        3 * plane - 1,
        inside(0, 0),
        inside(4, 4),
        plane + inside(5, 2),
        2 * plane + inside(8, 0),
        plane + inside(8, 8),
        inside(0, 1),
        2 * plane + inside(3, 7),
    ];
    let want: Vec<f64> = places
        .iter()
        .map(|&at| (loss_at(at, step) - loss_at(at, -step)) / (2.0 * step))
        .collect();
    let got: Vec<f64> = places.iter().map(|&at| gradient[at]).collect();
    assert_close("differences", &got, &want, DIFFERENCE);
    assert!(got[3..8].iter().all(|value| *value != 0.0));
    assert_eq!(got[8..], [0.0, 0.0]);
}

#[test]
fn trainable_values_are_those_of_the_mask() {
    let prompt = prompt(DType::F32);
    let count = (0..3 * CANVAS * CANVAS).filter(|&at| trained(at)).count();
    assert_eq!(prompt.trainable(), count);
    let picture = prompt.picture().unwrap().pixels;
    let grey = (0..picture.len()).map(|at| if trained(at / 3) { 128 } else { 236 });
    assert_eq!(picture, grey.collect::<Vec<u8>>());
    assert_eq!(prompt.offset(), BEFORE);
}

#[test]
fn files_and_states_give_the_prompt_back_and_no_other() {
    let untrained: Arc<dyn Prompt> = Arc::new(prompt(DType::F32));
    let own = untrained.with_parameters(&[program(DType::F32)]);
    let map = LabelMap::one_to_one(vec![4, 2], 5).unwrap();
    let mut state = TrainingState::default();
    own.save("prompt", &mut state);
    let restored = untrained.restore("prompt", &state).unwrap();
    let bytes = own.to_bytes(map.to_tensors().unwrap()).unwrap();
    let (read, tensors) = untrained.from_bytes(&bytes).unwrap();
    for again in [&restored, &read] {
        assert_eq!(values(&again.values()[0]), values(&own.values()[0]));
        assert_eq!(again.picture().unwrap(), own.picture().unwrap());
        assert_eq!(again.trainable(), own.trainable());
    }
    assert_eq!(LabelMap::from_tensors(&tensors, 5).unwrap(), map);
    let whole = PaddingPrompt::new(options(ImageRegion::Whole), DType::F32, &Device::Cpu).unwrap();
    let whole: Arc<dyn Prompt> = Arc::new(whole);
    let error = whole.from_bytes(&bytes).unwrap_err().to_string();
    assert!(error.contains("upper triangle"), "{error}");
}

/// The images of this test as a loop takes them.
struct Triangles {
    pixels: Vec<f32>,
    labels: Vec<u32>,
}

impl LabelledImages for Triangles {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn side(&self) -> usize {
        SIDE
    }

    fn labels(&self) -> &[u32] {
        &self.labels
    }

    fn batch(&self, indices: &[usize]) -> rut_adapt::Result<Batch> {
        let size = 3 * SIDE * SIDE;
        let image = |&i: &usize| self.pixels[i * size..][..size].iter().copied();
        Ok(Batch {
            images: indices.iter().flat_map(image).collect(),
            labels: indices.iter().map(|&i| self.labels[i]).collect(),
        })
    }
}

fn run(
    state: Option<&TrainingState>,
    listener: &mut Listener,
) -> rut_adapt::Result<Finished<Mapped>> {
    let images = Triangles {
        pixels: pixels(),
        labels: (0..IMAGES).map(label_of).collect(),
    };
    let splits = PromptSplits {
        train: &images,
        validation: Some(&images),
        test: &images,
        classes: 3,
        target_names: &[],
        source_names: &[],
    };
    let training = LoopOptions {
        epochs: 4,
        steps: None,
        batch_size: 5,
        learning_rate: 0.05,
        schedule: ScheduleOptions::default(),
        seed: Seed(4),
        shuffle: Shuffle::On,
        select: Select::BestVal,
        eval_every: 1,
    };
    let mut options = Options::default();
    options.set("ties", "index".into());
    let mapping = MappingChoice {
        row: find_label_mapping("ilm").unwrap(),
        options,
    };
    let start = PromptedNetwork {
        network: network(DType::F32),
        prompt: Arc::new(prompt(DType::F32)),
    };
    visual_prompt(
        start,
        splits,
        &PromptOptions {
            training,
            descent: Descent::default(),
            mapping,
        },
        state,
        listener,
    )
}

#[test]
fn a_run_trains_the_mask_alone_and_goes_on_after_a_stop_to_the_same_bits() {
    let mut whole = Listener::default();
    let want = run(None, &mut whole).unwrap();
    let program = values(&want.trained.prompt.values()[0]);
    for (at, value) in program.iter().enumerate() {
        assert_eq!(*value != 0.0, trained(at), "at {at}: {value}");
    }
    let losses = whole.losses();
    assert!(losses[losses.len() - 1] < losses[0], "{losses:?}");
    for stop_at in [1, whole.asked / 2, whole.asked] {
        let mut first = Listener::stopping_at(stop_at);
        let stopped = run(None, &mut first).unwrap_err();
        assert!(matches!(stopped, Error::Stopped { .. }), "{stopped}");
        let (state, _) = first.into_saved();
        let got = run(Some(&state), &mut Listener::default()).unwrap();
        assert_eq!(
            values(&got.trained.prompt.values()[0]),
            program,
            "{stop_at}"
        );
        assert_eq!(got.trained.map, want.trained.map);
    }
}
