//! `cargo xtask fetch-data`: files from the network to the folders that rut reads. Each is downloaded under a temporary
//! name, verified, unpacked beside its place and renamed into it, so that nothing half-written is ever found where data is
//! looked for. Reading the data is rut-data's business.

mod archive;
mod attempts;
mod by_hand;
mod dataset;
mod delivery;
mod digest;
mod disk;
mod download;
mod job;
mod lock;
mod member;
#[cfg(feature = "models")]
pub mod models;
mod obstacle;
mod original;
mod pace;
mod part;
mod patience;
mod placement;
mod progress;
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
pub use job::Job;
pub use lock::{Entry, LockFile, Recorded};
pub use obstacle::Obstacle;
pub use pace::Pace;
pub use patience::Patience;
pub use placement::place;
pub use progress::{Meter, Progress};
pub use session::{FetchOptions, Network, Session};
pub use stop::{Interrupted, Stop};
pub use unpack::{Content, Contents, Limits, unpack};
pub use verify::{Absence, verify};
