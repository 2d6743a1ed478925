//! The variables of a file, one element each; those that were not asked for are skipped.

use std::io::{Read, Seek};

use flate2::read::ZlibDecoder;

use super::array::Array;
use super::header::{self, byte_order};
use super::matrix::{self, Head, MATRIX};
use super::stream::{ByteOrder, Stream};
use crate::{Fault, inflated};

/// Type of the element that is another one, compressed.
const COMPRESSED: u32 = 15;
/// Bytes of a tag.
const TAG: u64 = 8;
/// Names of variables that are shown where the wanted one is not there.
const SHOWN: usize = 20;

/// Reads the variables of these names from a file of `length` bytes.
///
/// # Errors
/// If one is missing, the file is no MAT-file of version 5, or it is damaged.
pub fn variables<const N: usize>(
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
