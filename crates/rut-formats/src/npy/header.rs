//! The header of a `.npy` file: a dict of three keys, as Python writes it.

use super::HEADER;
use crate::Fault;
use crate::numpy::{Dtype, Layout, MAX_DIMS};

/// What the header says of the elements.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    pub(super) layout: Layout,
}

impl Header {
    /// Reads `{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }`, keys in any order.
    pub(super) fn parse(text: &str) -> Result<Header, Fault> {
        let mut scanner = Scanner { rest: text };
        let (mut dtype, mut shape, mut layout) = (None, None, None);
        scanner.expect("{")?;
        while !scanner.skip("}") {
            let key = scanner.quoted()?;
            scanner.expect(":")?;
            match key {
                "descr" => dtype = Some(scanner.dtype()?),
                "fortran_order" => layout = Some(scanner.layout()?),
                "shape" => shape = Some(scanner.shape()?),
                _ => return Err(scanner.fault("the keys descr, fortran_order and shape")),
            }
            if !scanner.skip(",") {
                scanner.expect("}")?;
                break;
            }
        }
        match (dtype, shape, layout) {
            (Some(dtype), Some(shape), Some(layout)) => Ok(Header {
                dtype,
                shape,
                layout,
            }),
            _ => Err(scanner.fault("the keys descr, fortran_order and shape")),
        }
    }
}

/// Bytes of all elements, as a header declares them, whatever the elements are; `None` if that cannot be said.
pub(crate) fn declared(text: &str) -> Option<u64> {
    let mut scanner = Scanner { rest: text };
    let (mut size, mut shape) = (None, None);
    scanner.expect("{").ok()?;
    while !scanner.skip("}") {
        let key = scanner.quoted().ok()?;
        scanner.expect(":").ok()?;
        match key {
            "descr" => {
                let name = scanner.quoted().ok()?;
                let digits = name.trim_start_matches(|char: char| !char.is_ascii_digit());
                size = digits.parse::<u64>().ok();
            }
            "shape" => shape = scanner.shape().ok(),
            _ => _ = scanner.layout().ok()?,
        }
        if !scanner.skip(",") {
            break;
        }
    }
    let lengths = shape?.into_iter();
    lengths.fold(size, |bytes, length| bytes?.checked_mul(length as u64))
}

/// What is still to be read.
struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    fn fault(&self, expected: &str) -> Fault {
        let found: String = self.rest.chars().take(40).collect();
        Fault::new(HEADER, expected, format!("'{}'", found.escape_debug()))
    }

    /// Whether the next word is this one, which is then taken.
    fn skip(&mut self, word: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, word: &str) -> Result<(), Fault> {
        if self.skip(word) {
            Ok(())
        } else {
            Err(self.fault(&format!("'{word}'")))
        }
    }

    fn quoted(&mut self) -> Result<&'a str, Fault> {
        let quote = match (self.skip("'"), self.rest) {
            (true, _) => '\'',
            (false, _) if self.skip("\"") => '"',
            _ => return Err(self.fault("a text in quotes; records are not read")),
        };
        let (text, rest) = self
            .rest
            .split_once(quote)
            .ok_or_else(|| self.fault("a text in quotes"))?;
        self.rest = rest;
        Ok(text)
    }

    fn dtype(&mut self) -> Result<Dtype, Fault> {
        Dtype::parse(self.quoted()?, HEADER)
    }

    fn layout(&mut self) -> Result<Layout, Fault> {
        if self.skip("True") {
            return Ok(Layout::ColumnMajor);
        }
        if self.skip("False") {
            Ok(Layout::RowMajor)
        } else {
            Err(self.fault("True or False"))
        }
    }

    /// `()`, `(5,)`, `(2, 3)`; Python 2 wrote an `L` behind large numbers.
    fn shape(&mut self) -> Result<Vec<usize>, Fault> {
        let mut shape = Vec::new();
        self.expect("(")?;
        while !self.skip(")") {
            shape.push(self.number()?);
            if shape.len() > MAX_DIMS {
                return Err(self.fault(&format!("at most {MAX_DIMS} axes")));
            }
            if !self.skip(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(shape)
    }

    fn number(&mut self) -> Result<usize, Fault> {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|char: char| !char.is_ascii_digit());
        let (digits, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        let number = digits.parse().map_err(|_| self.fault("a length"))?;
        self.rest = rest.strip_prefix('L').unwrap_or(rest);
        Ok(number)
    }
}

#[cfg(test)]
mod tests;
