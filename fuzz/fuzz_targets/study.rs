//! Studies and specifications in TOML, as people write them.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use rut_fuzz::{checked, within_contents};
use rut_study::sweep::Study;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    within_contents(0, bytes, || {
        checked(Study::parse(text, Path::new("study.toml"))).and_then(|study| checked(study.locations()))
    });
});
