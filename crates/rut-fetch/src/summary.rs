//! How a run ended for each of the things that it was to fetch.

use std::collections::BTreeMap;
use std::fmt;

/// How it ended for one, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FetchStatus {
    /// Nothing was left to do.
    AlreadyThere,
    /// It was fetched, or a part of it.
    Fetched,
    /// A person has to do something.
    ByHand,
    /// It did not work.
    Failed,
}

impl FetchStatus {
    fn title(self) -> &'static str {
        match self {
            Self::AlreadyThere => "already there",
            Self::Fetched => "fetched",
            Self::ByHand => "by hand",
            Self::Failed => "failed",
        }
    }
}

/// Names and how it ended for them, in the order in which they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    states: Vec<(String, FetchStatus)>,
}

impl Summary {
    /// A part of `name` ended like this; the worst part counts.
    pub(crate) fn add(&mut self, name: &str, state: FetchStatus) {
        match self.states.iter_mut().find(|(known, _)| known == name) {
            Some((_, worst)) => *worst = state.max(*worst),
            None => self.states.push((name.to_owned(), state)),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.states.len()
    }

    /// Whether `name` is not there now, as far as is known.
    pub(crate) fn is_missing(&self, name: &str) -> bool {
        self.missing().contains(&name)
    }

    /// What is not there now.
    pub(crate) fn missing(&self) -> Vec<&str> {
        let mut missing = Vec::new();
        for (name, state) in &self.states {
            if *state >= FetchStatus::ByHand {
                missing.push(name.as_str());
            }
        }
        missing
    }
}

impl fmt::Display for Summary {
    /// A line for each way in which it ended.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: BTreeMap<FetchStatus, Vec<&str>> = BTreeMap::new();
        for (name, state) in &self.states {
            lines.entry(*state).or_default().push(name);
        }
        let lines: Vec<_> = lines
            .iter()
            .map(|(state, names)| format!("{}: {}", state.title(), names.join(", ")))
            .collect();
        f.write_str(&lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_part_counts() {
        let mut summary = Summary::default();
        for (name, state) in [
            ("b", FetchStatus::Fetched),
            ("a", FetchStatus::AlreadyThere),
            ("b", FetchStatus::ByHand),
            ("b", FetchStatus::AlreadyThere),
            ("c", FetchStatus::Failed),
            ("d", FetchStatus::AlreadyThere),
        ] {
            summary.add(name, state);
        }
        assert_eq!(
            summary.to_string(),
            "already there: a, d\nby hand: b\nfailed: c"
        );
        assert_eq!(summary.missing(), ["b", "c"]);
    }
}
