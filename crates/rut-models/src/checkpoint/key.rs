//! State-dict keys without what wrappers put before them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Result};

/// `DataParallel`, a surrounding module or dictionary, `torch.compile`.
const PREFIXES: &[&str] = &["module.", "model.", "_orig_mod.", "state_dict."];

/// Names by which the last linear layer is known where a network calls it otherwise.
const CLASSIFIERS: &[&str] = &["fc", "linear", "classifier"];

/// The key without its prefixes.
pub(crate) fn stripped(key: &str) -> &str {
    let mut rest = key;
    while let Some(shorter) = PREFIXES.iter().find_map(|prefix| rest.strip_prefix(prefix)) {
        rest = shorter;
    }
    rest
}

/// Entries under their keys without prefixes, and a note where any were removed.
pub(crate) fn without_prefixes<T>(
    path: &Path,
    entries: BTreeMap<String, T>,
) -> Result<(BTreeMap<String, T>, Option<String>)> {
    let mut origins: BTreeMap<String, String> = BTreeMap::new();
    let mut renamed = BTreeMap::new();
    let mut changed = 0;
    for (key, value) in entries {
        let name = stripped(&key).to_string();
        changed += usize::from(name != key);
        if let Some(first) = origins.insert(name.clone(), key.clone()) {
            return Err(Error::DuplicateKey {
                path: path.to_path_buf(),
                name,
                first,
                second: key,
            });
        }
        renamed.insert(name, value);
    }
    let note = (changed > 0).then(|| format!("removed prefixes from {changed} keys"));
    Ok((renamed, note))
}

/// The name in a network, whose last linear layer is `classifier`, of a file's key: the same, but for the last linear
/// layer under another usual name, unless the file knows that layer by its own.
pub(crate) fn canonical<T>(key: &str, classifier: &str, file: &BTreeMap<String, T>) -> String {
    let leaf = CLASSIFIERS
        .iter()
        .find_map(|alias| key.strip_prefix(alias)?.strip_prefix('.'))
        .filter(|leaf| ["weight", "bias"].contains(leaf));
    match leaf.map(|leaf| format!("{classifier}.{leaf}")) {
        Some(name) if !file.contains_key(&name) => name,
        _ => key.to_string(),
    }
}
