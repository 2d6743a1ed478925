//! Reads small text files that users and earlier runs wrote; other modules parse them.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use rut_formats::regular;

use crate::error::{Error, Result, file};

/// Bytes of the largest specification or study.
pub const TOML: u64 = 1 << 20;
/// Bytes of the largest record, or of another file in JSON.
const JSON: u64 = 256 << 20;
/// Bytes of the longest line of JSON, such as an event.
const LINE: u64 = 1 << 20;
/// Bytes that a value of a list takes in memory at most, while the list grows.
const VALUE: usize = 72;
/// Bytes that the values of any file may take, beyond three times the file.
const FREE: usize = 64 << 20;

/// The text of the file at `path`, of at most `most` bytes: what a reader makes of it takes a multiple.
///
/// # Errors
/// If it cannot be read, is longer or is not in UTF-8.
pub fn read(path: &Path, most: u64) -> Result<String> {
    let opened = regular::open(path, regular::ARCHIVE).map_err(file("read", path))?;
    let mut text = String::new();
    let read = opened.take(most + 1).read_to_string(&mut text);
    let broken = |problem: String| {
        let path = path.to_owned();
        Err(Error::Broken { path, problem })
    };
    match read {
        Ok(length) if length as u64 <= most => Ok(text),
        Ok(_) => broken(format!(
            "expected at most {most} bytes, found more; this is another file"
        )),
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            broken("expected text in UTF-8, found other bytes".into())
        }
        Err(error) => Err(file("read", path)(error)),
    }
}

/// The text of the file of JSON at `path`.
///
/// # Errors
/// As [`read`], and if it holds so many values that reading them takes much more memory than the file.
pub fn read_json(path: &Path) -> Result<String> {
    let text = read(path, JSON)?;
    let most = text.len().saturating_mul(3).saturating_add(FREE) / VALUE;
    match text.bytes().filter(|byte| *byte == b',').count() {
        values if values <= most => Ok(text),
        values => Err(Error::Broken {
            path: path.to_owned(),
            problem: format!(
                "expected at most {most} values, found {values}; this is another file"
            ),
        }),
    }
}

/// Gives each line of the file of JSON at `path` to `take`, which says what is wrong with it.
///
/// # Errors
/// If the file cannot be read, a line is too long or not in UTF-8, or `take` fails.
pub fn each_line(path: &Path, mut take: impl FnMut(&str) -> Result<(), String>) -> Result<()> {
    let opened = regular::open(path, regular::ARCHIVE).map_err(file("read", path))?;
    let mut reader = BufReader::new(opened);
    let mut line = String::new();
    let broken = |problem: String| Error::Broken {
        path: path.to_owned(),
        problem,
    };
    loop {
        line.clear();
        let read = reader.by_ref().take(LINE + 1).read_line(&mut line);
        match read.map_err(file("read", path))? as u64 {
            0 => return Ok(()),
            length if length > LINE => {
                let problem = format!("expected lines of at most {LINE} bytes, found a longer one");
                return Err(broken(problem));
            }
            _ => take(line.trim_end_matches(['\n', '\r'])).map_err(broken)?,
        }
    }
}

/// What is wrong with a text that is no TOML, or other TOML than it should be, on one line.
pub fn toml_problem(error: &toml::de::Error) -> String {
    let message = error.message().lines().collect::<Vec<_>>().join(", ");
    // The lines that follow show the text itself, which may be anybody's.
    match error.to_string().lines().next() {
        Some(place) if place.starts_with("TOML parse error") => format!("{place}: {message}"),
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_at_most_so_many_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("study.toml");
        std::fs::write(&path, "a = 1").unwrap();
        assert_eq!(read(&path, 5).unwrap(), "a = 1");
        let error = read(&path, 4).unwrap_err().to_string();
        assert!(
            error.contains("study.toml: expected at most 4 bytes"),
            "{error}"
        );
    }
    #[test]
    fn json_of_many_values_is_refused_before_they_take_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.json");
        std::fs::write(&path, format!("[0{}]", ",0".repeat(3 << 20))).unwrap();
        let error = read_json(&path).unwrap_err().to_string();
        assert!(error.contains("values, found 3145728"), "{error}");
        // The indices of a million images, as a record has them.
        std::fs::write(&path, format!("[0{}]", ",\n      100000".repeat(1_000_000))).unwrap();
        assert!(read_json(&path).is_ok());
    }

    #[test]
    fn lines_are_read_one_by_one_up_to_a_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let all = |text: &str| {
            std::fs::write(&path, text).unwrap();
            let mut lines = Vec::new();
            each_line(&path, |line| {
                lines.push(line.to_owned());
                Ok(())
            })
            .map(|()| lines)
        };
        assert_eq!(all("a\n\nb\r\nc").unwrap(), ["a", "", "b", "c"]);
        let error = all(&"a".repeat(1 << 21)).unwrap_err().to_string();
        assert!(error.contains("at most 1048576 bytes"), "{error}");
    }
}
