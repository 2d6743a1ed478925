//! What a pickle is made of: values that refer to each other by their place in the arena.

use std::borrow::Cow;

use crate::numpy::{Dtype, Layout};

/// Bytes that an allocation costs beside those that were asked for.
const ALLOCATION: usize = 16;

/// The place of a value in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(pub(super) u32);

/// A value.
pub(super) enum Node<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// An int of more than 64 bits: its little-endian bytes, or its decimal digits.
    Long(&'a [u8]),
    Float(f64),
    /// `bytes`, `bytearray`, or `str` of Python 2.
    Bytes(Cow<'a, [u8]>),
    Text(Cow<'a, str>),
    List(Vec<Id>),
    Tuple(Box<[Id]>),
    /// Keys and values in the order in which they were set; the last of equal keys counts.
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Dtype(Dtype),
    Array(Box<Stored>),
    /// A class or function of any name, by two lines of the file.
    Class(&'a [u8]),
    /// A class or function of any name, by the values of module and name.
    NamedClass(Id, Id),
    /// What calling a class or function with a tuple of arguments would give.
    Call(Id, Id),
    /// What the writer stored elsewhere under this id.
    Persistent(Id),
}

/// An array whose bytes or objects are values of their own.
pub(super) struct Stored {
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    pub(super) layout: Layout,
    /// Bytes, or a list of objects; none until the array is built.
    pub(super) data: Option<Id>,
}

impl Node<'_> {
    /// Bytes that it takes beside its place in the arena, none of them of the file.
    pub(super) fn held_bytes(&self) -> usize {
        match self {
            Node::Bytes(Cow::Owned(bytes)) => bytes.len() + ALLOCATION,
            Node::Text(Cow::Owned(text)) => text.len() + ALLOCATION,
            Node::List(items) => size_of_val(items.as_slice()) + ALLOCATION,
            Node::Tuple(items) => size_of_val(&**items) + ALLOCATION,
            Node::Dict(entries) => size_of_val(entries.as_slice()) + ALLOCATION,
            Node::Array(stored) => {
                size_of::<Stored>() + size_of_val(stored.shape.as_slice()) + 2 * ALLOCATION
            }
            _ => 0,
        }
    }

    /// What it is, for errors.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Node::None => "None",
            Node::Bool(_) => "a bool",
            Node::Int(_) | Node::Long(_) => "an int",
            Node::Float(_) => "a float",
            Node::Bytes(_) => "bytes",
            Node::Text(_) => "a text",
            Node::List(_) => "a list",
            Node::Tuple(_) => "a tuple",
            Node::Dict(_) => "a dict",
            Node::Global(_) => "a function",
            Node::Dtype(_) => "an element type",
            Node::Array(_) => "an array",
            Node::Class(_) | Node::NamedClass(..) => "a class",
            Node::Call(..) => "an object",
            Node::Persistent(_) => "a stored value",
        }
    }
}

/// What a pickle may name: the parts of which NumPy's arrays are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Global {
    /// An empty array, built later.
    Reconstruct,
    /// The type of arrays.
    NdArray,
    /// An element type.
    Dtype,
    /// An array of one element.
    Scalar,
    /// An array over bytes (protocol 5).
    FromBuffer,
    /// Bytes written as a text (Python 3, protocols 0 to 2).
    Encode,
    /// No bytes at all (Python 3, protocols 0 to 2).
    NoBytes,
}

/// Their names; NumPy moved `core` to `_core` in version 2.
const GLOBALS: &[(&str, &str, Global)] = &[
    ("numpy.core.multiarray", "_reconstruct", Global::Reconstruct),
    (
        "numpy._core.multiarray",
        "_reconstruct",
        Global::Reconstruct,
    ),
    ("numpy.core.multiarray", "scalar", Global::Scalar),
    ("numpy._core.multiarray", "scalar", Global::Scalar),
    ("numpy.core.numeric", "_frombuffer", Global::FromBuffer),
    ("numpy._core.numeric", "_frombuffer", Global::FromBuffer),
    ("numpy", "ndarray", Global::NdArray),
    ("numpy", "dtype", Global::Dtype),
    ("_codecs", "encode", Global::Encode),
    ("__builtin__", "bytes", Global::NoBytes),
    ("builtins", "bytes", Global::NoBytes),
];

impl Global {
    /// The part of this name.
    pub(super) fn find(module: &str, name: &str) -> Option<Global> {
        let known = GLOBALS
            .iter()
            .find(|known| (known.0, known.1) == (module, name));
        known.map(|&(_, _, global)| global)
    }
}
