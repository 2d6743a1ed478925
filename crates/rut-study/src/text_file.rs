//! Small files of text that people and earlier runs wrote. What they describe is others' business.

use std::io::{ErrorKind, Read};
use std::path::Path;

use rut_formats::regular;

use crate::error::{Error, Result, file};

/// Bytes of the largest specification or study.
pub(crate) const TOML: u64 = 1 << 20;
/// Bytes of the largest record, or of another file in JSON.
pub(crate) const JSON: u64 = 16 << 20;

/// The text of the file at `path`, of at most `most` bytes: what a reader makes of it takes a multiple.
///
/// # Errors
/// If it cannot be read, is longer or is not in UTF-8.
pub(crate) fn read(path: &Path, most: u64) -> Result<String> {
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

/// What is wrong with a text that is no TOML, or other TOML than it should be, on one line.
pub(crate) fn toml_problem(error: &toml::de::Error) -> String {
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
}
