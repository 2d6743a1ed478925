//! Digests of sets that share images.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Counts how often an image's content is read.
struct Counted(AtomicUsize);

impl ImageSource for Counted {
    fn count(&self) -> usize {
        3
    }

    fn decode(&self, index: usize) -> Result<Picture> {
        Err(Error::IndexOutOfRange { index, len: 0 })
    }

    fn name(&self, index: usize) -> String {
        index.to_string()
    }

    fn content(&self, index: usize) -> Result<Digest> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Digest::of_bytes(&[index as u8]))
    }
}

#[test]
fn images_are_read_once_for_the_digests_of_all_sets_that_hold_them() {
    let source = Arc::new(Counted(AtomicUsize::new(0)));
    let read = || source.0.load(Ordering::Relaxed);
    let set = ImageSet::new(source.clone(), vec![0, 1, 0]).unwrap();
    let part = set.select(&[2, 0]);
    let of_part = part.digest().unwrap();
    assert_eq!(read(), 2);
    let digest = set.digest().unwrap();
    let relabelled = set.filter_map_labels(|label| Some(label + 1));
    assert_ne!(relabelled.digest().unwrap(), digest);
    assert_eq!(
        (part.digest().unwrap(), set.digest().unwrap()),
        (of_part, digest)
    );
    assert_eq!(read(), 3);
    // What is remembered is what is there.
    let fresh = ImageSet::new(Arc::new(Counted(AtomicUsize::new(0))), vec![0, 1, 0]).unwrap();
    assert_eq!(fresh.digest().unwrap(), digest);
    assert_eq!(fresh.select(&[2, 0]).digest().unwrap(), of_part);
}
