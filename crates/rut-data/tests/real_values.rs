//! Sets of images of real values: nothing rounds them to 8 bits, and no set mixes depths.

mod common;

use std::sync::Arc;

use common::assert_says;
use rut_data::{Depth, Digest, Error, ImageSet, ImageSource, Prepared, Result, picture_digest};
use rut_images::{ColorOrder, Extent, Mode, Picture, Transform};

#[test]
fn a_batch_holds_the_values_themselves_kept_or_not() {
    let size = Extent::square(5);
    let values: Vec<f32> = (0..25).map(|at| (at as f32).sqrt() / 5.0).collect();
    let first = Picture::real(size, values.clone()).expect("a picture");
    let second = Picture::real(size, vec![0.5; 25]).expect("a picture");
    let set = ImageSet::from_pictures(vec![first, second], vec![1, 0]).expect("a set");
    assert_eq!(set.depth(), Depth::Real);
    let transform = Transform::squash(5, ColorOrder::RgbThenResize);
    let bytes = 2 * 25 * 4;
    let batches = [bytes, bytes - 1].map(|cap| {
        let prepared = Prepared::new(&set, &transform, cap).expect("prepared");
        prepared.batch(&[1, 0]).expect("a batch")
    });
    assert_eq!(batches[0], batches[1]);
    assert_eq!(batches[0].images[75..], [&*values; 3].concat());
    assert_eq!(batches[0].labels, [0, 1]);
}

#[test]
fn a_digest_sees_a_single_bit() {
    let of = |value: f32| {
        let picture = Picture::real(Extent::square(1), vec![value]).expect("a picture");
        let set = ImageSet::from_pictures(vec![picture.clone()], vec![0]).expect("a set");
        (picture_digest(&picture), set.digest().expect("a digest"))
    };
    let (a, b) = (of(0.3), of(0.3f32.next_up()));
    assert_eq!(a, of(0.3));
    assert!(a.0 != b.0 && a.1 != b.1);
    let grey = Picture::new(Mode::Grey, Extent::square(1), vec![0]).expect("a picture");
    assert_ne!(of(0.0).0, picture_digest(&grey));
}

/// Says that its images have 8 bits, and gives real values.
struct Surprise;

impl ImageSource for Surprise {
    fn count(&self) -> usize {
        1
    }

    fn decode(&self, _: usize) -> Result<Picture> {
        Ok(Picture::real(Extent::square(1), vec![0.3]).expect("a picture"))
    }

    fn name(&self, _: usize) -> String {
        "surprise #0".to_owned()
    }

    fn content(&self, _: usize) -> Result<Digest, Error> {
        Ok(Digest::of_bytes(b""))
    }
}

#[test]
fn no_set_mixes_depths() {
    let size = Extent::square(1);
    let byte = Picture::new(Mode::Grey, size, vec![7]).expect("a picture");
    let real = Picture::real(size, vec![0.3]).expect("a picture");
    let bytes = ImageSet::from_pictures(vec![byte.clone()], vec![0]).expect("a set");
    let reals = ImageSet::from_pictures(vec![real, byte], vec![0, 0]).expect("a set");
    assert_says(
        reals.decode(1),
        &["expected real values", "found 8-bit pixels"],
    );
    let both = ImageSet::concat(&[&bytes, &reals]).expect("a set");
    assert_says(
        both.decode(1),
        &["expected 8-bit pixels", "found real values"],
    );
    let surprise = ImageSet::new(Arc::new(Surprise), vec![0]).expect("a set");
    let transform = Transform::squash(1, ColorOrder::RgbThenResize);
    assert_says(
        Prepared::new(&surprise, &transform, u64::MAX),
        &["decode surprise #0", "found real values"],
    );
}
