//! A budget as TOML and JSON hold it: `"all"` or a whole number.

use rut_data::{Budget, Shots};
use serde::de::{Deserializer, Error};
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Number(i64),
    Float(f64),
    Word(String),
}

pub(super) fn serialize<S: Serializer>(budget: &Budget, serializer: S) -> Result<S::Ok, S::Error> {
    match budget {
        Budget::All => "all".serialize(serializer),
        Budget::PerClass(Shots(shots)) => shots.serialize(serializer),
        Budget::Fraction(_) => Err(S::Error::custom("a fraction is the key `fraction`'s")),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Budget, D::Error> {
    let text = match Text::deserialize(deserializer)? {
        Text::Number(number) => number.to_string(),
        Text::Float(number) => number.to_string(),
        Text::Word(word) => word,
    };
    text.parse().map_err(D::Error::custom)
}
