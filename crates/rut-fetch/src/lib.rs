#![doc = include_str!("../README.md")]
//!
//! Each file is downloaded under a temporary name, verified, unpacked beside its place and renamed into it, so that nothing
//! half-written is ever found where data is looked for. `rut-data` reads the data.

mod archive;
mod attempts;
mod by_hand;
mod dataset;
mod delivery;
mod digest;
mod disk;
mod download;
mod error;
mod event;
mod halt;
mod hub;
mod job;
mod lock;
mod member;
mod meter;
#[cfg(feature = "models")]
pub mod models;
mod obstacle;
mod order;
mod original;
mod pace;
mod part;
mod patience;
mod placement;
mod proxy;
mod queue;
mod receipt;
mod redirect;
mod request;
mod session;
mod slot;
mod stop;
mod summary;
mod unpack;
mod verify;

pub use dataset::{all, fetch, named};
pub use delivery::{Outcome, fetch_archive};
pub use digest::{Digests, Expected};
pub use disk::{FreeSpace, Space};
pub use download::{Download, download};
pub use error::{Error, Result};
pub use event::{Event, Observer, Stage, StageLines};
pub use hub::{Hub, Network};
pub use job::Job;
pub use lock::{Entry, LockFile, Recorded};
pub use meter::Meter;
pub use obstacle::Obstacle;
pub use order::{DataSets, Order, Task};
pub use pace::Pace;
pub use patience::Patience;
pub use placement::place;
pub use proxy::Proxy;
pub use session::{FetchOptions, Session};
pub use stop::Stop;
pub use unpack::{Content, Contents, Limits, unpack};
pub use verify::{Absence, verify};
