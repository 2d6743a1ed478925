//! A key of a specification, as tables describe it: what it is, what it may be, and who has a use for it. Flags, help and
//! checks derive from it.

use rut_formats::did_you_mean;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::options::Options;
use crate::spec::RunSpec;

/// A key of a specification, or an option of a row of a table.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The key in TOML, records and `--set`; with dashes, the flag.
    pub key: &'static str,
    /// What stands for a value in help.
    pub value_name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Under which heading it is listed.
    pub heading: &'static str,
    /// What it is, in a sentence without a full stop.
    pub help: &'static str,
    /// The default of an option of a row, as it would be typed. Other fields have that of [`RunSpec::default`].
    pub default: Option<&'static str>,
    /// In words, what holds where it is left out and has no default.
    pub left_out: &'static str,
    /// Other fields that take its place: of these, one can be given.
    pub instead_of: &'static [&'static str],
    /// Other names of its flag.
    pub aliases: &'static [&'static str],
    /// How it is given on a command line.
    pub flag: Flag,
    /// Whether a run has a use for it.
    pub used: fn(&RunSpec) -> bool,
}

/// How a field is given on a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// By its key.
    Key,
    /// By a flag without a value, which sets this one.
    Switch {
        /// The flag, without dashes before it.
        name: &'static str,
        /// The value.
        value: &'static str,
    },
    /// By `--set` alone.
    None,
}

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A whole number, 0 or more, below 2³².
    Count,
    /// A whole number, 0 or more.
    Whole,
    /// A number.
    Number,
    /// Numbers; separated by commas on a command line.
    Numbers,
    /// Text, of any form.
    Text,
    /// Texts; separated by commas on a command line.
    Texts,
    /// A file or folder.
    Path,
    /// One of these words.
    Words(&'static [Word]),
    /// A name in a table of the crates above, which may have other names, in any case.
    Name,
}

/// A word that a field can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub name: &'static str,
    /// What it says.
    pub about: &'static str,
    /// Other forms of it.
    pub aliases: &'static [&'static str],
}

impl Word {
    /// A word that has no other form.
    pub const fn new(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            aliases: &[],
        }
    }
}

impl Field {
    /// A field that any run has a use for, that has no default of its own and is given by its key.
    pub const fn new(
        key: &'static str,
        value_name: &'static str,
        kind: Kind,
        heading: &'static str,
        help: &'static str,
    ) -> Self {
        Self {
            key,
            value_name,
            kind,
            heading,
            help,
            default: None,
            left_out: "",
            instead_of: &[],
            aliases: &[],
            flag: Flag::Key,
            used: |_| true,
        }
    }

    /// The default of an option of a row, if it has one.
    pub fn default_value(&self) -> Option<Value> {
        self.default.map(|text| self.kind.value(text))
    }

    /// Its value among `options`, or its default; `None` where it has neither.
    ///
    /// # Errors
    /// If it is set to what its kind does not allow.
    pub fn value(&self, options: &Options) -> Result<Option<Value>> {
        match options.get(self.key) {
            Some(value) => match self.kind.check(value) {
                Ok(()) => Ok(Some(value.clone())),
                Err(expected) => Err(Error::field(self.key, expected, value.to_string())),
            },
            None => Ok(self.default_value()),
        }
    }

    /// The same as a whole number.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn whole(&self, options: &Options) -> Result<Option<u64>> {
        Ok(self.value(options)?.and_then(|value| value.as_u64()))
    }

    /// The same as a number.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn number(&self, options: &Options) -> Result<Option<f64>> {
        Ok(self.value(options)?.and_then(|value| value.as_f64()))
    }

    /// The same as a word.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn word(&self, options: &Options) -> Result<Option<String>> {
        let value = self.value(options)?;
        Ok(value.and_then(|value| value.as_str().map(str::to_owned)))
    }
}

impl Kind {
    /// The value that `text` stands for; text where it is none of the kind.
    pub fn value(&self, text: &str) -> Value {
        let number =
            |text: &str| -> Option<Value> { Some(text.trim().parse::<f64>().ok()?.into()) };
        let found = match self {
            Self::Count | Self::Whole => text.trim().parse::<u64>().ok().map(Value::from),
            Self::Number => number(text),
            Self::Numbers => text
                .split(',')
                .map(number)
                .collect::<Option<Vec<_>>>()
                .map(Value::from),
            Self::Texts => Some(text.split(',').collect::<Vec<_>>().into()),
            Self::Text | Self::Path | Self::Words(_) | Self::Name => None,
        };
        found.unwrap_or_else(|| text.into())
    }

    /// Whether `value` is of the kind.
    ///
    /// # Errors
    /// What is expected.
    pub fn check(&self, value: &Value) -> std::result::Result<(), String> {
        let all = |values: &Value, one: fn(&Value) -> bool| {
            values
                .as_array()
                .is_some_and(|values| values.iter().all(one))
        };
        let (fits, expected) = match self {
            Self::Count => {
                let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
                (number.is_some(), "a whole number, 0 or more, below 2^32")
            }
            Self::Whole => (value.is_u64(), "a whole number, 0 or more"),
            Self::Number => (value.is_number(), "a number"),
            Self::Numbers => (all(value, Value::is_number), "a list of numbers"),
            Self::Text | Self::Path | Self::Name => (value.is_string(), "a text"),
            Self::Texts => (all(value, Value::is_string), "a list of texts"),
            Self::Words(words) => {
                let known = || words.iter().map(|word| word.name);
                let found = value.as_str().unwrap_or_default();
                return if known().any(|name| name == found) {
                    Ok(())
                } else {
                    Err(format!(
                        "one of {}{}",
                        known().collect::<Vec<_>>().join(", "),
                        did_you_mean(found, known())
                    ))
                };
            }
        };
        if fits {
            Ok(())
        } else {
            Err(expected.to_owned())
        }
    }
}
