//! Values of options that belong to a row of a table: a label mapping, a prompt. The row defines which options exist.

use std::collections::BTreeMap;

use serde_json::Value;

/// Values by key. What a key may be, and its default, says its [`Field`](crate::Field).
///
/// ```
/// use rut_record::{Field, Kind, Options};
/// let field = Field { default: Some("2"), ..Field::new("classes", "N", Kind::Count, "Heading", "What it is") };
/// let mut options = Options::default();
/// assert_eq!(field.whole(&options)?, Some(2));
/// options.set("classes", 3.into());
/// assert_eq!(field.whole(&options)?, Some(3));
/// # Ok::<(), rut_record::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options(BTreeMap<String, Value>);

impl Options {
    /// Sets `key`.
    pub fn set(&mut self, key: &str, value: Value) {
        self.0.insert(key.into(), value);
    }

    /// What `key` is set to.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The keys that are set, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Keeps what `keep` says.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Value) -> bool) {
        self.0.retain(|key, value| keep(key, value));
    }

    pub(crate) fn into_map(self) -> BTreeMap<String, Value> {
        self.0
    }

    pub(crate) fn of_map(map: BTreeMap<String, Value>) -> Self {
        Self(map)
    }
}
