//! Files that contain their own checksum, so that a bit that changes later is noticed. The file's format
//! defines where it is stored.

use crate::checksum::Checksum;

/// What stands before the 32 hexadecimal digits. The checksum is of the file's bytes with zeros in the digits' place.
const MARK: &str = "xxh3=";

/// Digits of a checksum.
const DIGITS: usize = 32;

/// The text is looked for in so many bytes at the end, then in so many at the beginning.
const NEAR: usize = 4096;

/// A text for a file that is being laid out, once, in ASCII: [`close`] puts the digits in.
pub fn open() -> String {
    format!("{MARK}{}", "0".repeat(DIGITS))
}

/// What a file's bytes say of themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// They are what was written.
    Whole,
    /// They are not.
    Broken,
    /// They have no checksum: an earlier version wrote them.
    None,
}

/// Puts the digits into a file that has [`open`]'s text near its end or, if not there, its beginning; the last one counts.
pub fn close(bytes: &mut [u8]) {
    if let Some((at, digits)) = digits(bytes)
        && let Some(place) = bytes.get_mut(at..at + DIGITS)
    {
        place.copy_from_slice(digits.as_bytes());
    }
}

/// Verifies `bytes` with the checksum that they contain.
///
/// ```
/// use rut_formats::seal::{Seal, check, close, open};
/// let mut bytes = format!("1 2 3 {}", open()).into_bytes();
/// close(&mut bytes);
/// assert_eq!(check(&bytes), Seal::Whole);
/// bytes[2] ^= 1;
/// assert_eq!(check(&bytes), Seal::Broken);
/// assert_eq!(check(b"1 2 3"), Seal::None);
/// ```
pub fn check(bytes: &[u8]) -> Seal {
    match digits(bytes) {
        None => Seal::None,
        Some((at, digits)) => {
            let recorded = bytes.get(at..at + DIGITS);
            if recorded == Some(digits.as_bytes()) {
                Seal::Whole
            } else {
                Seal::Broken
            }
        }
    }
}

/// The text of [`open`] after [`close`], as it stands in `text`; `None` if there is none.
pub fn find(text: &str) -> Option<&str> {
    let start = text.rfind(MARK)?;
    text.get(start..start + MARK.len() + DIGITS)
}

/// Where the digits of `bytes` begin, and what they should be.
fn digits(bytes: &[u8]) -> Option<(usize, String)> {
    let tail = bytes.len().saturating_sub(NEAR);
    let last = |part: &[u8]| {
        let mut windows = part.windows(MARK.len());
        windows.rposition(|window| window == MARK.as_bytes())
    };
    let at_end = last(bytes.get(tail..)?).map(|at| tail + at);
    let at = at_end.or_else(|| last(bytes.get(..NEAR.min(bytes.len()))?))? + MARK.len();
    let mut checksum = Checksum::default();
    checksum.update(bytes.get(..at)?);
    checksum.update(&[b'0'; DIGITS]);
    checksum.update(bytes.get(at + DIGITS..)?);
    Some((at, checksum.digits()))
}
