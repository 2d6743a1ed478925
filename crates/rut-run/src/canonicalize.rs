//! A specification spelled as the tables spell it, so that one run has one name.

use rut_data::canonical_split;
use rut_record::{Adaptation, Method, RunSpec, field_value, fields};
use serde_json::Value;

use crate::adaptation::augmentation;
use crate::fields::{all_fields, canonicalize_options, unused_fields};
use crate::names::{find_mapping, find_model, find_prompt};
use crate::transform::canonicalize_transform;

/// Spells names as the tables do. What no table has stays as it is.
pub fn canonicalize(spec: &mut RunSpec) {
    if let Some(key) = spec.network.checkpoint_key.take() {
        let canonicalized = key.trim_end_matches('.');
        let itself = canonicalized.is_empty() && !key.is_empty();
        spec.network.checkpoint_key = Some(if itself {
            ".".into()
        } else {
            canonicalized.into()
        });
    }
    if let Some(prompt) = spec.prompt_mut()
        && let Ok(list) = augmentation(prompt)
    {
        let spelled = list.to_string();
        let words = spelled.split(',').map(str::to_owned);
        prompt.augment = if list.is_empty() {
            Vec::new()
        } else {
            words.collect()
        };
    }
    if let Some(prompt) = spec.prompt_mut()
        && let Ok(row) = find_prompt(&prompt.prompt)
    {
        prompt.prompt = row.name.into();
    }
    if let Adaptation::Prompt(mapped) = &mut spec.adaptation
        && let Ok(row) = find_mapping(&mapped.mapping)
    {
        mapped.mapping = row.name.into();
    }
    canonicalize_options(spec);
    if let Ok(model) = find_model(&spec.network.model) {
        spec.network.model = model.name.into();
        canonicalize_transform(spec, model);
    }
    canonicalize_dataset(spec);
}

/// Spells the names of data set and split as the table does.
fn canonicalize_dataset(spec: &mut RunSpec) {
    let split = spec.data.split.take();
    spec.data.split = split.and_then(|split| canonical_split(&spec.data.dataset, &split));
    if let Some(known) = rut_data::find(&spec.data.dataset) {
        spec.data.dataset = known.name.into();
    }
}

/// What stands beside a field that not every run of a method has a use for.
const BESIDE: [Option<(&str, &str)>; 4] = [
    None,
    Some(("optimizer", "lbfgs")),
    Some(("head", "knn")),
    Some(("head", "ridge")),
];

/// `field = value` as a settled specification has it, null where that leaves it out.
///
/// # Errors
/// What is wrong with it: the field is unknown, or the value is of the wrong kind.
pub fn canonical_value(field: &str, value: &toml::Value) -> Result<Value, String> {
    let alone = field_value(&all_fields(), field, value)?;
    let other = |error: rut_record::Error| error.to_string();
    let methods = BESIDE
        .iter()
        .flat_map(|beside| Method::ALL.map(|method| (method, beside)));
    for (method, beside) in methods {
        let own = [("method", method.name().into()), (field, value.clone())];
        let beside = beside.map(|(key, word)| (key, word.into()));
        let table = beside.into_iter().chain(own);
        let table = table.map(|(key, value)| (key.to_owned(), value));
        let mut spec = RunSpec::of_useful(toml::Table::from_iter(table)).map_err(other)?;
        canonicalize(&mut spec);
        if !unused_fields(&spec).contains(&field) {
            let canonicalized = fields(&spec).map_err(other)?;
            return Ok(canonicalized.get(field).cloned().unwrap_or_default());
        }
    }
    Ok(alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_that_files_leave_out_is_null() {
        for (field, default, other) in [
            ("neighbours", toml::Value::from(20), toml::Value::from(5)),
            ("ridge_alpha", 1.0.into(), 0.5.into()),
            ("head", "linear".into(), "knn".into()),
        ] {
            assert_eq!(
                canonical_value(field, &default).unwrap(),
                Value::Null,
                "{field}"
            );
            let found = canonical_value(field, &other).unwrap();
            assert_eq!(Some(found), serde_json::to_value(other).ok(), "{field}");
        }
    }
}
