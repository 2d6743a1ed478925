//! Archives for tests, written field by field, so that any field can be wrong.

use std::io::Write as _;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// An entry to be written.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) name: Vec<u8>,
    /// What the local header calls it.
    pub(crate) local_name: Vec<u8>,
    pub(crate) packed: Vec<u8>,
    pub(crate) size: u64,
    pub(crate) crc: u32,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    /// Whether lengths stand in zip64 fields.
    pub(crate) long: bool,
}

impl Sample {
    pub(crate) fn stored(name: &str, contents: &[u8]) -> Sample {
        let mut crc = Crc::new();
        crc.update(contents);
        Sample {
            name: name.into(),
            local_name: name.into(),
            packed: contents.to_vec(),
            size: contents.len() as u64,
            crc: crc.sum(),
            method: 0,
            flags: 0,
            long: false,
        }
    }

    pub(crate) fn deflated(name: &str, contents: &[u8]) -> Sample {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(contents).unwrap();
        Sample {
            packed: encoder.finish().unwrap(),
            method: 8,
            ..Sample::stored(name, contents)
        }
    }

    fn local(&self) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04\x2d\0".to_vec();
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend(self.method.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.crc.to_le_bytes());
        let (short, extra) = self.lengths(&[self.size, self.packed.len() as u64]);
        bytes.extend(short[1].to_le_bytes());
        bytes.extend(short[0].to_le_bytes());
        bytes.extend((self.local_name.len() as u16).to_le_bytes());
        bytes.extend((extra.len() as u16).to_le_bytes());
        bytes.extend(&self.local_name);
        bytes.extend(extra);
        bytes.extend(&self.packed);
        bytes
    }

    fn central(&self, at: u64) -> Vec<u8> {
        let mut bytes = b"PK\x01\x02\x2d\0\x2d\0".to_vec();
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend(self.method.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.crc.to_le_bytes());
        let (short, extra) = self.lengths(&[self.size, self.packed.len() as u64, at]);
        bytes.extend(short[1].to_le_bytes());
        bytes.extend(short[0].to_le_bytes());
        bytes.extend((self.name.len() as u16).to_le_bytes());
        bytes.extend((extra.len() as u16).to_le_bytes());
        bytes.extend([0; 10]);
        bytes.extend(short[2].to_le_bytes());
        bytes.extend(&self.name);
        bytes.extend(extra);
        bytes
    }

    /// Numbers of four bytes, and the extra fields.
    fn lengths(&self, numbers: &[u64]) -> ([u32; 3], Vec<u8>) {
        if !self.long {
            let mut short = [0; 3];
            let pairs = short.iter_mut().zip(numbers);
            pairs.for_each(|(short, &number)| *short = number as u32);
            return (short, Vec::new());
        }
        // Another field first, which is skipped.
        let mut extra = b"XX\x02\0??\x01\0".to_vec();
        extra.extend((8 * numbers.len() as u16).to_le_bytes());
        numbers
            .iter()
            .for_each(|number| extra.extend(number.to_le_bytes()));
        ([u32::MAX; 3], extra)
    }
}

/// How an archive ends.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum End {
    /// The end record alone.
    Short,
    /// With zip64 records, as PyTorch always writes them.
    Both,
    /// With zip64 records, and nothing but placeholders in the end record.
    Long,
}

/// The bytes of an archive of these entries.
pub(crate) fn archive(entries: &[Sample], end: End) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        directory.extend(entry.central(bytes.len() as u64));
        bytes.extend(entry.local());
    }
    let (start, length, count) = (
        bytes.len() as u64,
        directory.len() as u64,
        entries.len() as u64,
    );
    bytes.extend(directory);
    if end != End::Short {
        let at = bytes.len() as u64;
        bytes.extend(b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\0\x2d\0\0\0\0\0\0\0\0\0");
        for number in [count, count, length, start] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(b"PK\x06\x07\0\0\0\0");
        bytes.extend(at.to_le_bytes());
        bytes.extend(b"\x01\0\0\0");
    }
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    let (count, length, start) = match end {
        End::Long => (u16::MAX, u32::MAX, u32::MAX),
        _ => (count as u16, length as u32, start as u32),
    };
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend([0; 2]);
    bytes
}
