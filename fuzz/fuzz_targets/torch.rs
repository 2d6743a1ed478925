//! What `torch.save` writes, without the networks that are made of it: quick to build.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use rut_formats::torch::{Refusal, TorchFile};
use rut_fuzz::{checked, unpacked, within_contents};

fuzz_target!(|bytes: &[u8]| {
    within_contents(unpacked(bytes), bytes, || {
        let Some(mut file) = checked(TorchFile::open(Cursor::new(bytes))) else {
            return;
        };
        checked(file.read::<Refusal>(
            |_| true,
            |tensor, elements| {
                assert!(
                    elements.is_empty()
                        || elements.len() % tensor.shape.iter().product::<usize>() == 0
                );
                Ok(())
            },
        ));
    });
});
