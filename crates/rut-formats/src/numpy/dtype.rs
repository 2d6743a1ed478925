//! Element types, as NumPy spells them: `<i8`, `|u1`, `>f4`, `|b1`, `|O`.

use half::f16;

use crate::{Fault, escape};

/// What an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One byte, 0 or 1.
    Bool,
    /// Whole number without a sign.
    Unsigned,
    /// Whole number in two's complement.
    Signed,
    /// IEEE 754 number of two, four or eight bytes.
    Float,
    /// Any Python object; the elements stand in a pickle.
    Object,
}

/// Kinds with their letter and the sizes in bytes that are read.
const KINDS: &[(char, Kind, &[usize])] = &[
    ('b', Kind::Bool, &[1]),
    ('u', Kind::Unsigned, &[1, 2, 4, 8]),
    ('i', Kind::Signed, &[1, 2, 4, 8]),
    ('f', Kind::Float, &[2, 4, 8]),
    ('O', Kind::Object, &[4, 8]),
];

/// An element type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dtype {
    /// What an element is.
    pub kind: Kind,
    /// Bytes of an element.
    pub size: usize,
    order: ByteOrder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ByteOrder {
    Little,
    Big,
}

impl Dtype {
    /// One unsigned byte.
    pub const BYTE: Dtype = Dtype {
        kind: Kind::Unsigned,
        size: 1,
        order: ByteOrder::Little,
    };

    /// Reads a spelling, with or without byte order; `place` is for the error.
    ///
    /// # Errors
    /// If elements of this type are not read.
    pub fn parse(text: &str, place: &str) -> Result<Dtype, Fault> {
        let (order, rest) = match text.split_at_checked(1) {
            Some((order @ ("<" | "=" | "|" | ">"), rest)) => (order, rest),
            _ => ("<", text),
        };
        let known = KINDS
            .iter()
            .find_map(|&(letter, kind, sizes)| Some((kind, size(rest, letter, sizes)?)));
        let (kind, size) = known.ok_or_else(|| {
            let expected = "elements b1, u1 to u8, i1 to i8, f2, f4, f8 or O; convert the array";
            Fault::new(place, expected, format!("'{}'", escape(text)))
        })?;
        let dtype = Dtype {
            order: ByteOrder::Little,
            kind,
            size,
        };
        Ok(dtype.with_order(order))
    }

    /// The same with the byte order of this sign; signs other than `>` mean little-endian.
    pub fn with_order(self, sign: &str) -> Dtype {
        let order = match sign {
            ">" => ByteOrder::Big,
            _ => ByteOrder::Little,
        };
        Dtype { order, ..self }
    }

    /// The element of these bytes as a whole number; `None` if it is none or the bytes do not fit.
    pub fn integer(self, element: &[u8]) -> Option<i64> {
        let bits = self.bits(element)?;
        match self.kind {
            Kind::Bool => Some(i64::from(bits != 0)),
            Kind::Unsigned => i64::try_from(bits).ok(),
            Kind::Signed => {
                let unused = 64 - 8 * self.size as u32;
                Some(((bits << unused) as i64) >> unused)
            }
            Kind::Float | Kind::Object => None,
        }
    }

    /// The element of these bytes as a floating-point number; `None` if it is of another kind.
    pub fn float(self, element: &[u8]) -> Option<f64> {
        let bits = self.bits(element)?;
        match (self.kind, self.size) {
            (Kind::Float, 2) => Some(f16::from_bits(bits as u16).to_f64()),
            (Kind::Float, 4) => Some(f64::from(f32::from_bits(bits as u32))),
            (Kind::Float, _) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    fn bits(self, element: &[u8]) -> Option<u64> {
        let push = |bits: u64, &byte: &u8| (bits << 8) | u64::from(byte);
        let bits = match self.order {
            ByteOrder::Little => element.iter().rev().fold(0, push),
            ByteOrder::Big => element.iter().fold(0, push),
        };
        (element.len() == self.size).then_some(bits)
    }
}

/// The size in `text` after this letter; `?` is a bool, and an object may have no size.
fn size(text: &str, letter: char, sizes: &[usize]) -> Option<usize> {
    let digits = match text {
        "?" => "b1".strip_prefix(letter)?,
        "O" => "O8".strip_prefix(letter)?,
        _ => text.strip_prefix(letter)?,
    };
    sizes
        .iter()
        .copied()
        .find(|size| digits == size.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dtype(text: &str) -> Dtype {
        Dtype::parse(text, "header").unwrap()
    }

    #[test]
    fn numbers_of_both_byte_orders_are_read() {
        assert_eq!(dtype("<i2").integer(&[0xfe, 0xff]), Some(-2));
        assert_eq!(dtype(">i2").integer(&[0xff, 0xfe]), Some(-2));
        assert_eq!(dtype("|i1").integer(&[0x80]), Some(-128));
        assert_eq!(dtype("u4").integer(&[1, 0, 0, 0x80]), Some(0x8000_0001));
        assert_eq!(dtype("<u8").integer(&[0xff; 8]), None);
        assert_eq!(dtype("<i8").integer(&[0xff; 8]), Some(-1));
        assert_eq!(dtype("?").integer(&[1]), Some(1));
        assert_eq!(
            dtype(">f4").float(&1.5_f32.to_be_bytes()),
            Some(f64::from(1.5_f32))
        );
        assert_eq!(dtype("f8").float(&0.25_f64.to_le_bytes()), Some(0.25));
        // numpy.array([-2.0, 2.0**-24], 'f2').tobytes()
        assert_eq!(dtype("f2").float(&[0x00, 0xc0]), Some(-2.0));
        assert_eq!(dtype("f2").float(&[0x01, 0x00]), Some(2.0_f64.powi(-24)));
        assert_eq!(dtype("f8").integer(&[0; 8]), None);
        assert_eq!(dtype("<i2").integer(&[1]), None);
    }

    #[test]
    fn other_elements_are_refused() {
        for text in [
            "", "<", "U5", "<M8[ns]", "c16", "f3", "u3", "V4", "é1", "u01",
        ] {
            assert!(Dtype::parse(text, "header").is_err(), "{text}");
        }
        assert_eq!(dtype("|O").kind, Kind::Object);
        assert_eq!(dtype("O8").kind, Kind::Object);
    }
}
