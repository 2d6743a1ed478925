//! Rust source with its comments, strings and test modules blanked out, byte for byte, so that a
//! search finds code and a position is still a line of the file. Not a parser: it knows tokens only.

/// A Rust file in the three forms that the checks search. All have the length of the original, and
/// its line ends in the same places.
#[derive(Debug, Clone)]
pub struct Masked {
    /// Comments and the insides of literals are spaces.
    pub code: String,
    /// `code` without items under `#[cfg(test)]`.
    pub shipped: String,
    /// Comments and items under `#[cfg(test)]` are spaces; literals are kept.
    pub shipped_with_literals: String,
}

impl Masked {
    /// Masks `text`.
    pub fn new(text: &str) -> Self {
        let code = blank(text, true);
        let tests = test_items(&code);
        let mut shipped = code.clone().into_bytes();
        let mut with_literals = blank(text, false).into_bytes();
        for range in tests {
            erase(&mut shipped[range.clone()]);
            erase(&mut with_literals[range]);
        }
        Self {
            code,
            shipped: to_text(shipped),
            shipped_with_literals: to_text(with_literals),
        }
    }
}

/// The line of `text`, counted from 1, that holds byte `at`.
pub fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes()[..at.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
}

/// Byte positions at which `word` stands in `text` and is not a part of a longer identifier.
pub fn find_words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| {
            let before = text[..at].chars().next_back();
            let after = text[at + word.len()..].chars().next();
            let goes_on_before =
                word.starts_with(is_identifier) && before.is_some_and(is_identifier);
            let goes_on_after = word.ends_with(is_identifier) && after.is_some_and(is_identifier);
            !goes_on_before && !goes_on_after
        })
}

fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// `text` with comments, and with `literals` the insides of literals too, replaced by spaces.
fn blank(text: &str, literals: bool) -> String {
    let source = text.as_bytes();
    let mut out = source.to_vec();
    let mut at = 0;
    while at < source.len() {
        let (end, is_comment) = match token_at(source, at) {
            Token::Comment(end) => (end, true),
            Token::Literal(end) => (end, false),
            Token::Other(end) => {
                at = end;
                continue;
            }
        };
        if is_comment {
            erase(&mut out[at..end]);
        } else if literals {
            // The quotes stay, so that `f("")` is still a call with one argument.
            erase(&mut out[at + 1..end.saturating_sub(1).max(at + 1)]);
        }
        at = end;
    }
    to_text(out)
}

/// A token and the byte after it.
enum Token {
    Comment(usize),
    Literal(usize),
    Other(usize),
}

fn token_at(source: &[u8], at: usize) -> Token {
    let rest = &source[at..];
    if rest.starts_with(b"//") {
        let length = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(rest.len());
        return Token::Comment(at + length);
    }
    if rest.starts_with(b"/*") {
        return Token::Comment(at + block_comment(rest));
    }
    match rest[0] {
        b'"' => Token::Literal(at + quoted(rest)),
        b'\'' => match character(rest) {
            Some(length) => Token::Literal(at + length),
            None => Token::Other(at + 1),
        },
        byte if is_word_byte(byte) => {
            let length = rest
                .iter()
                .position(|byte| !is_word_byte(*byte))
                .unwrap_or(rest.len());
            match (&rest[..length], raw_string(&rest[length..])) {
                (b"r" | b"br" | b"cr", Some(raw)) => Token::Literal(at + length + raw),
                _ => Token::Other(at + length),
            }
        }
        _ => Token::Other(at + 1),
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Length of the nested block comment that `rest` starts with.
fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// Length of the string with escapes that `rest` starts with.
fn quoted(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of the character literal that `rest` starts with; `None` for a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        let close = rest.iter().skip(3).position(|byte| *byte == b'\'')?;
        return Some(close + 4);
    }
    let width = match rest.get(1)? {
        byte if *byte < 0x80 => 1,
        byte if *byte < 0xe0 => 2,
        byte if *byte < 0xf0 => 3,
        _ => 4,
    };
    (rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
}

/// Length of `#…#"…"#…#` at the start of `rest`, after the `r` of a raw string.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let hashes = rest.iter().take_while(|byte| **byte == b'#').count();
    if rest.get(hashes) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    let body = &rest[hashes + 1..];
    let end = body.windows(close.len()).position(|window| window == close);
    Some(end.map_or(rest.len(), |end| hashes + 1 + end + close.len()))
}

/// The byte ranges of items under `#[cfg(test)]` in masked code.
fn test_items(code: &str) -> Vec<std::ops::Range<usize>> {
    let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
    for (start, _) in code.match_indices("#[cfg(") {
        let inside = ranges.last().is_some_and(|range| range.contains(&start));
        let Some(close) = code[start..].find(']') else {
            continue;
        };
        let condition = &code[start..start + close];
        if inside || find_words(condition, "test").next().is_none() || condition.contains("not(") {
            continue;
        }
        ranges.push(start..item_end(code, start + close + 1));
    }
    ranges
}

/// The byte after the item that starts at `at`: after its first `;` outside brackets, or after the
/// brace that closes its first one.
fn item_end(code: &str, at: usize) -> usize {
    let mut depth = 0_i32;
    for (offset, byte) in code.as_bytes()[at..].iter().enumerate() {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at + offset + 1;
                }
            }
            b';' if depth == 0 => return at + offset + 1,
            _ => {}
        }
    }
    code.len()
}

fn erase(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

/// Erasing whole tokens keeps UTF-8 valid; should a token ever be cut, the reader sees U+FFFD.
fn to_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        Masked::new(text).code
    }

    #[test]
    fn comments_and_strings_are_no_code() {
        let text =
            "// unsafe\n/* unsafe /* nested */ unsafe */ let a = \"unsafe \\\" unsafe\"; unsafe";
        let masked = code(text);
        assert_eq!(masked.len(), text.len());
        assert_eq!(find_words(&masked, "unsafe").count(), 1);
        assert_eq!(line_of(&masked, masked.find("unsafe").unwrap()), 2);
    }

    #[test]
    fn raw_strings_end_at_their_own_hashes() {
        let masked = code("let a = r#\"unsafe \" unsafe\"#; let r#type = b; unsafe");
        assert_eq!(find_words(&masked, "unsafe").count(), 1);
        assert!(masked.contains("r#type"));
    }

    #[test]
    fn lifetimes_are_not_characters() {
        let masked = code("fn f<'a>(x: &'a str) { g('\"', '\\'', 'é', '\\u{1F600}'); unsafe }");
        assert_eq!(find_words(&masked, "unsafe").count(), 1);
        assert!(masked.contains("&'a str"));
        assert!(masked.ends_with('}'));
    }

    #[test]
    fn words_have_ends() {
        assert_eq!(
            find_words("unsafe_code unsafe my_unsafe", "unsafe").count(),
            1
        );
        assert_eq!(
            find_words("eprintln!(x) println!(x)", "println!").count(),
            1
        );
    }

    #[test]
    fn test_items_do_not_ship() {
        let text = "fn a() { b! }\n#[cfg(test)]\nmod tests { fn c() { b!{} } }\n#[cfg(test)]\nmod d;\nfn e() { b! }\n\
                    #[cfg(not(test))]\nfn f() { b! }\n";
        let masked = Masked::new(text);
        assert_eq!(masked.shipped.matches("b!").count(), 3);
        assert_eq!(masked.code.matches("b!").count(), 4);
        assert!(masked.shipped.contains("fn e()"));
    }

    #[test]
    fn literals_can_be_kept() {
        let masked = Masked::new("let a = \"record.json\"; // record.json\n");
        assert_eq!(
            masked.shipped_with_literals.matches("record.json").count(),
            1
        );
    }
}
