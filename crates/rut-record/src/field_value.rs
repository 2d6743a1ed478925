//! Checks a value with the field that it is for.

use rut_formats::did_you_mean;
use serde_json::Value;

use crate::field::Field;
use crate::fields::{FIELDS, LOCATION_FIELDS};
use crate::spec::flat::alone;

/// The value of a key of a TOML file as the fields of a specification have it, whatever the adaptation. `fields` are those of a
/// specification, with the options of all rows.
///
/// # Errors
/// What is wrong with it: the key is unknown, or the value is of the wrong kind.
pub fn field_value(fields: &[Field], key: &str, value: &toml::Value) -> Result<Value, String> {
    let known = || fields.iter().filter(|field| field.key == key);
    if known().next().is_none() {
        let keys = fields.iter().chain(LOCATION_FIELDS).map(|field| field.key);
        let hint = did_you_mean(key, keys);
        return Err(format!(
            "unknown field `{key}`: expected a setting of a run{hint}"
        ));
    }
    let found = alone(key, value)?;
    if !FIELDS.iter().any(|field| field.key == key) {
        let checks = known().map(|field| field.kind.check(&found));
        checks
            .collect::<Result<(), String>>()
            .map_err(|expected| format!("expected {expected}"))?;
    }
    Ok(found)
}
