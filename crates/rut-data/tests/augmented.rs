//! Augmented training images: the list, what it does, and that it depends on seed, epoch and index alone.

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use common::assert_says;
use rut_data::{Augmentation, Augmented, Batch, ImageSet, Prepared, Seed, open};
use rut_images::augment::{Operation, Policy, crop, flip};
use rut_images::{ColorOrder, Extent, Filter, Geometry, Picture, RgbImage, Transform, Window};

/// Every image of the set below.
const ALL: [usize; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

fn digits() -> ImageSet {
    let train = open("digits", Path::new("nowhere")).expect("bundled").train;
    train.select(&ALL)
}

fn transform() -> Transform {
    Transform::squash(11, ColorOrder::RgbThenResize)
}

fn list(text: &str) -> Augmentation {
    text.parse().expect("a list")
}

fn augmented(text: &str, memory_cap: u64) -> Augmented {
    let plain = Prepared::new(&digits(), &transform(), memory_cap).expect("prepared");
    Augmented::new(plain, list(text), Seed(4), memory_cap).expect("augmented")
}

fn batch(images: &Augmented, indices: &[usize], epoch: u32) -> Batch {
    images.training_batch(indices, epoch).expect("a batch")
}

#[test]
fn lists_are_read_as_they_are_shown() {
    for text in [
        "none",
        "flip",
        "crop:1",
        "crop:1024,flip",
        "trivial,trivial-wide",
        "crop:32,flip,trivial",
    ] {
        assert_eq!(list(text).to_string(), text);
    }
    assert_eq!(list(" crop:4 ,flip "), list("crop:4,flip"));
    assert_eq!(Augmentation::default(), list("none"));
}

#[test]
fn bad_lists_are_errors_that_name_the_words() {
    let parsed = str::parse::<Augmentation>;
    let words = "expected crop:N, flip, trivial or trivial-wide";
    for text in ["flop", "", "flip,", "none,flip", "Trivial", "crop"] {
        assert_says(parsed(text), &["use augmentation '", words]);
    }
    assert_says(parsed("flip,\u{1b}[2J"), &["'\\u{1b}[2J'", words]);
    for text in [
        "crop:0",
        "crop:1025",
        "crop:-1",
        "crop:",
        "crop:4294967296",
        "crop:1.5",
    ] {
        assert_says(parsed(text), &[text, "from 1 to 1024"]);
    }
    for text in ["crop:1,crop:2", "flip,crop:1", "crop:1,flip,crop:1"] {
        assert_says(
            parsed(text),
            &[text, "crop:N at most once and before all others"],
        );
    }
    assert_says(parsed("flip,trivial,flip"), &["every word at most once"]);
}

#[test]
fn batches_threads_and_memory_change_nothing() {
    for text in ["flip", "trivial", "trivial-wide", "crop:5,flip,trivial"] {
        let all = batch(&augmented(text, u64::MAX), &ALL, 3);
        assert_eq!(batch(&augmented(text, 0), &ALL, 3), all, "{text}");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(7).build();
        let many = pool
            .expect("a pool")
            .install(|| batch(&augmented(text, 0), &ALL, 3));
        assert_eq!(many, all, "{text}");
        let images = augmented(text, u64::MAX);
        batch(&images, &[7, 0], 2);
        let parts: Vec<f32> = ALL
            .chunks(5)
            .flat_map(|indices| batch(&images, indices, 3).images)
            .collect();
        assert_eq!(parts, all.images, "{text}");
        let reversed: Vec<usize> = ALL.into_iter().rev().collect();
        let values = 3 * 11 * 11;
        let reversed = batch(&images, &reversed, 3);
        for (at, image) in reversed.images.chunks(values).rev().enumerate() {
            assert_eq!(image, &all.images[at * values..][..values], "{text}");
        }
        assert_eq!(all.labels, digits().labels());
    }
}

#[test]
fn seed_epoch_and_index_change_what_happens() {
    let images = augmented("crop:5,flip,trivial", u64::MAX);
    assert_ne!(batch(&images, &ALL, 0), batch(&images, &ALL, 1));
    let other = Augmented::new(
        images.plain().clone(),
        list("crop:5,flip,trivial"),
        Seed(5),
        0,
    );
    assert_ne!(
        batch(&other.expect("augmented"), &ALL, 0),
        batch(&images, &ALL, 0)
    );
    let picture = digits().decode(0).expect("a picture");
    let same = ImageSet::from_pictures(vec![picture; 12], vec![0; 12]).expect("a set");
    let plain = Prepared::new(&same, &transform(), 0).expect("prepared");
    let images = Augmented::new(plain, list("crop:5,flip,trivial"), Seed(4), 0);
    let batch = batch(&images.expect("augmented"), &ALL, 0).images;
    let bits = |image: &[f32]| {
        image
            .iter()
            .map(|value| value.to_bits())
            .collect::<Vec<_>>()
    };
    let different: BTreeSet<_> = batch.chunks(3 * 11 * 11).map(bits).collect();
    assert!(different.len() > 6, "{}", different.len());
}

/// What the stream of an image says, by hand.
#[test]
fn changes_are_those_of_the_list_in_its_order() {
    let images = augmented("crop:5,flip,trivial-wide", u64::MAX);
    let got = batch(&images, &ALL, 2).images;
    let mut flips = 0;
    for (index, got) in got.chunks(3 * 11 * 11).enumerate() {
        let mut stream = Seed(4).stream(&format!("augment/epoch 2/image {index}"));
        let picture = digits().decode(index).expect("a picture");
        let image = Transform::squash(16, ColorOrder::RgbThenResize)
            .apply(&picture)
            .expect("an image");
        let (top, left) = (stream.below(6) as i32, stream.below(6) as i32);
        let window = Window {
            left,
            top,
            size: Extent::square(11),
        };
        let mut image = crop(&image, window).expect("an image");
        if stream.uniform() < 0.5 {
            image = flip(image).expect("an image");
            flips += 1;
        }
        let operation = Policy::TrivialWide.choose(|n| stream.below(n));
        let image: RgbImage = operation.apply(image).expect("an image");
        for (at, pixel) in image.pixels.chunks_exact(3).enumerate() {
            for (channel, &value) in pixel.iter().enumerate() {
                assert_eq!(
                    got[channel * 121 + at],
                    f32::from(value) / 255.0,
                    "{operation:?}"
                );
            }
        }
    }
    assert!((1..12).contains(&flips));
}

#[test]
fn every_operation_level_and_place_is_drawn_about_as_often() {
    let mut counts = ([0; 14], [0; 31], [0; 2], [[0; 4]; 2]);
    for image in 0..8_680 {
        let mut stream = Seed(4).stream(&format!("augment/epoch 0/image {image}"));
        for axis in &mut counts.3 {
            axis[stream.below(4)] += 1;
        }
        let mut drawn = Vec::new();
        let _: Operation = Policy::Trivial.choose(|n| {
            drawn.push(stream.below(n));
            drawn[drawn.len() - 1]
        });
        counts.0[drawn[0]] += 1;
        counts.1[drawn[1]] += 1;
        counts.2[drawn[2]] += 1;
    }
    // Five standard deviations of a binomial count.
    let even = |counts: &[i32]| {
        let mean = 8_680.0 / counts.len() as f64;
        let wide = 5.0 * (mean * (1.0 - 1.0 / counts.len() as f64)).sqrt();
        counts
            .iter()
            .all(|&count| (f64::from(count) - mean).abs() < wide)
    };
    assert!(
        even(&counts.0) && even(&counts.1) && even(&counts.2),
        "{counts:?}"
    );
    assert!(counts.3.iter().all(|axis| even(axis)), "{counts:?}");
}

#[test]
fn nothing_is_changed_without_words_or_outside_of_training() {
    let images = augmented("none", 0);
    let plain = Prepared::new(&digits(), &transform(), 0).and_then(|p| p.batch(&ALL));
    let plain = plain.expect("a batch");
    assert_eq!(batch(&images, &ALL, 9), plain);
    let images = augmented("crop:5,flip,trivial", u64::MAX);
    assert_eq!(images.plain().batch(&ALL).expect("a batch"), plain);
}

#[test]
fn impossible_requests_are_errors() {
    let real = Picture::real(Extent::square(2), vec![0.5; 4]).expect("a picture");
    let set = ImageSet::from_pictures(vec![real], vec![0]).expect("a set");
    let real = Prepared::new(&set, &transform(), 0).expect("prepared");
    assert!(Augmented::new(real.clone(), list("none"), Seed(4), 0).is_ok());
    let says = ["use augmentation 'flip'", "expected none", "real values"];
    assert_says(Augmented::new(real, list("flip"), Seed(4), 0), &says);
    let geometry = vec![Geometry::Squash { side: 4_000 }];
    let large = Transform {
        geometry,
        order: ColorOrder::RgbThenResize,
        filter: Filter::Bilinear,
    };
    let large = Prepared::new(&digits(), &large, 0).expect("prepared");
    let says = ["use image side '4100'", "1 to 4096"];
    assert_says(Augmented::new(large, list("crop:100"), Seed(4), 0), &says);
    let images = augmented("crop:5", 0);
    assert_says(
        images.training_batch(&[0, 12], 0),
        &["image 12", "below 12"],
    );
    assert!(batch(&images, &[], 0).images.is_empty());
}
