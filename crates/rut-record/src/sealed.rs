//! JSON that contains its own checksum, in a member `checksum` that no type here has: it is put in when a file is written, held
//! against the bytes and taken out when it is read. Files of earlier versions have none.

use rut_formats::seal::{self, Seal};
use serde::Serialize;

/// What a file says that is not what was written.
pub const CHANGED: &str = "expected the checksum that was noted when it was written, found another: a bit has changed, \
                                  or it was edited";

/// `value` as indented JSON with its checksum, which is the last member of the object that is `depth` closing braces from the
/// end, from 1.
///
/// # Errors
/// What keeps it from being JSON.
pub fn to_text(value: &impl Serialize, depth: usize) -> Result<String, String> {
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    let mut body = text.as_str();
    for _ in 0..depth {
        body = body.strip_suffix('}').unwrap_or(body).trim_end();
    }
    let closings = text.get(body.len()..).unwrap_or_default();
    let indent = "  ".repeat(depth);
    let mut bytes = format!(
        "{body},\n{indent}\"checksum\": \"{}\"{closings}\n",
        seal::open()
    )
    .into_bytes();
    seal::close(&mut bytes);
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

/// The JSON in `bytes` without its checksum, and whether it had one.
///
/// # Errors
/// [`CHANGED`], if it has another one, or that it is no text.
pub fn from_bytes(bytes: Vec<u8>) -> Result<(String, Seal), String> {
    let seal = seal::check(&bytes);
    if seal == Seal::Broken {
        return Err(CHANGED.into());
    }
    let text = String::from_utf8(bytes).map_err(|_| "expected UTF-8, found other bytes")?;
    Ok((without(&text).unwrap_or(text), seal))
}

fn without(text: &str) -> Option<String> {
    let seal = seal::find(text)?;
    let (before, after) = text.rsplit_once(seal)?;
    let before = before.strip_suffix("\"checksum\": \"")?.trim_end();
    Some([before.strip_suffix(',')?, after.strip_prefix('"')?].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(text: &str) -> Result<(Value, Seal), String> {
        let (text, seal) = from_bytes(text.into())?;
        let value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        Ok((value, seal))
    }

    #[test]
    fn what_is_written_is_read_and_no_bit_of_it_may_change() {
        let value = json!({"a": [1, 2], "b": {"c": "a name, \"quoted\"", "d": []}});
        for depth in [1, 2] {
            let text = to_text(&value, depth).unwrap();
            let written: Value = serde_json::from_str(&text).unwrap();
            let place = if depth == 1 { &written } else { &written["b"] };
            assert!(place["checksum"].is_string(), "{text}");
            assert_eq!(read(&text), Ok((value.clone(), Seal::Whole)), "{text}");
            for bit in 0..8 * text.len() {
                let mut flipped = text.clone().into_bytes();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let found = from_bytes(flipped).and_then(|(text, seal)| {
                    // Without its mark it is taken for an old one, and then has a member too many.
                    let read: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
                    Ok((read, seal))
                });
                if let Ok((found, seal)) = found {
                    assert_eq!(seal, Seal::None, "bit {bit}");
                    let place = if depth == 1 { &found } else { &found["b"] };
                    assert_eq!(place.as_object().unwrap().len(), 3, "bit {bit}");
                }
            }
        }
    }

    #[test]
    fn a_file_without_a_checksum_is_read_as_one() {
        let text = "{\"a\": 1}";
        assert_eq!(read(text), Ok((json!({"a": 1}), Seal::None)));
    }
}
