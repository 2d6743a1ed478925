//! NumPy's `.npy` files: a header that is a Python dict, and the elements
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>). Objects stand in a
//! pickle, which is read without executing anything.

mod header;

use crate::Fault;
use crate::numpy::{Array, Kind};
use crate::pickle::{self, Pickle};

use header::Header;
pub(crate) use header::declared;

/// How every file begins.
const MAGIC: &[u8] = b"\x93NUMPY";
/// Where the header stands, for errors.
const HEADER: &str = "header";
/// Where the elements stand, for errors.
const ELEMENTS: &str = "elements";
/// The longest header; that of an array of numbers is a line.
pub(crate) const LONGEST_HEADER: usize = 1 << 16;

/// The content of a file.
pub enum Npy<'a> {
    /// Numbers, borrowed from the file.
    Numbers(Array<'a>),
    /// The pickle of an array of objects.
    Objects(Pickle<'a>),
}

/// Reads a file of which these are the bytes.
///
/// ```
/// use rut_formats::npy::{Npy, parse};
/// let header = "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }";
/// let length = (header.len() as u16).to_le_bytes();
/// let file = [b"\x93NUMPY\x01\0".as_slice(), &length, header.as_bytes(), b"\x07\0\xff\xff"].concat();
/// let Npy::Numbers(array) = parse(&file)? else { panic!("objects") };
/// assert_eq!(array.integers().collect::<Vec<_>>(), [Some(7), Some(-1)]);
/// # Ok::<(), rut_formats::Fault>(())
/// ```
///
/// # Errors
/// If they are no such file, or are cut short.
pub fn parse(bytes: &[u8]) -> Result<Npy<'_>, Fault> {
    let (header, elements) = split(bytes)?;
    let text = std::str::from_utf8(header)
        .map_err(|_| Fault::new(HEADER, "a text", "bytes that are none"))?;
    let header = Header::parse(text)?;
    if header.dtype.kind == Kind::Object {
        return objects(&header, elements);
    }
    let Header {
        dtype,
        shape,
        layout,
    } = header;
    Array::new(dtype, shape, layout, elements, ELEMENTS).map(Npy::Numbers)
}

/// The header and what follows it.
pub(crate) fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| {
        let start = bytes.get(..8).unwrap_or(bytes).escape_ascii();
        Fault::new("start", "a NumPy file", format!("'{start}'"))
    })?;
    let (length, rest) = match *rest {
        [1, _, low, high, ref rest @ ..] => (u16::from_le_bytes([low, high]).into(), rest),
        [2 | 3, _, a, b, c, d, ref rest @ ..] => (u32::from_le_bytes([a, b, c, d]) as usize, rest),
        [version, ..] if !matches!(version, 1..=3) => {
            let found = format!("version {version}; save it again with numpy.save");
            return Err(Fault::new("start", "version 1, 2 or 3", found));
        }
        _ => (usize::MAX, [].as_slice()),
    };
    let parts = rest.split_at_checked(length);
    parts.filter(|_| length <= LONGEST_HEADER).ok_or_else(|| {
        let expected = format!("a header of at most {LONGEST_HEADER} bytes");
        Fault::new(
            HEADER,
            expected,
            "a longer or a truncated one; fetch the file again",
        )
    })
}

/// The pickle of an array of objects, as large as the header says.
fn objects<'a>(header: &Header, elements: &'a [u8]) -> Result<Npy<'a>, Fault> {
    let pickle = pickle::parse(elements).map_err(|fault| fault.within(ELEMENTS))?;
    let root = pickle.root();
    if root.shape() == Some(&header.shape) && root.items().is_some() {
        return Ok(Npy::Objects(pickle));
    }
    let expected = format!("an array of {:?} objects, as the header says", header.shape);
    let found = format!("{} of another shape; fetch the file again", root.kind());
    Err(Fault::new(ELEMENTS, expected, found))
}
