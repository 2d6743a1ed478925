//! Seeds, streams and batches, pinned by value: they must never change. The values were also found
//! by a separate implementation of ChaCha8 and of the rules in `seed.rs`, in Python.

use rut_data::{Order, Seed, batches};

#[test]
fn streams_are_pinned() {
    let mut stream = Seed(4).stream("pinned");
    assert_eq!(
        [stream.next_u64(), stream.next_u64()],
        [8_991_702_976_483_653_609, 3_434_821_026_843_977_061]
    );
    assert_eq!([(); 6].map(|()| stream.below(10)), [7, 9, 8, 8, 1, 5]);
    assert_eq!(stream.uniform(), 0.457864230601962);
    assert_eq!(
        Seed(4).stream("pinned").permutation(8),
        [6, 0, 2, 7, 5, 4, 1, 3]
    );
    assert_eq!(
        Seed(5).stream("pinned").permutation(8),
        [5, 3, 7, 2, 1, 0, 4, 6]
    );
}

#[test]
fn bounded_draws_are_bounded_and_even() {
    let mut stream = Seed(1).stream("even");
    let mut counts = [0usize; 7];
    for _ in 0..70_000 {
        counts[stream.below(7)] += 1;
    }
    // Five standard deviations of a count are 463.
    assert!(
        counts.iter().all(|count| count.abs_diff(10_000) < 463),
        "{counts:?}"
    );
    assert_eq!((stream.below(0), stream.below(1)), (0, 0));
    let mean = (0..10_000).map(|_| stream.uniform()).sum::<f64>() / 1e4;
    assert!((mean - 0.5).abs() < 0.015, "{mean}");
}

#[test]
fn the_order_of_an_epoch_is_pinned() {
    let order = |epoch| Order::Shuffled {
        seed: Seed(4),
        epoch,
    };
    assert_eq!(
        batches(7, 3, order(0)),
        [vec![1, 4, 6], vec![5, 3, 2], vec![0]]
    );
    assert_eq!(
        batches(7, 3, order(1)),
        [vec![2, 0, 6], vec![3, 1, 5], vec![4]]
    );
    let mut all = batches(1000, 128, order(2)).concat();
    all.sort_unstable();
    assert_eq!(all, (0..1000).collect::<Vec<_>>());
}

#[test]
fn batches_cut_and_keep_the_last() {
    assert_eq!(batches(4, 2, Order::Sequential), [[0, 1], [2, 3]]);
    assert_eq!(batches(2, 0, Order::Sequential), [[0], [1]]);
    assert!(batches(0, 8, Order::Sequential).is_empty());
}
