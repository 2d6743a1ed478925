//! `cargo xtask fetch-data` without the network: its parts one by one, then data sets from end to end, then the program.

mod dataset;
mod download;
mod errand;
mod lock;
mod loopback;
#[cfg(feature = "models")]
mod models;
mod parallel;
mod process;
mod samples;
mod site;
mod slow;
mod unpack;
mod verify;
