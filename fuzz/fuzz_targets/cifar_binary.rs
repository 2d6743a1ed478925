//! Records of CIFAR, which are read as they are: at most four times the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rut_fuzz::{open, put, within};

fuzz_target!(|bytes: &[u8]| {
    let record = [0; 3073];
    let names = [
        "data_batch_2",
        "data_batch_3",
        "data_batch_4",
        "data_batch_5",
        "test_batch",
    ];
    let names = names.map(|name| format!("cifar-10-batches-bin/{name}.bin"));
    let mut files: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), record.as_slice()))
        .collect();
    files.push(("cifar-10-batches-bin/data_batch_1.bin", bytes));
    files.extend(["train", "test"].map(|part| match part {
        "train" => ("cifar-100-binary/train.bin", bytes),
        _ => ("cifar-100-binary/test.bin", bytes),
    }));
    let folder = put(&files);
    within(4, bytes, || open("cifar10", &folder, None));
    within(4, bytes, || open("cifar100", &folder, None));
});
