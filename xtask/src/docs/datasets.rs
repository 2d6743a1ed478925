//! The table of data sets, written from `rut_data::DATASETS`.

use std::fmt::Write;

use rut_data::{DATASETS, DatasetSpec};

/// A Markdown table with a row per data set.
pub(super) fn table() -> String {
    let mut text = String::from(
        "| name | data set | classes | train | val | test | splits | image | prompt | licence | to get it |\n\
         | --- | --- | ---: | ---: | ---: | ---: | --- | --- | ---: | --- | --- |\n",
    );
    for spec in DATASETS {
        text.push_str(&row(spec));
    }
    text
}

fn row(spec: &DatasetSpec) -> String {
    let mut row = String::new();
    let counts = spec.counts();
    let validation = counts.validation.map_or_else(|| "–".to_owned(), thousands);
    let origin = match spec.archives {
        _ if spec.is_bundled() => "bundled",
        [] => "by hand",
        _ => "`rut fetch`",
    };

    writeln!(
        row,
        "| `{}` | [{}]({}) | {} | {} | {validation} | {} | {} | {} | {} | {} | {origin} |",
        spec.name,
        spec.title,
        spec.source,
        spec.classes.len(),
        thousands(counts.train),
        thousands(counts.test),
        splits(spec),
        spec.image_size,
        spec.prompt_size,
        spec.licence,
    )
    .expect("writing to a String cannot fail");
    row
}

/// The names of its splits; of numbered ones the first and the last.
fn splits(spec: &DatasetSpec) -> String {
    let names: Vec<&str> = spec.splits.iter().map(|split| split.name).collect();
    let is_inner = |at: usize| {
        let stem = |at: usize| {
            names
                .get(at)
                .and_then(|name| Some(name.rsplit_once('-')?.0))
        };
        at > 0 && stem(at).is_some() && stem(at - 1) == stem(at) && stem(at + 1) == stem(at)
    };
    let mut text: Vec<&str> = Vec::new();
    for (at, name) in names.iter().enumerate() {
        if !is_inner(at) {
            text.push(name);
        } else if text.last() != Some(&"…") {
            text.push("…");
        }
    }
    text.join(", ")
}

/// `50000` as `50,000`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_separators() {
        assert_eq!(
            [7, 999, 1000, 50_000, 1_234_567].map(thousands),
            ["7", "999", "1,000", "50,000", "1,234,567"]
        );
    }

    #[test]
    fn numbered_splits_are_told_by_the_first_and_the_last() {
        let printed = |name| splits(rut_data::find(name).unwrap());
        assert_eq!(printed("cifar10"), "official");
        assert_eq!(
            printed("dtd"),
            "official, partition-2, …, partition-10, coop"
        );
    }

    #[test]
    fn each_data_set_has_a_row() {
        let text = table();
        assert_eq!(text.lines().count(), DATASETS.len() + 2);
        for spec in DATASETS {
            assert!(
                text.contains(&format!("| `{}` |", spec.name)),
                "{}",
                spec.name
            );
        }
        let columns: Vec<_> = text.lines().map(|line| line.matches('|').count()).collect();
        assert!(
            columns.iter().all(|count| *count == columns[0]),
            "{columns:?}"
        );
    }
}
