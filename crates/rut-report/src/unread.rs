//! What a report could not read, beside the records of runs: folders, plans, measurements upstream, events, logits, prompts.
//! Each is a row with its reason; the rest of the report stands.

use crate::table::{Column, Kind, Table, Value};

/// A file or folder that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unread {
    /// What a reader calls it: never a path of the machine.
    pub(crate) name: String,
    /// In words.
    pub(crate) reason: String,
}

impl Unread {
    /// `name`, because of `error`.
    pub(crate) fn new(name: impl Into<String>, error: rut_record::Error) -> Self {
        Self {
            name: name.into(),
            reason: without_path(error),
        }
    }
}

/// The rows.
pub(crate) fn table(unread: &[Unread]) -> Table {
    let row = |one: &Unread| {
        let words = [&one.name, &one.reason];
        words.map(|word| Value::Text(word.clone())).to_vec()
    };
    Table {
        slug: "unread".into(),
        caption: format!(
            "Files and folders that could not be read ({}).",
            unread.len()
        ),
        columns: vec![
            Column::new("what", "name", Kind::Text),
            Column::new("why", "reason", Kind::Text),
        ],
        rows: unread.iter().map(row).collect(),
    }
}

/// An error's reason without the file, whose folder is told beside it.
pub(crate) fn without_path(error: rut_record::Error) -> String {
    match error {
        rut_record::Error::Broken { problem, .. } => problem,
        rut_record::Error::File { action, source, .. } => format!("{action}: {source}"),
        other => other.to_string(),
    }
}
