//! Pictures made from records.

pub mod reliability;
