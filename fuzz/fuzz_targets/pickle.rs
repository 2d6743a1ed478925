//! Pickles, as CIFAR for Python has them: nothing is executed, and at most four times the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rut_fuzz::{open, put, within};

fuzz_target!(|bytes: &[u8]| {
    let folder = put(&[
        ("cifar-10-batches-py/batches.meta", bytes),
        ("cifar-10-batches-py/data_batch_1", bytes),
        ("cifar-10-batches-py/data_batch_2", bytes),
        ("cifar-10-batches-py/data_batch_3", bytes),
        ("cifar-10-batches-py/data_batch_4", bytes),
        ("cifar-10-batches-py/data_batch_5", bytes),
        ("cifar-10-batches-py/test_batch", bytes),
        ("cifar-100-python/meta", bytes),
        ("cifar-100-python/train", bytes),
        ("cifar-100-python/test", bytes),
    ]);
    // Six files that are one.
    within(24, bytes, || open("cifar10", &folder, None));
    within(12, bytes, || open("cifar100", &folder, None));
});
