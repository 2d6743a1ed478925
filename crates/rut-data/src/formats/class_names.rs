//! Class names that a data set brings along. Labels mean nothing if they are not those of the table.

use std::collections::BTreeSet;
use std::path::Path;

use rut_formats::Fault;

use super::fault::InFile as _;
use super::list_file;
use crate::Result;

/// Names that are shown where they differ.
const SHOWN: usize = 3;

/// The words of a file of names, one per line.
pub(crate) fn read(path: &Path) -> Result<Vec<String>> {
    let text = list_file::text(path)?;
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
        if names.is_empty() {
            "no more".to_owned()
        } else {
            names.join(", ")
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

/// Whether at least half of these names are names of classes of the table, spelt in whatever way:
/// case, order and what joins words do not matter, nor words more (`Annual Crop Land`).
pub(crate) fn are_of(found: &[String], classes: &[&str]) -> bool {
    let classes: Vec<BTreeSet<String>> = classes.iter().map(|class| words(class)).collect();
    let named = |name: &&String| {
        let name = words(name);
        let same = |class: &BTreeSet<String>| !class.is_empty() && class.is_subset(&name);
        classes.iter().any(same)
    };
    found.len() <= classes.len() && 2 * found.iter().filter(named).count() >= found.len()
}

/// The words of a name in lowercase; `AnnualCrop` has two.
fn words(name: &str) -> BTreeSet<String> {
    let mut spaced = String::new();
    let mut before = ' ';
    for letter in name.chars() {
        if before.is_lowercase() && letter.is_uppercase() {
            spaced.push(' ');
        }
        spaced.extend(letter.to_lowercase());
        before = letter;
    }
    let words = spaced.split(|letter: char| !letter.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::are_of;

    #[test]
    fn names_are_known_in_other_spellings() {
        let cars = ["AM General Hummer SUV 2000", "Acura TL Type-S 2008"];
        let of = |found: &[&str], classes: &[&str]| {
            let found: Vec<String> = found.iter().map(|&name| name.to_owned()).collect();
            are_of(&found, classes)
        };
        assert!(of(&["2008 Acura TL Type-S"], &cars));
        assert!(of(&["apple pie", "cakes"], &["apple_pie", "cup_cakes"]));
        assert!(of(&["Annual Crop Land"], &["AnnualCrop"]));
        assert!(!of(
            &["banded", "apple pie", "dotted"],
            &["apple_pie", "ramen", "pho"]
        ));
        assert!(!of(&["pho", "pho"], &["pho"]));
    }
}
