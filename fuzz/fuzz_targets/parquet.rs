//! Tables of images in Parquet files. The library that reads them may panic; that is caught and becomes an error, so a panic
//! counts here only where it is not caught.
#![no_main]

use std::sync::Once;

use libfuzzer_sys::fuzz_target;
use rut_fuzz::{open, put, within_contents};

/// What the pages of a table and its images may hold, bytes: a page, and an image decoded and turned into RGB.
const CONTENTS: usize = (256 + 2 * 512) << 20;

/// The fuzzer's own hook ends the process before anybody can catch a panic.
static QUIET: Once = Once::new();

fuzz_target!(|bytes: &[u8]| {
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| ())));
    let folder = put(&[("table.parquet", bytes)]);
    let table = folder.join("table.parquet");
    let table = table.to_str().expect("a path in UTF-8");
    within_contents(CONTENTS, bytes, || open(table, &folder, None));
});
