//! Prompts against `golden/methods/prompts.*`: what they make of images, first gradients, steps.

mod tiny;

use std::sync::Arc;

use candle_core::{DType, Device, Tensor, Var};
use rut_adapt::{Adam, Error};
use rut_adapt::{
    GradientDescent, GradientForm, GradientRule, Prompt, Prompted, Schedule, ScheduleKind,
    ScheduleOptions, Sgd, cross_entropy, gradients,
};
use rut_models::{FrozenNetwork, logits};
use rut_testkit::close::{Tolerance, assert_close};

use tiny::{Golden, Tiny, options, prompt, values};

/// Mean and deviation are rounded to f32 here, which the golden ones are not.
const INPUT: Tolerance = Tolerance {
    abs: 1e-6,
    rel: 1e-6,
};
const GRADIENT: Tolerance = Tolerance {
    abs: 1e-7,
    rel: 1e-5,
};
const LOSS: Tolerance = Tolerance {
    abs: 1e-6,
    rel: 1e-6,
};
const VALUES: Tolerance = Tolerance {
    abs: 2e-5,
    rel: 1e-5,
};

fn new(name: &str, image: usize, set: &[(&str, serde_json::Value)]) -> Arc<dyn Prompt> {
    prompt(name, (16, image), &options(set)).unwrap()
}

fn input(prompted: Prompted) -> Tensor {
    match prompted {
        Prompted::Images(images) => images,
        Prompted::Window(windowed) => windowed.paste().unwrap(),
    }
}

/// A golden case: its prompt with golden values, and how it is trained.
struct Case<'a> {
    golden: &'a Golden,
    name: &'a str,
    images: &'a str,
    prompt: Arc<dyn Prompt>,
    /// Names of the parameters in the golden file, in the prompt's order.
    parameters: Vec<String>,
    descent: GradientDescent,
    rate: f64,
}

impl Case<'_> {
    fn of(&self, what: &str, parameter: &str) -> Tensor {
        self.golden
            .squeezed(&format!("{}.{what}.{parameter}", self.name))
    }

    /// One forward pass and its gradients.
    fn pass(&self, network: &Arc<dyn FrozenNetwork>) -> (Tensor, Tensor, Vec<Tensor>, Vec<Tensor>) {
        let images = self.golden.tensor(self.images);
        let vars = self.prompt.values();
        let vars: Vec<Var> = vars.iter().map(|v| Var::from_tensor(v).unwrap()).collect();
        let traced: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();
        let (prompted, buffers) = self.prompt.train(&traced, &images).unwrap();
        let (input, logits) = match prompted {
            Prompted::Images(input) => {
                let logits = logits(network, &input).unwrap();
                (input, logits)
            }
            Prompted::Window(w) => {
                let logits =
                    rut_models::logits_window(network, &w.canvas, &w.patches, w.top, w.left);
                (w.paste().unwrap(), logits.unwrap())
            }
        };
        let labels = Tensor::new(self.golden.labels(), &Device::Cpu).unwrap();
        let loss = cross_entropy(&logits, &labels).unwrap();
        let found = gradients(&loss, &vars.iter().collect::<Vec<_>>()).unwrap();
        let found = self.prompt.mask_gradients(found).unwrap();
        (input.detach(), loss.detach(), found, buffers)
    }

    fn assert_golden(mut self) {
        let network = Tiny::of(self.golden);
        let begin: Vec<Tensor> = self.parameters.iter().map(|p| self.of("init", p)).collect();
        let shaped = begin.iter().zip(self.prompt.values());
        let begin: Vec<Tensor> = shaped
            .map(|(b, own)| b.reshape(own.shape()).unwrap())
            .collect();
        self.prompt = self.prompt.with_parameters(&begin);
        let (input, loss, found, _) = self.pass(&network);
        let want = self.golden.values(&format!("{}.u", self.name));
        assert_close(self.name, &values(&input), &want, INPUT);
        let want = self.golden.json[format!("{}.loss0", self.name)].as_f64();
        assert_close(self.name, &values(&loss), &[want.unwrap()], LOSS);
        for (gradient, parameter) in found.iter().zip(&self.parameters) {
            let want = values(&self.of("grad", parameter));
            let what = format!("{} {parameter}", self.name);
            assert_close(&what, &values(gradient), &want, GRADIENT);
        }
        let losses = self.golden.numbers(&format!("{}.losses", self.name));
        let mut got = Vec::new();
        // The golden file's first pass, whose gradients it threw away, moved running statistics too.
        let mut keep = self.pass(&network).3;
        for _ in &losses {
            if let Some(moved) = self.prompt.with_buffers(&keep) {
                self.prompt = moved;
            }
            let (_, loss, gradients, buffers) = self.pass(&network);
            let parameters = self.prompt.values();
            let rates = vec![self.rate; parameters.len()];
            let stepped = self.descent.step(&parameters, &gradients, &rates);
            self.prompt = self.prompt.with_parameters(&stepped.unwrap());
            keep = buffers;
            got.extend(values(&loss));
        }
        assert_close(self.name, &got, &losses, LOSS);
        for (value, parameter) in self.prompt.values().iter().zip(&self.parameters) {
            let want = values(&self.of("final", parameter));
            let what = format!("{} final {parameter}", self.name);
            assert_close(&what, &values(value), &want, VALUES);
        }
        for (name, value) in self
            .prompt
            .with_buffers(&keep)
            .iter()
            .flat_map(|p| p.buffers())
        {
            let want = values(&self.of("final", &smm_name(&name)));
            assert_close(&name, &values(&value), &want, VALUES);
        }
    }
}

fn adam() -> GradientDescent {
    GradientDescent::Adam(Adam::new())
}

fn sgd(momentum: f64, weight_decay: f64) -> GradientDescent {
    GradientDescent::Sgd(Sgd::new(momentum, weight_decay))
}

/// The golden name of a tensor of the mask network.
fn smm_name(name: &str) -> String {
    let Some(name) = name.strip_prefix("mask.") else {
        return "delta".into();
    };
    let name = name.replace('.', "_");
    if let Some(rest) = name.strip_prefix("last_") {
        return format!("last_{rest}");
    }
    let (block, rest) = name.split_once('_').unwrap();
    match rest.strip_prefix("conv_") {
        Some(rest) => format!("convs_{block}_{rest}"),
        None => format!("bns_{block}_{}", rest.strip_prefix("norm_").unwrap()),
    }
}

#[test]
fn padding_added_and_low_rank_prompts_are_the_golden_ones() {
    let golden = Golden::read("prompts");
    let delta = || vec!["delta".to_owned()];
    let width = [("prompt_width", 3.into())];
    let cases = [
        (
            "pad10",
            "x10",
            new("padding", 10, &[]),
            delta(),
            adam(),
            0.01,
        ),
        ("pad9", "x9", new("padding", 9, &[]), delta(), adam(), 0.01),
        (
            "frame3",
            "x16",
            new("frame", 16, &width),
            delta(),
            sgd(0.9, 0.0),
            0.4,
        ),
        (
            "watermark",
            "x16",
            new("watermark", 16, &[]),
            delta(),
            adam(),
            0.01,
        ),
        (
            "lorvp",
            "x16",
            new("lowrank", 16, &[("rank", 2.into())]),
            vec!["B".into(), "A".into()],
            sgd(0.9, 1e-4),
            0.02,
        ),
    ];
    for (name, images, prompt, parameters, descent, rate) in cases {
        let golden = &golden;
        Case {
            golden,
            name,
            images,
            prompt,
            parameters,
            descent,
            rate,
        }
        .assert_golden();
    }
}

/// Bahng's frame in four parts is the same frame, so the steps are too.
#[test]
fn bahng_s_frame_is_a_frame() {
    let golden = Golden::read("prompts");
    let assembled = |what: &str| {
        let part = |name: &str| golden.squeezed(&format!("bahng.{what}.{name}"));
        let middle = Tensor::zeros((3, 10, 10), DType::F64, &Device::Cpu).unwrap();
        let middle = Tensor::cat(&[part("left"), middle, part("right")], 2).unwrap();
        Tensor::cat(&[part("up"), middle, part("down")], 1).unwrap()
    };
    let mut with = golden_with(&golden);
    for what in ["init", "grad", "final"] {
        let name = format!("bahng.{what}.delta");
        with.tensors.insert(name, assembled(what));
    }
    Case {
        golden: &with,
        name: "bahng",
        images: "x16",
        prompt: new("frame", 16, &[("prompt_width", 3.into())]),
        parameters: vec!["delta".into()],
        descent: sgd(0.9, 0.0),
        rate: 0.4,
    }
    .assert_golden();
}

fn golden_with(golden: &Golden) -> Golden {
    Golden {
        tensors: golden.tensors.clone(),
        json: golden.json.clone(),
    }
}

/// The norm of the whole gradient, then the mask; the learning rate falls step by step.
#[test]
fn evp_s_normalised_steps_are_the_golden_ones() {
    let golden = Golden::read("prompts");
    let network = Tiny::of(&golden);
    let set = [
        ("prompt_width", 3.into()),
        ("prompt_space", "pixels".into()),
    ];
    let mut case = Case {
        golden: &golden,
        name: "evp",
        images: "x10",
        prompt: new("frame", 10, &set),
        parameters: vec!["delta".into()],
        descent: sgd(0.0, 0.0),
        rate: 7.0,
    };
    let rule = GradientRule {
        form: GradientForm::Normalized,
        ..GradientRule::default()
    };
    let options = ScheduleOptions {
        kind: ScheduleKind::CosineStep,
        ..ScheduleOptions::default()
    };
    let schedule = Schedule {
        steps: 10,
        ..Schedule::new(options, case.rate).unwrap()
    };
    let mut losses = Vec::new();
    for step in 0..4 {
        let images = golden.tensor("x10");
        let var = Var::from_tensor(&case.prompt.values()[0]).unwrap();
        let (prompted, _) = case
            .prompt
            .train(&[var.as_tensor().clone()], &images)
            .unwrap();
        let logits = logits(&network, &input(prompted)).unwrap();
        let labels = Tensor::new(golden.labels(), &Device::Cpu).unwrap();
        let loss = cross_entropy(&logits, &labels).unwrap();
        losses.extend(values(&loss));
        let gradient = gradients(&loss, &[&var]).unwrap();
        let gradient = rule.of_prompt(gradient).unwrap();
        let gradient = case.prompt.mask_gradients(gradient).unwrap();
        let rate = schedule.at(0, step).learning_rate();
        let stepped = case.descent.step(&case.prompt.values(), &gradient, &[rate]);
        case.prompt = case.prompt.with_parameters(&stepped.unwrap());
    }
    // Steps of length seven on a tiny network make the most of each rounding.
    let near = Tolerance {
        abs: 1e-4,
        rel: 1e-5,
    };
    assert_close("losses", &losses, &golden.numbers("evp.losses"), near);
    let found = values(&case.prompt.values()[0]);
    assert_close("delta", &found, &golden.values("evp.final.delta"), near);
}

fn smm(patch: u64, layers: u64, channels: u64) -> Arc<dyn Prompt> {
    let set = [
        ("mask_patch", patch.into()),
        ("mask_layers", layers.into()),
        ("mask_channels", channels.into()),
    ];
    new("smm", 16, &set)
}

#[test]
fn smm_and_its_running_statistics_are_the_golden_ones() {
    let golden = Golden::read("prompts");
    for (patch, layers, channels) in [(8, 5, 3), (4, 5, 3), (1, 5, 3), (8, 5, 1), (16, 6, 3)] {
        let prompt = smm(patch, layers, channels);
        let name = format!("smm_l{layers}_p{patch}_c{channels}.params_mask_net");
        let want = golden.json[&name].as_u64().unwrap() as usize;
        assert_eq!(prompt.trainable(), 3 * 16 * 16 + want, "{name}");
    }
    let prompt = smm(8, 5, 3);
    let names = prompt
        .parameters()
        .into_iter()
        .map(|(name, _)| smm_name(&name));
    Case {
        golden: &golden,
        name: "smm_l5_p8_c3",
        images: "x16",
        parameters: names.collect(),
        prompt,
        descent: adam(),
        rate: 0.01,
    }
    .assert_golden();
}

/// One pass in training, of another patch size.
#[test]
fn smm_of_smaller_patches_is_the_golden_one() {
    let golden = Golden::read("prompts");
    let prompt = smm(4, 5, 3);
    let values_of = |(name, like): (String, Tensor)| match smm_name(&name).as_str() {
        "delta" => golden.tensor("smm_l5_p4_c3.delta"),
        name => {
            let found = golden.tensor(&format!("smm_l5_p4_c3.init.{name}"));
            found.reshape(like.shape()).unwrap()
        }
    };
    let begin: Vec<Tensor> = prompt.parameters().into_iter().map(values_of).collect();
    let (prompted, buffers) = prompt.train(&begin, &golden.tensor("x16")).unwrap();
    let want = golden.values("smm_l5_p4_c3.u");
    assert_close("u", &values(&input(prompted)), &want, INPUT);
    let moved = prompt.with_buffers(&buffers).unwrap();
    for (name, value) in moved.buffers() {
        let want = golden.values(&format!("smm_l5_p4_c3.final.{}", smm_name(&name)));
        assert_close(&name, &values(&value), &want, VALUES);
    }
}

#[test]
fn autovp_s_scale_is_the_golden_one() {
    let golden = Golden::read("prompts");
    for (name, scale) in [("autovp_scale1.5", 1.5), ("autovp_scale0.7", 0.7)] {
        Case {
            golden: &golden,
            name,
            images: "x10",
            prompt: new("scale", 10, &[("initial_scale", scale.into())]),
            parameters: vec!["alpha".into(), "delta".into()],
            descent: adam(),
            rate: 1e-3,
        }
        .assert_golden();
    }
    // At 1 every sample lies on a pixel: the value is the golden one, the slope one of two.
    let prompt = new("scale", 10, &[("initial_scale", 1.0.into())]);
    let of = |name: &str| golden.squeezed(&format!("autovp_scale1.0.init.{name}"));
    let begin = [of("alpha").reshape(()).unwrap(), of("delta")];
    let found = prompt.apply(&begin, &golden.tensor("x10")).unwrap();
    let want = golden.values("autovp_scale1.0.u");
    assert_close("u", &values(&input(found)), &want, INPUT);
    // Steps leave the scale within its range.
    let far = [Tensor::new(9.0f64, &Device::Cpu).unwrap(), of("delta")];
    assert_eq!(values(&prompt.with_parameters(&far).values()[0]), [5.0]);
}

#[test]
fn options_without_sense_are_refused() {
    let problem = |name: &str, set: &[(&str, serde_json::Value)]| -> String {
        let error: Error = prompt(name, (16, 16), &options(set)).unwrap_err();
        error.to_string()
    };
    for (name, key, value, text) in [
        ("lowrank", "rank", serde_json::json!(0), "from 1 to 16"),
        ("lowrank", "rank", 17.into(), "from 1 to 16"),
        ("smm", "mask_patch", 3.into(), "one of 1, 2, 4, 8, 16"),
        ("smm", "mask_patch", 32.into(), "one of 1, 2, 4, 8, 16"),
        ("smm", "mask_layers", 4.into(), "one of 5, 6"),
        ("smm", "mask_lr", 0.into(), "a positive number"),
        ("scale", "initial_scale", 0.05.into(), "from 0.1 to 5"),
        ("watermark", "squash", "tanh".into(), "one of none, sigmoid"),
        ("frame", "prompt_width", 9.into(), "from 1 to 8"),
    ] {
        let found = problem(name, &[(key, value)]);
        assert!(found.contains(key) && found.contains(text), "{found}");
    }
    let set = [("mask_patch", 32.into()), ("mask_layers", 6.into())];
    assert!(problem("smm", &set).contains("a divisor of the canvas of 16"));
}
