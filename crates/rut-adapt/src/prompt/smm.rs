//! Sample-specific multi-channel masks (SMM, Cai et al., ICML 2024, arXiv 2406.03150): an added image, of which a small network
//! says for each patch of each image how much it gets.

use std::sync::Arc;

use candle_core::Tensor;
use rut_images::RgbImage;
use rut_models::Placement;
use rut_record::{Field, Kind, Options, PROMPTING};

use super::batch::in_type_of;
use super::canvas::Canvas;
use super::mask_network::{MaskShape, Statistics};
use super::options::{IMAGE_SIZE, up_to_canvas};
use super::patches::Patches;
use super::precomputed::precomputed;
use super::real::{Real, with_values};
use super::spare::Spare;
use super::{Prompt, PromptRow, Prompted};
use crate::error::{Error, Result};
use crate::schedule::Rate;

/// An image behind a mask of each sample's own.
pub(super) const SMM: PromptRow = PromptRow {
    name: "smm",
    title: "a trained image added behind a mask that a small trained network makes of each image (SMM)",
    options: &[
        IMAGE_SIZE,
        MASK_PATCH,
        MASK_LAYERS,
        MASK_CHANNELS,
        MASK_LR,
        MASK_DECAYS,
    ],
    image_size: up_to_canvas,
    new: |shape, options, seed, placement| {
        let Placement { dtype, device, .. } = placement;
        let side = shape.canvas;
        let network = mask_shape(options, side)?;
        let mut stream = seed.stream("mask network");
        Ok(Arc::new(SmmPrompt {
            program: Tensor::zeros((3, side, side), *dtype, device)?,
            network,
            weights: network.parameters(&mut stream, (*dtype, device))?,
            running: network.buffers(*dtype, device)?,
            rate: mask_rate(options)?,
            canvas: Canvas::new(shape, placement)?,
            spare: Arc::default(),
        }))
    },
};

const MASK_PATCH: Field = Field {
    default: Some("8"),
    ..Field::new(
        "mask_patch",
        "PIXELS",
        Kind::Count,
        PROMPTING,
        "Side of the patches of an SMM mask that share one value: 1, 2, 4, 8, 16 (32 with six layers)",
    )
};

const MASK_LAYERS: Field = Field {
    default: Some("5"),
    ..Field::new(
        "mask_layers",
        "N",
        Kind::Count,
        PROMPTING,
        "Convolutions of the SMM mask network: 5 or 6",
    )
};

const MASK_CHANNELS: Field = Field {
    default: Some("3"),
    ..Field::new(
        "mask_channels",
        "N",
        Kind::Count,
        PROMPTING,
        "Channels of the SMM mask: 3 or 1",
    )
};

const MASK_LR: Field = Field {
    left_out: "`lr`",
    ..Field::new(
        "mask_lr",
        "RATE",
        Kind::Number,
        PROMPTING,
        "Learning rate of the SMM mask network at the start",
    )
};

const MASK_DECAYS: Field = Field {
    default: Some("on"),
    ..Field::new(
        "mask_decay",
        "on|off",
        Kind::Words(&[
            rut_record::Word::new("on", "by the schedule, as that of the added image"),
            rut_record::Word::new("off", "the learning rate of the mask network stays"),
        ]),
        PROMPTING,
        "Whether the learning rate of the SMM mask network falls",
    )
};

/// How the learning rate of the mask network begins, and whether it falls.
#[derive(Clone, Copy, Debug)]
struct MaskRate {
    initial: Option<f64>,
    falls: bool,
}

fn mask_rate(options: &Options) -> Result<MaskRate> {
    let initial = MASK_LR.number(options)?;
    if let Some(rate) = initial.filter(|rate| !(rate.is_finite() && *rate > 0.0)) {
        return Err(Error::Option {
            field: MASK_LR.key,
            expected: "a positive number".into(),
            found: rate.to_string(),
        });
    }
    let falls = MASK_DECAYS.word(options)?.as_deref() != Some("off");
    Ok(MaskRate { initial, falls })
}

fn mask_shape(options: &Options, side: usize) -> Result<MaskShape> {
    let one_of = |field: &Field, allowed: &[u64]| -> Result<usize> {
        let found = field.whole(options)?.unwrap_or(0);
        match allowed.contains(&found) {
            true => Ok(found as usize),
            false => {
                let allowed: Vec<String> = allowed.iter().map(u64::to_string).collect();
                Err(Error::Option {
                    field: field.key,
                    expected: format!("one of {}", allowed.join(", ")),
                    found: found.to_string(),
                })
            }
        }
    };
    let layers = one_of(&MASK_LAYERS, &[5, 6])?;
    let patches = [1, 2, 4, 8, 16, 32];
    let patch = one_of(&MASK_PATCH, &patches[..layers])?;
    if !side.is_multiple_of(patch) {
        return Err(Error::Option {
            field: MASK_PATCH.key,
            expected: format!("a divisor of the canvas of {side} pixels"),
            found: patch.to_string(),
        });
    }
    Ok(MaskShape {
        layers,
        patch,
        channels: one_of(&MASK_CHANNELS, &[3, 1])?,
    })
}

/// u = x + P ⊙ r(φ(x)), with x = N(Z(image)), P [3, S, S] trained from 0, φ the mask network, trained too, and r each value
/// repeated on its patch. φ normalises by the batch in training steps, by running statistics elsewhere.
#[derive(Clone, Debug)]
struct SmmPrompt {
    program: Tensor,
    network: MaskShape,
    weights: Vec<Tensor>,
    running: Vec<Tensor>,
    rate: MaskRate,
    canvas: Canvas,
    spare: Arc<Spare>,
}

impl SmmPrompt {
    fn input(
        &self,
        parameters: &[Tensor],
        images: &Tensor,
        statistics: Statistics,
    ) -> candle_core::Result<(Prompted, Vec<Tensor>)> {
        let x = self.canvas.placed_and_normalized(images)?;
        let flat: Vec<Tensor> = parameters
            .iter()
            .map(Tensor::flatten_all)
            .collect::<candle_core::Result<_>>()?;
        let flat = Tensor::cat(&flat, 0)?;
        if flat.elem_count() != self.trainable() {
            candle_core::bail!(
                "apply a prompt: expected {} values of its parameters, found {}",
                self.trainable(),
                flat.elem_count()
            )
        }
        in_type_of!(flat.dtype(), T => self.masked::<T>(&flat, &x, statistics))
    }

    /// Normalised images `x` with the masked image added, and the running statistics after it; `flat` are the parameters in a
    /// row.
    fn masked<T: Real>(
        &self,
        flat: &Tensor,
        x: &Tensor,
        statistics: Statistics,
    ) -> candle_core::Result<(Prompted, Vec<Tensor>)> {
        let (network, side) = (self.network, self.canvas.side);
        let values = flat.to_vec1::<T>()?;
        let (program, weights) = values.split_at(self.program.elem_count());
        let mut running: Vec<Vec<T>> = self
            .running
            .iter()
            .map(Tensor::to_vec1)
            .collect::<candle_core::Result<_>>()?;
        let patches = Patches {
            side,
            patch: network.patch,
            channels: network.channels,
        };
        let (sum, mask, trace) = with_values::<T, _>(x, |x| {
            let (mask, trace) =
                network.forward(weights, &mut running, (x, side), statistics, &self.spare);
            (patches.add(x, program, &mask), mask, trace)
        })?;
        let sum = Tensor::from_vec(sum, x.shape(), x.device())?;
        let (shape, device) = (flat.shape().clone(), flat.device().clone());
        let input = precomputed(flat, sum, move |gradient| {
            let (program, weights) = values.split_at(3 * side * side);
            let (mut total, of_mask) =
                with_values::<T, _>(gradient, |g| patches.gradients(g, program, &mask))?;
            total.extend(network.backward(weights, side, &trace, &of_mask));
            Tensor::from_vec(total, shape, &device)
        })?;
        let moved = |values| Tensor::new::<Vec<T>>(values, x.device());
        let running = running.into_iter().map(moved);
        Ok((
            Prompted::Images(input),
            running.collect::<candle_core::Result<_>>()?,
        ))
    }
}

impl Prompt for SmmPrompt {
    fn version(&self) -> &'static str {
        "version 1 smm"
    }

    fn parameters(&self) -> Vec<(String, Tensor)> {
        let names = std::iter::once("program".to_owned()).chain(self.network.names());
        let values = std::iter::once(&self.program).chain(&self.weights);
        names.zip(values.cloned()).collect()
    }

    fn with_parameters(&self, values: &[Tensor]) -> Arc<dyn Prompt> {
        match values.split_first() {
            Some((program, weights)) if weights.len() == self.weights.len() => Arc::new(Self {
                program: program.clone(),
                weights: weights.to_vec(),
                ..self.clone()
            }),
            _ => Arc::new(self.clone()),
        }
    }

    fn buffers(&self) -> Vec<(String, Tensor)> {
        let names = self.network.buffer_names().into_iter();
        names.zip(self.running.iter().cloned()).collect()
    }

    fn with_buffers(&self, values: &[Tensor]) -> Option<Arc<dyn Prompt>> {
        (values.len() == self.running.len()).then(|| {
            Arc::new(Self {
                running: values.to_vec(),
                ..self.clone()
            }) as Arc<dyn Prompt>
        })
    }

    fn rates(&self, rate: Rate) -> Vec<f64> {
        let initial = self.rate.initial.unwrap_or(rate.initial());
        let of_mask = if self.rate.falls {
            rate.from(initial)
        } else {
            initial
        };
        let mut rates = vec![of_mask; 1 + self.weights.len()];
        rates[0] = rate.learning_rate();
        rates
    }

    fn trainable(&self) -> usize {
        let weights: usize = self.weights.iter().map(Tensor::elem_count).sum();
        self.program.elem_count() + weights
    }

    fn apply(&self, parameters: &[Tensor], images: &Tensor) -> candle_core::Result<Prompted> {
        Ok(self.input(parameters, images, Statistics::Running)?.0)
    }

    fn train(
        &self,
        parameters: &[Tensor],
        images: &Tensor,
    ) -> candle_core::Result<(Prompted, Vec<Tensor>)> {
        self.input(parameters, images, Statistics::Batch)
    }

    /// Before the mask, which is another for each image.
    fn picture(&self) -> Result<RgbImage> {
        self.canvas.picture_of_normalized(&self.program)
    }
}
