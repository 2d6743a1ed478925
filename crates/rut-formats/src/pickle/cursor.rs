//! The bytes of a pickle, taken from the front.

use super::text::number;
use crate::Fault;

/// What is still to be read.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Where the present instruction starts.
    start: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let (at, start) = (0, 0);
        Cursor { bytes, at, start }
    }

    /// How many bytes were taken.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The next instruction.
    pub(super) fn opcode(&mut self) -> Result<u8, Fault> {
        self.start = self.at;
        let [opcode] = self.array()?;
        Ok(opcode)
    }

    /// The error at the present instruction.
    pub(super) fn fault(&self, expected: impl Into<String>, found: impl Into<String>) -> Fault {
        Fault::new(self.place(), expected, found)
    }

    /// Where the present instruction starts.
    pub(super) fn place(&self) -> String {
        format!("byte {}", self.start)
    }

    /// The next `length` bytes.
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..length).ok_or_else(|| {
            let expected = format!("{length} bytes more");
            Fault::new(
                format!("byte {}", self.at),
                expected,
                format!("{}; the file is truncated, fetch it again", rest.len()),
            )
        })?;
        self.at += length;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// An unsigned little-endian number of `N` bytes.
    pub(super) fn unsigned<const N: usize>(&mut self) -> Result<u64, Fault> {
        let bytes = self.array::<N>()?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |number, &byte| (number << 8) | u64::from(byte)))
    }

    /// Bytes behind their length, an unsigned number of `N` bytes.
    pub(super) fn counted<const N: usize>(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.unsigned::<N>()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// The bytes up to the next line feed, which is taken too.
    pub(super) fn line(&mut self) -> Result<&'a [u8], Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|&byte| byte == b'\n');
        let line = self.take(length.unwrap_or(rest.len()))?;
        self.take(1)?;
        Ok(line)
    }

    /// Two lines, the line feed between them included, that behind them not.
    pub(super) fn two_lines(&mut self) -> Result<&'a [u8], Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (first, second) = (self.line()?.len(), self.line()?.len());
        Ok(rest.get(..first + 1 + second).unwrap_or_default())
    }

    /// A line that is a number in decimal.
    pub(super) fn decimal(&mut self) -> Result<u64, Fault> {
        let line = self.line()?;
        number(line).ok_or_else(|| self.fault("a number in decimal", "another text"))
    }
}
