//! Zip archives, whose entries need not be what any format expects.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use rut_formats::zip::Zip;
use rut_fuzz::{checked, within_inflated};

/// Bytes of the longest entry that is read.
const MOST: u64 = 256 << 20;

fuzz_target!(|bytes: &[u8]| {
    within_inflated(1, bytes, || {
        let Some(mut zip) = checked(Zip::open(Cursor::new(bytes))) else {
            return;
        };
        for entry in zip.entries().to_vec() {
            assert!(zip.find(entry.name()).is_some());
            if let Some(contents) = checked(zip.read(&entry, MOST)) {
                assert_eq!(contents.len() as u64, entry.size);
            }
        }
    });
});
