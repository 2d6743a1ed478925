//! Tensors that rut keeps of a run, and logits that people have: states, heads, prompts and archives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rut_fuzz::{put, checked, within_contents, within_inflated};
use rut_record::logits_archive::{self, Meaning};
use rut_adapt::{LinearHead, TrainingState};

fuzz_target!(|bytes: &[u8]| {
    within_contents(0, bytes, || checked(TrainingState::from_bytes(bytes)));
    within_contents(0, bytes, || checked(LinearHead::from_bytes(bytes)));
    let folder = put(&[("logits.safetensors", bytes), ("logits.npz", bytes)]);
    for part in [None, Some("test")] {
        for meaning in [Meaning::Logits, Meaning::Probabilities] {
            let path = folder.join("logits.safetensors");
            within_contents(0, bytes, || {
                checked(logits_archive::read_as(meaning, &path, part))
            });
            let path = folder.join("logits.npz");
            within_inflated(1, bytes, || {
                let archive = checked(logits_archive::read_as(meaning, &path, part))?;
                checked(archive.logits().map(|_| ()))
            });
        }
    }
});
