//! Numbers in the type in which they are stored, which can be smaller than that of their array:
//! MATLAB stores doubles that are small whole numbers as bytes.

use super::stream::ByteOrder;

/// The numbers of an array, in column-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    pub(super) stored: Stored,
    pub(super) order: ByteOrder,
    /// As many bytes as there are numbers, times the size of one.
    pub(super) raw: Vec<u8>,
}

/// The type in which a number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    kind: Kind,
    /// Bytes of a number.
    pub(super) size: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Signed,
    Unsigned,
    Float,
}

impl Stored {
    /// The type of this number (table 1-1 of the format's description).
    pub(super) fn find(number: u32) -> Option<Stored> {
        let (kind, size) = match number {
            1 => (Kind::Signed, 1),
            2 => (Kind::Unsigned, 1),
            3 => (Kind::Signed, 2),
            4 => (Kind::Unsigned, 2),
            5 => (Kind::Signed, 4),
            6 => (Kind::Unsigned, 4),
            7 => (Kind::Float, 4),
            9 => (Kind::Float, 8),
            12 => (Kind::Signed, 8),
            13 => (Kind::Unsigned, 8),
            _ => return None,
        };
        Some(Stored { kind, size })
    }
}

impl Numbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.raw.len() / self.stored.size
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// The bytes themselves, if the numbers are stored as unsigned bytes.
    pub fn into_bytes(self) -> Option<Vec<u8>> {
        (self.stored.kind == Kind::Unsigned && self.stored.size == 1).then_some(self.raw)
    }

    /// The numbers; `None` in the place of one that is not whole or too large.
    pub fn integers(&self) -> impl Iterator<Item = Option<i64>> {
        self.raw
            .chunks_exact(self.stored.size)
            .map(|number| self.integer(number))
    }

    fn integer(&self, number: &[u8]) -> Option<i64> {
        let bits = self.order.bits(number);
        match (self.stored.kind, self.stored.size) {
            (Kind::Unsigned, _) => i64::try_from(bits).ok(),
            (Kind::Signed, size) => {
                let unused = 64 - 8 * size as u32;
                Some(((bits << unused) as i64) >> unused)
            }
            (Kind::Float, 4) => whole(f64::from(f32::from_bits(bits as u32))),
            (Kind::Float, _) => whole(f64::from_bits(bits)),
        }
    }
}

/// A floating-point number that is a whole one, and exact.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = (1_i64 << 53) as f64;
    (number.trunc() == number && number.abs() <= EXACT).then_some(number as i64)
}
