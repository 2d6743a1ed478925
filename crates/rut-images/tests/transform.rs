//! Resizing against Pillow: golden numbers of real pictures and of generated ones, to the last bit.

mod common;

use common::{json, shared, workspace};
use rut_images::{ColorOrder, Extent, Filter, Geometry, Mode, Picture, Transform, decode};
use safetensors::SafeTensors;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Levels by which a real picture may differ: none, the port is exact.
const LEVELS: u8 = 0;

#[test]
fn real_pictures_agree_with_torchvision() {
    let Some(folder) = shared("golden/images") else {
        return;
    };
    let golden = workspace().join("golden");
    let bytes = std::fs::read(golden.join("resize.safetensors")).expect("golden tensors");
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
    for entry in json(&golden.join("resize.json"))["images"]
        .as_array()
        .expect("images")
    {
        let file = entry["file"]
            .as_str()
            .expect("a name")
            .trim_start_matches("images/");
        let picture = decode(&std::fs::read(folder.join(file)).expect("an image"));
        let picture = picture.expect("a sound image");
        let stem = file.split('.').next().expect("a stem");
        for side in [32, 128, 224] {
            let transform = Transform::squash(side, ColorOrder::RgbThenResize);
            let got = transform.apply(&picture).expect("a resized image");
            let want = tensors
                .tensor(&format!("{stem}.{side}"))
                .expect("a golden tensor");
            assert_eq!(got.pixels.len(), want.data().len());
            let worst = got
                .pixels
                .iter()
                .zip(want.data())
                .map(|(a, b)| a.abs_diff(*b))
                .max();
            assert!(
                worst <= Some(LEVELS),
                "{file} to {side}: off by {worst:?} levels"
            );
        }
    }
}

/// The rule of `golden/resize.synthetic.py`.
fn value(x: u32, y: u32, c: u32) -> u8 {
    ((37 * x + 91 * y + 53 * c + 7 * x * y + x * x * (c + 1)) % 256) as u8
}

fn generated(mode: &str, size: Extent) -> Picture {
    let mode = match mode {
        "L" => Mode::Grey,
        "LA" => Mode::GreyAlpha,
        "RGB" => Mode::Rgb,
        "RGBA" => Mode::Rgba,
        _ => Mode::Palette,
    };
    let channels = mode.channels() as u32;
    let places = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
    let pixels = places
        .flat_map(|(x, y)| (0..channels).map(move |c| value(x, y, c)))
        .collect();
    match mode {
        Mode::Palette => {
            let colours = (0..256)
                .map(|i| [0, 1, 2].map(|c| value(i, 3, c)))
                .collect();
            Picture::with_palette(size, pixels, colours)
        }
        _ => Picture::new(mode, size, pixels),
    }
    .expect("a picture")
}

fn geometry(step: &str) -> Geometry {
    let (name, side) = step.split_once(' ').expect("a name and a side");
    let side = side.parse().expect("a side");
    match name {
        "squash" => Geometry::Squash { side },
        "shorter-side" => Geometry::ShorterSide { side },
        _ => Geometry::CenterCrop { side },
    }
}

fn number(value: &Value) -> u32 {
    value.as_u64().expect("a number") as u32
}

#[test]
fn generated_pictures_agree_with_torchvision() {
    let golden = json(&workspace().join("golden/resize.synthetic.json"));
    let pictures = golden["pictures"].as_array().expect("pictures");
    assert_eq!(pictures.len(), 5 * 8 * 4 * 2);
    agree(pictures, Filter::Bilinear);
}

#[test]
fn bicubic_agrees_with_pillow() {
    let golden = json(&workspace().join("golden/resize.bicubic.json"));
    let pictures = golden["pictures"].as_array().expect("pictures");
    assert_eq!(pictures.len(), 5 * 8 * 3);
    agree(pictures, Filter::Bicubic);
}

/// Compares transformed pictures with their digests.
fn agree(pictures: &[Value], filter: Filter) {
    for entry in pictures {
        let size = Extent {
            width: number(&entry["width"]),
            height: number(&entry["height"]),
        };
        let picture = generated(entry["mode"].as_str().expect("a mode"), size);
        let steps = entry["steps"].as_array().expect("steps");
        let steps = steps
            .iter()
            .map(|step| geometry(step.as_str().expect("a step")))
            .collect();
        let order = match entry["order"].as_str() {
            Some("rgb") => ColorOrder::RgbThenResize,
            _ => ColorOrder::ResizeThenRgb,
        };
        let got = Transform {
            geometry: steps,
            order,
            filter,
        }
        .apply(&picture)
        .expect("an image");
        assert_eq!(
            [got.width, got.height],
            [number(&entry["out"][0]), number(&entry["out"][1])]
        );
        let first: Vec<u8> = serde_json::from_value(entry["first"].clone()).expect("bytes");
        assert_eq!(got.pixels[..6], first, "{entry}");
        assert_eq!(
            hexadecimal(&Sha256::digest(&got.pixels)),
            entry["sha256"],
            "{entry}"
        );
    }
}

#[test]
fn a_transform_describes_itself() {
    let squash = Transform::squash(224, ColorOrder::ResizeThenRgb);
    assert_eq!(
        (squash.describe().as_str(), squash.output_side()),
        ("squash 224, rgb", Some(224))
    );
    let geometry = vec![
        Geometry::ShorterSide { side: 256 },
        Geometry::CenterCrop { side: 224 },
    ];
    let crop = Transform {
        geometry,
        order: ColorOrder::RgbThenResize,
        filter: Filter::Bilinear,
    };
    assert_eq!(crop.describe(), "rgb, shorter-side 256, center-crop 224");
    assert_eq!(
        crop.enlarged(32).describe(),
        "rgb, shorter-side 288, center-crop 256"
    );
    assert_eq!(squash.enlarged(8).describe(), "squash 232, rgb");
    let curved = Transform {
        filter: Filter::Bicubic,
        ..crop
    };
    assert_eq!(
        curved.describe(),
        "rgb, shorter-side 256, center-crop 224, bicubic"
    );
    let open = Transform {
        geometry: vec![Geometry::ShorterSide { side: 9 }],
        ..squash
    };
    assert_eq!(open.output_side(), None);
}

#[test]
fn impossible_sizes_are_errors() {
    let picture = generated(
        "L",
        Extent {
            width: 1,
            height: 9,
        },
    );
    let none = Transform::squash(0, ColorOrder::RgbThenResize);
    common::assert_says(none.apply(&picture), &["use image side '0'", "1 to 4096"]);
    let strip = Picture::new(
        Mode::Grey,
        Extent {
            width: 1,
            height: 60_000,
        },
        vec![0; 60_000],
    );
    let geometry = vec![Geometry::ShorterSide { side: 4_000 }];
    let long = Transform {
        geometry,
        order: ColorOrder::ResizeThenRgb,
        filter: Filter::Bilinear,
    };
    common::assert_says(
        long.apply(&strip.expect("a strip")),
        &["found 4000x240000000", "178956970"],
    );
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
