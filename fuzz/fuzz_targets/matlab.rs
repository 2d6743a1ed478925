//! MATLAB files, as SVHN, Flowers102 and Stanford Cars have them. Compressed: no bound by the file's size, but by a cap.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rut_fuzz::{open, put};

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
    open("svhn", &folder, None);
    open("svhn", &folder, Some("extra"));
    open("flowers102", &folder, None);
    open("stanfordcars", &folder, None);
});
