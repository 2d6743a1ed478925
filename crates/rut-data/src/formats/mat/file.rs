//! The variables of a file, one element each; those that nobody asked for are passed over.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::ZlibDecoder;
use rut_formats::regular;

use super::array::Array;
use super::header::{self, byte_order};
use super::matrix::{self, Head, MATRIX};
use super::stream::{ByteOrder, Stream};
use crate::formats::fault::{Fault, InFile as _};
use crate::formats::inflated;
use crate::{Error, Result};

/// Type of the element that is another one, compressed.
const COMPRESSED: u32 = 15;
/// Bytes of a tag.
const TAG: u64 = 8;
/// Indices in a variable; no data set that has any is as large.
const MOST_INDICES: usize = 1 << 17;
/// Names of variables that are shown where the wanted one is not there.
const SHOWN: usize = 20;

/// A variable of a file.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    /// The file.
    path: PathBuf,
    name: String,
    /// Its value.
    pub(crate) array: Array,
}

impl Variable {
    /// The error at `place` in this variable.
    pub(crate) fn malformed(
        &self,
        place: &str,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Error {
        let place = format!("variable '{}'{place}", self.name);
        Fault::new(place, expected, found).at(&self.path)
    }

    /// Its numbers, which count from 1 to `last`, as indices from 0.
    pub(crate) fn indices(&self, last: usize) -> Result<Vec<u32>> {
        let expected = format!("whole numbers from 1 to {last}");
        let Some(numbers) = self.array.numbers() else {
            return Err(self.malformed("", expected, self.array.describe()));
        };
        if numbers.len() > MOST_INDICES {
            let expected = format!("at most {MOST_INDICES} of {expected}");
            return Err(self.malformed("", expected, numbers.len().to_string()));
        }
        let index = |(at, number): (usize, Option<i64>)| {
            let index = number.and_then(|number| u32::try_from(number.checked_sub(1)?).ok());
            index
                .filter(|&index| (index as usize) < last)
                .ok_or_else(|| {
                    let found =
                        number.map_or("another number".to_owned(), |number| number.to_string());
                    self.malformed(&format!(", element {at}"), &expected, found)
                })
        };
        numbers.integers().enumerate().map(index).collect()
    }
}

/// Reads the variables of these names from the file at `path`.
pub(crate) fn read<const N: usize>(path: &Path, names: [&str; N]) -> Result<[Variable; N]> {
    let mut file = regular::open(path, regular::ARCHIVE).map_err(Error::io(path))?;
    let length = file.seek(SeekFrom::End(0)).map_err(Error::io(path))?;
    file.rewind().map_err(Error::io(path))?;
    let arrays = variables(BufReader::new(file), length, names).map_err(|fault| fault.at(path))?;
    let mut names = names.into_iter();
    Ok(arrays.map(|array| Variable {
        path: path.to_path_buf(),
        name: names.next().unwrap_or_default().to_owned(),
        array,
    }))
}

/// Reads the variables of these names from a file of `length` bytes.
pub(super) fn variables<const N: usize>(
    input: impl Read + Seek,
    length: u64,
    names: [&str; N],
) -> Result<[Array; N], Fault> {
    let mut reader = Reader::new(input, length)?;
    let mut found = names.map(|_| None);
    let mut others = Vec::new();
    while found.iter().any(Option::is_none) {
        let Some((name, array)) = reader.next(&names)? else {
            break;
        };
        let slot = names
            .iter()
            .zip(&mut found)
            .find(|(wanted, _)| **wanted == name);
        match (slot, array) {
            (Some((_, slot)), Some(array)) => *slot = Some(array),
            _ if others.len() < SHOWN => others.push(name),
            _ => {}
        }
    }
    let mut missing = names
        .iter()
        .zip(&found)
        .filter(|(_, array)| array.is_none());
    if let Some((name, _)) = missing.next() {
        let found = format!("others: {}", others.join(", "));
        return Err(Fault::new(
            format!("variable '{name}'"),
            "it to be there",
            found,
        ));
    }
    Ok(found.map(|array| array.unwrap_or_else(Array::empty)))
}

/// A file, from its header on.
struct Reader<R> {
    input: R,
    order: ByteOrder,
    at: u64,
    length: u64,
}

impl<R: Read + Seek> Reader<R> {
    fn new(mut input: R, length: u64) -> Result<Self, Fault> {
        let mut header = Vec::with_capacity(header::LENGTH);
        let read = input
            .by_ref()
            .take(header::LENGTH as u64)
            .read_to_end(&mut header);
        read.map_err(|error| Fault::new("header", "readable bytes", error.to_string()))?;
        let order = byte_order(&header)?;
        Ok(Reader {
            input,
            order,
            at: header::LENGTH as u64,
            length,
        })
    }

    /// The name of the next variable, and its value if it is one of the wanted.
    fn next(&mut self, wanted: &[&str]) -> Result<Option<(String, Option<Array>)>, Fault> {
        if self.at >= self.length {
            return Ok(None);
        }
        let place = format!("element at byte {}", self.at);
        let tag = Stream::new(&mut self.input, self.order).tag(self.length - self.at);
        let tag = tag.map_err(|fault| fault.within(&place))?;
        let mut element = self.input.by_ref().take(tag.length);
        let variable = match tag.kind {
            MATRIX => {
                let stream = Stream::new(&mut element, self.order);
                variable(stream, tag.length, wanted)
            }
            COMPRESSED => compressed(&mut element, tag.length, self.order, wanted),
            other => Err(Fault::new("type", "an array", format!("type {other}"))),
        };
        let variable = variable.map_err(|fault| fault.within(&place))?;
        self.at += TAG + tag.length;
        let rest = element.limit() as i64;
        let passed = self.input.seek_relative(rest);
        passed.map_err(|error| Fault::new(place, "to read on", error.to_string()))?;
        Ok(Some(variable))
    }
}

/// A variable in an element that `length` bytes were compressed to.
fn compressed(
    element: &mut dyn Read,
    length: u64,
    order: ByteOrder,
    wanted: &[&str],
) -> Result<(String, Option<Array>), Fault> {
    let mut inflated = ZlibDecoder::new(element);
    let mut stream = Stream::new(&mut inflated, order);
    let tag = stream.tag(u64::MAX)?;
    if tag.kind != MATRIX {
        return Err(stream.fault("an array", format!("an element of type {}", tag.kind)));
    }
    inflated::check(tag.length, length)
        .map_err(|found| stream.fault(format!("at most {} bytes", inflated::MOST), found))?;
    let end = stream.at() + tag.length;
    let variable = variable(stream, end, wanted)?;
    // The checksum stands behind the last byte and is compared when more is asked for.
    match (&variable.1, inflated.read(&mut [0])) {
        (Some(_), Err(error)) => {
            let found = format!("damaged ones ({error}); fetch the file again");
            Err(Fault::new("checksum", "the compressed bytes", found))
        }
        _ => Ok(variable),
    }
}

/// The variable that ends at `end`.
fn variable(
    mut stream: Stream<'_>,
    end: u64,
    wanted: &[&str],
) -> Result<(String, Option<Array>), Fault> {
    let head: Head = matrix::head(&mut stream, end)?;
    let name = head.name.clone();
    if !wanted.contains(&name.as_str()) {
        return Ok((name, None));
    }
    let array = matrix::array(&mut stream, head, end, 0);
    let array = array.map_err(|fault| fault.within(&format!("variable '{name}'")))?;
    Ok((name, Some(array)))
}
