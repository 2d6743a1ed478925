//! Array elements: flags, dimensions, name, and the values of each class.

use super::array::{Array, Struct, Values};
use super::numbers::{Numbers, Stored};
use super::stream::{ByteOrder, Stream, Tag};
use crate::Fault;

/// Type of the element that is an array.
pub(super) const MATRIX: u32 = 14;
/// Arrays in arrays; cells of structs of texts are three.
const MAX_DEPTH: usize = 16;
/// Axes of an array.
const MAX_DIMS: usize = 8;
/// Fields of a struct.
const MAX_FIELDS: usize = 1024;
/// Bytes of the longest text; the longest that anybody asks for is the name of a file.
const LONGEST_TEXT: u64 = 1 << 20;
/// The longest name of a variable.
const LONGEST_NAME: u64 = 4096;
/// The flag of an array of complex numbers.
const COMPLEX: u64 = 1 << 11;

/// Classes of arrays (table 1-3 of the format's description).
mod class {
    pub(super) const CELL: u8 = 1;
    pub(super) const STRUCT: u8 = 2;
    pub(super) const CHAR: u8 = 4;
    pub(super) const FIRST_NUMERIC: u8 = 6;
    pub(super) const LAST_NUMERIC: u8 = 15;
}

/// What stands before the values.
pub(super) struct Head {
    /// The name of the variable; those in cells and structs have none.
    pub(super) name: String,
    class: u8,
    complex: bool,
    dims: Vec<usize>,
}

/// The beginning of an array that ends at `end`.
pub(super) fn head(stream: &mut Stream<'_>, end: u64) -> Result<Head, Fault> {
    let order = stream.order;
    let (_, flags) = short_element(stream, end, 8)?;
    let flags = order.bits(flags.get(..4).unwrap_or(&flags));
    let (_, dims) = short_element(stream, end, 4 * MAX_DIMS as u64)?;
    let dims: Option<Vec<usize>> = dims
        .chunks_exact(4)
        .map(|dim| dimension(order, dim))
        .collect();
    let dims = dims.ok_or_else(|| stream.fault("lengths of axes", "a negative one"))?;
    let (_, name) = short_element(stream, end, LONGEST_NAME)?;
    Ok(Head {
        name: String::from_utf8_lossy(&name).into_owned(),
        class: flags as u8,
        complex: flags & COMPLEX != 0,
        dims,
    })
}

fn dimension(order: ByteOrder, bytes: &[u8]) -> Option<usize> {
    let dimension = order.bits(bytes) as u32 as i32;
    usize::try_from(dimension).ok()
}

/// An element of a few bytes, with its tag.
fn short_element(stream: &mut Stream<'_>, end: u64, longest: u64) -> Result<(Tag, Vec<u8>), Fault> {
    let tag = stream.tag(end)?;
    if tag.length > longest {
        let expected = format!("an element of at most {longest} bytes");
        return Err(stream.fault(expected, tag.length.to_string()));
    }
    let bytes = stream.bytes(&tag, end)?;
    Ok((tag, bytes))
}

/// The values behind a head.
pub(super) fn array(
    stream: &mut Stream<'_>,
    head: Head,
    end: u64,
    depth: usize,
) -> Result<Array, Fault> {
    stream.count_arrays(1)?;
    let count = head
        .dims
        .iter()
        .try_fold(1_usize, |n, &dim| n.checked_mul(dim));
    let count = count.ok_or_else(|| stream.fault("an array", "too many elements to count"))?;
    let values = match head.class {
        _ if head.complex => return Err(stream.fault("real numbers", "complex ones")),
        class::FIRST_NUMERIC..=class::LAST_NUMERIC => numbers(stream, count, end)?,
        class::CHAR => text(stream, count, end)?,
        class::CELL => Values::Cells(arrays(stream, count, end, depth)?),
        class::STRUCT => records(stream, count, end, depth)?,
        other => {
            let expected = "numbers, characters, cells or structs";
            let found =
                format!("class {other}; save it without objects, sparse arrays and functions");
            return Err(stream.fault(expected, found));
        }
    };
    stream.skip_to(end)?;
    let dims = head.dims;
    Ok(Array { dims, values })
}

fn numbers(stream: &mut Stream<'_>, count: usize, end: u64) -> Result<Values, Fault> {
    let tag = stream.tag(end)?;
    let stored = Stored::find(tag.kind)
        .ok_or_else(|| stream.fault("numbers", format!("elements of type {}", tag.kind)))?;
    let length = count.checked_mul(stored.size).map(|length| length as u64);
    if length != Some(tag.length) {
        let expected = format!("{count} numbers of {} bytes", stored.size);
        return Err(stream.fault(expected, format!("{} bytes", tag.length)));
    }
    let (order, raw) = (stream.order, stream.bytes(&tag, end)?);
    Ok(Values::Numbers(Numbers { stored, order, raw }))
}

/// Characters in Latin-1 or one of the Unicode encodings, one unit each but in UTF-8.
fn text(stream: &mut Stream<'_>, count: usize, end: u64) -> Result<Values, Fault> {
    let (tag, raw) = short_element(stream, end, LONGEST_TEXT)?;
    let (text, units) = match tag.kind {
        _ if raw.is_empty() => (Some(String::new()), 0),
        1 | 2 => (
            Some(raw.iter().map(|&byte| char::from(byte)).collect()),
            raw.len(),
        ),
        4 | 17 => (utf16(stream.order, &raw), raw.len() / 2),
        16 => (String::from_utf8(raw).ok(), count),
        18 => (utf32(stream.order, &raw), raw.len() / 4),
        _ => (None, 0),
    };
    let text = text.filter(|_| units == count);
    text.map(Values::Text).ok_or_else(|| {
        let found = format!("{units} of type {}, or damaged ones", tag.kind);
        stream.fault(format!("{count} characters"), found)
    })
}

fn utf16(order: ByteOrder, raw: &[u8]) -> Option<String> {
    let units = raw.chunks_exact(2).map(|unit| order.bits(unit) as u16);
    char::decode_utf16(units)
        .collect::<Result<String, _>>()
        .ok()
}

fn utf32(order: ByteOrder, raw: &[u8]) -> Option<String> {
    let chars = raw.chunks_exact(4).map(|char| order.bits(char) as u32);
    chars.map(char::from_u32).collect()
}

/// So many arrays, one after the other.
fn arrays(
    stream: &mut Stream<'_>,
    count: usize,
    end: u64,
    depth: usize,
) -> Result<Vec<Array>, Fault> {
    if depth == MAX_DEPTH {
        return Err(stream.fault(format!("at most {MAX_DEPTH} arrays in each other"), "more"));
    }
    (0..count).map(|_| inner(stream, end, depth + 1)).collect()
}

/// An array in another one; without any bytes it is empty.
fn inner(stream: &mut Stream<'_>, end: u64, depth: usize) -> Result<Array, Fault> {
    let tag = stream.tag(end)?;
    if tag.kind != MATRIX {
        return Err(stream.fault("an array", format!("an element of type {}", tag.kind)));
    }
    if tag.length == 0 {
        stream.count_arrays(1)?;
        return Ok(Array::empty());
    }
    let end = stream.at().saturating_add(tag.length);
    let head = head(stream, end)?;
    array(stream, head, end, depth)
}

fn records(stream: &mut Stream<'_>, count: usize, end: u64, depth: usize) -> Result<Values, Fault> {
    let fields = fields(stream, end)?;
    let count = count.checked_mul(fields.len());
    let count = count.ok_or_else(|| stream.fault("records", "too many to count"))?;
    let values = arrays(stream, count, end, depth)?;
    Ok(Values::Struct(Struct { fields, values }))
}

/// Names of fields, each padded with zeros to the same length.
fn fields(stream: &mut Stream<'_>, end: u64) -> Result<Vec<String>, Fault> {
    let (_, length) = short_element(stream, end, 4)?;
    let length = stream.order.bits(&length) as usize;
    let (_, names) = short_element(stream, end, LONGEST_NAME * MAX_FIELDS as u64)?;
    if length == 0 || names.len() / length > MAX_FIELDS {
        let expected = format!("names of at most {MAX_FIELDS} fields");
        return Err(stream.fault(expected, format!("{} bytes, {length} each", names.len())));
    }
    stream.count_arrays(names.len() / length)?;
    let name = |name: &[u8]| {
        let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(name).into_owned()
    };
    Ok(names.chunks_exact(length).map(name).collect())
}
