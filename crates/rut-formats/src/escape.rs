//! Untrusted text made safe to print: on one line, without a character that moves the cursor,
//! turns the direction of writing or cannot be seen, and never longer than a person reads.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::{self, Write as _};

/// Characters of a text that are shown.
const LONGEST: usize = 200;
/// Texts of a list that are shown.
const MOST: usize = 10;

/// Untrusted text that can be printed, made by [`escape`].
#[derive(Clone, Debug)]
pub struct Escaped<'a> {
    text: Cow<'a, str>,
    longest: usize,
}

/// A text or path of strangers for terminals, logs and messages: control characters, line
/// separators, marks of writing direction and invisible characters are written as `\n` or
/// `\u{202e}`, bytes that are no text as `�`. Of a long text the first 200 characters are shown,
/// and how many there are.
///
/// ```
/// use rut_formats::escape;
/// assert_eq!(escape("ant\n\u{1b}]0;x\u{7}").to_string(), r"ant\n\u{1b}]0;x\u{7}");
/// assert_eq!(escape("café 中 🐜").to_string(), "café 中 🐜");
/// let long = escape(&"a".repeat(1000)).to_string();
/// assert!(long.starts_with("aaaa") && long.ends_with("a… (1000 characters)"));
/// ```
pub fn escape<T: AsRef<OsStr> + ?Sized>(text: &T) -> Escaped<'_> {
    Escaped {
        text: text.as_ref().to_string_lossy(),
        longest: LONGEST,
    }
}

impl Escaped<'_> {
    /// All of the text, however long: for what a person copies, such as the path of a file.
    #[must_use]
    pub fn whole(self) -> Self {
        Escaped {
            longest: usize::MAX,
            ..self
        }
    }

    /// So many characters of the text: for a sentence that quotes others, say.
    #[must_use]
    pub fn at_most(self, characters: usize) -> Self {
        Escaped {
            longest: characters,
            ..self
        }
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.text.chars();
        for character in characters.by_ref().take(self.longest) {
            match character {
                '\n' | '\r' | '\t' => write!(f, "{}", character.escape_default())?,
                _ if is_hidden(character) => write!(f, "{}", character.escape_unicode())?,
                _ => f.write_char(character)?,
            }
        }
        match characters.count() {
            0 => Ok(()),
            more => write!(f, "… ({} characters)", self.longest + more),
        }
    }
}

/// Characters that a terminal obeys instead of showing (Unicode, General_Category Cc, Zl, Zp and
/// Bidi_Control), and format characters by which two texts look alike.
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// A text of several lines, each of them [escaped](escape), of at most so many characters, and on a line of its own: what a
/// program says to a terminal, whatever text was quoted in it.
///
/// ```
/// assert_eq!(rut_formats::lines("note:\n  \u{1b}[2J", 100), "note:\n  \\u{1b}[2J");
/// ```
#[must_use]
pub fn lines(text: &str, characters: usize) -> String {
    let escaped = |line| escape(line).at_most(characters).to_string();
    text.split('\n').map(escaped).collect::<Vec<_>>().join("\n")
}

/// The first ten texts of a list, each [escaped](escape), and how many more there are.
///
/// ```
/// assert_eq!(rut_formats::list(["ant", "be\te"]), r"ant, be\te");
/// let names = (0..12).map(|name| name.to_string());
/// assert_eq!(rut_formats::list(names), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more");
/// ```
pub fn list<I>(texts: I) -> String
where
    I: IntoIterator,
    I::Item: AsRef<OsStr>,
{
    let mut texts = texts.into_iter();
    let shown: Vec<String> = texts
        .by_ref()
        .take(MOST)
        .map(|text| escape(&text).to_string())
        .collect();
    match texts.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests;
