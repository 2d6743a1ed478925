//! Lists of images: CSV files (RFC 4180, in UTF-8, with or without a byte order mark) whose first
//! line names the columns `path`, `label` and, where images are assigned to parts, `split`. The
//! columns may stand in any order and beside others.

use std::fs::File;
use std::path::Path;

use csv::{Reader, ReaderBuilder, StringRecord};

use crate::spelling::did_you_mean;
use crate::{Error, Result};

const PATH: &str = "path";
const LABEL: &str = "label";
const SPLIT: &str = "split";

/// One line of a list.
#[derive(Debug)]
pub(crate) struct Row {
    /// Number of the line, from 1.
    pub(crate) line: u64,
    /// What stands in the column `path`, as it is.
    pub(crate) path: String,
    /// What stands in the column `label`, without blanks around it.
    pub(crate) label: String,
    /// What stands in the column `split`, if there is one, without blanks around it.
    pub(crate) split: Option<String>,
}

/// Reads the rows of a list; the columns `path` and `label` are never empty in them.
///
/// # Errors
/// [`Error::Malformed`], naming line and column; [`Error::Io`].
pub(crate) fn read(path: &Path) -> Result<Vec<Row>> {
    let file = File::open(path).map_err(Error::io(path))?;
    let mut reader = ReaderBuilder::new().from_reader(file);
    let list = List { path };
    let columns = list.columns(&mut reader)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| list.failed(error))?;
        rows.push(list.row(&columns, &record)?);
    }
    match rows.is_empty() {
        true => Err(list.bad("line 2", "a row for each image", "none")),
        false => Ok(rows),
    }
}

/// Where the columns are.
struct Columns {
    path: usize,
    label: usize,
    split: Option<usize>,
}

/// The file, for errors.
struct List<'a> {
    path: &'a Path,
}

impl List<'_> {
    fn columns(&self, reader: &mut Reader<File>) -> Result<Columns> {
        let header = reader.headers().map_err(|error| self.failed(error))?;
        let split = self.place(header, SPLIT)?;
        let required = |name| {
            self.place(header, name)?
                .ok_or_else(|| self.lacks(header, name))
        };
        Ok(Columns {
            path: required(PATH)?,
            label: required(LABEL)?,
            split,
        })
    }

    /// The place of a column in the header; case does not matter.
    fn place(&self, header: &StringRecord, name: &str) -> Result<Option<usize>> {
        let named = |(_, found): &(usize, &str)| found.trim().eq_ignore_ascii_case(name);
        let mut places = header.iter().enumerate().filter(named);
        let first = places.next().map(|(place, _)| place);
        match places.next() {
            None => Ok(first),
            Some(_) => {
                let expected = format!("one column '{name}'");
                Err(self.bad("line 1", &expected, "more; rename or remove one"))
            }
        }
    }

    /// The error for a column that is not in the header.
    fn lacks(&self, header: &StringRecord, name: &str) -> Error {
        let expected =
            format!("a header with the columns '{PATH}' and '{LABEL}', separated by commas");
        let names: Vec<String> = header
            .iter()
            .map(|name| format!("'{}'", clip(name)))
            .collect();
        let hints = header
            .iter()
            .map(|found| did_you_mean(found.trim(), [name]));
        let hint = hints
            .into_iter()
            .find(|hint| !hint.is_empty())
            .unwrap_or_default();
        let found = match names.is_empty() {
            true => "an empty file".to_owned(),
            false => format!("{} and no '{name}'{hint}", names.join(", ")),
        };
        self.bad("line 1", &expected, &found)
    }

    fn row(&self, columns: &Columns, record: &StringRecord) -> Result<Row> {
        let line = record.position().map_or(0, csv::Position::line);
        let field = |column: usize, name: &str| {
            let text = record.get(column).unwrap_or_default();
            let place = format!("line {line}, column '{name}'");
            match text {
                _ if text.trim().is_empty() => Err(self.bad(&place, "a text", "nothing")),
                _ if text.contains(['\n', '\r', '\0']) => {
                    let found = format!("'{}', which goes on; is a quote missing?", clip(text));
                    Err(self.bad(&place, "a text of one line", &found))
                }
                _ => Ok(text.to_owned()),
            }
        };
        let split = columns
            .split
            .map(|column| field(column, SPLIT))
            .transpose()?;
        Ok(Row {
            line,
            path: field(columns.path, PATH)?,
            label: field(columns.label, LABEL)?.trim().to_owned(),
            split: split.map(|split| split.trim().to_owned()),
        })
    }

    /// What the CSV reader stumbled over.
    fn failed(&self, error: csv::Error) -> Error {
        let line = |position: &Option<csv::Position>| {
            let line = position.as_ref().map_or(1, csv::Position::line);
            format!("line {line}")
        };
        match error.kind() {
            csv::ErrorKind::Utf8 { pos, .. } => self.bad(
                &line(pos),
                "text in UTF-8",
                "other bytes; save the list in UTF-8",
            ),
            csv::ErrorKind::UnequalLengths {
                pos,
                expected_len,
                len,
            } => {
                let expected = format!("{expected_len} columns, as in the header");
                self.bad(
                    &line(pos),
                    &expected,
                    &format!("{len}; quote texts that hold commas"),
                )
            }
            _ => self.bad("its rows", "a CSV file", &error.to_string()),
        }
    }

    fn bad(&self, place: &str, expected: &str, found: &str) -> Error {
        Error::Malformed {
            path: self.path.to_path_buf(),
            place: place.to_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }
}

/// The beginning of a text's first line.
fn clip(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    first.chars().take(40).collect()
}
