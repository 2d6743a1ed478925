//! Image files: whatever the bytes are, a picture or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(picture) = rut_data::decode_bytes(bytes, "image") {
        let _ = picture.to_rgb();
    }
});
