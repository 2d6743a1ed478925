//! NumPy archives, as Caltech-101 and ABIDE have them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rut_fuzz::{open, put};

fuzz_target!(|bytes: &[u8]| {
    let folder = put(&[("caltech101_64.npz", bytes), ("abide/abide.npz", bytes)]);
    open("caltech101", &folder, Some("npz"));
    open("abide", &folder, None);
});
