//! `cargo xtask fetch-data`: archives from the network to the folders that rut reads. Each archive is
//! downloaded under a temporary name, verified, unpacked beside its place and renamed into it, so that
//! nothing half-written is ever found where data is looked for. Reading the data is rut-data's business.

mod archive;
mod dataset;
mod digest;
mod download;
mod member;
mod part;
mod patience;
mod receipt;
mod unpack;

pub use dataset::{FetchOptions, Network, Outcome, all, fetch, fetch_archive, named};
pub use digest::{Digests, Expected};
pub use download::{Download, download};
pub use patience::Patience;
pub use unpack::{Limits, place, unpack};
