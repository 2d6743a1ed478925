//! Data elements: a type, a length, and that many bytes, padded to a multiple of eight.

use std::io::{self, Read};

use crate::{Fault, inflated};

/// The order of the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    /// The lowest byte first.
    Little,
    /// The highest byte first.
    Big,
}

impl ByteOrder {
    /// The unsigned number of these bytes, at most eight.
    pub(super) fn bits(self, bytes: &[u8]) -> u64 {
        let push = |bits: u64, &byte: &u8| (bits << 8) | u64::from(byte);
        match self {
            ByteOrder::Little => bytes.iter().rev().fold(0, push),
            ByteOrder::Big => bytes.iter().fold(0, push),
        }
    }
}

/// Type and length of an element; a small one holds its bytes in the tag.
pub(super) struct Tag {
    /// Number of the type (table 1-1 of the format's description).
    pub(super) kind: u32,
    /// Bytes that follow.
    pub(super) length: u64,
    small: Option<[u8; 4]>,
}

/// Bytes that come one after the other, of a file or inflated.
pub(super) struct Stream<'a> {
    input: &'a mut dyn Read,
    pub(super) order: ByteOrder,
    /// Bytes read so far.
    at: u64,
    /// Arrays and names of fields that may still be made.
    arrays_left: usize,
}

/// Arrays and names of fields in one variable; those of the largest data set are far fewer.
const MOST_ARRAYS: usize = 1 << 18;

impl<'a> Stream<'a> {
    pub(super) fn new(input: &'a mut dyn Read, order: ByteOrder) -> Self {
        Stream {
            input,
            order,
            at: 0,
            arrays_left: MOST_ARRAYS,
        }
    }

    /// Bytes read so far.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The error at the present place.
    pub(super) fn fault(&self, expected: impl Into<String>, found: impl Into<String>) -> Fault {
        Fault::new(format!("byte {}", self.at), expected, found)
    }

    /// Counts arrays, or names of fields, that are about to be made.
    pub(super) fn count_arrays(&mut self, count: usize) -> Result<(), Fault> {
        let left = self.arrays_left.checked_sub(count);
        self.arrays_left = left.ok_or_else(|| {
            let most = format!("at most {MOST_ARRAYS} arrays and fields in a variable");
            self.fault(most, "more; the file is damaged or hostile")
        })?;
        Ok(())
    }

    /// The next tag; its element ends at `end` or before.
    pub(super) fn tag(&mut self, end: u64) -> Result<Tag, Fault> {
        let word = self.word(end)?;
        if word >> 16 != 0 {
            let mut small = [0; 4];
            self.fill(&mut small, end)?;
            return Ok(Tag {
                kind: word & 0xffff,
                length: u64::from(word >> 16),
                small: Some(small),
            });
        }
        let length = u64::from(self.word(end)?);
        let left = end.saturating_sub(self.at);
        if length <= left {
            Ok(Tag {
                kind: word,
                length,
                small: None,
            })
        } else {
            Err(self.fault(
                format!("an element of at most {left} bytes"),
                format!("one of {length}; the file is damaged, fetch it again"),
            ))
        }
    }

    /// The bytes of an element, the padding behind them taken too.
    pub(super) fn bytes(&mut self, tag: &Tag, end: u64) -> Result<Vec<u8>, Fault> {
        if let Some(small) = tag.small {
            let bytes = small.get(..tag.length as usize);
            let bytes = bytes
                .ok_or_else(|| self.fault("at most 4 bytes in a tag", tag.length.to_string()))?;
            return Ok(bytes.to_vec());
        }
        if tag.length > inflated::MOST {
            let expected = format!("an array of at most {} bytes", inflated::MOST);
            return Err(self.fault(expected, tag.length.to_string()));
        }
        let bytes = inflated::pieces(self.input, tag.length)
            .map_err(|found| self.fault("readable bytes", found))?;
        self.at += bytes.len() as u64;
        if bytes.len() as u64 != tag.length {
            return Err(self.truncated());
        }
        self.skip_padding(tag.length, end)?;
        Ok(bytes)
    }

    /// Passes over what is left up to `end`.
    pub(super) fn skip_to(&mut self, end: u64) -> Result<(), Fault> {
        let wanted = end.saturating_sub(self.at);
        let skipped = io::copy(&mut (&mut self.input).take(wanted), &mut io::sink());
        match skipped {
            Ok(skipped) if skipped == wanted => {
                self.at += skipped;
                Ok(())
            }
            Ok(_) => Err(self.truncated()),
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    /// Elements begin at multiples of eight, but the last one may end without padding.
    fn skip_padding(&mut self, length: u64, end: u64) -> Result<(), Fault> {
        let padded = self.at + (8 - length % 8) % 8;
        self.skip_to(padded.min(end))
    }

    fn word(&mut self, end: u64) -> Result<u32, Fault> {
        let mut word = [0; 4];
        self.fill(&mut word, end)?;
        Ok(self.order.bits(&word) as u32)
    }

    fn fill(&mut self, bytes: &mut [u8], end: u64) -> Result<(), Fault> {
        let length = bytes.len() as u64;
        if length > end.saturating_sub(self.at) {
            return Err(self.truncated());
        }
        match self.input.read_exact(bytes) {
            Ok(()) => {
                self.at += length;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.truncated()),
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    fn truncated(&self) -> Fault {
        self.fault(
            "more bytes",
            "the end; the file is truncated, fetch it again",
        )
    }

    fn unreadable(&self, error: &io::Error) -> Fault {
        self.fault(
            "readable bytes",
            format!("damaged ones ({error}); fetch the file again"),
        )
    }
}
