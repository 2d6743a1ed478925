//! Lists of images in text files: one image a line, its path, and its class in one way or another.
//! The data set parses a line; errors here name the file and the line.

use std::collections::HashMap;
use std::path::{Component, Path};
use std::rc::Rc;

use super::files::Labelled;
use super::json;
use crate::{Error, Result};

/// Bytes of the longest list; those of the data sets have half.
const MOST: u64 = 2 << 20;
/// Characters of a bad line that an error shows.
const SHOWN: usize = 80;

/// An image that a list names, with the name of its class.
pub(crate) struct Listed {
    /// Its path below the folder of images.
    pub(crate) path: String,
    /// The name of its class.
    pub(crate) class: Rc<str>,
}

/// What `parse` makes of the lines of a list, in order. Blank lines are skipped, and blanks around
/// a line. `expected` says what a line should be, for errors.
///
/// # Errors
/// [`Error::Malformed`] for the first line of which `parse` makes nothing, and for an empty list;
/// [`Error::Io`].
pub(crate) fn read<T>(
    path: &Path,
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>> {
    let malformed = |place: String, found: String| Error::Malformed {
        path: path.to_path_buf(),
        place,
        expected: expected.to_owned(),
        found,
    };
    let text = text(path)?;
    let lines = text.lines().map(str::trim).enumerate();
    let parsed: Result<Vec<T>> = lines
        .filter(|(_, line)| !line.is_empty())
        .map(|(at, line)| {
            parse(line).ok_or_else(|| malformed(format!("line {}", at + 1), shown(line)))
        })
        .collect();
    match parsed? {
        empty if empty.is_empty() => Err(malformed("line 1".to_owned(), "no line".to_owned())),
        lines => Ok(lines),
    }
}

/// The text of a file that lists images or classes of a data set of the table.
///
/// # Errors
/// [`Error::Malformed`] if it is longer than any of them, or not in UTF-8; [`Error::Io`].
pub(crate) fn text(path: &Path) -> Result<String> {
    String::from_utf8(json::whole(path, MOST)?).map_err(|error| {
        let source = std::io::Error::new(std::io::ErrorKind::InvalidData, error.utf8_error());
        Error::io(path)(source)
    })
}

/// The labels of the classes of the list `path`, by name: their places in it.
///
/// # Errors
/// [`Error::Malformed`] if a class stands there twice.
pub(crate) fn labels<'a>(
    path: &Path,
    names: impl Iterator<Item = &'a str>,
) -> Result<HashMap<&'a str, u32>> {
    let mut labels = HashMap::new();
    for (label, name) in (0..).zip(names) {
        if labels.insert(name, label).is_some() {
            return Err(Error::Malformed {
                path: path.to_path_buf(),
                place: format!("class '{name}'"),
                expected: "each class once".to_owned(),
                found: "it twice".to_owned(),
            });
        }
    }
    Ok(labels)
}

/// The path, if it stays below the folder in which it is looked for.
pub(crate) fn below(path: &str) -> Option<&str> {
    let is_name = |part| matches!(part, Component::Normal(_));
    let stays = !path.is_empty() && !path.contains(['\\', '\0']);
    (stays && Path::new(path).components().all(is_name)).then_some(path)
}

/// The classes that several lists name, sorted by their bytes, as torchvision sorts them, and the
/// images of each list with the places of their classes for labels.
pub(crate) fn labelled<const N: usize>(
    lists: [Vec<Listed>; N],
) -> (Vec<String>, [Vec<Labelled>; N]) {
    let all = lists.iter().flatten();
    let mut names: Vec<Rc<str>> = all.map(|image| Rc::clone(&image.class)).collect();
    names.sort_unstable();
    names.dedup();
    let label = |image: Listed| {
        let label = names.partition_point(|name| *name < image.class);
        (image.path, label as u32)
    };
    let lists = lists.map(|list| list.into_iter().map(label).collect());
    let names = names.iter().map(|name| name.to_string()).collect();
    (names, lists)
}

/// A line in quotes, its beginning if it is long.
pub(crate) fn shown(line: &str) -> String {
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("'{}…'", &line[..end]),
        None => format!("'{line}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_that_stay_below_are_taken() {
        for good in ["a", "a/b.jpg", "a/..b/c d.jpg"] {
            assert_eq!(below(good), Some(good));
        }
        for bad in ["", "/a", "..", "a/../b", "./a", "a\\b", "a\0b"] {
            assert_eq!(below(bad), None, "{bad}");
        }
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        assert_eq!(shown("äb"), "'äb'");
        assert_eq!(shown(&"ä".repeat(81)), format!("'{}…'", "ä".repeat(80)));
    }
}
