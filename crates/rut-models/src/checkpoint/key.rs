//! State-dict keys without what wrappers put before them, by the rule of earlier versions: it knows
//! a list of wrappers and no network. For what a network finds in a file by itself, see `prefix`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Result};

/// `DataParallel`, a surrounding module or dictionary, `torch.compile`.
const PREFIXES: &[&str] = &["module.", "model.", "_orig_mod.", "state_dict."];

/// Dictionaries under which training scripts put the state dict, beside an optimiser's state and the like.
const NESTS: &[&str] = &["state_dict.", "model_state_dict.", "model."];

/// Whether it counts batches or averaged models: no layer computes with it.
pub(crate) fn is_counter(key: &str) -> bool {
    ["num_batches_tracked", "n_averaged"].contains(&key.rsplit('.').next().unwrap_or(key))
}

/// The key without its prefixes.
pub(crate) fn stripped(key: &str) -> &str {
    let mut rest = key;
    while let Some(shorter) = PREFIXES.iter().find_map(|prefix| rest.strip_prefix(prefix)) {
        rest = shorter;
    }
    rest
}

/// Entries under their keys without prefixes, and a note where any were removed.
fn without_prefixes<T>(
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

/// The entries of the first dictionary that is known to hold a state dict, if there is one, under their keys without
/// prefixes.
pub(crate) fn unwrapped<T>(
    path: &Path,
    entries: BTreeMap<String, T>,
) -> Result<(BTreeMap<String, T>, Vec<String>)> {
    let nest = NESTS
        .iter()
        .find(|nest| entries.keys().any(|key| key.starts_with(**nest)));
    let mut notes = Vec::new();
    let inner = match nest {
        None => entries,
        Some(nest) => {
            notes.push(format!(
                "took the state dict under `{}`",
                nest.trim_end_matches('.')
            ));
            let inner = entries
                .into_iter()
                .filter_map(|(key, value)| Some((key.strip_prefix(nest)?.to_owned(), value)));
            inner.collect()
        }
    };
    let (inner, prefixed) = without_prefixes(path, inner)?;
    notes.extend(prefixed);
    Ok((inner, notes))
}
