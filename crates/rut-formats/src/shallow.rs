//! A JSON value of which only the surface is kept: lists and objects in it are passed over.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// A value in a list; shown as JSON, with `…` for what is not kept.
///
/// ```
/// let value: rut_formats::Shallow = serde_json::from_str("[1, [2, {\"a\": 3}]]")?;
/// assert_eq!(value.to_string(), "[1,[2,{…}]]");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug)]
pub enum Shallow {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// The first values of a list, as many as anybody looks at, and how many more there are.
    List(Vec<Shallow>, usize),
    /// An object, of which nothing is kept.
    Object,
}

/// Values of a list that are kept.
const KEPT: usize = 4;

impl fmt::Display for Shallow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shallow::Null => f.write_str("null"),
            Shallow::Bool(value) => write!(f, "{value}"),
            Shallow::Number(number) => write!(f, "{number}"),
            Shallow::Text(text) => write!(f, "{text:?}"),
            Shallow::List(values, more) => {
                let values: Vec<String> = values.iter().map(Shallow::to_string).collect();
                let rest = if *more > 0 { ",…" } else { "" };
                write!(f, "[{}{rest}]", values.join(","))
            }
            Shallow::Object => f.write_str("{…}"),
        }
    }
}

impl<'de> Deserialize<'de> for Shallow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Surface)
    }
}

/// Keeps the surface.
struct Surface;

impl<'de> Visitor<'de> for Surface {
    type Value = Shallow;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Shallow, E> {
        Ok(Shallow::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Shallow, E> {
        Ok(Shallow::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Shallow, E> {
        Ok(Shallow::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Shallow, E> {
        Ok(Shallow::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Shallow, E> {
        Ok(Number::from_f64(value).map_or(Shallow::Null, Shallow::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Shallow, E> {
        Ok(Shallow::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shallow, A::Error> {
        let (mut kept, mut more) = (Vec::new(), 0);
        while kept.len() < KEPT {
            match list.next_element()? {
                Some(value) => kept.push(value),
                None => return Ok(Shallow::List(kept, 0)),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            more += 1;
        }
        Ok(Shallow::List(kept, more))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shallow, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Shallow::Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surface_is_kept() {
        for (text, shown) in [
            ("[\"a\",-1,[1,{\"b\":[]}],null]", "[\"a\",-1,[1,{…}],null]"),
            ("[1,2,3,4,5,6]", "[1,2,3,4,…]"),
            ("{\"a\":[1,2]}", "{…}"),
            ("1.5", "1.5"),
            ("true", "true"),
        ] {
            let value: Shallow = serde_json::from_str(text).unwrap();
            assert_eq!(value.to_string(), shown);
        }
    }
}
