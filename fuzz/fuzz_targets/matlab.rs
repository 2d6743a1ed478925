//! MATLAB files, as SVHN, Flowers102 and Stanford Cars have them: at most what they inflate to, and a copy of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rut_fuzz::{open, put, within_inflated};

fuzz_target!(|bytes: &[u8]| {
    let folder = put(&[
        ("train_32x32.mat", bytes),
        ("test_32x32.mat", bytes),
        ("extra_32x32.mat", bytes),
        ("flowers-102/setid.mat", bytes),
        ("flowers-102/imagelabels.mat", bytes),
        ("flowers-102/jpg/image_00001.jpg", b""),
        ("stanford_cars/devkit/cars_meta.mat", bytes),
        ("stanford_cars/devkit/cars_train_annos.mat", bytes),
        ("stanford_cars/cars_test_annos_withlabels.mat", bytes),
        ("stanford_cars/cars_train/00001.jpg", b""),
        ("stanford_cars/cars_test/00001.jpg", b""),
    ]);
    within_inflated(2, bytes, || open("svhn", &folder, None));
    within_inflated(3, bytes, || open("svhn", &folder, Some("extra")));
    within_inflated(2, bytes, || open("flowers102", &folder, None));
    within_inflated(3, bytes, || open("stanfordcars", &folder, None));
});
