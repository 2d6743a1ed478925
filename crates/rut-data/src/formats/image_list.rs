//! Lists of images: CSV files (RFC 4180, in UTF-8, with or without a byte order mark) whose first
//! line names the columns `path`, `label` and, where images are assigned to parts, `split`. The
//! columns may stand in any order and beside others.

use std::io::Read;
use std::path::Path;

use csv::{Reader, ReaderBuilder, StringRecord};
use rut_formats::{Metered, Texts, did_you_mean, regular};

use crate::{Error, Result};

const PATH: &str = "path";
const LABEL: &str = "label";
const SPLIT: &str = "split";

/// The longest row, bytes.
const LONGEST: u64 = 1 << 20;
/// Names of columns that are shown where the wanted one is not there.
const SHOWN: usize = 10;

/// One line of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    /// Number of the line, from 1.
    pub(crate) line: u64,
    /// What stands in the column `path`, as it is.
    pub(crate) path: &'a str,
    /// What stands in the column `label`, without blanks around it.
    pub(crate) label: &'a str,
    /// What stands in the column `split`, if there is one, without blanks around it.
    pub(crate) split: Option<&'a str>,
}

/// Hands the rows of a list to `take`, one after the other; the columns `path` and `label` are never empty in them.
///
/// # Errors
/// [`Error::Malformed`], naming line and column; [`Error::Io`]; what `take` objects to.
pub(crate) fn read(path: &Path, mut take: impl FnMut(Row<'_>) -> Result<()>) -> Result<()> {
    let file = regular::open(path, regular::ARCHIVE).map_err(Error::io(path))?;
    let length = file.metadata().map_err(Error::io(path))?.len();
    let list = List { path };
    if length > Texts::MOST {
        let expected = format!("at most {} bytes", Texts::MOST);
        return Err(list.bad("its length", &expected, &length.to_string()));
    }
    // The file may grow while it is read.
    let (file, row) = Metered::new(file.take(Texts::MOST));
    let mut reader = ReaderBuilder::new().from_reader(file);
    row.grant(LONGEST);
    let columns = list.columns(&mut reader)?;
    let mut record = StringRecord::new();
    let mut count = 0_u64;
    loop {
        row.grant(LONGEST);
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(true) => take(list.row(&columns, &record)?)?,
            Ok(false) => break,
            Err(_) if row.is_used_up() => return Err(list.too_long(line)),
            Err(error) => return Err(list.failed(error)),
        }
        count += 1;
    }
    match count {
        0 => Err(list.bad("line 2", "a row for each image", "none")),
        _ => Ok(()),
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
    fn columns(&self, reader: &mut Reader<impl Read>) -> Result<Columns> {
        let header = reader.headers().map_err(|error| {
            if error.is_io_error() {
                self.too_long(1)
            } else {
                self.failed(error)
            }
        })?;
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
        let expected = format!(
            "the header '{PATH},{LABEL}[,{SPLIT}]', columns in any order, separated by commas"
        );
        let mut names: Vec<String> = header
            .iter()
            .take(SHOWN)
            .map(|name| format!("'{}'", clip(name)))
            .collect();
        if let more @ 1.. = header.len().saturating_sub(SHOWN) {
            names.push(format!("{more} more"));
        }
        let hint = other_separator(header)
            .or_else(|| other_names(header))
            .or_else(|| near(header, name))
            .unwrap_or_default();
        let found = if names.is_empty() {
            "an empty file".to_owned()
        } else {
            format!("{} and no '{name}'{hint}", names.join(", "))
        };
        self.bad("line 1", &expected, &found)
    }

    fn row<'r>(&self, columns: &Columns, record: &'r StringRecord) -> Result<Row<'r>> {
        let line = record.position().map_or(0, csv::Position::line);
        let field = |column: usize, name: &str| -> Result<&'r str> {
            let text = record.get(column).unwrap_or_default();
            let place = format!("line {line}, column '{name}'");
            match text {
                _ if text.trim().is_empty() => Err(self.bad(&place, "a text", "nothing")),
                _ if text.contains(['\n', '\r', '\0']) => {
                    let found = format!("'{}', which goes on; is a quote missing?", clip(text));
                    Err(self.bad(&place, "a text of one line", &found))
                }
                _ => Ok(text),
            }
        };
        let split = columns
            .split
            .map(|column| field(column, SPLIT))
            .transpose()?;
        Ok(Row {
            line,
            path: field(columns.path, PATH)?,
            label: field(columns.label, LABEL)?.trim(),
            split: split.map(str::trim),
        })
    }

    /// The error for a row that does not end.
    fn too_long(&self, line: u64) -> Error {
        let expected = format!("a row of at most {} bytes", LONGEST);
        let found = "more; is a quote missing, or is this no list?";
        self.bad(&format!("line {line}"), &expected, found)
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

/// Names that other programs give to the columns.
const OTHER_NAMES: [(&str, &[&str]); 2] = [
    (
        PATH,
        &[
            "filename",
            "file",
            "filepath",
            "file_name",
            "image",
            "image_path",
        ],
    ),
    (LABEL, &["class", "target", "category", "class_name"]),
];

/// The remedy for a header whose columns are not separated by commas.
fn other_separator(header: &StringRecord) -> Option<String> {
    let separators = [(';', "';'"), ('\t', "tabs")];
    let used = |of: &(char, &str)| header.iter().any(|found| found.contains(of.0));
    let (_, name) = separators.into_iter().find(used)?;
    Some(format!("; use commas instead of {name}"))
}

/// The remedy for columns that other programs name otherwise.
fn other_names(header: &StringRecord) -> Option<String> {
    let column = |names: &[&str]| {
        let mut found = header.iter().map(str::trim);
        found.find(|found| names.iter().any(|name| found.eq_ignore_ascii_case(name)))
    };
    let renamed = OTHER_NAMES
        .iter()
        .filter(|(name, _)| column(&[name]).is_none());
    let renamed = renamed.filter_map(|(name, others)| {
        let other = column(others)?;
        Some(format!("'{other}' to '{name}'"))
    });
    let renamed: Vec<String> = renamed.collect();
    (!renamed.is_empty()).then(|| format!("; rename {}", renamed.join(" and ")))
}

/// The column whose name is nearly `name`.
fn near(header: &StringRecord, name: &str) -> Option<String> {
    let mut hints = header
        .iter()
        .map(|found| did_you_mean(found.trim(), [name]));
    hints.find(|hint| !hint.is_empty())
}

/// The beginning of a text's first line.
fn clip(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    first.chars().take(40).collect()
}
