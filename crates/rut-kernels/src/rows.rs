//! Runs a function for every row of a target, on the threads of the current rayon pool.

use rayon::prelude::*;

use crate::arch::Epilogue;
use crate::area::Area;
use crate::error::{Error, Result};
use crate::finish::End;
use crate::lanes::Lanes;
use crate::map::MapMut;

/// One row of the pixels that are computed.
pub(crate) struct Row<'a> {
    pub(crate) row: usize,
    /// The row's elements, `[width][channels]`.
    pub(crate) values: &'a mut [Lanes],
    pub(crate) bits: Bits<'a>,
}

/// How a row's values are stored.
pub(crate) enum Bits<'a> {
    Store,
    Relu,
    Record(&'a mut [u16]),
    Mask(&'a [u16]),
}

/// The rows of `area` of a target, with their bits.
pub(crate) fn rows<'a>(
    target: MapMut<'a>,
    area: Area,
    end: End<'a>,
) -> Result<impl ParallelIterator<Item = Row<'a>>> {
    let (held, channels) = (target.area, target.channels);
    let bits = match &end {
        End::ReluRecord(bits) => bits.len(),
        End::Mask(bits) => bits.len(),
        _ => target.values.len(),
    };
    if !held.contains(area) || bits != target.values.len() {
        return Err(Error::Shape {
            what: "the map that is written",
            found: format!("{held:?} and {bits} elements of a record"),
            expected: format!("at least {area:?} and {} elements", target.values.len()),
        });
    }
    let pitch = held.width * channels;
    let (top, skip) = (area.top - held.top, (area.left - held.left) * channels);
    let (height, width) = (area.height, area.width * channels);
    let mut ends: Vec<Bits<'a>> = Vec::with_capacity(height);
    match end {
        End::Store => ends.extend((0..height).map(|_| Bits::Store)),
        End::Relu => ends.extend((0..height).map(|_| Bits::Relu)),
        End::ReluRecord(bits) => {
            let rows = bits.chunks_mut(pitch.max(1)).skip(top).take(height);
            ends.extend(rows.map(|row| Bits::Record(&mut row[skip..skip + width])));
        }
        End::Mask(bits) => {
            let rows = bits.chunks(pitch.max(1)).skip(top).take(height);
            ends.extend(rows.map(|row| Bits::Mask(&row[skip..skip + width])));
        }
    }
    let values = target
        .values
        .chunks_mut(pitch.max(1))
        .skip(top)
        .take(height);
    let rows: Vec<Row<'a>> = values
        .zip(ends)
        .enumerate()
        .map(|(index, (values, bits))| Row {
            row: area.top + index,
            values: &mut values[skip..skip + width],
            bits,
        })
        .collect();
    Ok(rows.into_par_iter())
}

impl Bits<'_> {
    /// The same for a kernel.
    pub(crate) fn epilogue(&mut self) -> Epilogue<'_> {
        match self {
            Bits::Store => Epilogue::Store,
            Bits::Relu => Epilogue::Relu,
            Bits::Record(bits) => Epilogue::ReluRecord(bits),
            Bits::Mask(bits) => Epilogue::Mask(bits),
        }
    }

    /// Finishes the row's element `at`.
    pub(crate) fn finish(&mut self, at: usize, value: Lanes) -> Lanes {
        match self {
            Bits::Store => value,
            Bits::Relu => relu(value),
            Bits::Record(bits) => {
                bits[at] = above_zero(value);
                relu(value)
            }
            Bits::Mask(bits) => keep(value, bits[at]),
        }
    }
}

fn relu(value: Lanes) -> Lanes {
    Lanes(value.0.map(|v| if v < 0.0 { 0.0 } else { v }))
}

fn above_zero(value: Lanes) -> u16 {
    let bit = |(lane, &v): (usize, &f32)| u16::from(v > 0.0) << lane;
    value.0.iter().enumerate().map(bit).sum()
}

fn keep(value: Lanes, bits: u16) -> Lanes {
    let all_ones_or_zero = |lane: usize| u32::from(bits >> lane & 1).wrapping_neg();
    let lane = |lane: usize| f32::from_bits(value.0[lane].to_bits() & all_ones_or_zero(lane));
    Lanes(std::array::from_fn(lane))
}
