//! Texts of protocol 0: lines with escapes, and numbers in decimal.

use std::borrow::Cow;

/// Bytes of a quoted line with Python's escapes, as `repr` writes a `str` of Python 2.
pub(super) fn unquote(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    let (&quote, rest) = line.split_first()?;
    let (&end, inner) = rest.split_last()?;
    if quote != end || !matches!(quote, b'\'' | b'"') {
        return None;
    }
    if !inner.contains(&b'\\') {
        return Some(Cow::Borrowed(inner));
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((&byte, after)) = rest.split_first() {
        (rest, bytes) = match byte {
            b'\\' => unescape(after, bytes)?,
            _ => {
                bytes.push(byte);
                (after, bytes)
            }
        };
    }
    Some(Cow::Owned(bytes))
}

/// One escape after its backslash; what follows it.
fn unescape(rest: &[u8], mut bytes: Vec<u8>) -> Option<(&[u8], Vec<u8>)> {
    let (&letter, after) = rest.split_first()?;
    let (byte, after) = match letter {
        b'\\' | b'\'' | b'"' => (letter, after),
        b'n' => (b'\n', after),
        b'r' => (b'\r', after),
        b't' => (b'\t', after),
        b'x' => {
            let (digits, after) = after.split_at_checked(2)?;
            (u8::try_from(hex(digits)?).ok()?, after)
        }
        _ => return None,
    };
    bytes.push(byte);
    Some((after, bytes))
}

/// A text in which `\uXXXX` and `\UXXXXXXXX` are characters and all other bytes Latin-1.
pub(super) fn raw_unicode(line: &[u8]) -> Option<Cow<'_, str>> {
    if line.is_ascii() && !line.contains(&b'\\') {
        return std::str::from_utf8(line).ok().map(Cow::Borrowed);
    }
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, after)) = rest.split_first() {
        let digits = match after.first() {
            Some(b'u') if byte == b'\\' => 4,
            Some(b'U') if byte == b'\\' => 8,
            _ => 0,
        };
        match digits {
            0 => {
                text.push(char::from(byte));
                rest = after;
            }
            _ => {
                text.push(char::from_u32(hex(after.get(1..=digits)?)?)?);
                rest = after.get(digits + 1..)?;
            }
        }
    }
    Some(Cow::Owned(text))
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, &digit| {
        let digit = char::from(digit).to_digit(16)?;
        Some((number << 4) | digit)
    })
}

/// A number in decimal.
pub(super) fn number<T: std::str::FromStr>(line: &[u8]) -> Option<T> {
    std::str::from_utf8(line).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        assert_eq!(
            unquote(b"'a\\x00\\n\\\\\\'b'").as_deref(),
            Some(b"a\0\n\\'b".as_slice())
        );
        assert_eq!(unquote(b"\"it's\"").as_deref(), Some(b"it's".as_slice()));
        assert_eq!(raw_unicode(b"a\\u00e9\xe9\\n").as_deref(), Some("aéé\\n"));
        assert_eq!(raw_unicode(b"\\U0001f600").as_deref(), Some("\u{1f600}"));
    }

    #[test]
    fn broken_escapes_are_refused() {
        for line in [
            &b""[..],
            b"'",
            b"'a",
            b"a'",
            b"'a\"",
            b"'\\'",
            b"'\\x0'",
            b"'\\q'",
        ] {
            assert_eq!(unquote(line), None);
        }
        for line in [&b"\\u12"[..], b"\\ud800", b"\\U00110000", b"\\uzzzz"] {
            assert_eq!(raw_unicode(line), None);
        }
    }
}
