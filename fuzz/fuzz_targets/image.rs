//! Image files: whatever the bytes are, a picture or an error, and at most an image and its copy in memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rut_fuzz::within_contents;

/// An image decoded, and turned into RGB.
const CONTENTS: usize = 2 * 512 << 20;

fuzz_target!(|bytes: &[u8]| {
    within_contents(CONTENTS, bytes, || {
        if let Ok(picture) = rut_data::decode_bytes(bytes, "image") {
            let _ = picture.to_rgb();
        }
    });
});
