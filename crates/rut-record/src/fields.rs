//! The flat fields of a specification.

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::spec::RunSpec;

/// Fields that take the place of one another: whoever sets one of a pair over the other means it alone.
pub const ALTERNATIVES: [(&str, &str); 2] = [("fraction", "n_shot"), ("steps", "epochs")];

/// The fields of a specification that are set, as JSON has them.
///
/// # Errors
/// If a path is not UTF-8.
pub fn fields(spec: &RunSpec) -> Result<Map<String, Value>> {
    match serde_json::to_value(spec) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Error::Spec("a specification is a table".into())),
        Err(error) => Err(Error::Spec(error.to_string())),
    }
}
