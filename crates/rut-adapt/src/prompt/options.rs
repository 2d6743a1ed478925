//! Options that several prompts share, and values before training.

use candle_core::{DType, Device, Tensor};
use rut_data::Seed;
use rut_record::{Field, Kind, Options, PROMPTING, Word};

use crate::error::{Error, Result};

/// Side of the image on the canvas.
pub(super) const IMAGE_SIZE: Field = Field {
    left_out: "padding, scale: the data set's, if smaller than the canvas, else half the canvas; others: the canvas",
    ..Field::new(
        "image_size",
        "PIXELS",
        Kind::Count,
        PROMPTING,
        "Side of the image on the canvas, pixels",
    )
};

/// Before or after normalisation.
pub(super) const PROMPT_SPACE: Field = Field {
    default: Some("normalized"),
    ..Field::new(
        "prompt_space",
        "WHERE",
        Kind::Words(&[
            Word::new("normalized", "to the normalised image"),
            Word::new("pixels", "to the image in [0, 1], before it is normalised"),
        ]),
        PROMPTING,
        "What a prompt is added to",
    )
};

/// What keeps a prompt in range.
pub(super) const SQUASH: Field = Field {
    default: Some("none"),
    ..Field::new(
        "squash",
        "RULE",
        Kind::Words(&[
            Word::new("none", "what is trained is added as it is"),
            Word::new("sigmoid", "the sigmoid of what is trained is added"),
        ]),
        PROMPTING,
        "What keeps an added prompt in range",
    )
};

/// Values before training.
pub(super) const PROMPT_INIT: Field = Field {
    default: Some("zeros"),
    ..Field::new(
        "prompt_init",
        "RULE",
        Kind::Words(&[
            Word::new("zeros", "zero"),
            Word::new("normal", "drawn from a normal distribution of deviation 1"),
        ]),
        PROMPTING,
        "What a prompt begins with",
    )
};

/// The side of images that fill the canvas unless `image_size` says otherwise, pixels.
pub(super) fn up_to_canvas(options: &Options, canvas: usize, _: Option<usize>) -> Result<usize> {
    let side = IMAGE_SIZE.whole(options)?;
    let side = side.map_or(canvas, |side| usize::try_from(side).unwrap_or(usize::MAX));
    if (1..=canvas).contains(&side) {
        Ok(side)
    } else {
        Err(Error::Option {
            field: IMAGE_SIZE.key,
            expected: format!("from 1 pixel to the canvas of {canvas}"),
            found: side.to_string(),
        })
    }
}

/// A whole number among `options`, from 1 to `most`.
pub(super) fn from_one(field: &Field, options: &Options, most: usize) -> Result<usize> {
    let found = field.whole(options)?.unwrap_or(0);
    match usize::try_from(found) {
        Ok(found) if (1..=most).contains(&found) => Ok(found),
        _ => Err(Error::Option {
            field: field.key,
            expected: format!("from 1 to {most}"),
            found: found.to_string(),
        }),
    }
}

/// Whether `field` is `word`.
pub(super) fn is(field: &Field, options: &Options, word: &str) -> Result<bool> {
    Ok(field.word(options)?.as_deref() == Some(word))
}

/// A tensor of `shape` drawn from a normal distribution of `deviation`, from the seed's stream `prompt`, each value rounded to
/// f32 (Box and Muller 1958).
pub(super) fn normal(
    seed: Seed,
    shape: (usize, usize, usize),
    deviation: f64,
    (dtype, device): (DType, &Device),
) -> candle_core::Result<Tensor> {
    let mut stream = seed.stream("prompt");
    let mut pair = || {
        let radius = (-2.0 * (1.0 - stream.uniform()).ln()).sqrt();
        let angle = std::f64::consts::TAU * stream.uniform();
        [radius * angle.cos(), radius * angle.sin()]
    };
    let count = shape.0 * shape.1 * shape.2;
    let pairs = (0..count.div_ceil(2)).flat_map(|_| pair());
    let values: Vec<f32> = pairs.take(count).map(|v| (v * deviation) as f32).collect();
    Tensor::from_vec(values, shape, device)?.to_dtype(dtype)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_normal_draw_has_its_mean_and_deviation_and_depends_on_the_seed_alone() {
        let draw = |seed| {
            let place = (DType::F64, &Device::Cpu);
            let drawn = normal(Seed(seed), (3, 40, 41), 2.0, place).unwrap();
            drawn.flatten_all().unwrap().to_vec1::<f64>().unwrap()
        };
        let values = draw(4);
        assert_eq!(values, draw(4));
        assert_ne!(values, draw(5));
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        // Five standard errors of 4,920 draws.
        assert!(mean.abs() < 5.0 * 2.0 / n.sqrt(), "{mean}");
        assert!(
            (variance / 4.0 - 1.0).abs() < 5.0 * (2.0 / n).sqrt(),
            "{variance}"
        );
    }
}
