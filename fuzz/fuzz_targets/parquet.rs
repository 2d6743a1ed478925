//! Tables of images in Parquet files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rut_fuzz::{open, put};

fuzz_target!(|bytes: &[u8]| {
    let folder = put(&[("table.parquet", bytes)]);
    open("table.parquet", &folder, None);
});
