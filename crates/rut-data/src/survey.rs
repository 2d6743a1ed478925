//! Sizes and colours of the images of a set.

use std::ops::AddAssign;

use rayon::prelude::*;
use rut_images::RgbImage;

use crate::{ImageSet, Result};

/// What a number of images look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Survey {
    /// Images that were looked at.
    pub images: usize,
    /// Least, median and largest width, pixels; the median is the lower one of two.
    pub widths: [u32; 3],
    /// The same of the heights.
    pub heights: [u32; 3],
    /// Mean of red, green and blue over all pixels of all images, in [0, 1].
    pub mean: [f64; 3],
    /// Their standard deviation over the same pixels.
    pub std: [f64; 3],
}

impl Survey {
    /// Decodes at most `most` images of `set`, evenly spread over it, on all cores; `None` if there
    /// are none.
    ///
    /// ```
    /// let digits = rut_data::open("digits", "data".as_ref())?;
    /// let survey = rut_data::Survey::of(&digits.train, 2000)?.expect("images");
    /// assert_eq!((survey.images, survey.widths), (1000, [8, 8, 8]));
    /// assert!((survey.mean[0] - 0.31).abs() < 0.01);
    /// # Ok::<(), rut_data::Error>(())
    /// ```
    ///
    /// # Errors
    /// The first image that does not decode.
    pub fn of(set: &ImageSet, most: usize) -> Result<Option<Survey>> {
        let taken = set.len().min(most);
        // Integer arithmetic, so that neither threads nor order change a bit.
        let place = |at: usize| at * set.len() / taken;
        let (sums, sizes): (Vec<Sums>, Vec<(u32, u32)>) = (0..taken)
            .into_par_iter()
            .map(|at| {
                let image = set.decode(place(at))?.into_rgb();
                Ok((Sums::of(&image), (image.width, image.height)))
            })
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .unzip();
        let total = sums.into_iter().reduce(|mut all, one| {
            all += one;
            all
        });
        let (widths, heights) = sizes.into_iter().unzip();
        Ok(total.map(|total| Survey {
            images: taken,
            widths: spread(widths),
            heights: spread(heights),
            mean: total.mean(),
            std: total.std(),
        }))
    }
}

/// Least, median and largest of at least one number.
fn spread(mut numbers: Vec<u32>) -> [u32; 3] {
    numbers.sort_unstable();
    let at = |index: usize| numbers.get(index).copied().unwrap_or_default();
    let last = numbers.len().saturating_sub(1);
    [at(0), at(last / 2), at(last)]
}

/// Sums over pixels, exact: 2⁶⁴ holds more pixels than there are.
#[derive(Clone, Copy, Default)]
struct Sums {
    pixels: u64,
    values: [u64; 3],
    squares: [u64; 3],
}

impl Sums {
    fn of(image: &RgbImage) -> Sums {
        let mut sums = Sums {
            pixels: image.pixels.len() as u64 / 3,
            ..Sums::default()
        };
        for pixel in image.pixels.chunks_exact(3) {
            for (channel, &value) in pixel.iter().enumerate() {
                sums.values[channel] += u64::from(value);
                sums.squares[channel] += u64::from(value).pow(2);
            }
        }
        sums
    }

    /// In [0, 1].
    fn mean(&self) -> [f64; 3] {
        let pixels = self.pixels.max(1) as f64;
        self.values.map(|sum| sum as f64 / pixels / 255.0)
    }

    /// Of all pixels, not of a sample of them.
    fn std(&self) -> [f64; 3] {
        let pixels = u128::from(self.pixels.max(1));
        let of = |channel: usize| {
            let [sum, squares] = [self.values[channel], self.squares[channel]].map(u128::from);
            let variance = (pixels * squares).saturating_sub(sum * sum);
            (variance as f64).sqrt() / pixels as f64 / 255.0
        };
        [of(0), of(1), of(2)]
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Sums) {
        self.pixels += other.pixels;
        for channel in 0..3 {
            self.values[channel] += other.values[channel];
            self.squares[channel] += other.squares[channel];
        }
    }
}
