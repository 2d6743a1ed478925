//! Decoding against Pillow, and the errors for files that cannot be decoded.

mod common;

use common::{assert_says, hex, json, workspace};
use rut_images::{Mode, decode};
use serde_json::Value;

fn files() -> Vec<Value> {
    let golden = json(&workspace().join("golden/resize.synthetic.json"));
    golden["files"].as_array().expect("files").clone()
}

fn file(name: &str) -> Vec<u8> {
    hex(&files()
        .iter()
        .find(|file| file["name"] == name)
        .expect("a golden file")["bytes"])
}

#[test]
fn files_decode_as_in_pillow() {
    for entry in files() {
        let name = entry["name"].as_str().expect("a name");
        let got = decode(&hex(&entry["bytes"]))
            .expect("a sound image")
            .to_rgb();
        assert_eq!(
            Value::from(vec![got.width, got.height]),
            entry["size"],
            "{name}"
        );
        let want = hex(&entry["rgb"]);
        assert_eq!(got.pixels.len(), want.len());
        let worst = got
            .pixels
            .iter()
            .zip(&want)
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        // JPEG decoders round differently, and interpolate subsampled colours differently.
        let levels = entry["levels"].as_u64().map(|levels| levels as u8);
        assert!(worst <= levels, "{name}: off by {worst:?} levels");
    }
}

#[test]
fn the_mode_of_a_file_is_kept() {
    for (name, mode) in [
        ("colour0_depth1_interlace0.png", Mode::Palette),
        ("colour0_depth8_interlace1.png", Mode::Grey),
        ("colour3_depth4_interlace0.png", Mode::Palette),
        ("colour4_depth16_interlace0.png", Mode::GreyAlpha),
        ("colour6_depth8_interlace0.png", Mode::Rgba),
        ("p4.pbm", Mode::Palette),
        ("cmyk.jpg", Mode::Rgb),
    ] {
        assert_eq!(
            decode(&file(name)).expect("an image").mode(),
            mode,
            "{name}"
        );
    }
}

#[test]
fn content_decides_the_format() {
    assert_eq!(decode(&file("grey.jpg")).expect("a JPEG").width(), 16);
}

#[test]
fn every_truncation_is_an_error() {
    let names = [
        "rgb420.jpg",
        "progressive.jpg",
        "colour2_depth8_interlace1.png",
        "p6.ppm",
    ];
    for name in names {
        let bytes = file(name);
        for length in 0..bytes.len() {
            let result = decode(&bytes[..length]);
            assert!(
                result.is_err(),
                "{name} decodes with {length} of {} bytes",
                bytes.len()
            );
        }
        assert_says(decode(&bytes[..bytes.len() - 1]), &["truncated", "again"]);
    }
}

#[test]
fn flipped_bytes_never_panic() {
    for name in [
        "rgb420.jpg",
        "progressive.jpg",
        "colour3_depth2_interlace1.png",
        "p2.pgm",
    ] {
        let bytes = file(name);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] = !damaged[at];
            let _ = decode(&damaged);
        }
    }
}

#[test]
fn what_is_no_image_is_named() {
    let says = |bytes: &[u8], texts: &[&str]| assert_says(decode(bytes), texts);
    says(b"", &["WebP, TIFF, BMP or PNM", "0 bytes"]);
    says(b"<html>404", &["(HTML)"]);
    says(
        b"P5 2 2 0\n1234",
        &["damaged PNM", "largest value 0", "1 to 65535"],
    );
    says(b"P2 1 1 9\n10", &["10 is above 9"]);
    says(b"P6 x", &["a number is expected"]);
}

#[test]
fn declared_sizes_are_capped_before_memory_is_taken() {
    let says = |bytes: &[u8], texts: &[&str]| assert_says(decode(bytes), texts);
    says(
        b"P6 99999 99999 255\n",
        &["expected 1 to 178956970 pixels, found 99999x99999; shrink"],
    );
    says(b"P6 0 5 255\n", &["0x5"]);
    let mut png = file("colour2_depth8_interlace0.png");
    png[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let header = crc32(&png[12..29]).to_be_bytes();
    png[29..33].copy_from_slice(&header);
    says(&png, &["found 65536x65536"]);
    let mut jpeg = file("rgb444.jpg");
    let frame = jpeg
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .expect("a frame header");
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    says(&jpeg, &["found 65535x65535"]);
}

/// Checksum of a PNG chunk (PNG specification, annex D).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| {
        if crc & 1 == 1 {
            0xedb8_8320 ^ (crc >> 1)
        } else {
            crc >> 1
        }
    };
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |c, _| step(c))
    })
}
