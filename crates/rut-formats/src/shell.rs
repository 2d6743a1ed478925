//! A word of a command that a person copies or a script runs.

use std::ffi::OsStr;
use std::fmt::Write as _;

use crate::escape::is_hidden;

/// `word` as one word of the shell, whatever is in it: as it is where that is safe, else between quotes; hidden characters,
/// and bytes that are no text, between `$'` and `'`, as bash, ksh and zsh take them.
///
/// ```
/// use rut_formats::shell_word;
/// assert_eq!(shell_word("runs/a-1.toml"), "runs/a-1.toml");
/// assert_eq!(shell_word("my runs/$HOME"), "'my runs/$HOME'");
/// assert_eq!(shell_word("it's"), r"'it'\''s'");
/// assert_eq!(shell_word("a\n\u{1b}[2J"), r"$'a\x0a\x1b[2J'");
/// ```
pub fn shell_word<T: AsRef<OsStr> + ?Sized>(word: &T) -> String {
    let word = word.as_ref();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:,+@%=".contains(c);
    match word.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(plain) => text.to_owned(),
        Some(text) if !text.chars().any(is_hidden) => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        _ => spelt(word),
    }
}

/// Between `$'` and `'`: what is printable in ASCII as it is, all other bytes in hexadecimal.
fn spelt(word: &OsStr) -> String {
    let mut quoted = "$'".to_owned();
    for &byte in word.as_encoded_bytes() {
        match byte {
            b'\'' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=b'~' => quoted.push(char::from(byte)),
            // A string takes everything.
            _ => write!(quoted, "\\x{byte:02x}").unwrap_or_default(),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    #[expect(clippy::print_stdout, reason = "a skipped test must be seen")]
    fn the_shell_reads_what_was_meant() {
        use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
        for word in [
            b"".as_slice(),
            b"a b",
            b"$(touch x)`;&|",
            b"it's \"quoted\" \\ here",
            b"~/x*?[a]{b,c}!#",
            b"-n",
            b"line\nand\x1b[2J'\\",
            "\u{202e}gpj.\u{e9}".as_bytes(),
            b"no text: \xff\xfe",
        ] {
            let word = std::ffi::OsString::from_vec(word.to_vec());
            let script = format!("printf %s {}", shell_word(&word));
            let Ok(output) = std::process::Command::new("bash")
                .args(["-c", &script])
                .output()
            else {
                println!("skipped: no bash");
                return;
            };
            assert_eq!(output.stdout, word.as_bytes(), "{script}");
            assert!(!script.chars().any(is_hidden), "{script:?}");
        }
    }
}
