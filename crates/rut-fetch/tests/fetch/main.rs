//! Fetching without the network: its parts one by one, then data sets and weights from end to end.

mod dataset;
mod download;
mod errand;
mod home;
mod lock;
mod loopback;
#[cfg(feature = "models")]
mod models;
mod parallel;
mod samples;
mod site;
mod slow;
mod unpack;
mod verify;
