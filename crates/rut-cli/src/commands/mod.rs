//! One file per command: from its flags to what it prints.

pub mod bench;
pub mod data;
pub mod eval;
pub mod extract;
pub mod fetch;
pub mod manual;
pub mod metrics;
pub mod models;
pub mod predict;
pub mod presets;
pub mod quantize;
pub mod report;
pub mod run;
pub mod study;
pub mod sweep;
pub mod ticket;
pub mod upstream;
