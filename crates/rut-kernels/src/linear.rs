//! Fully connected layers.

use rayon::prelude::*;

use crate::area::Area;
use crate::conv::{Conv, ConvAlgorithm};
use crate::error::{Error, Result};
use crate::finish::{End, Ends, Start};
use crate::isa::Isa;
use crate::lanes::Lanes;
use crate::map::{Map, MapMut};
use crate::shape::{ConvShape, Direction};
use crate::workspace::Workspace;

/// Features that one task writes.
const TASK: usize = 64;

/// A matrix product with frozen weights: `written = matrix · read`.
#[derive(Debug)]
pub struct Linear {
    read: usize,
    written: usize,
    /// Each gives [`TASK`] features, the last perhaps fewer.
    tasks: Vec<Conv>,
}

impl Linear {
    /// From a matrix `[written, read]`, row-major, and perhaps a bias `[written]`.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a length does not fit.
    pub fn new(
        isa: Isa,
        algorithm: ConvAlgorithm,
        [written, read]: [usize; 2],
        matrix: &[f32],
        bias: Option<&[f32]>,
    ) -> Result<Self> {
        let fits = matrix.len() == written * read && bias.is_none_or(|bias| bias.len() == written);
        if !fits || read == 0 {
            return Err(Error::Shape {
                what: "the matrix of a linear layer",
                found: format!("{} elements", matrix.len()),
                expected: format!("[{written}, {read}], and a bias of {written}"),
            });
        }
        let task = |(index, rows): (usize, &[f32])| {
            let shape = ConvShape {
                in_channels: read,
                out_channels: rows.len() / read,
                kernel: 1,
                stride: 1,
                padding: 0,
            };
            let from = index * TASK;
            let bias = bias.map(|bias| &bias[from..from + shape.out_channels]);
            Conv::new(isa, algorithm, shape, Direction::Forward, rows, bias)
        };
        let tasks = matrix.chunks(TASK * read).enumerate().map(task);
        Ok(Self {
            read,
            written,
            tasks: tasks.collect::<Result<_>>()?,
        })
    }

    /// `source` `[read]` to `target` `[written]`.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a length does not fit.
    pub fn run(
        &self,
        workspace: &Workspace,
        source: &[Lanes],
        target: &mut [Lanes],
        start: Start,
        end: End<'_>,
    ) -> Result<()> {
        if source.len() != self.read || target.len() != self.written {
            return Err(Error::Shape {
                what: "the pair of values of a linear layer",
                found: format!("{} and {} elements", source.len(), target.len()),
                expected: format!("{} and {}", self.read, self.written),
            });
        }
        let pixel = Area::whole(1, 1);
        let run = |(task, (values, end)): (&Conv, (&mut [Lanes], End<'_>))| {
            let source = Map {
                values: source,
                size: [1, 1],
                area: pixel,
                channels: self.read,
            };
            let channels = values.len();
            let target = MapMut {
                values,
                size: [1, 1],
                area: pixel,
                channels,
            };
            task.run(workspace, source, target, pixel, Ends { start, end })
        };
        let ends = end.chunks(self.written, TASK)?;
        let targets: Vec<_> = target.chunks_mut(TASK).zip(ends).collect();
        self.tasks.par_iter().zip(targets).try_for_each(run)
    }
}
