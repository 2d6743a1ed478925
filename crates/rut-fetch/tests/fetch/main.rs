//! Fetching without the network: its parts one by one, then data sets and weights from end to end.

mod dataset;
mod download;
mod errand;
mod lock;
#[cfg(feature = "models")]
mod models;
mod parallel;
mod samples;
mod slow;
mod unpack;
mod verify;

use rut_testkit::{home, loopback, site};
