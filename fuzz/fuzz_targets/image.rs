//! Image files: whatever the bytes are, a picture or an error, and in memory at most what decoding and conversion may take.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rut_fuzz::within_contents;

/// An image decoded, and turned into RGB.
const CONTENTS: usize = rut_data::MAX_DECODED as usize;

fuzz_target!(|bytes: &[u8]| {
    within_contents(CONTENTS, bytes, || {
        if let Ok(picture) = rut_data::decode_bytes(bytes, "image") {
            let _ = picture.into_rgb();
        }
    });
});
