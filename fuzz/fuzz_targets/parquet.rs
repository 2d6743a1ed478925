//! Tables of images in Parquet files. The library that reads them may panic; that is caught and becomes an error, so a panic
//! counts here only where nobody catches it.
#![no_main]

use std::sync::Once;

use libfuzzer_sys::fuzz_target;
use rut_fuzz::{open, put};

/// The fuzzer's own hook ends the process before anybody can catch a panic.
static QUIET: Once = Once::new();

fuzz_target!(|bytes: &[u8]| {
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| ())));
    let folder = put(&[("table.parquet", bytes)]);
    open("table.parquet", &folder, None);
});
