//! What a download or an unpacking has to know of the run that it is a part of.

use crate::disk::Space;
use crate::error::Result;
use crate::meter::Meter;
use crate::pace::Pace;
use crate::patience::Patience;
use crate::proxy::Proxy;
use crate::stop::Stop;

/// One file's share of a run.
#[derive(Debug, Default)]
pub struct Job {
    /// How often to try again.
    pub patience: Patience,
    /// How slow a server may be.
    pub pace: Pace,
    /// The server between this machine and all others, if there is one.
    pub proxy: Option<Proxy>,
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
    /// [`Interrupted`](crate::Error::Interrupted), if there should be no more.
    pub(crate) fn at(&self, done: u64) -> Result<()> {
        self.meter.at(done);
        self.stop.check()
    }
}
