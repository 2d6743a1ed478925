//! NumPy archives, as Caltech-101 and ABIDE have them: at most what they inflate to, and a copy of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rut_fuzz::{open, put, within_inflated};

fuzz_target!(|bytes: &[u8]| {
    let folder = put(&[("caltech101_64.npz", bytes), ("abide/abide.npz", bytes)]);
    within_inflated(1, bytes, || open("caltech101", &folder, Some("npz")));
    within_inflated(1, bytes, || open("abide", &folder, None));
});
