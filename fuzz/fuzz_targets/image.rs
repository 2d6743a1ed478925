//! Image files: whatever the bytes are, a picture or an error, and in memory at most what decoding and conversion may take.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rut_fuzz::{png, checked, within_contents};

/// An image decoded, and turned into RGB.
const CONTENTS: usize = rut_images::MAX_DECODED as usize;

fuzz_target!(|bytes: &[u8]| {
    let bytes = &png::with_checksums(bytes);
    within_contents(CONTENTS, bytes, || {
        checked(rut_images::decode(bytes)).map(rut_images::Picture::into_rgb)
    });
});
