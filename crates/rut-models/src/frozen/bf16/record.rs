//! The decisions of a pass in the reference's form.

use candle_core::{Device, Tensor, WithDType};
use rut_kernels::bf16::CHANNELS;

use super::Bf16Trace;
use super::layouts::lost;
use crate::error::Result;
use crate::frozen::candle::Record;
use crate::frozen::plan::{Kind, ValueId};

impl Bf16Trace {
    /// The decisions of the forward pass: which ReLUs let through, which pixel each max-pool took; for comparison with
    /// [`CandleNetwork`](crate::CandleNetwork), which can go back under them.
    ///
    /// # Errors
    ///
    /// [`Error::Candle`](crate::Error::Candle) where memory for them cannot be had.
    pub fn record(&self) -> Result<Record> {
        let plan = &self.batch.engine.blocks.plan;
        let mut record = Record::new(self.batch.dims);
        for (id, value) in plan.relus() {
            let is_map = self
                .batch
                .kept
                .iter()
                .any(|kept| kept.decisions.relu[id].is_some());
            let tensor = if is_map {
                self.of_map(id, |block, at, channel| {
                    let bits = self.batch.kept[block].decisions.relu[id].as_deref();
                    bits.map(|bits| (bits[at] >> channel & 1) as u8)
                })?
            } else {
                self.of_row(id)?
            };
            record.relu.insert(value.node, tensor);
        }
        for (index, step) in plan.steps.iter().enumerate() {
            let Kind::MaxPool(pool) = &step.kind else {
                continue;
            };
            let geometry = &self.batch.sizes.full.geometry;
            let [_, width] = geometry.sizes[step.into];
            let [_, read_width] = geometry.sizes[step.from];
            let tensor = self.of_map(step.into, |block, at, channel| {
                let decisions = &self.batch.kept[block].decisions;
                let layouts = &self.batch.sizes.of(decisions.images).layouts;
                let layout = layouts.map(step.into).ok()?;
                let place = usize::from(decisions.taken[index].as_deref()?[at][channel]);
                let pixel = at % layout.plane() - layout.row(0, 0);
                let (row, column) = (pixel / layout.pitch(), pixel % layout.pitch());
                debug_assert!(column < width);
                let y = row * pool.stride + place / pool.kernel - pool.padding;
                let x = column * pool.stride + place % pool.kernel - pool.padding;
                Some((y * read_width + x) as u32)
            })?;
            record.max_pool.insert(plan.values[step.into].node, tensor);
        }
        Ok(record)
    }

    /// `element(block, row, channel of the row)` of every element of a map, `[n, channels, height, width]`.
    fn of_map<T: WithDType>(
        &self,
        id: ValueId,
        element: impl Fn(usize, usize, usize) -> Option<T>,
    ) -> Result<Tensor> {
        let [height, width] = self.batch.sizes.full.geometry.sizes[id];
        let channels = self.batch.engine.blocks.plan.values[id].channels;
        let mut elements = Vec::with_capacity(self.batch.dims[0] * channels * height * width);
        for (block, kept) in self.batch.kept.iter().enumerate() {
            let images = kept.decisions.images;
            let layout = self.batch.sizes.of(images).layouts.map(id)?;
            for image in 0..images {
                for channel in 0..channels {
                    let plane = layout.first_row(image) + channel / CHANNELS * layout.plane();
                    for pixel in 0..height * width {
                        let at = plane + layout.row(pixel / width, pixel % width);
                        let value = element(block, at, channel % CHANNELS).ok_or_else(lost)?;
                        elements.push(value);
                    }
                }
            }
        }
        let shape = (self.batch.dims[0], channels, height, width);
        Ok(Tensor::from_vec(elements, shape, &Device::Cpu)?)
    }

    /// The same of a row of features, `[n, channels]`.
    fn of_row(&self, id: ValueId) -> Result<Tensor> {
        let channels = self.batch.engine.blocks.plan.values[id].channels;
        let mut elements = Vec::with_capacity(self.batch.dims[0] * channels);
        for kept in &self.batch.kept {
            for image in 0..kept.decisions.images {
                let bits = kept.tail[id].as_deref().ok_or_else(lost)?;
                let bit = |bits: &u16| (bits >> image & 1) as u8;
                elements.extend(bits.iter().map(bit));
            }
        }
        Ok(Tensor::from_vec(
            elements,
            (self.batch.dims[0], channels),
            &Device::Cpu,
        )?)
    }
}
