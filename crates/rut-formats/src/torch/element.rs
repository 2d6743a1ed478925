//! Element types, by the names of PyTorch's storages and dtypes.

/// What the elements of a tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// IEEE 754, 64 bits.
    F64,
    /// IEEE 754, 32 bits.
    F32,
    /// IEEE 754, 16 bits.
    F16,
    /// The upper half of an f32.
    Bf16,
    /// Whole number of 64 bits.
    I64,
    /// Whole number of 32 bits.
    I32,
    /// Whole number of 16 bits.
    I16,
    /// Whole number of 8 bits.
    I8,
    /// Whole number of 64 bits without a sign.
    U64,
    /// Whole number of 32 bits without a sign.
    U32,
    /// Whole number of 16 bits without a sign.
    U16,
    /// A byte.
    U8,
    /// A byte that is 0 or 1.
    Bool,
    /// Elements, or a form of tensor, that are not read: `complex64`, `sparse`.
    Other(&'static str),
}

/// Name of a storage without `Storage`, of a dtype, the element, and its bytes.
const ELEMENTS: &[(&str, &str, Element, u64)] = &[
    ("Double", "float64", Element::F64, 8),
    ("Float", "float32", Element::F32, 4),
    ("Half", "float16", Element::F16, 2),
    ("BFloat16", "bfloat16", Element::Bf16, 2),
    ("Long", "int64", Element::I64, 8),
    ("Int", "int32", Element::I32, 4),
    ("Short", "int16", Element::I16, 2),
    ("Char", "int8", Element::I8, 1),
    ("Byte", "uint8", Element::U8, 1),
    ("Bool", "bool", Element::Bool, 1),
    ("Untyped", "", Element::U8, 1),
    ("_Untyped", "", Element::U8, 1),
    ("", "uint64", Element::U64, 8),
    ("", "uint32", Element::U32, 4),
    ("", "uint16", Element::U16, 2),
    ("", "complex32", Element::Other("complex32"), 4),
    ("ComplexFloat", "complex64", Element::Other("complex64"), 8),
    (
        "ComplexDouble",
        "complex128",
        Element::Other("complex128"),
        16,
    ),
    ("QInt8", "qint8", Element::Other("quantised"), 1),
    ("QUInt8", "quint8", Element::Other("quantised"), 1),
    ("QInt32", "qint32", Element::Other("quantised"), 4),
    ("QUInt4x2", "quint4x2", Element::Other("quantised"), 1),
    ("QUInt2x4", "quint2x4", Element::Other("quantised"), 1),
    ("", "float8_e4m3fn", Element::Other("float8_e4m3fn"), 1),
    ("", "float8_e5m2", Element::Other("float8_e5m2"), 1),
    ("", "float8_e4m3fnuz", Element::Other("float8_e4m3fnuz"), 1),
    ("", "float8_e5m2fnuz", Element::Other("float8_e5m2fnuz"), 1),
    ("", "float8_e8m0fnu", Element::Other("float8_e8m0fnu"), 1),
];

impl Element {
    /// The elements of a storage class, and the bytes of one.
    pub(super) fn of_storage(class: &[u8]) -> Option<(Element, u64)> {
        let name = class.strip_suffix(b"Storage")?;
        let row = |row: &&(&str, &str, Element, u64)| row.0.as_bytes() == name && !name.is_empty();
        ELEMENTS.iter().find(row).map(|row| (row.2, row.3))
    }

    /// The elements of a dtype, and the bytes of one.
    pub(super) fn of_dtype(name: &[u8]) -> Option<(Element, u64)> {
        let row = |row: &&(&str, &str, Element, u64)| row.1.as_bytes() == name && !name.is_empty();
        ELEMENTS.iter().find(row).map(|row| (row.2, row.3))
    }
}
