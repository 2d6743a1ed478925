//! Class names that a data set brings along. Labels mean nothing if they are not those of the table.

use std::fs;
use std::path::Path;

use super::fault::Fault;
use crate::{Error, Result};

/// Names that are shown where they differ.
const SHOWN: usize = 3;

/// The words of a file of names, one per line.
pub(crate) fn read(path: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(path).map_err(Error::io(path))?;
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

/// Refuses names that were read from `path` and are not those of the table.
pub(crate) fn check(path: &Path, found: &[String], classes: &[&str]) -> Result<()> {
    let same = |(found, class): (&String, &&str)| found == class;
    let from = found.iter().zip(classes).take_while(|&pair| same(pair));
    let from = from.count();
    if from == found.len() && from == classes.len() {
        return Ok(());
    }
    let shown = |names: &mut dyn Iterator<Item = &str>| -> String {
        let names: Vec<&str> = names.skip(from).take(SHOWN).collect();
        match names.is_empty() {
            true => "no more".to_owned(),
            false => names.join(", "),
        }
    };
    let expected = shown(&mut classes.iter().copied());
    let found = shown(&mut found.iter().map(String::as_str));
    let fault = Fault::new(
        format!("class names from number {from}"),
        expected,
        format!("{found}; this is another data set"),
    );
    Err(fault.at(path))
}
