//! Flags in place of the fields that messages of the libraries name. Which field has which flag stands in the table of fields.

use rut_record::{Field, Flag, PLACE_FIELDS};
use rut_run::all_fields;

/// Flags that are no fields: what a call does.
const OF_CALLS: [&str; 5] = ["overwrite", "resume", "part", "probabilities", "features"];

/// `text` with `` `--val-shots` `` for `` `val_shots` ``, and `` `--network dense` `` for `` `network = dense` ``. What names no
/// field that has a flag stays as it is.
pub fn with_flags(text: &str) -> String {
    let fields = [all_fields(), PLACE_FIELDS.to_vec()].concat();
    let mut parts = text.split('`');
    let mut told = parts.next().unwrap_or_default().to_owned();
    let mut quoted = true;
    for part in parts {
        let flag = if quoted { flag(part, &fields) } else { None };
        told.push('`');
        told.push_str(flag.as_deref().unwrap_or(part));
        quoted = !quoted;
    }
    told
}

/// The flag of `key` or `key = value`.
fn flag(quoted: &str, fields: &[Field]) -> Option<String> {
    let (key, value) = match quoted.split_once(" = ") {
        Some((key, value)) => (key, Some(value)),
        None => (quoted, None),
    };
    if OF_CALLS.contains(&key) {
        return Some(joined(key, value));
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
        ] {
            assert_eq!(with_flags(text), want);
        }
    }
}
