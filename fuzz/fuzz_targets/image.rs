//! Image files: whatever the bytes are, a picture or an error, and in memory at most what decoding and conversion may take.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rut_fuzz::within_contents;

/// An image decoded, and turned into RGB.
const CONTENTS: usize = rut_images::MAX_DECODED as usize;

fuzz_target!(|bytes: &[u8]| {
    within_contents(CONTENTS, bytes, || {
        if let Ok(picture) = rut_images::decode(bytes) {
            let _ = picture.into_rgb();
        }
    });
});
