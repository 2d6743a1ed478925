//! Prompts that move images: ACAVP against `golden/methods/prompts.*`, the slopes of motions against differences.

mod tiny;

use std::sync::Arc;

use candle_core::{DType, Device, Tensor, Var};
use rut_adapt::{Prompt, Prompted};
use rut_models::Normalization;
use rut_testkit::close::{Tolerance, assert_close};

use tiny::{Golden, options, prompt, values};

/// Mean and deviation are rounded to f32 here, which the golden ones are not.
const INPUT: Tolerance = Tolerance {
    abs: 1e-6,
    rel: 1e-6,
};

fn new(name: &str, set: &[(&str, serde_json::Value)]) -> Arc<dyn Prompt> {
    prompt(name, (16, 16), &options(set)).unwrap()
}

fn input(prompted: Prompted) -> Tensor {
    match prompted {
        Prompted::Images(images) => images,
        Prompted::Window(windowed) => windowed.paste().unwrap(),
    }
}

#[test]
fn acavp_s_motion_is_the_golden_one() {
    let golden = Golden::read("prompts");
    for rule in ["batch", "geometry"] {
        let set = [
            ("affine_centre", "corner".into()),
            ("affine_mask", rule.into()),
        ];
        let prompt = new("affine", &set);
        let mut begin = prompt.values();
        for (at, name) in ["theta", "s", "sh", "tt"].into_iter().enumerate() {
            let raw = golden.tensor(&format!("acavp.raw.{name}"));
            begin[at] = raw.reshape(begin[at].shape()).unwrap();
        }
        begin[5] = golden.tensor("acavp.pad");
        let found = prompt.apply(&begin, &golden.tensor("x16")).unwrap();
        let channels = |v: [f32; 3]| {
            let v = Tensor::new(&v, &Device::Cpu).unwrap().to_dtype(DType::F64);
            v.unwrap().reshape((3, 1, 1)).unwrap()
        };
        let Normalization { mean, std } = Normalization::IMAGENET;
        let pixels = input(found).broadcast_mul(&channels(std)).unwrap();
        let pixels = pixels.broadcast_add(&channels(mean)).unwrap();
        let want = golden.values("acavp.u_before_norm");
        assert_close(rule, &values(&pixels), &want, INPUT);
    }
    assert_eq!(golden.json["acavp.prompt_pixels"], 100);
}

/// The slopes of what moves images, against differences.
#[test]
fn motions_have_the_slopes_of_differences() {
    let golden = Golden::read("prompts");
    let images = golden.tensor("x16");
    let weight = golden.tensor("smm_l5_p4_c3.u");
    for (name, moved) in [("affine", 4), ("scale", 1)] {
        let prompt = match name {
            "scale" => new("scale", &[("initial_scale", 0.83.into())]),
            _ => new("affine", &[]),
        };
        let begin: Vec<Tensor> = prompt
            .values()
            .iter()
            .enumerate()
            .map(|(at, value)| match at < moved && name == "affine" {
                true => (value + 0.37).unwrap(),
                false => value.clone(),
            })
            .collect();
        let at = |values: &[Tensor]| {
            let made = input(prompt.apply(values, &images).unwrap());
            (made * &weight).unwrap().sum_all().unwrap()
        };
        let vars: Vec<Var> = begin.iter().map(|v| Var::from_tensor(v).unwrap()).collect();
        let traced: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();
        let found = at(&traced).backward().unwrap();
        for parameter in 0..moved {
            let slopes = values(found.get(vars[parameter].as_tensor()).unwrap());
            for (entry, slope) in slopes.into_iter().enumerate() {
                let step = 1e-6;
                let shifted = |by: f64| {
                    let mut all = values(&begin[parameter]);
                    all[entry] += by;
                    let mut moved = begin.clone();
                    let shape = begin[parameter].shape();
                    moved[parameter] = Tensor::from_vec(all, shape, &Device::Cpu).unwrap();
                    values(&at(&moved))[0]
                };
                let difference = (shifted(step) - shifted(-step)) / (2.0 * step);
                let error = (slope - difference).abs() / difference.abs().max(1.0);
                assert!(
                    error < 1e-4,
                    "{name} {parameter}.{entry}: {slope} {difference}"
                );
            }
        }
    }
}
