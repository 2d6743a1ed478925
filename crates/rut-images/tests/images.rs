//! GIF, BMP and the kinds of JPEG against Pillow, over files that `images/pillow.py` made, and
//! the errors for those that cannot be decoded.

mod common;

use std::path::Path;

use common::{assert_says, hex, json};
use rut_images::{Mode, Picture, decode};
use serde_json::Value;

fn files() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images/pillow.json");
    json(&path)["files"].as_array().expect("files").clone()
}

fn file(name: &str) -> Vec<u8> {
    let files = files();
    let entry = files.iter().find(|file| file["name"] == name);
    hex(&entry.expect("a file of this name")["bytes"])
}

fn decoded(entry: &Value) -> Picture {
    let name = entry["name"].as_str().expect("a name");
    decode(&hex(&entry["bytes"])).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Where the marker of a baseline frame stands.
fn frame_header(name: &str) -> usize {
    let at = file(name).windows(2).position(|pair| pair == [0xff, 0xc0]);
    at.expect("a frame header")
}

#[test]
fn files_decode_as_in_pillow() {
    for entry in files() {
        let rgb = decoded(&entry).to_rgb();
        let name = &entry["name"];
        assert_eq!(
            Value::from(vec![rgb.width, rgb.height]),
            entry["size"],
            "{name}"
        );
        let want = hex(&entry["rgb"]);
        assert_eq!(rgb.pixels.len(), want.len(), "{name}");
        let differences = rgb.pixels.iter().zip(&want).map(|(a, b)| a.abs_diff(*b));
        let worst = differences.max().map(u64::from);
        assert!(
            worst <= entry["levels"].as_u64(),
            "{name}: off by {worst:?} levels"
        );
    }
}

#[test]
fn modes_are_those_of_pillow() {
    for entry in files() {
        let mode = match entry["mode"].as_str().expect("a mode") {
            "1" | "P" => Mode::Palette,
            "L" => Mode::Grey,
            "RGBA" => Mode::Rgba,
            _ => Mode::Rgb,
        };
        assert_eq!(decoded(&entry).mode(), mode, "{}", entry["name"]);
    }
}

#[test]
fn every_truncation_is_an_error() {
    for name in [
        "4_down.bmp",
        "24_down.bmp",
        "8_core.bmp",
        "masks_bgrx.bmp",
        "runs8_no_end.bmp",
        "runs4.bmp",
        "plain.gif",
        "two_frames.gif",
        "extensions.gif",
        "scan_each.jpg",
        "cmyk_progressive.jpg",
    ] {
        let mut bytes = file(name);
        // What may be missing without harm: the padding of the last row, and the end of the runs.
        while decode(&bytes).is_ok() {
            bytes.pop();
        }
        let missing = file(name).len() - bytes.len();
        assert!(
            missing <= 4,
            "{name} decodes without its last {} bytes",
            missing - 1
        );
        assert_says(decode(&bytes), &["truncated", "again"]);
        for length in 0..bytes.len() {
            assert!(
                decode(&bytes[..length]).is_err(),
                "{name} decodes with {length} bytes"
            );
        }
    }
}

#[test]
fn flipped_bytes_never_panic() {
    for entry in files() {
        let bytes = hex(&entry["bytes"]);
        for at in 0..bytes.len() {
            for flip in [0xff, 0x01, 0x80] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                let _ = decode(&damaged);
            }
        }
    }
}

#[test]
fn declared_sizes_are_capped_before_memory_is_taken() {
    let says = |name: &str, at: usize, size: &[u8], texts: &[&str]| {
        let mut bytes = file(name);
        bytes[at..at + size.len()].copy_from_slice(size);
        assert_says(decode(&bytes), texts);
    };
    let most = [0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f];
    says(
        "24_down.bmp",
        18,
        &most,
        &["found 2147483647x2147483647; shrink"],
    );
    says("runs4.bmp", 18, &most, &["found 2147483647x2147483647"]);
    says("24_down.bmp", 18, &[0; 4], &["found 0x5"]);
    says("24_down.bmp", 22, &[0, 0, 0, 0x80], &["found 9x2147483648"]);
    // There are far too few pixels for a size that is allowed.
    says(
        "h40_24.bmp",
        18,
        &[0, 0x20, 0, 0, 0, 0x20],
        &["truncated", "140 of 201326592 bytes"],
    );
    says("plain.gif", 6, &[0xff; 4], &["found 65535x65535"]);
    // The frame stands behind the screen's 13 bytes and the 16 colours.
    says("plain.gif", 62, &[0xff; 8], &["found 131070x131070"]);
    let header = frame_header("scan_each.jpg");
    says(
        "scan_each.jpg",
        header + 5,
        &[0xff; 4],
        &["found 65535x65535"],
    );
}

#[test]
fn damage_is_named() {
    let says = |name: &str, at: usize, byte: u8, texts: &[&str]| {
        let mut bytes = file(name);
        bytes[at] = byte;
        assert_says(decode(&bytes), texts);
    };
    says(
        "24_down.bmp",
        14,
        41,
        &["damaged BMP image, it has a header of 41 bytes"],
    );
    says("8_reversed.bmp", 48, 2, &["131172 colours"]);
    says("plain.gif", 61, b'x', &["damaged GIF image"]);
    let mut few = file("plain.gif");
    // One row more than there are pixels for.
    few[68] = 6;
    assert_says(decode(&few), &["damaged GIF image, image truncated"]);
    assert_says(
        decode(b"BMW"),
        &["truncated BMP image, it ends in its header"],
    );
}

#[test]
fn kinds_that_are_not_read_are_named() {
    let says = |name: &str, at: usize, byte: u8, texts: &[&str]| {
        let mut bytes = file(name);
        bytes[at] = byte;
        assert_says(decode(&bytes), texts);
    };
    says(
        "24_down.bmp",
        30,
        4,
        &[
            "expected a BMP of 1, 4, 8",
            "found BMP of 24 bits, compression 4; convert",
        ],
    );
    says("1_down.bmp", 28, 2, &["found BMP of 2 bits"]);
    says("masks_bgrx.bmp", 54, 0x5a, &["masks [ff005a, "]);
    let frame = frame_header("411.jpg");
    for (offset, byte, kind) in [
        (1, 0xc9, "arithmetic-coded JPEG"),
        (1, 0xca, "arithmetic-coded JPEG"),
        (1, 0xc3, "lossless JPEG"),
        (1, 0xc5, "hierarchical JPEG"),
        (4, 12, "12-bit JPEG"),
    ] {
        says(
            "411.jpg",
            frame + offset,
            byte,
            &["expected baseline or progressive", kind, "convert it first"],
        );
    }
}
