//! What a download or an unpacking has to know of the run that it is a part of.

use super::disk::Space;
use super::patience::Patience;
use super::progress::Meter;
use super::stop::Stop;

/// One file's share of a run.
#[derive(Debug, Default)]
pub struct Job {
    /// How often to try again.
    pub patience: Patience,
    /// When to give up in the middle.
    pub stop: Stop,
    /// The disk.
    pub space: Space,
    /// Where to say how far it is.
    pub meter: Meter,
}
