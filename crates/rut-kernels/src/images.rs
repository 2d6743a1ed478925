//! Between batches of images, `[n, channels, height, width]`, and maps of lanes.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::lanes::{LANES, Lanes};

/// Pixels that one task copies: with three channels they fit the first-level cache.
const STRETCH: usize = 64;

/// Up to sixteen images `[n, channels, pixels]` as a map `[pixels][channels]`; lanes without an image are zero.
///
/// # Errors
///
/// [`Error::Shape`] where the lengths do not fit.
///
/// ```
/// use rut_kernels::{Lanes, interleave};
/// let mut map = [Lanes::ZERO; 2];
/// interleave(&[1.0, 2.0, 3.0, 4.0], [2, 1, 2], &mut map)?; // two images of two pixels
/// assert_eq!(map[1].0[..3], [2.0, 4.0, 0.0]);
/// # Ok::<(), rut_kernels::Error>(())
/// ```
pub fn interleave(
    images: &[f32],
    [n, channels, pixels]: [usize; 3],
    map: &mut [Lanes],
) -> Result<()> {
    check([n, channels, pixels], images.len(), map.len())?;
    let image = channels * pixels;
    map.par_chunks_mut(channels.max(1))
        .with_min_len(256)
        .enumerate()
        .for_each(|(pixel, elements)| {
            for (channel, element) in elements.iter_mut().enumerate() {
                let at = channel * pixels + pixel;
                *element = Lanes::ZERO;
                for (lane, values) in element.0.iter_mut().zip(images.chunks_exact(image)) {
                    *lane = values[at];
                }
            }
        });
    Ok(())
}

/// The way back: the first `n` lanes of a map `[pixels][channels]` as images `[n, channels, pixels]`.
///
/// # Errors
///
/// [`Error::Shape`] where the lengths do not fit.
pub fn deinterleave(
    map: &[Lanes],
    [n, channels, pixels]: [usize; 3],
    images: &mut [f32],
) -> Result<()> {
    check([n, channels, pixels], images.len(), map.len())?;
    // Each task reads a stretch of the map once and writes the same stretch of every plane.
    let mut stretches: Vec<Vec<&mut [f32]>> = Vec::new();
    stretches.resize_with(pixels.div_ceil(STRETCH), Vec::new);
    for plane in images.chunks_mut(pixels.max(1)) {
        for (stretch, part) in stretches.iter_mut().zip(plane.chunks_mut(STRETCH)) {
            stretch.push(part);
        }
    }
    let elements = map.par_chunks(STRETCH * channels.max(1));
    stretches
        .into_par_iter()
        .zip(elements)
        .for_each(|(planes, elements)| {
            for (plane, values) in planes.into_iter().enumerate() {
                let (lane, channel) = (plane / channels, plane % channels);
                for (value, elements) in values.iter_mut().zip(elements.chunks_exact(channels)) {
                    *value = elements[channel].0[lane];
                }
            }
        });
    Ok(())
}

fn check([n, channels, pixels]: [usize; 3], images: usize, map: usize) -> Result<()> {
    let fits = n <= LANES && images == n * channels * pixels && map == channels * pixels;
    if fits {
        return Ok(());
    }
    Err(Error::Shape {
        what: "a batch of images",
        found: format!("{images} elements for a map of {map}"),
        expected: format!("at most {LANES} images, {n} of {channels} channels of {pixels} pixels"),
    })
}
