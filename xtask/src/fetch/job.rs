//! What a download or an unpacking has to know of the run that it is a part of.

use anyhow::Result;

use super::disk::Space;
use super::pace::Pace;
use super::patience::Patience;
use super::progress::Meter;
use super::stop::Stop;

/// One file's share of a run.
#[derive(Debug, Default)]
pub struct Job {
    /// How often to try again.
    pub patience: Patience,
    /// How slow a server may be.
    pub pace: Pace,
    /// When to give up in the middle.
    pub stop: Stop,
    /// The disk.
    pub space: Space,
    /// Where to say how far it is.
    pub meter: Meter,
}

impl Job {
    /// Says that `done` bytes of the present stage are behind it.
    ///
    /// # Errors
    /// [`Interrupted`](super::stop::Interrupted), if there should be no more.
    pub(super) fn at(&self, done: u64) -> Result<()> {
        self.meter.at(done);
        self.stop.check()
    }
}
