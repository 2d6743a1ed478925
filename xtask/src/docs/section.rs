//! Sections of Markdown files between two markers, each alone on its line, whose inside is generated:
//! finding them, comparing them, writing them again.

use std::fmt::Write;

use super::datasets;

/// What is generated, where it has to stand, and by what.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// The name in the opening marker.
    pub name: &'static str,
    /// The file that must have it; others may.
    pub file: &'static str,
    /// Writes the inside.
    pub body: fn() -> String,
}

/// Every generated section.
pub const SECTIONS: &[Section] = &[Section {
    name: "datasets",
    file: "docs/src/datasets.md",
    body: datasets::table,
}];

/// The line that closes a section.
pub const END: &str = "<!-- end generated -->";

/// The line that opens the section `name`.
pub fn opening(name: &str) -> String {
    format!("<!-- generated: {name} -->")
}

/// Whether the generated sections of a text are up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Freshness {
    /// All are as the tables say, or there are none.
    Fresh,
    /// One is not.
    Broken {
        /// The byte at which it opens.
        at: usize,
        /// What is wrong with it and what to do.
        why: String,
    },
}

/// Compares the sections of `text` with what would be generated.
pub fn state(text: &str) -> Freshness {
    match rewrite(text) {
        Err((at, why)) => Freshness::Broken { at, why },
        Ok(fresh) if fresh == text => Freshness::Fresh,
        Ok(fresh) => {
            let same = fresh
                .bytes()
                .zip(text.bytes())
                .take_while(|(a, b)| a == b)
                .count();
            let before = text.as_bytes()[..same]
                .iter()
                .rposition(|byte| *byte == b'\n');
            Freshness::Broken {
                at: before.map_or(0, |newline| newline + 1),
                why: "this generated part is stale: run `cargo xtask docs`".to_owned(),
            }
        }
    }
}

/// `text` with its sections generated again.
///
/// # Errors
/// A message, if a marker names no section or is not closed.
pub fn refresh(text: &str) -> Result<String, String> {
    rewrite(text).map_err(|(_, why)| why)
}

fn rewrite(text: &str) -> Result<String, (usize, String)> {
    let mut fresh = String::with_capacity(text.len());
    let mut at = 0;
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let start = at;
        at += line.len();
        fresh.push_str(line);
        let Some(name) = opened(line) else { continue };
        let Some(section) = SECTIONS.iter().find(|section| section.name == name) else {
            let known: Vec<_> = SECTIONS.iter().map(|section| section.name).collect();
            return Err((
                start,
                format!(
                    "no generated section is called `{name}`; known: {}",
                    known.join(", ")
                ),
            ));
        };
        let mut end = None;
        for line in lines.by_ref() {
            at += line.len();
            if line.trim() == END {
                end = Some(line);
                break;
            }
        }
        let Some(end) = end else {
            return Err((
                start,
                format!("the section `{name}` is not closed: add a line `{END}`"),
            ));
        };
        write!(fresh, "{}{end}", (section.body)()).expect("writing to a String cannot fail");
    }
    Ok(fresh)
}

/// The name in an opening marker.
fn opened(line: &str) -> Option<&str> {
    line.trim()
        .strip_prefix("<!-- generated: ")?
        .strip_suffix(" -->")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "before\n\n<!-- generated: datasets -->\n<!-- end generated -->\n\nafter\n";

    #[test]
    fn a_section_is_filled_and_then_left_alone() {
        let fresh = refresh(EMPTY).unwrap();
        assert!(
            fresh.starts_with("before\n\n<!-- generated: datasets -->\n| name |"),
            "{fresh}"
        );
        assert!(
            fresh.ends_with("|\n<!-- end generated -->\n\nafter\n"),
            "{fresh}"
        );
        assert_eq!(refresh(&fresh).unwrap(), fresh);
        assert_eq!(state(&fresh), Freshness::Fresh);
    }

    #[test]
    fn a_stale_section_is_found_at_its_line() {
        let Freshness::Broken { at, why } = state(EMPTY) else {
            panic!("an empty section is stale")
        };
        assert!(EMPTY[at..].starts_with(END), "{at}");
        assert!(why.contains("cargo xtask docs"), "{why}");
    }

    #[test]
    fn bad_markers_are_errors() {
        let unknown = refresh("<!-- generated: moons -->\n").unwrap_err();
        assert_eq!(
            unknown,
            "no generated section is called `moons`; known: datasets"
        );
        let open = refresh("a\n<!-- generated: datasets -->\nb\n").unwrap_err();
        assert!(open.contains("not closed"), "{open}");
    }

    #[test]
    fn a_marker_in_a_sentence_is_prose() {
        let text = "between `<!-- generated: moons -->` and the end\n";
        assert_eq!(refresh(text).unwrap(), text);
    }
}
