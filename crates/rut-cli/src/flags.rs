//! Replaces the fields that messages of the libraries name by flags, from the table of fields.

use rut_record::{Field, Flag, LOCATION_FIELDS};
use rut_run::all_fields;

/// Flags that are no fields: what a call does.
const OF_CALLS: [&str; 12] = [
    "overwrite",
    "resume",
    "part",
    "probabilities",
    "features",
    "density",
    "rounds",
    "scope",
    "keep",
    "count_kept",
    "label",
    "state",
];

/// A message with `` `--val-shots` `` for `` `val_shots` ``, `` `--mask` `` for `` field `mask` `` and `` `--network dense` `` for
/// `` `network = dense` ``. A single word that stands alone may be a name in a user's file, and stays.
pub fn with_flags(text: &str) -> String {
    replaced(text, false)
}

/// The same of help, whose single words are fields.
pub fn help_with_flags(text: &str) -> String {
    replaced(text, true)
}

fn replaced(text: &str, words: bool) -> String {
    let fields = [all_fields(), LOCATION_FIELDS.to_vec()].concat();
    let mut parts = text.split('`');
    let mut text = parts.next().unwrap_or_default().to_owned();
    // Whether a part stands in quotes is not counted: a quoted value may hold a quote. What lies between two is no field.
    for part in parts {
        let kind = ["field ", "option "]
            .into_iter()
            .find(|kind| text.ends_with(kind));
        let clear = words || kind.is_some() || part.contains(['_', ' ']) || is_remedy(part);
        match flag(part, &fields).filter(|_| clear) {
            Some(flag) => {
                text.truncate(text.len() - kind.map_or(0, str::len));
                text.push('`');
                text.push_str(&flag);
            }
            None => {
                text.push('`');
                text.push_str(part);
            }
        }
    }
    text
}

/// Whether it can be nothing but what a call does.
fn is_remedy(word: &str) -> bool {
    ["overwrite", "resume"].contains(&word)
}

/// The flag of `key` or `key = value`.
fn flag(quoted: &str, fields: &[Field]) -> Option<String> {
    let (key, value) = match quoted.split_once(" = ") {
        Some((key, value)) => (key, Some(value)),
        None => (quoted, None),
    };
    if OF_CALLS.contains(&key) {
        return Some(joined(&key.replace('_', "-"), value));
    }
    let field = fields.iter().find(|field| field.key == key)?;
    match (field.flag, value) {
        (Flag::Switch { name, value: own }, Some(value)) if own == value => {
            Some(format!("--{name}"))
        }
        (Flag::Key, value) => Some(joined(&key.replace('_', "-"), value)),
        (Flag::Switch { .. } | Flag::None, _) => None,
    }
}

fn joined(flag: &str, value: Option<&str>) -> String {
    let value = value.map(|value| format!(" {value}"));
    format!("--{flag}{}", value.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_have_flags_are_told_by_them() {
        for (text, want) in [
            (
                "a validation split (`val_fraction`, `val_shots`)",
                "a validation split (`--val-fraction`, `--val-shots`)",
            ),
            ("or say `network = dense`", "or say `--network dense`"),
            (
                "unknown variant `applie``; start over with `overwrite`",
                "unknown variant `applie``; start over with `--overwrite`",
            ),
            (
                "take what is there (`short_classes = allow`)",
                "take what is there (`--allow-short`)",
            ),
            ("start over (`overwrite`)", "start over (`--overwrite`)"),
            ("choose another `run_name`", "choose another `--run-name`"),
            (
                "as `masking` and `rut lp` do",
                "as `masking` and `rut lp` do",
            ),
            ("open ` and mask", "open ` and mask"),
            ("unknown field `lrr`, mask", "unknown field `lrr`, mask"),
            (
                "under `model` and `model_ema`",
                "under `model` and `model_ema`",
            ),
            ("give the mask (field `mask`)", "give the mask (`--mask`)"),
            (
                "an entry `logits`, found `features`",
                "an entry `logits`, found `features`",
            ),
            ("the option `features`", "the `--features`"),
            ("field `count_kept` is", "`--count-kept` is"),
        ] {
            assert_eq!(with_flags(text), want);
            assert_eq!(help_with_flags("beside `crop`"), "beside `--crop`");
        }
    }
}
