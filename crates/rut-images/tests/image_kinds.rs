//! WebP, TIFF and 16-bit grey against Pillow, over files that `images/kinds.py` made; the errors for other formats, and
//! of files that cannot be decoded.

mod common;

use std::path::Path;

use common::{assert_says, hex, json, shared};
use rut_images::{Mode, decode};
use serde_json::Value;

/// Files of the shared fixtures, and the mean of the bytes that Pillow 13.0.0 makes of them. Of a JPEG it is near that.
static READ: &[(&str, f64)] = &[
    ("a/cmyk.jpg", 82.36),
    ("a/exif6.jpg", 82.81),
    ("a/png16.png", 254.67),
    ("a/png_named.jpg", 82.18),
    ("a/x.tif", 82.18),
    ("a/x.tiff", 82.18),
    ("a/x.webp", 82.80),
    ("b/l.png", 76.48),
    ("b/la.png", 76.48),
    ("b/one.png", 75.12),
    ("b/p.png", 82.20),
    ("b/prog.jpeg", 82.97),
    ("b/rgba.png", 82.18),
    ("b/x.bmp", 82.18),
    ("b/x.gif", 81.86),
];

fn files() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images/kinds.json");
    json(&path)["files"].as_array().expect("files").clone()
}

fn file(name: &str) -> Vec<u8> {
    let files = files();
    let entry = files.iter().find(|file| file["name"] == name);
    hex(&entry.expect("a file of this name")["bytes"])
}

#[test]
fn files_decode_as_in_pillow() {
    let mut wrong = Vec::new();
    for entry in files() {
        let name = entry["name"].as_str().expect("a name");
        let picture = match decode(&hex(&entry["bytes"])) {
            Ok(picture) => picture,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let rgb = picture.to_rgb();
        if Value::from(vec![rgb.width, rgb.height]) != entry["size"] {
            wrong.push(format!("{name}: {}x{}", rgb.width, rgb.height));
            continue;
        }
        let want = hex(&entry["rgb"]);
        let differences = rgb.pixels.iter().zip(&want).map(|(a, b)| a.abs_diff(*b));
        let worst = differences.max().map(u64::from);
        if worst > entry["levels"].as_u64() {
            wrong.push(format!("{name}: off by {worst:?} levels"));
        }
        let mode = match entry["mode"].as_str().expect("a mode") {
            "1" | "P" => Mode::Palette,
            "L" | "I" | "I;16" | "I;16B" => Mode::Grey,
            "LA" => Mode::GreyAlpha,
            "RGBA" => Mode::Rgba,
            _ => Mode::Rgb,
        };
        if picture.mode() != mode {
            wrong.push(format!("{name}: {:?}, expected {mode:?}", picture.mode()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_truncation_is_an_error() {
    for (name, harmless) in [
        ("lossless.webp", 0),
        ("lossy_alpha.webp", 0),
        ("animated.webp", 0),
        ("rgb_little.tif", 0),
        ("palette_packed_32773.tif", 0),
        ("rgb_tiles.tif", 0),
        ("tiff_lzw_rgb.tif", 0),
        ("grey.png", 0),
        ("grey.pgm", 0),
    ] {
        let bytes = file(name);
        // The offset of the next directory and padding may be missing without harm.
        for length in 0..bytes.len() - harmless {
            let result = decode(&bytes[..length]);
            assert!(result.is_err(), "{name} decodes with {length} bytes");
        }
    }
    assert_says(
        decode(&file("lossless.webp")[..40]),
        &["truncated WebP image, 40 of", "again"],
    );
    let mut short = file("rgb_little.tif");
    let start = [0x11, 1, 4, 0];
    let at = short.windows(4).rposition(|field| field == start);
    let value = at.expect("the field of offsets") + 8;
    short[value..value + 4].copy_from_slice(&700u32.to_le_bytes());
    assert_says(
        decode(&short),
        &["truncated TIFF image, strip or tile 0 ends too early"],
    );
}

#[test]
fn flipped_bytes_never_panic() {
    for entry in files() {
        let bytes = hex(&entry["bytes"]);
        for at in 0..bytes.len() {
            for flip in [0xff, 0x01] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                let _ = decode(&damaged);
            }
        }
    }
}

#[test]
fn what_is_not_read_is_named() {
    let boxed = |major: &[u8; 4], compatible: &[u8]| {
        let length = 16 + compatible.len() as u32;
        [
            &length.to_be_bytes()[..],
            b"ftyp",
            major,
            b"\0\0\0\0",
            compatible,
        ]
        .concat()
    };
    let tar = [&[0; 257][..], b"ustar"].concat();
    let dicom = [&[0; 128][..], b"DICM"].concat();
    let files: &[(&[u8], &str)] = &[
        (&boxed(b"avif", b"avifmif1miaf"), "(AVIF)"),
        (&boxed(b"mif1", b"mif1avif"), "(AVIF)"),
        (&boxed(b"avis", b"avismsf1"), "(AVIF)"),
        (&boxed(b"heic", b"mif1heic"), "(HEIC)"),
        (&boxed(b"mif1", b"mif1heix"), "(HEIC)"),
        (&boxed(b"mif1", b"mif1"), "(HEIF)"),
        (&boxed(b"isom", b"isomavc1"), "(video)"),
        (b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 ", "(JPEG 2000)"),
        (b"\xff\x4f\xff\x51\0\x2f", "(JPEG 2000)"),
        (b"\xff\x0a\x7a\x04", "(JPEG XL)"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "(JPEG XL)"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "(WAVE sound)"),
        (b"%PDF-1.7", "(PDF)"),
        (b"<?xml version='1.0'?><svg>", "(XML, maybe SVG)"),
        (b"\n <!doctype HTML><title>404", "(HTML)"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "git lfs pull",
        ),
        (&tar, "(tar archive)"),
        (&dicom, "(DICOM)"),
    ];
    for (bytes, kind) in files {
        assert_says(
            decode(bytes),
            &[
                "expected a JPEG, PNG, GIF, WebP, TIFF, BMP or PNM image",
                kind,
                "convert or remove it",
            ],
        );
    }
    assert_says(
        decode(b"RIFF...."),
        &["52 49 46 46 2e 2e 2e 2e at its start"],
    );
}

#[test]
fn kinds_of_tiff_that_are_not_read_are_named() {
    let says = |tag: u16, value: u16, texts: &[&str]| {
        let mut bytes = file("rgb_little.tif");
        let start = [&tag.to_le_bytes()[..], &3u16.to_le_bytes()].concat();
        let at = bytes
            .windows(4)
            .rposition(|field| field == start)
            .expect("the field");
        bytes[at + 8..at + 10].copy_from_slice(&value.to_le_bytes());
        assert_says(decode(&bytes), texts);
    };
    says(
        259,
        7,
        &[
            "expected a TIFF of grey, RGB",
            "TIFF compressed with JPEG; convert",
        ],
    );
    says(259, 4, &["TIFF compressed with fax"]);
    says(259, 99, &["TIFF of compression 99"]);
    says(262, 6, &["TIFF of YCbCr colours"]);
    says(262, 8, &["TIFF of Lab colours"]);
    says(277, 2, &["TIFF of Rgb with 2 samples a pixel"]);
    says(277, 9, &["TIFF of Rgb with 9 samples a pixel"]);
}

#[test]
fn sizes_are_capped_before_memory_is_taken() {
    let mut wide = file("rgb_little.tif");
    let field = |bytes: &[u8], tag: u16| {
        let start = tag.to_le_bytes();
        let at = bytes
            .windows(3)
            .rposition(|field| field[..2] == start && matches!(field[2], 3 | 4));
        at.expect("the field") + 8
    };
    let at = field(&wide, 257);
    wide[at..at + 4].copy_from_slice(&[0xff; 4]);
    assert_says(decode(&wide), &["found 19x4294967295"]);
    // The image is small, its tile is not.
    let mut tile = file("rgb_tiles.tif");
    for tag in [322, 323] {
        let at = field(&tile, tag);
        tile[at - 6] = 4;
        tile[at..at + 4].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f]);
    }
    assert_says(decode(&tile), &["at most 536870912 bytes, found 19x13"]);
    let mut webp = file("animated.webp");
    let at = webp
        .windows(4)
        .position(|chunk| chunk == b"VP8X")
        .expect("the canvas");
    webp[at + 12..at + 18].copy_from_slice(&[0xff; 6]);
    assert_says(decode(&webp), &["damaged WebP image", "Image too large"]);
}

#[test]
fn images_of_every_kind_in_a_folder_are_read_or_named() {
    let Some(folder) = shared("trouble/10_image_kinds/data") else {
        return;
    };
    for (name, red) in READ {
        let bytes = std::fs::read(folder.join(name)).expect("a readable file");
        let rgb = decode(&bytes).expect("a sound image").to_rgb();
        let mean = rgb
            .pixels
            .iter()
            .map(|&value| f64::from(value))
            .sum::<f64>()
            / rgb.pixels.len() as f64;
        assert!(
            (mean - red).abs() < 0.6,
            "{name}: mean {mean}, expected {red}"
        );
    }
    for (name, problem) in [
        ("a/x.jp2", "(JPEG 2000)"),
        ("b/zero.jpg", "nothing (0 bytes)"),
        ("b/text.jpg", "(HTML)"),
        ("b/trunc.jpg", "truncated"),
    ] {
        let bytes = std::fs::read(folder.join(name)).expect("a readable file");
        assert_says(decode(&bytes), &[problem]);
    }
}
