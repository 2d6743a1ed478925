//! Keys and values beneath a specification, in layers. Which layers there are, and where they come from, is `rut-cli`'s.

use std::path::Path;

use serde::Serialize;
use toml::{Table, Value};

use crate::error::{Error, Result, file};
use crate::places::Places;
use crate::spec::RunSpec;

/// Keys of a [`RunSpec`] and of [`Places`], with values. Later layers win.
///
/// ```
/// use rut_study::settings::Settings;
/// let mut settings = Settings::parse("seed = 1\nlr = 0.1")?;
/// let mut above = Settings::default();
/// above.set("seed", "2");
/// settings.cover(above);
/// let (spec, _) = settings.resolve()?;
/// assert_eq!((spec.seed, spec.lr), (2, 0.1));
/// # Ok::<(), rut_study::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings(Table);

impl Settings {
    /// The settings of a TOML text.
    ///
    /// # Errors
    /// If it is no TOML.
    pub fn parse(text: &str) -> Result<Self> {
        text.parse()
            .map(Self)
            .map_err(|e: toml::de::Error| Error::Spec(e.to_string()))
    }

    /// The settings of a TOML file.
    ///
    /// # Errors
    /// If it cannot be read or is no TOML.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(file("read", path))?;
        text.parse()
            .map(Self)
            .map_err(|e: toml::de::Error| Error::Broken {
                path: path.into(),
                problem: e.to_string(),
            })
    }

    /// The fields of `value`, a struct, as settings.
    ///
    /// # Errors
    /// If a field has no form in TOML.
    pub fn of(value: &impl Serialize) -> Result<Self> {
        Table::try_from(value)
            .map(Self)
            .map_err(|e| Error::Spec(e.to_string()))
    }

    /// Sets `key` to the TOML value that `text` is (`3`, `[1, 2]`), else to the text itself.
    pub fn set(&mut self, key: &str, text: &str) {
        let parsed = format!("value = {text}").parse::<Table>();
        let value = parsed.ok().and_then(|mut table| table.remove("value"));
        self.0
            .insert(key.into(), value.unwrap_or_else(|| text.into()));
    }

    /// Sets `key` to a list of texts.
    pub fn set_list(&mut self, key: &str, texts: Vec<String>) {
        self.0.insert(key.into(), texts.into());
    }

    /// The text that `key` is set to, if it is one.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }

    /// Whether `key` is set.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Lays `above` over these settings: its values win.
    pub fn cover(&mut self, above: Self) {
        self.0.extend(above.0);
    }

    /// The run and the places that the settings describe, defaults where they say nothing.
    ///
    /// # Errors
    /// If a key is unknown, or a value is of the wrong kind or out of range.
    pub fn resolve(mut self) -> Result<(RunSpec, Places)> {
        let mut places = Table::new();
        for key in Places::KEYS {
            places.extend(self.0.remove_entry(key));
        }
        Ok((
            RunSpec::from_toml(&self.0.to_string())?,
            Places::from_toml(&places.to_string())?,
        ))
    }
}
