//! JSON whose layout has a number, `format_version`: read before the rest, so that a file of another layout is reported as one.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The number of the layout of `text`.
///
/// # Errors
/// What is wrong, if it has none.
pub fn version(text: &str) -> Result<u32, String> {
    #[derive(Deserialize)]
    struct Version {
        format_version: u32,
    }
    let Version { format_version } = serde_json::from_str(text).map_err(|e| e.to_string())?;
    Ok(format_version)
}

/// What `text` holds, if its layout is number `expected`.
///
/// # Errors
/// What is wrong.
pub fn parse<T: DeserializeOwned>(text: &str, expected: u32) -> Result<T, String> {
    match version(text)? {
        found if found == expected => serde_json::from_str(text).map_err(|e| e.to_string()),
        found => Err(format!("expected format_version {expected}, found {found}")),
    }
}
