//! Archives of images: stacked, pickled, from elsewhere, and hostile ones.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

const NAMES: Names<'_> = Names {
    images: "x_train",
    labels: "y_train",
    classes: 5,
};

/// A `.npy` file of these elements.
fn npy(descr: &str, shape: &str, fortran: &str, elements: &[u8]) -> Vec<u8> {
    let header =
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [
        b"\x93NUMPY\x01\x00",
        &length[..],
        header.as_bytes(),
        elements,
    ]
    .concat()
}

fn zipped(arrays: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in arrays {
        writer
            .start_file(format!("{name}.npy"), options)
            .expect("memory");
        writer.write_all(bytes).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

fn read_bytes(bytes: &[u8]) -> Result<ImageSet> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), bytes).expect("a file");
    read(file.path(), NAMES)
}

fn read_arrays(images: &[u8], labels: &[u8]) -> Result<ImageSet> {
    let arrays = [("x_train", images), ("y_train", labels)];
    read_bytes(&zipped(&arrays, CompressionMethod::Deflated))
}

fn assert_says<T: std::fmt::Debug>(result: Result<T>, texts: &[&str]) {
    let message = result.expect_err("an error").to_string();
    for text in texts {
        assert!(message.contains(text), "no '{text}' in: {message}");
    }
}

/// Two images of one row and two pixels.
fn two_images() -> Vec<u8> {
    let pixels: Vec<u8> = (0..12).collect();
    npy("|u1", "(2, 1, 2, 3)", "False", &pixels)
}

fn two_labels() -> Vec<u8> {
    npy(
        "<i8",
        "(2,)",
        "False",
        &[4_i64, 0].map(i64::to_le_bytes).concat(),
    )
}

#[test]
fn stacked_images_are_read_stored_and_deflated() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let arrays = [("y_train", &two_labels()[..]), ("x_train", &two_images())];
        let set = read_bytes(&zipped(&arrays, method)).unwrap();
        assert_eq!(set.labels(), [4, 0]);
        let picture = set.decode(1).unwrap();
        assert_eq!((picture.width(), picture.height()), (2, 1));
        assert_eq!(picture.pixels(), [6, 7, 8, 9, 10, 11]);
        assert!(set.source(1).ends_with(" x_train #1"));
        assert!(set.digest().is_ok() && set.decode(2).is_err());
    }
}

#[test]
fn columns_and_other_numbers_are_read() {
    // Image 0 is 0 to 5, image 1 is 6 to 11, the image's index running fastest.
    let pixels: Vec<u8> = [0, 3, 1, 4, 2, 5]
        .iter()
        .flat_map(|&at| [at, at + 6])
        .collect();
    let images = npy("|u1", "(2, 1, 2, 3)", "True", &pixels);
    let labels = npy(">u2", "(2,)", "False", &[0, 3, 0, 1]);
    let set = read_arrays(&images, &labels).unwrap();
    assert_eq!(set.labels(), [3, 1]);
    assert_eq!(set.decode(1).unwrap().pixels(), [6, 7, 8, 9, 10, 11]);
    let grey = npy("|u1", "(2, 1, 2)", "False", &[1, 2, 3, 4]);
    let set = read_arrays(&grey, &two_labels()).unwrap();
    assert_eq!(set.decode(1).unwrap().mode(), Mode::Grey);
}

#[test]
fn other_arrays_are_named() {
    let labels = two_labels();
    let images =
        |descr, shape, elements: &[u8]| read_arrays(&npy(descr, shape, "False", elements), &labels);
    assert_says(
        images("<f4", "(2, 1, 1, 3)", &[0; 24]),
        &["x_train", "other numbers [1, 1, 3]"],
    );
    assert_says(
        images("|u1", "(2, 1, 1, 4)", &[0; 8]),
        &["unsigned bytes", "[1, 1, 4]"],
    );
    assert_says(images("|u1", "(2, 0, 1, 3)", &[]), &["[0, 1, 3]"]);
    assert_says(images("|u1", "()", &[0]), &["an array of at most", "[]"]);
    assert_says(
        images("|u1", "(2, 1, 1, 3)", &[0; 5]),
        &["x_train, elements", "5 bytes"],
    );
    assert_says(
        images("|O", "(2,)", b"]."),
        &["x_train, elements", "[2] objects", "a list"],
    );
    assert_says(
        images("|O", "(2,)", b"cos\nsystem\n."),
        &["'os.system'; nothing was executed"],
    );
    let one = npy("|u1", "(1, 1, 1, 3)", "False", &[0; 3]);
    assert_says(
        read_arrays(&one, &labels),
        &["y_train", "1 label", "found 2"],
    );
    let numbers = |descr, shape, elements: &[u8]| {
        read_arrays(&two_images(), &npy(descr, shape, "False", elements))
    };
    assert_says(
        numbers("|u1", "(2,)", &[1, 5]),
        &["y_train, label 1", "below 5", "found 5"],
    );
    assert_says(
        numbers("|i1", "(2,)", &[0xff, 0]),
        &["y_train, label 0", "found -1"],
    );
    assert_says(
        numbers("<f4", "(2,)", &[0; 8]),
        &["label 0", "another number"],
    );
    assert_says(numbers("|u1", "(2, 1)", &[0; 2]), &["along one axis"]);
}

#[test]
fn broken_archives_are_named() {
    assert_says(read(Path::new("nowhere.npz"), NAMES), &["read nowhere.npz"]);
    assert_says(read_bytes(b"not a zip"), &["a zip archive of NumPy files"]);
    let whole = zipped(&[("x_train", &two_images())], CompressionMethod::Stored);
    assert_says(read_bytes(&whole), &["y_train.npy", "found x_train.npy"]);
    assert_says(read_bytes(&whole[..whole.len() / 2]), &["a zip archive"]);
    assert_says(
        read_arrays(b"GIF89a", &two_labels()),
        &["x_train, start", "GIF89a"],
    );
    assert_says(
        read_arrays(b"\x93NUMPY\x04\x00", &two_labels()),
        &["version 4"],
    );
    assert_says(
        read_arrays(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", &two_labels()),
        &["header"],
    );
    assert_says(read_arrays(b"\x93NUMPY", &two_labels()), &["header"]);
    let mut damaged = zipped(&[("y_train", &two_labels())], CompressionMethod::Stored);
    let at = damaged
        .windows(6)
        .position(|window| window == b"\x93NUMPY")
        .unwrap();
    damaged[at + two_labels().len() - 1] ^= 1;
    assert_says(read_bytes(&damaged), &["y_train.npy", "damaged"]);
}

#[test]
fn bombs_do_not_go_off() {
    // The size in the table of contents becomes four gigabytes.
    let mut large = zipped(&[("y_train", &two_labels())], CompressionMethod::Deflated);
    let at = large
        .windows(4)
        .rposition(|window| window == b"PK\x01\x02")
        .unwrap();
    large[at + 24..at + 28].copy_from_slice(&[0xf0, 0xff, 0xff, 0xff]);
    assert_says(read_bytes(&large), &["y_train.npy", "declared", "hostile"]);
    large[at + 24..at + 28].copy_from_slice(&1000_u32.to_le_bytes());
    assert_says(read_bytes(&large), &["y_train.npy", "1000 bytes"]);
    large[at + 24..at + 28].copy_from_slice(&8_u32.to_le_bytes());
    assert_says(read_bytes(&large), &["y_train.npy", "8 bytes", "larger"]);
}

/// The folder of the sample of Caltech-101; prints that the test is skipped where it is not there.
#[expect(clippy::print_stdout, reason = "a skipped test must be seen")]
fn caltech101() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("RUT_SHARED").map_or_else(beside, PathBuf::from);
    let folder = shared.join("datasets/caltech101");
    let is_required = std::env::var_os("RUT_REQUIRE_SHARED").is_some();
    assert!(folder.exists() || !is_required, "no {}", folder.display());
    if folder.exists() {
        Some(folder)
    } else {
        println!("skipped: no {}; set RUT_SHARED", folder.display());
        None
    }
}

#[test]
fn both_forms_of_caltech101_are_read() {
    let Some(folder) = caltech101() else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    let read = |file: &str, part: &str| {
        let (images, labels) = (&*format!("x_{part}"), &*format!("y_{part}"));
        let classes = 5;
        let names = Names {
            images,
            labels,
            classes,
        };
        read(&folder.join(file), names).unwrap()
    };
    let stacked = [
        read("caltech101_64.npz", "train"),
        read("caltech101_64.npz", "val"),
    ];
    for (set, key) in stacked.iter().zip(["y_train", "y_val"]) {
        assert_eq!(serde_json::json!(set.labels()), expected["npz"][key]);
    }
    let digests = expected["npz"]["caltech101_64_first5_train_sha256"].as_array();
    for (at, digest) in digests.unwrap().iter().enumerate() {
        let pixels = stacked[0].decode(at).unwrap();
        assert_eq!(Digest::of_bytes(pixels.pixels()).to_string(), *digest);
    }
    let objects = [
        read("caltech101_object.npz", "train"),
        read("caltech101_object.npz", "val"),
    ];
    assert!(objects.iter().all(|set| set.labels() == [0, 1, 2, 3, 4]));
    for (set, first) in objects.iter().zip([0, 3]) {
        let first = &expected["splits"]["all"]["first"][first];
        let picture = set.decode(0).unwrap();
        let size = serde_json::json!([picture.width(), picture.height()]);
        assert_eq!(size, serde_json::json!([first["width"], first["height"]]));
        let reds = picture
            .pixels()
            .iter()
            .step_by(3)
            .map(|&red| f64::from(red));
        let mean = reds.sum::<f64>() / (picture.pixels().len() / 3) as f64;
        assert!((mean - first["rgb_mean"][0].as_f64().unwrap()).abs() < 1e-3);
    }
}
