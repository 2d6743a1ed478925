//! A single image's map, `[height][width][channels]`.

use rayon::prelude::*;

use crate::area::Area;
use crate::error::{Error, Result};

/// All pixels of one image's map: element (row, column, channel) stands at `(row · width + column) · channels + channel`.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// The elements.
    pub values: &'a [f32],
    /// Height and width.
    pub size: [usize; 2],
    /// Number of channels.
    pub channels: usize,
}

/// A [`Plane`] to write.
#[derive(Debug)]
pub struct PlaneMut<'a> {
    /// The elements.
    pub values: &'a mut [f32],
    /// Height and width.
    pub size: [usize; 2],
    /// Number of channels.
    pub channels: usize,
}

impl Plane<'_> {
    pub(crate) fn check(&self, what: &'static str, channels: usize) -> Result<()> {
        check(what, self.values.len(), self.size, self.channels, channels)
    }
}

impl PlaneMut<'_> {
    /// Calls `run` with the place of the first pixel and with all elements of each row of each area, on the threads of
    /// the current rayon pool.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where an area lies outside.
    ///
    /// ```
    /// use rut_kernels::{Area, PlaneMut};
    /// let mut values = [0.0; 6];
    /// let mut plane = PlaneMut { values: &mut values, size: [2, 3], channels: 1 };
    /// let right = Area { top: 0, left: 1, height: 2, width: 2 };
    /// plane.for_each_run(&[right], |[row, _], run| run.fill(row as f32 + 1.0))?;
    /// assert_eq!(values, [0.0, 1.0, 1.0, 0.0, 2.0, 2.0]);
    /// # Ok::<(), rut_kernels::Error>(())
    /// ```
    pub fn for_each_run(
        &mut self,
        areas: &[Area],
        run: impl Fn([usize; 2], &mut [f32]) + Sync,
    ) -> Result<()> {
        self.check("the plane", self.channels)?;
        check_areas(areas, self.size)?;
        let (pitch, channels) = (self.size[1] * self.channels, self.channels);
        let rows = self.values.par_chunks_mut(pitch.max(1)).enumerate();
        rows.for_each(|(row, values)| {
            let here = areas.iter().filter(|area| area.has_row(row));
            for area in here {
                let elements = area.left * channels..area.right() * channels;
                run([row, area.left], &mut values[elements]);
            }
        });
        Ok(())
    }

    pub(crate) fn check(&self, what: &'static str, channels: usize) -> Result<()> {
        check(what, self.values.len(), self.size, self.channels, channels)
    }
}

fn check(
    what: &'static str,
    len: usize,
    [height, width]: [usize; 2],
    found: usize,
    expected: usize,
) -> Result<()> {
    if found == expected && len == height * width * expected {
        return Ok(());
    }
    Err(Error::Shape {
        what,
        found: format!("{len} elements of {found} channels"),
        expected: format!("{height} × {width} × {expected}"),
    })
}

/// Fails where an area does not lie inside a map of `size`.
pub(crate) fn check_areas(areas: &[Area], [height, width]: [usize; 2]) -> Result<()> {
    let whole = Area::whole(height, width);
    let outside = areas.iter().find(|&&area| !whole.contains(area));
    outside.map_or(Ok(()), |area| {
        Err(Error::Shape {
            what: "the list of areas",
            found: format!("{area:?}"),
            expected: format!("areas inside {height} × {width}"),
        })
    })
}
