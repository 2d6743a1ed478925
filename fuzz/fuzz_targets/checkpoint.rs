//! Checkpoints: safetensors, and what `torch.save` writes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rut_fuzz::{put, unpacked, within_contents};
use rut_models::Checkpoint;

fuzz_target!(|bytes: &[u8]| {
    for name in ["net.safetensors", "net.pth"] {
        let folder = put(&[(name, bytes)]);
        within_contents(unpacked(bytes), bytes, || {
            if let Ok(checkpoint) = Checkpoint::open(&folder.join(name)) {
                let _ = checkpoint.tensors().len();
            }
        });
    }
});
