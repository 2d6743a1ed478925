//! Runs a convolution along its route, for a few images.

use super::isa::Bf16Isa;
use super::layout::{Layout, Side};
use super::route::{Job, Route};
use super::row::{CHANNELS, Row};
use super::weights::Panels;
use crate::arch::bf16::{Finish, ROW_BYTES, SCRATCH, Scratch, Session, Sum};
use crate::error::{Error, Result};
use crate::finish::Start;

/// How a sum is stored. Bits stand like the rows of what is written, one u32 for the 32 channels of a row, the first lowest.
#[derive(Debug)]
pub enum Bf16End<'a> {
    /// It is rounded and stored.
    Store,
    /// Below zero it becomes zero.
    Relu,
    /// The same, and the bit of each channel says whether it was above zero.
    ReluRecord(&'a mut [u32]),
    /// Where the bit is 0 it becomes zero: the way back through a recorded ReLU.
    Mask(&'a [u32]),
}

impl Bf16End<'_> {
    fn check(&self, rows: usize) -> Result<()> {
        let found = match self {
            Bf16End::Store | Bf16End::Relu => rows,
            Bf16End::ReluRecord(bits) => bits.len(),
            Bf16End::Mask(bits) => bits.len(),
        };
        Error::check_len("the record of a ReLU", found, rows)
    }

    /// The bits that end a gradient.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where it is the end of a value, or there are not as many bits as rows.
    pub(super) fn mask(&self, what: &'static str, rows: usize) -> Result<Option<&[u32]>> {
        self.check(rows)?;
        match self {
            Bf16End::Store => Ok(None),
            Bf16End::Mask(bits) => Ok(Some(bits)),
            end => Err(Error::Shape {
                what,
                found: format!("{end:?}"),
                expected: "a gradient that is stored, or masked".into(),
            }),
        }
    }
}

/// What is written: rows of bfloat16, or the sums themselves.
enum Target<'a, 'b> {
    Rows(&'a mut [Row], Start, Bf16End<'b>),
    Sums(&'a mut [f32]),
}

/// Panels of at most this many bytes stay in the second-level cache while a few rows at a time go through all of them.
const RESIDENT: usize = 128 << 10;
/// Otherwise as many bytes of what is read stay there while one panel after the other goes over them.
const CHUNK: usize = 192 << 10;

impl Panels {
    /// Sums for the images of `source` into those of `target`, both in the layouts of the route.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] where a slice or the route does not fit.
    pub fn run(
        &self,
        isa: Bf16Isa,
        route: &Route,
        source: &[Row],
        target: &mut [Row],
        (start, end): (Start, Bf16End<'_>),
    ) -> Result<()> {
        self.run_at(isa, (route, 0), source, target, (start, end))
    }

    /// The same where images stand together on one side only: that of the first image at place `first` among them.
    ///
    /// # Errors
    ///
    /// As [`Panels::run`].
    pub fn run_at(
        &self,
        isa: Bf16Isa,
        (route, first): (&Route, usize),
        source: &[Row],
        target: &mut [Row],
        (start, end): (Start, Bf16End<'_>),
    ) -> Result<()> {
        route.check(self, isa)?;
        let count = route.images(first, source.len(), target.len())?;
        end.check(target.len())?;
        let images = Images { first, count };
        Pass::new(self, route).run(source, images, Target::Rows(target, start, end));
        Ok(())
    }

    /// Sums in single precision, 32 for each row of the target: those of a route to an image.
    ///
    /// # Errors
    ///
    /// As [`Panels::run`].
    pub fn run_sums(
        &self,
        isa: Bf16Isa,
        route: &Route,
        source: &[Row],
        target: &mut [f32],
    ) -> Result<()> {
        route.check(self, isa)?;
        let rows = target.len() / CHANNELS;
        Error::check_len("the sums that are written", target.len(), rows * CHANNELS)?;
        let count = route.images(0, source.len(), rows)?;
        let images = Images { first: 0, count };
        Pass::new(self, route).run(source, images, Target::Sums(target));
        Ok(())
    }
}

/// Some images of a buffer; `first` counts where they stand together on one side only.
#[derive(Debug, Clone, Copy)]
struct Images {
    first: usize,
    count: usize,
}

/// What a job is stored to: the first row of the images that stand together, the place among them, and the panel.
#[derive(Debug, Clone, Copy)]
struct Place {
    written: (usize, usize),
    panel: usize,
}

/// A convolution along a route, on the kernels that the route is for.
struct Pass<'a> {
    panels: &'a Panels,
    route: &'a Route,
    kernels: Session,
}

impl<'a> Pass<'a> {
    fn new(panels: &'a Panels, route: &'a Route) -> Self {
        Self {
            panels,
            route,
            kernels: Session::new(route.table, panels.pairs),
        }
    }

    fn run(&self, source: &[Row], images: Images, mut target: Target<'_, '_>) {
        let (panels, route) = (self.panels, self.route);
        let mut scratch = [const { Scratch([0.0; SCRATCH]) }; 2];
        let jobs = route.jobs.len();
        if jobs == 0 {
            return;
        }
        let (chunk, units) = (self.chunk(), images.count / route.at_once());
        // Sums are stored while the next are taken: what a tile was stored to cannot be loaded from at once.
        let (mut now, mut before) = (0, None);
        for first in (0..units * jobs).step_by(chunk) {
            let end = (first + chunk).min(units * jobs);
            for panel in 0..panels.count() {
                for unit in first / jobs..end.div_ceil(jobs) {
                    let [(unit_rows, among), written] = self.places(images.first, unit);
                    // To the end, so that a tile may reach into the next image.
                    let source = &source[unit_rows..];
                    let from = first.saturating_sub(unit * jobs);
                    let to = (end - unit * jobs).min(jobs);
                    for job in &route.jobs[from..to] {
                        self.kernels.sum(Sum {
                            source,
                            first: job.source as usize + among * ROW_BYTES,
                            step: route.source_step,
                            rows: usize::from(job.rows),
                            list: &route.lists[usize::from(job.list)],
                            weights: panels.panel(panel),
                            pairs: panels.pairs,
                            sums: &mut scratch[now].0,
                        });
                        now = 1 - now;
                        let place = Place { written, panel };
                        if let Some((place, job)) = before.replace((place, job)) {
                            self.store(place, job, &scratch[now].0, &mut target);
                        }
                    }
                }
            }
        }
        if let Some((place, job)) = before {
            self.store(place, job, &scratch[1 - now].0, &mut target);
        }
    }

    /// Where the images that are summed at once stand in what is read and in what is written.
    fn places(&self, first: usize, unit: usize) -> [(usize, usize); 2] {
        let route = self.route;
        let image = unit * route.at_once();
        [route.source, route.target].map(|side| {
            let is_apart = side.together == 1;
            side.place(if is_apart { image } else { first + image })
        })
    }

    /// Jobs that go through one panel before the next.
    fn chunk(&self) -> usize {
        if self.panels.bytes() <= RESIDENT || self.panels.count() == 1 {
            return 4;
        }
        let route = self.route;
        let rows = route.jobs.iter().map(|job| usize::from(job.rows));
        let job = rows.max().unwrap_or(1);
        let bytes = job * route.source_planes * size_of::<Row>();
        (CHUNK / bytes.max(1)).max(4)
    }

    fn store(&self, place: Place, job: &Job, sums: &[f32; SCRATCH], target: &mut Target<'_, '_>) {
        let route = self.route;
        let (rows, among) = place.written;
        let plane = rows + place.panel * route.target_plane;
        let plane = plane..plane + route.target_plane;
        let first = job.target as usize + among;
        match target {
            Target::Rows(rows, start, end) => self.kernels.finish(Finish {
                sums,
                bias: self.panels.bias_of(place.panel),
                first,
                step: route.target_step,
                rows: usize::from(job.rows),
                valid: job.valid,
                start: *start,
                target: &mut rows[plane.clone()],
                end: match end {
                    Bf16End::Store => Bf16End::Store,
                    Bf16End::Relu => Bf16End::Relu,
                    Bf16End::ReluRecord(bits) => Bf16End::ReluRecord(&mut bits[plane]),
                    Bf16End::Mask(bits) => Bf16End::Mask(&bits[plane]),
                },
            }),
            Target::Sums(all) => {
                for (row, sums) in sums
                    .chunks_exact(CHANNELS)
                    .take(job.rows.into())
                    .enumerate()
                {
                    let at = plane.start + first + row * route.target_step;
                    all[at * CHANNELS..][..CHANNELS].copy_from_slice(sums);
                }
            }
        }
    }
}

/// Adds rows to others and rounds the sums: a gradient that comes from two readers.
///
/// # Errors
///
/// [`Error::Shape`] where the lengths differ.
pub fn add_rows(target: &mut [Row], rows: &[Row]) -> Result<()> {
    Error::check_len("the rows that are added", rows.len(), target.len())?;
    for (target, row) in target.iter_mut().zip(rows) {
        let (mut sums, more) = (target.to_f32(), row.to_f32());
        for (sum, value) in sums.iter_mut().zip(more) {
            *sum += value;
        }
        *target = Row::rounded(&sums);
    }
    Ok(())
}

/// Ends sums that no convolution ends: the way back through a ReLU that is recorded.
///
/// # Errors
///
/// [`Error::Shape`] where the lengths differ.
pub fn mask_rows(rows: &mut [Row], bits: &[u32]) -> Result<()> {
    Error::check_len("the record of a ReLU", bits.len(), rows.len())?;
    for (row, &bits) in rows.iter_mut().zip(bits) {
        *row = masked(*row, bits);
    }
    Ok(())
}

/// Zero where the channel's bit is 0.
#[inline(always)]
pub(super) fn masked(row: Row, bits: u32) -> Row {
    let mut masked = Row::ZERO;
    for (channel, (masked, value)) in masked.0.iter_mut().zip(row.0).enumerate() {
        *masked = value & ((bits >> channel & 1) as u16).wrapping_neg();
    }
    masked
}

/// New rows for images, of zeros.
pub fn zeros(layout: &Layout, images: usize) -> Vec<Row> {
    vec![Row::ZERO; layout.rows() * images.div_ceil(Side::of(layout).together)]
}
