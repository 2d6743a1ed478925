//! `cargo xtask fetch-data` without the network: its parts one by one, then a data set from end to end.

mod dataset;
mod download;
mod loopback;
mod unpack;
