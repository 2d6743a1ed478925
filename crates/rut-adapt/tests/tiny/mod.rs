//! The tiny frozen networks of `golden/methods`, in plain candle and f64, and its files.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "not every test program that includes this module uses all of it"
)]

use std::collections::HashMap;
use std::sync::Arc;

use candle_core::{D, DType, Device, Tensor, Var};
use rut_adapt::{LabelledImages, Prompt, PromptShape, Seed, find_prompt};
use rut_data::{Batch, ImageRegion};
use rut_models::{
    EngineInfo, FrozenNetwork, Normalization, OutputGrads, Outputs, Placement, Trace,
};
use rut_record::Options;
use rut_testkit::place;

/// Tensors and numbers of `golden/methods/NAME`.
pub struct Golden {
    pub tensors: HashMap<String, Tensor>,
    pub json: serde_json::Value,
}

impl Golden {
    pub fn read(name: &str) -> Self {
        let file = |end: &str| place::golden(&format!("methods/{name}.{end}"));
        let json = std::fs::read_to_string(file("json")).unwrap();
        Self {
            tensors: candle_core::safetensors::load(file("safetensors"), &Device::Cpu).unwrap(),
            json: serde_json::from_str(&json).unwrap(),
        }
    }

    pub fn tensor(&self, name: &str) -> Tensor {
        let found = self.tensors.get(name);
        found.unwrap_or_else(|| panic!("no {name}")).clone()
    }

    /// A tensor of f64 without leading axes of one.
    pub fn squeezed(&self, name: &str) -> Tensor {
        let tensor = self.tensor(name);
        match tensor.dims() {
            [1, _, _, _] => tensor.squeeze(0).unwrap(),
            _ => tensor,
        }
    }

    pub fn values(&self, name: &str) -> Vec<f64> {
        values(&self.tensor(name))
    }

    /// A list of numbers under `path`, keys separated by slashes.
    pub fn numbers(&self, path: &str) -> Vec<f64> {
        let found = self.json.pointer(&format!("/{path}"));
        serde_json::from_value(found.unwrap_or_else(|| panic!("no {path}")).clone()).unwrap()
    }

    pub fn labels(&self) -> Vec<u32> {
        let labels = self.tensor("y").to_vec1::<i64>().unwrap();
        labels.into_iter().map(|label| label as u32).collect()
    }
}

/// Options with these values.
pub fn options(set: &[(&str, serde_json::Value)]) -> Options {
    let mut options = Options::default();
    for (key, value) in set {
        options.set(key, value.clone());
    }
    options
}

/// A prompt of the table on a canvas of `canvas` pixels, for images of `image`, in f64.
pub fn prompt(
    name: &str,
    (canvas, image): (usize, usize),
    options: &Options,
) -> rut_adapt::Result<Arc<dyn Prompt>> {
    let shape = PromptShape {
        canvas,
        image_size: image,
        region: ImageRegion::Whole,
        normalization: Normalization::IMAGENET,
    };
    let placement = Placement {
        dtype: DType::F64,
        ..Placement::default()
    };
    (find_prompt(name).unwrap().new)(shape, options, Seed(4), &placement)
}

pub fn values(tensor: &Tensor) -> Vec<f64> {
    let wide = tensor.to_dtype(DType::F64).unwrap();
    wide.flatten_all().unwrap().to_vec1().unwrap()
}

/// Two convolutions of stride 2 with ReLU; then either all of it or its mean over the plane are the features, and a linear
/// layer, if there is one, gives the logits.
pub struct Tiny {
    weights: HashMap<String, Tensor>,
    prefix: &'static str,
    pooled: bool,
    width: usize,
    classes: usize,
}

impl Tiny {
    /// The network under `net.` with its linear layer, or the one under `feat.` without.
    pub fn of(golden: &Golden) -> Arc<dyn FrozenNetwork> {
        let pooled = golden.tensors.contains_key("feat.0.weight");
        let prefix = if pooled { "feat" } else { "net" };
        let own = |(name, _): &(&String, &Tensor)| name.starts_with(&format!("{prefix}."));
        let weights = golden.tensors.iter().filter(own);
        let weights: HashMap<String, Tensor> =
            weights.map(|(name, t)| (name.clone(), t.clone())).collect();
        let (classes, width) = match weights.get("net.5.weight") {
            Some(linear) => linear.dims2().unwrap(),
            None => (0, weights["feat.2.weight"].dims()[0]),
        };
        Arc::new(Self {
            weights,
            prefix,
            pooled,
            width,
            classes: classes.max(1),
        })
    }

    fn weight(&self, name: &str) -> &Tensor {
        &self.weights[&format!("{}.{name}", self.prefix)]
    }

    fn forward(&self, images: &Tensor) -> candle_core::Result<Outputs> {
        let mut x = images.clone();
        for layer in ["0", "2"] {
            let bias = self.weight(&format!("{layer}.bias"));
            let weight = self.weight(&format!("{layer}.weight"));
            let bias = bias.reshape((1, bias.elem_count(), 1, 1))?;
            x = x.conv2d(weight, 1, 2, 1, 1)?.broadcast_add(&bias)?.relu()?;
        }
        let features = if self.pooled {
            x.flatten_from(2)?.mean(D::Minus1)?
        } else {
            x.flatten_from(1)?
        };
        let logits = match self.weights.get("net.5.weight") {
            Some(weight) => features
                .matmul(&weight.t()?)?
                .broadcast_add(self.weight("5.bias"))?,
            None => features.narrow(1, 0, 1)?,
        };
        Ok(Outputs { features, logits })
    }
}

struct Recorded {
    images: Var,
    outputs: Outputs,
}

impl Trace for Recorded {
    fn backward_to_input(self: Box<Self>, grads: &OutputGrads) -> rut_models::Result<Tensor> {
        let mut sum = Tensor::zeros((), DType::F64, &Device::Cpu)?;
        let pairs = [
            (&self.outputs.features, &grads.features),
            (&self.outputs.logits, &grads.logits),
        ];
        for (output, grad) in pairs {
            if let Some(grad) = grad {
                sum = (sum + (output * grad)?.sum_all()?)?;
            }
        }
        let found = sum.backward()?;
        Ok(found.get(self.images.as_tensor()).unwrap().clone())
    }
}

impl FrozenNetwork for Tiny {
    fn engine(&self) -> EngineInfo {
        EngineInfo {
            name: "tiny",
            isa: "any",
        }
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn width(&self) -> usize {
        self.width
    }

    fn dtype(&self) -> DType {
        DType::F64
    }

    fn device(&self) -> &Device {
        &Device::Cpu
    }

    fn infer(&self, images: &Tensor) -> rut_models::Result<Outputs> {
        Ok(self.forward(images)?)
    }

    fn trace(&self, images: &Tensor) -> rut_models::Result<(Outputs, Box<dyn Trace>)> {
        let images = Var::from_tensor(images)?;
        let outputs = self.forward(images.as_tensor())?;
        let detached = Outputs {
            features: outputs.features.detach(),
            logits: outputs.logits.detach(),
        };
        Ok((detached, Box::new(Recorded { images, outputs })))
    }
}

/// Images of a golden file. A loop takes f32, so they are rounded to it.
pub struct Images {
    pub pixels: Vec<f32>,
    pub labels: Vec<u32>,
    pub side: usize,
}

impl Images {
    pub fn of(tensor: &Tensor, labels: Vec<u32>) -> Self {
        Self {
            pixels: values(tensor)
                .into_iter()
                .map(|value| value as f32)
                .collect(),
            labels,
            side: tensor.dims()[3],
        }
    }
}

impl LabelledImages for Images {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn side(&self) -> usize {
        self.side
    }

    fn labels(&self) -> &[u32] {
        &self.labels
    }

    fn batch(&self, indices: &[usize]) -> rut_adapt::Result<Batch> {
        let size = 3 * self.side * self.side;
        let image = |&i: &usize| self.pixels[i * size..(i + 1) * size].iter().copied();
        Ok(Batch {
            images: indices.iter().flat_map(image).collect(),
            labels: indices.iter().map(|&i| self.labels[i]).collect(),
        })
    }
}
