//! Checkpoints, masks, and what of them fits a network: safetensors, and what `torch.save` writes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rut_fuzz::{put, checked, unpacked, within_contents};
use rut_models::{Checkpoint, Classifier, Mask, Reading, Weights, find};

/// What the network takes that the weights are put into.
const NETWORK: usize = 8 << 20;

fuzz_target!(|bytes: &[u8]| {
    let model = find("resnet20_cifar100").expect("a model");
    let reading = Reading {
        classifier: Classifier::Optional,
        ..Reading::default()
    };
    for name in ["net.safetensors", "net.pth"] {
        let path = put(&[(name, bytes)]).join(name);
        let mask = within_contents(unpacked(bytes), bytes, || checked(Mask::open(&path)));
        let checkpoint = within_contents(unpacked(bytes), bytes, || checked(Checkpoint::open(&path)));
        let Some(checkpoint) = checkpoint else {
            continue;
        };
        let contents = NETWORK + unpacked(bytes);
        within_contents(contents, bytes, || {
            checked(Weights::read(model, &checkpoint, None, &reading));
            checked(Weights::read(model, &checkpoint, mask.as_ref(), &reading));
            checked(checkpoint.unwrapped())
        });
    }
});
