//! The colours of JPEG files whose markers are missing or contradict each other, against Pillow (libjpeg-turbo), over
//! files that `images/jpeg_colours.py` made.

mod common;

use std::path::Path;

use common::{assert_says, hex, json, shared};
use rut_images::decode;
use serde_json::Value;

/// Decoders round differently.
const LEVELS: u8 = 4;

/// Files of the shared fixtures, and what Pillow 13.0.0 (libjpeg-turbo 3.2.0) gives at their upper left and in their middle.
static SHARED: &[(&str, [u8; 6])] = &[
    ("adobe0_but_ycc_jfif.jpg", [46, 73, 94, 123, 120, 201]),
    ("rgb_adobe0.jpg", [40, 79, 75, 123, 120, 199]),
    ("rgb_by_ids.jpg", [40, 79, 75, 123, 120, 199]),
    ("upper_left_offset_adobe1.jpg", [46, 73, 94, 123, 120, 201]),
];

fn files() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images/jpeg_colours.json");
    json(&path)["files"].as_array().expect("files").clone()
}

/// The largest difference between two images.
fn worst(got: &[u8], want: &[u8]) -> u8 {
    assert_eq!(got.len(), want.len());
    let differences = got.iter().zip(want).map(|(a, b)| a.abs_diff(*b));
    differences.max().expect("pixels")
}

#[test]
fn colours_are_those_of_libjpeg_whatever_the_markers_say() {
    let mut wrong = Vec::new();
    for entry in files() {
        let name = entry["name"].as_str().expect("a name");
        let decoded = decode(&hex(&entry["bytes"]));
        match (decoded, entry["rgb"].is_null()) {
            (Err(_), true) => {}
            (Ok(_), true) => wrong.push(format!("{name} is decoded, Pillow refuses it")),
            (Err(error), false) => wrong.push(format!("{name}: {error}")),
            (Ok(picture), false) => {
                let off = worst(&picture.to_rgb().pixels, &hex(&entry["rgb"]));
                if off > LEVELS {
                    wrong.push(format!("{name}: off by {off} levels"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn numbers_of_channels_that_mean_no_colours_are_named() {
    let files = files();
    let two = files.iter().find(|file| file["name"] == "2_channels");
    let two = hex(&two.expect("a file of two channels")["bytes"]);
    assert_says(
        decode(&two),
        &["of 1, 3 or 4 channels", "found JPEG of 2 channels"],
    );
}

#[test]
fn frames_and_scans_that_contradict_each_other_are_damage() {
    let files = files();
    let plain = files.iter().find(|file| file["name"] == "3_123_none");
    let plain = hex(&plain.expect("a plain file")["bytes"]);
    let find = |marker: u8| {
        let at = plain.windows(2).position(|pair| pair == [0xff, marker]);
        at.expect("the marker")
    };
    let (frame, scan) = (find(0xc0), find(0xda));
    let mut twice = plain[..scan].to_vec();
    twice.extend(&plain[frame..frame + 19]);
    twice.extend(&plain[scan..]);
    assert_says(decode(&twice), &["two frame headers"]);
    let mut stranger = plain.clone();
    stranger[scan + 5] = 9;
    assert_says(
        decode(&stranger),
        &["a channel that its frame does not have"],
    );
    let mut short = plain;
    short[frame + 9] = 4;
    assert_says(decode(&short), &["frame header is cut short"]);
}

#[test]
fn an_adobe_marker_does_not_overrule_jfif() {
    let Some(folder) = shared("trouble/jpeg") else {
        return;
    };
    for (name, pixels) in SHARED {
        let bytes = std::fs::read(folder.join(name)).expect("a readable file");
        let rgb = decode(&bytes).expect("a sound image").to_rgb();
        let middle = 3 * (rgb.width as usize * (rgb.height as usize / 2) + rgb.width as usize / 2);
        let got = [&rgb.pixels[..3], &rgb.pixels[middle..middle + 3]].concat();
        let off = worst(&got, pixels);
        assert!(off <= LEVELS, "{name}: {got:?}, expected {pixels:?}");
    }
}
