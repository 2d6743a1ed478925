//! The two streams: results on stdout, everything else on stderr.

use std::io::{ErrorKind, Write};

use anyhow::{Context, Result};
use rut_formats::{escape, is_hidden, lines};
use serde::Serialize;

/// Characters of a line that is no result; a longer one quotes a file that is none of ours.
const LONGEST_LINE: usize = 4000;

/// Writes a result, in which nothing is left that a terminal obeys. A closed pipe (`rut … | head`) is not an error.
///
/// # Errors
/// If stdout cannot be written for another reason (a full disk, say).
pub fn result(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    let text = lines(text, usize::MAX);
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("write the result to stdout")
        }
        _ => Ok(()),
    }
}

/// Writes bytes of the program's own as they are.
///
/// # Errors
/// As [`result`].
pub fn raw(bytes: &[u8]) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("write the result to stdout")
        }
        _ => Ok(()),
    }
}

/// Writes a result as JSON.
///
/// # Errors
/// As [`result`].
pub fn json(value: &impl Serialize) -> Result<()> {
    result(&spelt(&serde_json::to_string_pretty(value)?))
}

/// JSON whose hidden characters are spelt as JSON spells them, so that it stays what it was. Only texts have such characters
/// but for the ends of lines.
fn spelt(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if is_hidden(character) && character != '\n' {
            for unit in character.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(character)
        }
    }
    text
}

/// Prints a note on stderr, without control characters. A closed stderr is ignored.
pub fn note(text: &str) {
    let text = lines(text, LONGEST_LINE);
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Logs on stderr, printed as notes are.
#[derive(Clone, Copy)]
pub struct Logs;

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let event = text.strip_suffix('\n').unwrap_or(&text);
        note(&escape(event).at_most(LONGEST_LINE).to_string());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_what_it_was() {
        let name = "a\u{1b}\u{202e}\u{7f}\u{9b}\u{e0041}\n☃\u{1f41c}";
        let json = spelt(&serde_json::to_string_pretty(&[name]).unwrap());
        assert!(!json.chars().any(|c| is_hidden(c) && c != '\n'), "{json:?}");
        let back: Vec<String> = serde_json::from_str(&json).unwrap();
        assert_eq!(back, [name]);
    }
}
