//! What a study varies and what it leaves out: lists of values for the fields of a specification.
//! For how they are put together, see `combination`.

use std::collections::BTreeSet;

use rut_formats::did_you_mean;
use rut_record::LOCATION_FIELDS;
use rut_run::{all_fields, canonical_value, is_field};
use serde_json::Value as Json;
use toml::{Table, Value};

/// A list of values, each for one field or for several that are set together.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The field's name, or an own one.
    pub name: String,
    /// The values, in the order of the file; at least one.
    pub values: Vec<AxisValue>,
}

/// A value of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct AxisValue {
    /// What it sets.
    pub(super) fields: Table,
    /// The value as a person would name it.
    pub label: String,
}

impl Axis {
    /// The axis `name` of these values.
    ///
    /// # Errors
    /// A text that says what is wrong with it.
    pub(super) fn new(name: &str, values: Value) -> Result<Self, String> {
        let Value::Array(values) = values else {
            let found = values.type_str();
            return Err(format!(
                "axis `{name}`: expected a list of values, found {found}; what all runs share stands in [base]"
            ));
        };
        if values.is_empty() {
            return Err(format!(
                "axis `{name}`: expected at least one value, found an empty list"
            ));
        }
        let own_name = !is_field(name);
        if own_name && !values.iter().all(Value::is_table) {
            return Err(unknown_axis(name));
        }
        let value = |(index, value): (usize, Value)| {
            AxisValue::new(name, value)
                .map_err(|problem| format!("axis `{name}`, value {}: {problem}", index + 1))
        };
        let values = values.into_iter().enumerate().map(value);
        Ok(Self {
            name: name.into(),
            values: values.collect::<Result<_, String>>()?,
        })
    }

    /// The fields that its values set.
    pub(super) fn fields(&self) -> BTreeSet<&str> {
        let keys = self.values.iter().flat_map(|value| value.fields.keys());
        keys.map(String::as_str).collect()
    }
}

fn unknown_axis(name: &str) -> String {
    if LOCATION_FIELDS.iter().any(|place| place.key == name) {
        return format!(
            "axis `{name}`: results do not depend on it, so it cannot be varied; put it into [base]"
        );
    }
    let hint = did_you_mean(name, all_fields().iter().map(|field| field.key));
    format!(
        "unknown axis `{name}`: expected a field of a run{hint}; an axis of another name has tables of fields as its values"
    )
}

impl AxisValue {
    fn new(axis: &str, value: Value) -> Result<Self, String> {
        let (fields, label) = match value {
            Value::Table(fields) => {
                let label = label(axis, &fields);
                (fields, label)
            }
            value => {
                let label = plain(&value);
                (Table::from_iter([(axis.to_owned(), value)]), label)
            }
        };
        if fields.is_empty() {
            return Err("expected at least one field, found an empty table".into());
        }
        for (field, value) in &fields {
            alone(field, value)?;
        }
        Ok(Self { fields, label })
    }
}

/// The axis' own field, and the others with their names.
fn label(axis: &str, fields: &Table) -> String {
    let own = fields.get(axis).map(plain);
    let others = fields.iter().filter(|(field, _)| *field != axis);
    let others: Vec<String> = others
        .map(|(field, value)| format!("{field} {}", plain(value)))
        .collect();
    own.into_iter().chain(others).collect::<Vec<_>>().join(", ")
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// `field = value` as a settled specification has it.
fn alone(field: &str, value: &Value) -> Result<Json, String> {
    if !is_field(field) {
        let hint = did_you_mean(field, all_fields().iter().map(|field| field.key));
        return Err(format!(
            "unknown field `{field}`: expected a field of a run{hint}"
        ));
    }
    canonical_value(field, value).map_err(|problem| format!("`{field} = {value}`: {problem}"))
}

/// Runs that agree with all of its fields are left out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Exclusion {
    /// Fields, and the values of which a run must have one; null is a field that is not set.
    fields: Vec<(String, Vec<Json>)>,
    /// As it stands in the file.
    pub(super) text: String,
}

impl Exclusion {
    fn values(field: &str, value: &Value) -> Result<Vec<Json>, String> {
        let one = |value: &Value| alone(field, value);
        // A list is a value of fields that are lists, else any of its own values.
        match (one(value), value) {
            (Err(_), Value::Array(several)) if !several.is_empty() => {
                several.iter().map(one).collect()
            }
            (found, _) => found.map(|value| vec![value]),
        }
    }

    /// What a table of fields leaves out.
    ///
    /// # Errors
    /// A text that says what is wrong with it.
    pub(super) fn new(table: Table) -> Result<Self, String> {
        if table.is_empty() {
            return Err(
                "expected at least one field, found none: it would leave out every run".into(),
            );
        }
        let values =
            |(field, value): (&String, &Value)| Ok((field.clone(), Self::values(field, value)?));
        let text: Vec<String> = table
            .iter()
            .map(|(field, value)| format!("{field} = {value}"))
            .collect();
        Ok(Self {
            fields: table.iter().map(values).collect::<Result<_, String>>()?,
            text: text.join(", "),
        })
    }

    /// Whether a run of these fields is left out.
    pub(super) fn covers(&self, run: &serde_json::Map<String, Json>) -> bool {
        self.fields.iter().all(|(field, values)| {
            let own = run.get(field).unwrap_or(&Json::Null);
            values.contains(own)
        })
    }
}
