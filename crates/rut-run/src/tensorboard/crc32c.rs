//! CRC-32C (Castagnoli; RFC 3720, appendix B.4), and the mask that record files put over it. Not a general library of
//! checksums: a byte at a time is fast enough for a run's events.

/// The polynomial, bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// Remainders of all bytes.
const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut remainder, mut bit) = (byte as u32, 0);
        while bit < 8 {
            let divides = remainder & 1 == 1;
            remainder >>= 1;
            if divides {
                remainder ^= POLYNOMIAL;
            }
            bit += 1;
        }
        table[byte] = remainder;
        byte += 1;
    }
    table
}

/// CRC-32C of `bytes`.
fn crc32c(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8);
    !bytes.iter().fold(!0, step)
}

/// The masked CRC-32C of `bytes`: rotated, and moved by a constant (TensorFlow, `lib/hash/crc32c.h`), so that a checksum of
/// data that holds checksums is no weak one.
pub(super) fn masked(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3720, appendix B.4; the last is the check value of the catalogue of parametrised CRC algorithms.
    #[test]
    fn published_vectors() {
        let rising: Vec<u8> = (0..32).collect();
        let falling: Vec<u8> = (0..32).rev().collect();
        for (bytes, expected) in [
            (&[0; 32][..], 0x8a91_36aa),
            (&[0xff; 32], 0x62a8_ab43),
            (&rising, 0x46dd_794e),
            (&falling, 0x113f_db5c),
            (b"123456789", 0xe306_9283),
            (b"", 0),
        ] {
            assert_eq!(crc32c(bytes), expected, "{bytes:?}");
        }
    }

    /// The length of a record of 24 bytes, as TensorFlow frames it.
    #[test]
    fn the_mask_is_tensorflow_s() {
        let [a, b, c, d] = masked(&24u64.to_le_bytes()).to_le_bytes();
        assert_eq!([a, b, c, d], [0xa3, 0x7f, 0x4b, 0x22]);
    }
}
