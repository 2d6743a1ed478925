//! The element types of tensors in files, as a table from type to name, size and decoding.

/// An element type: its name, its size in bytes and how one element becomes an f64.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element {
    name: &'static str,
    size: usize,
    /// `None` for elements that are not read.
    decode: Option<fn(&[u8]) -> f64>,
}

/// Little-endian bytes as a number; a slice of another length, which a reader never passes, gives NaN.
macro_rules! decoder {
    ($type:ty, $to_f64:expr) => {
        |bytes| {
            <[u8; size_of::<$type>()]>::try_from(bytes)
                .map_or(f64::NAN, |bytes| $to_f64(<$type>::from_le_bytes(bytes)))
        }
    };
}

macro_rules! elements {
    ($($constant:ident $name:literal $type:ty, $to_f64:expr;)*) => {
        impl Element {
            $(pub(super) const $constant: Self = Self { name: $name, size: size_of::<$type>(), decode: Some(decoder!($type, $to_f64)) };)*
        }
    };
}

elements! {
    F64 "f64" f64, |x| x;
    F32 "f32" f32, f64::from;
    F16 "f16" half::f16, f64::from;
    BF16 "bf16" half::bf16, f64::from;
    I64 "i64" i64, |x| x as f64;
    I32 "i32" i32, f64::from;
    I16 "i16" i16, f64::from;
    I8 "i8" i8, f64::from;
    U64 "u64" u64, |x| x as f64;
    U32 "u32" u32, f64::from;
    U16 "u16" u16, f64::from;
    U8 "u8" u8, f64::from;
    BOOL "bool" u8, f64::from;
}

impl Element {
    /// The type's name.
    pub(crate) fn name(self) -> &'static str {
        self.name
    }

    /// Elements that are not read, or a form of tensor that is not: `complex64`, `sparse`.
    pub(super) const fn other(name: &'static str) -> Self {
        Self {
            name,
            size: 1,
            decode: None,
        }
    }

    /// Whether its elements are read.
    pub(crate) fn is_read(self) -> bool {
        self.decode.is_some()
    }

    /// Whether it is a floating-point type that is read.
    pub(crate) fn is_float(self) -> bool {
        self.is_read() && self.name.contains('f')
    }

    /// All elements of little-endian bytes; none of elements that are not read.
    pub(crate) fn values(self, bytes: &[u8]) -> impl Iterator<Item = f64> {
        let decoded = self
            .decode
            .map(|decode| bytes.chunks_exact(self.size).map(decode));
        decoded.into_iter().flatten()
    }
}
