//! Lengths against what the decoders make, and sizes that lie.

use super::*;

/// Literals, short and long, and copies of all kinds.
fn texts() -> Vec<Vec<u8>> {
    let noise: Vec<u8> = (0..100_000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let words = b"one two three ".repeat(5_000);
    let far = [noise.as_slice(), &noise[..70_000]].concat();
    vec![b"a".to_vec(), vec![7; 300_000], noise, words, far]
}

#[test]
fn lengths_are_counted_as_they_come_out() {
    for text in texts() {
        let lz4 = lz4_flex::block::compress(&text);
        assert_eq!(lz4_length(&lz4), Some(text.len()));
        assert_eq!(
            decode(Compression::LZ4_RAW, &lz4, text.len()),
            Ok(text.clone())
        );
        let snappy = snap::raw::Encoder::new().compress_vec(&text).unwrap();
        assert_eq!(snappy_length(&snappy), Some(text.len()));
        assert_eq!(decode(Compression::SNAPPY, &snappy, text.len()), Ok(text));
    }
}

#[test]
fn hadoop_s_blocks_are_read_and_so_is_what_early_writers_made() {
    for text in texts() {
        let mut hadoop = Vec::new();
        for block in text.chunks(65_536) {
            let stored = lz4_flex::block::compress(block);
            hadoop.extend((block.len() as u32).to_be_bytes());
            hadoop.extend((stored.len() as u32).to_be_bytes());
            hadoop.extend(stored);
        }
        let mut framed = lz4_flex::frame::FrameEncoder::new(Vec::new());
        std::io::Write::write_all(&mut framed, &text).unwrap();
        let framed = framed.finish().unwrap();
        let raw = lz4_flex::block::compress(&text);
        for stored in [hadoop, framed, raw] {
            assert_eq!(
                decode(Compression::LZ4, &stored, text.len()),
                Ok(text.clone())
            );
            assert!(decode(Compression::LZ4, &stored, text.len() + 1).is_err());
        }
    }
}

#[test]
fn a_size_that_is_not_so_is_told() {
    let stored = snap::raw::Encoder::new().compress_vec(&[7; 1000]).unwrap();
    for size in [999, 1001, usize::MAX >> 1] {
        let error = decode(Compression::SNAPPY, &stored, size).unwrap_err();
        assert!(error.contains("becomes 1000 bytes"), "{error}");
    }
    for compression in [Compression::SNAPPY, Compression::LZ4_RAW, Compression::LZ4] {
        for cut in 0..stored.len() {
            assert!(decode(compression, &stored[..cut], 1000).is_err());
        }
    }
}
