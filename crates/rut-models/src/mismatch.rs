//! Everything in which a file's keys differ from a network's parameters, as one message: why in its first line, then the
//! first keys of each kind.

use std::fmt;
use std::path::PathBuf;

use rut_formats::escape;

/// The number of keys of each kind that are listed, unless all are asked for.
const SHOWN: usize = 10;

/// The number of characters of a key that are shown.
const LENGTH: usize = 200;

/// Every difference between the keys of one file and the parameters of a network.
///
/// `{}` lists the first ten keys of each kind and how many more there are, `{:#}` all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The file.
    pub path: PathBuf,
    /// What the file was read as: `checkpoint` or `mask`.
    pub kind: &'static str,
    /// Parameters of the network that the file lacks.
    pub missing: Vec<String>,
    /// Keys of the file that the network lacks.
    pub unexpected: Vec<String>,
    /// Parameters whose shape differs.
    pub misshaped: Vec<Misshaped>,
    /// What is probably wrong, and what to do.
    pub why: String,
}

/// A parameter whose shape in a file is not the network's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misshaped {
    /// The parameter.
    pub name: String,
    /// Its shape in the network.
    pub expected: Vec<usize>,
    /// Its shape in the file.
    pub found: Vec<usize>,
}

impl Mismatch {
    /// Whether the file and the network agree after all.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshaped.is_empty()
    }
}

impl fmt::Display for Misshaped {
    /// `conv1.weight is [2, 3, 1, 1], expected [2, 3, 3, 3]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, found) = (shown(&self.name), dimensions(&self.found));
        write!(f, "{name} is {found}, expected {:?}", self.expected)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, path) = (self.kind, escape(&self.path).whole());
        let counts = [
            self.missing.len(),
            self.unexpected.len(),
            self.misshaped.len(),
        ];
        let [missing, unexpected, misshaped] = counts;
        write!(f, "match the {kind} {path} with the network: {}", self.why)?;
        write!(
            f,
            " ({missing} missing, {unexpected} unexpected, {misshaped} of another shape)"
        )?;
        list(f, "missing", &self.missing, |key| shown(key))?;
        list(f, "unexpected", &self.unexpected, |key| shown(key))?;
        list(f, "of another shape", &self.misshaped, Misshaped::to_string)?;
        if !f.alternate() && counts.iter().any(|&count| count > SHOWN) {
            write!(f, "\n  (all of them with -v)")?;
        }
        Ok(())
    }
}

/// A line for each, and how many more there are.
fn list<T>(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    all: &[T],
    text: impl Fn(&T) -> String,
) -> fmt::Result {
    let most = if f.alternate() { all.len() } else { SHOWN };
    for one in all.iter().take(most) {
        write!(f, "\n  {what}: {}", text(one))?;
    }
    match all.len().saturating_sub(most) {
        0 => Ok(()),
        more => write!(f, "\n  {what}: and {more} more"),
    }
}

/// A shape, cut where it has more axes than any tensor of a network.
fn dimensions(shape: &[usize]) -> String {
    match shape.get(SHOWN..) {
        None | Some([]) => format!("{shape:?}"),
        Some(_) => format!("of {} axes", shape.len()),
    }
}

/// A key of a file for a message: without control characters, and not too long.
pub(crate) fn shown(key: &str) -> String {
    let mut text: String = key.escape_debug().take(LENGTH).collect();
    if key.escape_debug().nth(LENGTH).is_some() {
        text.push('…');
    }
    text
}

/// The first of some keys, quoted, and how many more there are.
pub(crate) fn quoted(keys: &[impl AsRef<str>]) -> String {
    let first = keys.iter().take(SHOWN);
    let mut texts: Vec<String> = first
        .map(|key| format!("`{}`", shown(key.as_ref())))
        .collect();
    let more = keys.len().saturating_sub(SHOWN);
    if more > 0 {
        texts.push(format!("{more} more"));
    }
    match texts.pop() {
        None => "nothing".into(),
        Some(only) if texts.is_empty() => only,
        Some(last) => format!("{} and {last}", texts.join(", ")),
    }
}

impl std::error::Error for Mismatch {}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(count: usize) -> Mismatch {
        Mismatch {
            path: "a.pth".into(),
            kind: "checkpoint",
            missing: (0..count).map(|i| format!("m{i}")).collect(),
            unexpected: vec!["\u{1b}[2J".into(), "x".repeat(1000)],
            misshaped: Vec::new(),
            why: "it is another network".into(),
        }
    }

    #[test]
    fn why_comes_first_and_ten_of_each_kind_follow() {
        let text = of(12).to_string();
        let first = text.lines().next().unwrap_or_default();
        assert_eq!(
            first,
            "match the checkpoint a.pth with the network: it is another network (12 missing, 2 unexpected, 0 of another shape)"
        );
        assert!(
            text.contains("missing: m9\n  missing: and 2 more\n"),
            "{text}"
        );
        assert!(text.ends_with("-v)"), "{text}");
        let all = format!("{:#}", of(12));
        assert!(
            all.contains("missing: m11\n") && !all.contains("-v)"),
            "{all}"
        );
        assert!(!of(3).to_string().contains("-v)"));
    }

    #[test]
    fn nothing_from_a_file_is_printed_as_it_is() {
        let text = of(1).to_string();
        assert!(!text.contains('\u{1b}') && text.len() < 1000, "{text}");
    }

    #[test]
    fn keys_are_listed_in_words() {
        assert_eq!(quoted(&["a"]), "`a`");
        assert_eq!(quoted(&["a", "b"]), "`a` and `b`");
        assert_eq!(quoted(&[""; 0]), "nothing");
        assert!(quoted(&["k"; 12]).ends_with("`k` and 2 more"));
    }
}
