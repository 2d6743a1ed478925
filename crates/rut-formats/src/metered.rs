//! Bytes for a reader that keeps all that it is given in one piece, a row or a header say: here is where that ends.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// A reader that fails once its [`Allowance`] is used up.
#[derive(Debug)]
pub struct Metered<R> {
    inner: R,
    left: Rc<Cell<u64>>,
}

/// How many bytes a [`Metered`] reader may still give.
#[derive(Debug)]
pub struct Allowance(Rc<Cell<u64>>);

impl<R: Read> Metered<R> {
    /// Reads `inner`, without end until the allowance says otherwise.
    ///
    /// ```
    /// use std::io::Read;
    /// let (mut reader, allowance) = rut_formats::Metered::new(std::io::repeat(7));
    /// allowance.grant(1000);
    /// let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    /// assert_eq!(error.to_string(), "more bytes than were allowed");
    /// assert!(allowance.is_used_up());
    /// ```
    pub fn new(inner: R) -> (Metered<R>, Allowance) {
        let left = Rc::new(Cell::new(u64::MAX));
        let allowance = Allowance(Rc::clone(&left));
        (Metered { inner, left }, allowance)
    }
}

impl Allowance {
    /// So many bytes may come from now on.
    pub fn grant(&self, bytes: u64) {
        self.0.set(bytes);
    }

    /// Any number of bytes may come from now on.
    pub fn lift(&self) {
        self.0.set(u64::MAX);
    }

    /// Whether no more may come.
    #[must_use]
    pub fn is_used_up(&self) -> bool {
        self.0.get() == 0
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 && !buffer.is_empty() {
            return Err(io::Error::other("more bytes than were allowed"));
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX);
        let length = buffer.len().min(most);
        let read = self
            .inner
            .read(buffer.get_mut(..length).unwrap_or_default())?;
        self.left.set(left.saturating_sub(read as u64));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_comes_and_no_more() {
        let (mut reader, allowance) = Metered::new(io::repeat(1));
        let mut read = |bytes: u64| io::copy(&mut (&mut reader).take(bytes), &mut io::sink());
        assert_eq!(read(4000).unwrap(), 4000);
        allowance.grant(1000);
        assert_eq!(read(1000).unwrap(), 1000);
        assert!(read(1).is_err() && allowance.is_used_up());
        allowance.lift();
        assert_eq!(read(4000).unwrap(), 4000);
    }
}
