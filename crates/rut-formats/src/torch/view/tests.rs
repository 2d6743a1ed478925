//! Views of all kinds, gathered piece by piece, and those that lie outside.

use super::*;

fn gathered(offset: u64, lengths: &[u64], strides: &[u64], piece: usize) -> Vec<u8> {
    let storage: Vec<u8> = (0..120).collect();
    let view = View {
        storage: 0,
        offset,
        lengths: lengths.to_vec(),
        strides: strides.to_vec(),
        size: 2,
    };
    assert!(view.is_within(60));
    let mut walk = Walk::new(&view);
    let pieces = storage.chunks(piece).enumerate();
    for (number, bytes) in pieces {
        let start = (number * piece) as u64;
        if walk.next() < start + bytes.len() as u64 && !walk.take(bytes, start) {
            break;
        }
    }
    walk.finish()
}

fn expected(offset: u64, lengths: &[u64], strides: &[u64]) -> Vec<u8> {
    let count: u64 = lengths.iter().product();
    let mut elements = Vec::new();
    for number in 0..count {
        let (mut rest, mut at) = (number, offset);
        for (length, stride) in lengths.iter().zip(strides).rev() {
            at += rest % length * stride;
            rest /= length;
        }
        elements.extend([2 * at as u8, 2 * at as u8 + 1]);
    }
    elements
}

#[test]
fn views_of_all_kinds_are_gathered() {
    for (offset, lengths, strides) in [
        (0, &[60][..], &[1][..]),
        (3, &[], &[]),
        (2, &[4, 5], &[5, 1]),
        (2, &[5, 4], &[1, 5]),
        (0, &[3, 4, 5], &[1, 15, 3]),
        (1, &[6, 3], &[9, 2]),
        (7, &[4, 3], &[0, 1]),
        (7, &[2, 3, 2], &[1, 0, 4]),
        (7, &[3, 2], &[0, 0]),
        (0, &[8, 3], &[1, 1]),
        (0, &[2, 3], &[4, 5]),
        (5, &[1, 7, 1], &[99, 3, 98]),
    ] {
        for piece in [2, 6, 10, 64, 200] {
            let found = gathered(offset, lengths, strides, piece);
            assert_eq!(
                found,
                expected(offset, lengths, strides),
                "{lengths:?} {strides:?}"
            );
        }
    }
}

#[test]
fn what_lies_outside_is_seen() {
    let within = |offset, lengths: &[u64], strides: &[u64]| {
        let view = View {
            storage: 0,
            offset,
            lengths: lengths.to_vec(),
            strides: strides.to_vec(),
            size: 1,
        };
        view.is_within(10)
    };
    assert!(within(0, &[2, 5], &[5, 1]) && within(9, &[], &[]));
    assert!(within(100, &[0, 1 << 62], &[1, 1]));
    assert!(!within(1, &[2, 5], &[5, 1]) && !within(10, &[], &[]));
    assert!(!within(0, &[1 << 40, 1 << 40], &[1 << 40, 1]));
    assert!(!within(u64::MAX, &[2], &[1]));
}
