//! Pictures of real values: nothing rounds them to 8 bits, resizing is PyTorch's, and what is no such picture is refused.

mod common;

use common::{assert_says, json, workspace};
use rut_images::{ColorOrder, Extent, Filter, Geometry, Mode, Picture, Transform, resample_real};

/// A rounding to f32 after each of two passes, or of four with two resizes, of values in [0, 1].
const ROUNDING: f64 = 2e-7;

/// The rule of `golden/resize.real.py`.
fn generated(size: Extent) -> Picture {
    let value = |x: u64, y: u64| (37 * x + 91 * y + 7 * x * y + x * x) % 1009;
    let (width, height) = (u64::from(size.width), u64::from(size.height));
    let values = (0..height)
        .flat_map(|y| (0..width).map(move |x| (value(x, y) as f64 / 1008.0) as f32))
        .collect();
    Picture::real(size, values).expect("a picture")
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

#[test]
fn resizing_agrees_with_torchvision_on_tensors() {
    let golden = json(&workspace().join("golden/resize.real.json"));
    let images = golden["images"].as_array().expect("images");
    assert_eq!(images.len(), 6 * 5);
    for entry in images {
        let side = |name: &str| entry[name].as_u64().expect("a side") as u32;
        let (width, height) = (side("width"), side("height"));
        let steps: Vec<String> = serde_json::from_value(entry["steps"].clone()).expect("steps");
        let want: Vec<f64> = serde_json::from_value(entry["values"].clone()).expect("values");
        let picture = generated(Extent { width, height });
        for order in [ColorOrder::RgbThenResize, ColorOrder::ResizeThenRgb] {
            let geometry = steps.iter().map(|step| geometry(step)).collect();
            let filter = Filter::Bilinear;
            let transform = Transform {
                geometry,
                order,
                filter,
            };
            let all = transform.apply_real(&picture).expect("values");
            assert!(all.iter().all(|value| (0.0..=1.0).contains(value)));
            let got = all.iter().step_by(side("every") as usize);
            let worst = got.clone().zip(&want);
            let worst = worst.map(|(got, want)| (f64::from(*got) - want).abs());
            let worst = worst.fold(0.0, f64::max);
            assert_eq!(got.count(), want.len());
            assert!(worst <= ROUNDING, "{width}x{height} {steps:?}: {worst:e}");
        }
    }
}

#[test]
fn real_values_are_shown_in_the_nearest_of_256_levels() {
    let size = Extent {
        width: 4,
        height: 1,
    };
    let picture = Picture::real(size, vec![0.0, 0.4999 / 255.0, 0.5001 / 255.0, 1.0]);
    let rgb = picture.expect("a picture").to_rgb();
    assert_eq!(rgb.pixels, [0, 0, 0, 0, 0, 0, 1, 1, 1, 255, 255, 255]);
}

#[test]
fn what_is_no_image_of_real_values_is_refused() {
    let size = Extent {
        width: 3,
        height: 2,
    };
    for (value, shown) in [
        (f32::NAN, "NaN"),
        (1.5, "1.5"),
        (-0.25, "-0.25"),
        (f32::INFINITY, "inf"),
    ] {
        let mut values = vec![0.5; 6];
        values[4] = value;
        let says = format!("from 0 to 1, found {shown} in row 1, column 1");
        assert_says(Picture::real(size, values), &[&says]);
    }
    assert_says(
        Picture::real(size, vec![0.5; 5]),
        &["expected 6 values, found 5"],
    );
    let none = Extent {
        width: 0,
        height: 2,
    };
    assert_says(Picture::real(none, vec![]), &["found 0x2"]);
    assert_says(
        Picture::new(Mode::Real, size, vec![0; 24]),
        &["use picture mode 'Real'", "Picture::real"],
    );
    assert_says(
        resample_real(&[0.0; 5], size, Extent::square(2), Filter::Bilinear),
        &["expected 6 values, found 5"],
    );
}
