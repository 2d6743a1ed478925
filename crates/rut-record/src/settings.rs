//! Keys and values beneath a specification, in layers. For the layers, see `rut-cli`.

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};

use crate::error::{Error, Result};
use crate::field::Field;
use crate::field_value::field_value;
use crate::fields::{ALTERNATIVES, LOCATION_FIELDS};
use crate::locations::Locations;
use crate::spec::RunSpec;
use crate::text_file::{self, toml_problem};

/// Keys of a [`RunSpec`] and of [`Locations`], with values and where each came from. Later layers win.
///
/// ```
/// use rut_record::Settings;
/// let mut settings = Settings::parse("seed = 1\nlr = 0.1", "a file")?;
/// let mut above = Settings::default();
/// above.set("seed", "2", "--seed");
/// settings.cover(above);
/// let (spec, _) = settings.resolve(rut_record::FIELDS)?;
/// assert_eq!((spec.training.seed, spec.training.lr), (2, 0.1));
/// # Ok::<(), rut_record::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings(BTreeMap<String, Setting>);

/// A value of a setting, as TOML has it.
pub type SettingValue = Value;

#[derive(Clone, Debug, PartialEq)]
struct Setting {
    value: Value,
    /// What a person would look at to change it: a flag, a variable, a file.
    origin: String,
}

impl Settings {
    /// The settings of a TOML text that came from `origin`.
    ///
    /// # Errors
    /// If it is no TOML.
    pub fn parse(text: &str, origin: &str) -> Result<Self> {
        let table: Table = text
            .parse()
            .map_err(|e: toml::de::Error| Error::Spec(format!("{origin}: {}", toml_problem(&e))))?;
        // A run's own `spec.toml` holds the specification as a part, and says where validation images are the data set's own.
        let table = match table.get("spec") {
            Some(Value::Table(spec)) => {
                let mut spec = spec.clone();
                let validation = spec.entry("validation");
                validation.or_insert_with(|| Value::from("drawn"));
                spec
            }
            _ => table,
        };
        Ok(Self::of_table(table, origin))
    }

    /// The settings of a table that came from `origin`.
    pub fn of_table(table: Table, origin: &str) -> Self {
        let setting = |(key, value)| {
            (
                key,
                Setting {
                    value,
                    origin: origin.to_owned(),
                },
            )
        };
        Self(table.into_iter().map(setting).collect())
    }

    /// The settings of a TOML file: a specification, or `spec.toml` of a run's folder.
    ///
    /// # Errors
    /// If it cannot be read or is no TOML.
    pub fn read(path: &Path) -> Result<Self> {
        let text = text_file::read(path, text_file::TOML)?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Sets `key` to `value`.
    pub fn put(&mut self, key: &str, value: SettingValue, origin: &str) {
        let origin = origin.to_owned();
        self.0.insert(key.into(), Setting { value, origin });
    }

    /// Sets `key` to the TOML value that `text` is (`3`, `[1, 2]`), else to the text itself.
    pub fn set(&mut self, key: &str, text: &str, origin: &str) {
        let parsed = format!("value = {text}").parse::<Table>();
        let value = parsed
            .ok()
            .and_then(|mut table| table.remove("value"))
            .unwrap_or_else(|| text.into());
        let origin = origin.to_owned();
        self.0.insert(key.into(), Setting { value, origin });
    }

    /// The text that `key` is set to, if it is one.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|setting| setting.value.as_str())
    }

    /// Whether `key` is set.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Where the value of `key` came from, if it is set.
    pub fn origin(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|setting| setting.origin.as_str())
    }

    /// Leaves `key` to its default.
    pub fn forget(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// Lays `above` over these settings: its values win. A share of the images takes the place of a number of shots beneath
    /// it, and a number of steps that of epochs, and the other way round.
    pub fn cover(&mut self, above: Self) {
        for (one, other) in ALTERNATIVES {
            for (one, other) in [(one, other), (other, one)] {
                if above.has(one) && !above.has(other) {
                    self.forget(other);
                }
            }
        }
        self.0.extend(above.0);
    }

    /// The run and the locations that the settings describe, defaults where they say nothing. `fields` are those of a
    /// specification, with the options of all rows.
    ///
    /// # Errors
    /// If a key is unknown, or a value is of the wrong kind or out of range; the message names where it came from.
    pub fn resolve(self, fields: &[Field]) -> Result<(RunSpec, Locations)> {
        let (spec, locations) = self.tables(fields)?;
        Ok((
            RunSpec::from_toml(&spec.to_string())?,
            Locations::from_toml(&locations.to_string())?,
        ))
    }

    /// The keys of a specification, and the locations.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn spec_table(self, fields: &[Field]) -> Result<(Table, Locations)> {
        let (spec, locations) = self.tables(fields)?;
        Ok((spec, Locations::from_toml(&locations.to_string())?))
    }

    /// The keys of a specification and those of locations, each checked with its field.
    fn tables(self, fields: &[Field]) -> Result<(Table, Table)> {
        let (mut spec, mut locations) = (Table::new(), Table::new());
        for (key, Setting { value, origin }) in self.0 {
            let is_location = LOCATION_FIELDS.iter().any(|field| field.key == key);
            let checked = if is_location {
                let alone = Table::from_iter([(key.clone(), value.clone())]);
                let place = alone.try_into::<Locations>();
                place.map(drop).map_err(|e| e.message().to_owned())
            } else {
                field_value(fields, &key, &value).map(drop)
            };
            checked.map_err(|problem| {
                Error::Spec(format!("{origin}: `{key} = {value}`: {problem}"))
            })?;
            if is_location {
                &mut locations
            } else {
                &mut spec
            }
            .insert(key, value);
        }
        Ok((spec, locations))
    }
}
