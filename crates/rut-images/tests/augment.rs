//! Operations of augmentation and the policies that choose them, against Pillow and torchvision, byte for byte.

mod common;

use common::{assert_says, hex, json, workspace};
use rut_images::augment::{Operation, Policy, crop, flip};
use rut_images::{Extent, RgbImage, Window};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The operations in the order of the policies' draws.
const NAMES: [&str; 14] = [
    "identity",
    "auto-contrast",
    "equalize",
    "rotate",
    "solarize",
    "color",
    "posterize",
    "contrast",
    "brightness",
    "sharpness",
    "shear-x",
    "shear-y",
    "translate-x",
    "translate-y",
];

fn golden() -> Value {
    json(&workspace().join("golden/augment.json"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

/// The rules of `golden/augment.py`.
fn picture(rule: &str, width: u32, height: u32) -> RgbImage {
    let value = |x: u32, y: u32, c: u32| match rule {
        "noise" => (37 * x + 91 * y + 53 * c + 7 * x * y + x * x * (c + 1)) % 256,
        "ramp" => (3 * x + 5 * y) % 150 + 30 * c + 10,
        "few" => ((x / 3 + y / 5) * (c + 1)) % 3 * 90,
        _ => 77 + 20 * c,
    };
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    RgbImage {
        width,
        height,
        pixels: places
            .flat_map(|(x, y)| [0, 1, 2].map(|c| value(x, y, c) as u8))
            .collect(),
    }
}

fn digest(image: &RgbImage) -> String {
    let digest = Sha256::digest(&image.pixels);
    digest[..8].iter().map(|b| format!("{b:02x}")).collect()
}

fn operation(name: &str, magnitude: f64) -> Operation {
    match name {
        "identity" => Operation::Identity,
        "auto-contrast" => Operation::AutoContrast,
        "equalize" => Operation::Equalize,
        "rotate" => Operation::Rotate { degrees: magnitude },
        "solarize" => Operation::Solarize {
            threshold: magnitude,
        },
        "color" => Operation::Color { factor: magnitude },
        "posterize" => Operation::Posterize {
            bits: magnitude as u32,
        },
        "contrast" => Operation::Contrast { factor: magnitude },
        "brightness" => Operation::Brightness { factor: magnitude },
        "sharpness" => Operation::Sharpness { factor: magnitude },
        "shear-x" => Operation::ShearX { slope: magnitude },
        "shear-y" => Operation::ShearY { slope: magnitude },
        "translate-x" => Operation::TranslateX {
            pixels: magnitude as i32,
        },
        "translate-y" => Operation::TranslateY {
            pixels: magnitude as i32,
        },
        _ => panic!("no operation {name}"),
    }
}

#[test]
fn every_operation_agrees_with_pillow() {
    let golden = golden();
    let entries = list(&golden["operations"]);
    assert_eq!(entries.len(), (NAMES.len() + 1) * 11);
    for entry in entries {
        let name = entry["operation"].as_str().expect("a name");
        let size = [1, 2].map(|at| number(&entry["picture"][at]) as u32);
        let rule = entry["picture"][0].as_str().expect("a rule");
        let digests = list(&entry["digests"]).iter();
        for (at, (magnitude, want)) in list(&entry["magnitudes"]).iter().zip(digests).enumerate() {
            let image = picture(rule, size[0], size[1]);
            let got = match name {
                "flip" => flip(image),
                _ => operation(name, number(magnitude)).apply(image),
            }
            .expect("an image");
            let what = format!("{name} {magnitude} of {rule} {size:?}");
            if let Some(bytes) = entry["bytes"].get(at) {
                assert_eq!(got.pixels, hex(bytes), "{what}");
            }
            assert_eq!(digest(&got), *want, "{what}");
        }
    }
}

#[test]
fn crops_agree_with_torchvision_with_and_without_padding() {
    for entry in list(&golden()["crops"]) {
        let [left, top, width, height] =
            ["left", "top", "width", "height"].map(|name| number(&entry[name]) as i32);
        let size = Extent {
            width: width as u32,
            height: height as u32,
        };
        let window = Window { left, top, size };
        let got = crop(&picture("noise", 17, 17), window).expect("an image");
        assert_eq!(got.size(), size);
        assert_eq!(digest(&got), entry["sha256"], "{window:?}");
    }
}

#[test]
fn policies_agree_with_their_authors_at_every_level_and_sign() {
    let golden = golden();
    for policy in Policy::ALL {
        let lines = list(&golden["policies"][policy.name()]);
        assert_eq!(lines.len(), NAMES.len());
        for (at, (line, name)) in lines.iter().zip(NAMES).enumerate() {
            assert_eq!(line["operation"], name);
            let levels = list(&line["magnitudes"]).len();
            let rule = match name {
                "auto-contrast" | "equalize" => "ramp",
                _ => "noise",
            };
            for (place, want) in list(&line["digests"]).iter().enumerate() {
                let (coin, level) = (place / levels, place % levels);
                let mut drawn = [at, level, coin].into_iter();
                let operation = policy.choose(|_| drawn.next().expect("three draws"));
                let got = operation.apply(picture(rule, 32, 32)).expect("an image");
                assert_eq!(digest(&got), *want, "{policy} {operation:?}, level {level}");
            }
        }
    }
}

#[test]
fn the_coin_negates_only_what_has_a_sign() {
    let golden = golden();
    for policy in Policy::ALL {
        for (at, line) in list(&golden["policies"][policy.name()]).iter().enumerate() {
            let chosen = |coin| {
                let mut drawn = [at, 7, coin].into_iter();
                policy.choose(|_| drawn.next().expect("three draws"))
            };
            assert_eq!(chosen(0) != chosen(1), line["signed"], "{policy} {line}");
        }
    }
}

#[test]
fn draws_are_asked_for_in_order_and_within_bounds() {
    for policy in Policy::ALL {
        let mut asked = Vec::new();
        let operation = policy.choose(|n| {
            asked.push(n);
            usize::MAX // more than was asked for is the last, and no panic
        });
        assert_eq!(asked, [14, 31, 2]);
        assert!(matches!(operation, Operation::TranslateY { .. }));
    }
}

#[test]
fn images_that_are_none_are_errors() {
    let torn = RgbImage {
        width: 2,
        height: 2,
        pixels: vec![0; 11],
    };
    let says = ["expected 12 values, found 11"];
    assert_says(Operation::Identity.apply(torn.clone()), &says);
    assert_says(flip(torn.clone()), &says);
    let window = |size| Window {
        left: 0,
        top: 0,
        size,
    };
    assert_says(crop(&torn, window(Extent::square(1))), &says);
    let none = window(Extent::square(0));
    assert_says(
        crop(&picture("noise", 2, 2), none),
        &["found 0x0", "expected 1 to"],
    );
}

#[test]
fn magnitudes_out_of_range_are_no_panic() {
    for magnitude in [f64::NAN, f64::INFINITY, -1e300, 1e300] {
        for name in NAMES {
            let image = operation(name, magnitude).apply(picture("noise", 5, 4));
            assert_eq!(image.expect("an image").pixels.len(), 60, "{name}");
        }
    }
}

#[test]
fn what_lies_far_outside_is_black() {
    let far = Window {
        left: i32::MAX,
        top: i32::MIN,
        size: Extent::square(3),
    };
    let image = crop(&picture("noise", 17, 17), far).expect("an image");
    assert_eq!(image.pixels, [0; 27]);
}
