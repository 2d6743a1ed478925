//! Lists of images in text and JSON, as the data sets and CoOp have them: at most four times the files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rut_fuzz::{open, put, within_contents};

fuzz_target!(|bytes: &[u8]| {
    let folder = put(&[
        ("gtsrb/GT-final_test.csv", bytes),
        ("gtsrb/GTSRB/Training/00001/0.ppm", b"P5 1 1 255\n\x07"),
        ("gtsrb/GTSRB/Final_Test/Images/0.ppm", b"P5 1 1 255\n\x07"),
        ("dtd/dtd/labels/train1.txt", bytes),
        ("dtd/dtd/labels/val1.txt", bytes),
        ("dtd/dtd/labels/test1.txt", bytes),
        ("dtd/dtd/images/banded/0.jpg", b""),
        ("oxford-iiit-pet/annotations/trainval.txt", bytes),
        ("oxford-iiit-pet/annotations/test.txt", bytes),
        ("oxford-iiit-pet/images/0.jpg", b""),
        ("food-101/meta/train.json", bytes),
        ("food-101/meta/test.json", bytes),
        ("food-101/images/apple_pie/1.jpg", b""),
        ("food-101/split_zhou_Food101.json", bytes),
        ("ucf101/ucfTrainTestlist/classInd.txt", bytes),
        ("ucf101/ucfTrainTestlist/trainlist01.txt", bytes),
        ("ucf101/ucfTrainTestlist/testlist01.txt", bytes),
        (
            "ucf101/UCF-101-midframes/Archery/v_Archery_g01_c01.jpg",
            b"",
        ),
        ("fgvc-aircraft-2013b/data/variants.txt", b"707-320\nF-16A/B"),
        ("fgvc-aircraft-2013b/data/images_variant_train.txt", bytes),
        ("fgvc-aircraft-2013b/data/images_variant_val.txt", bytes),
        ("fgvc-aircraft-2013b/data/images_variant_test.txt", bytes),
        ("fgvc-aircraft-2013b/data/images/1.jpg", b""),
        ("list.csv", bytes),
    ]);
    for name in [
        "gtsrb",
        "dtd",
        "oxfordpets",
        "food101",
        "ucf101",
        "fgvcaircraft",
    ] {
        // Three files that are one.
        let others = 8 * bytes.len();
        within_contents(others, bytes, || open(name, &folder, None));
    }
    within_contents(0, bytes, || open("food101", &folder, Some("coop")));
    let list = folder.join("list.csv");
    let list = list.to_str().expect("a path in UTF-8");
    within_contents(0, bytes, || open(list, &folder, None));
});
