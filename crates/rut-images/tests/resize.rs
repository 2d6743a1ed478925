//! Resizing by hand and against PyTorch, and the errors for invalid sizes and values. The golden pictures of
//! Pillow are compared with whole transforms, in `transform.rs`.

mod common;

use common::{assert_says, json, workspace};
use rut_images::{Extent, Filter, Mode, Picture, nearest, resample, resample_real};
use serde_json::Value;

fn number(value: &Value) -> u32 {
    value.as_u64().expect("a number") as u32
}

#[test]
fn bicubic_of_real_values_agrees_with_pytorch() {
    let golden = json(&workspace().join("golden/resize.bicubic.json"));
    for entry in golden["real"].as_array().expect("images") {
        let extent = |name: &str| Extent {
            width: number(&entry[name][0]),
            height: number(&entry[name][1]),
        };
        let (from, to) = (extent("from"), extent("to"));
        let values: Vec<f32> = serde_json::from_value(entry["values"].clone()).expect("values");
        let want: Vec<f64> = serde_json::from_value(entry["out"].clone()).expect("values");
        let got = resample_real(&values, from, to, Filter::Bicubic).expect("values");
        assert_eq!(got.len(), want.len());
        let differences = got.iter().zip(&want);
        let worst = differences.map(|(got, want)| (f64::from(*got) - want).abs());
        // Two roundings to f32 of values below 2.
        assert!(worst.fold(0.0, f64::max) <= 2.4e-7, "{from:?} to {to:?}");
    }
}

#[test]
fn small_cases_by_hand() {
    let extent = |width, height| Extent { width, height };
    // Made by Pillow 13.0.0: Image.frombytes("L", (3, 1), b"\x00\x64\xff").resize((5, 1), BILINEAR)
    let wide = resample(
        &[0, 100, 255],
        1,
        extent(3, 1),
        extent(5, 1),
        Filter::Bilinear,
    )
    .expect("pixels");
    assert_eq!(wide, [0, 40, 100, 193, 255]);
    let squares = nearest(&[1, 2, 3], 1, extent(3, 1), extent(2, 2)).expect("pixels");
    assert_eq!(squares, [1, 3, 1, 3]);
}

#[test]
fn numbers_of_values_and_channels_that_do_not_fit_are_errors() {
    let wrong = resample(
        &[0; 5],
        3,
        Extent::square(2),
        Extent::square(1),
        Filter::Bilinear,
    );
    assert_says(wrong, &["expected 12 values, found 5"]);
    let wrong = nearest(&[0; 20], 5, Extent::square(2), Extent::square(1));
    assert_says(wrong, &["use number of channels '5'"]);
    assert_says(
        Picture::new(Mode::Rgb, Extent::square(1), vec![1]),
        &["expected 3 values"],
    );
}
