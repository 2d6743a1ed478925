//! Prepared images: the same in memory and from disk, whatever the number of threads.

mod common;

use std::path::Path;

use common::assert_says;
use rut_data::{ImageSet, Prepared, open};
use rut_images::{ColorOrder, Filter, Geometry, Transform};

fn digits() -> ImageSet {
    open("digits", Path::new("nowhere"))
        .expect("bundled")
        .train
        .select(&[5, 0, 9, 700])
}

fn transform() -> Transform {
    Transform::squash(11, ColorOrder::RgbThenResize)
}

#[test]
fn memory_and_disk_agree() {
    let set = digits();
    let bytes = 4 * 11 * 11 * 3;
    let kept = Prepared::new(&set, &transform(), bytes).expect("prepared");
    let streamed = Prepared::new(&set, &transform(), bytes - 1).expect("prepared");
    let batches = [&kept, &streamed].map(|p| p.batch(&[3, 1, 3]).expect("a batch"));
    assert_eq!(batches[0], batches[1]);
    assert_eq!(
        kept.digest().expect("a digest"),
        streamed.digest().expect("a digest")
    );
    assert_eq!(
        (kept.side(), kept.len(), kept.labels()),
        (11, 4, set.labels())
    );
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("a pool").install(|| {
            let prepared = Prepared::new(&digits(), &transform(), 0).expect("prepared");
            let digest = prepared.digest().expect("a digest");
            (prepared.batch(&[2, 0, 1]).expect("a batch"), digest)
        })
    };
    assert_eq!(with(1), with(7));
}

#[test]
fn pixels_are_planes_of_bytes_over_255() {
    let set = digits();
    let batch = Prepared::new(&set, &transform(), u64::MAX).and_then(|p| p.batch(&[2]));
    let batch = batch.expect("a batch");
    let image = transform()
        .apply(&set.decode(2).expect("an image"))
        .expect("an image");
    for (at, pixel) in image.pixels.chunks_exact(3).enumerate() {
        for (channel, &value) in pixel.iter().enumerate() {
            assert_eq!(batch.images[channel * 121 + at], f32::from(value) / 255.0);
        }
    }
    assert_eq!(batch.labels, [set.labels()[2]]);
}

#[test]
fn digests_tell_content_order_labels_and_transform_apart() {
    let set = digits();
    let digest = |set: &ImageSet, transform: &Transform| {
        Prepared::new(set, transform, 0)
            .and_then(|p| p.digest())
            .expect("a digest")
    };
    let own = digest(&set, &transform());
    assert_eq!(own, digest(&set.select(&[0, 1, 2, 3]), &transform()));
    assert_ne!(own, digest(&set.select(&[1, 0, 2, 3]), &transform()));
    assert_ne!(own, digest(&set.select(&[0, 1, 2]), &transform()));
    assert_ne!(
        own,
        digest(&set, &Transform::squash(11, ColorOrder::ResizeThenRgb))
    );
    let pictures = |labels| {
        let pictures = (0..2).map(|i| set.decode(i).expect("an image")).collect();
        ImageSet::from_pictures(pictures, labels)
            .expect("a set")
            .digest()
            .expect("a digest")
    };
    assert_ne!(pictures(vec![0, 1]), pictures(vec![1, 0]));
}

#[test]
fn bad_requests_are_errors() {
    let geometry = vec![Geometry::ShorterSide { side: 8 }];
    let open_ended = Transform {
        geometry,
        order: ColorOrder::RgbThenResize,
        filter: Filter::Bilinear,
    };
    let says = [
        "use transform 'rgb, shorter-side 8'",
        "squash or center-crop",
    ];
    assert_says(Prepared::new(&digits(), &open_ended, 0), &says);
    let prepared = Prepared::new(&digits(), &transform(), 0).expect("prepared");
    assert_says(prepared.batch(&[0, 4]), &["image 4", "below 4"]);
    assert_says(
        ImageSet::from_pictures(vec![], vec![1]),
        &["expected 0 labels", "found 1"],
    );
    let huge = Prepared::new(
        &digits(),
        &Transform::squash(1 << 20, ColorOrder::RgbThenResize),
        0,
    );
    assert_says(huge, &["use image side '1048576'"]);
    assert!(prepared.batch(&[]).expect("nothing").images.is_empty());
}
