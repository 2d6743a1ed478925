//! Which keys of a checkpoint are a network's, which are left out, and which are neither. For
//! shapes and values, see `check`.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use super::Reading;
use super::contents::FileContents;
use super::head::{Head, find_head};
use crate::checkpoint::key::stripped;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::mismatch::quoted;
use crate::prefix::{Names, Place, place_at, places, titles};

/// The key that means the file itself, without a dictionary.
const ITSELF: &str = ".";

/// Beginnings of names that stand beside a network in a file and are no part of it.
const BESIDE: &[&str] = &[
    "criterion",
    "loss",
    "projection",
    "projector",
    "proj_head",
    "prediction",
    "predictor",
    "prototype",
    "contrastive",
    "online_",
    "queue",
    "memory_bank",
    "optim",
    "scheduler",
    "lr_scheduler",
    "scaler",
    "grad_scaler",
];

/// Pairs of encoders of which one is the network: MoCo's second is a running mean of the first, kept for training alone.
const FIRST_OF_TWO: &[(&str, &str)] = &[("encoder_q", "encoder_k")];

/// Which keys of a file belong to a network, and which do not.
pub(super) struct KeyMatch<'a> {
    pub(super) place: Place<'a>,
    pub(super) head: Head<'a>,
    /// Keys where only the network's may stand.
    pub(super) unexpected: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// Finds the network of `graph` in a file.
pub(super) fn match_keys<'a>(
    graph: &Graph,
    contents: &FileContents<'a>,
    reading: &Reading,
) -> Result<KeyMatch<'a>> {
    let body = body(graph);
    let keys = under(contents, &body, reading.key.as_deref())?;
    let (place, mut notes, beside) = choose(&keys, &body, contents.path, reading)?;
    let head = find_head(graph, contents, &place, &keys);
    let used: HashSet<&str> = place.keys.values().chain(head.keys()).copied().collect();
    let (mut unexpected, mut left_out) = (Vec::new(), Vec::new());
    for key in keys.into_iter().filter(|key| !used.contains(key)) {
        let name = key.strip_prefix(place.prefix);
        let other = beside.iter().any(|other| key.starts_with(other));
        match name {
            _ if other => left_out.push(key),
            Some(name) if is_beside(name) || head.leaves_out(key, name) => left_out.push(key),
            _ => {
                twice(&used, key, contents.path, &place, graph)?;
                match name {
                    None => left_out.push(key),
                    Some(_) => unexpected.push(key.to_owned()),
                }
            }
        }
    }
    notes.extend(left_out_note(&place, &left_out));
    notes.extend(head.note.clone());
    Ok(KeyMatch {
        place,
        head,
        unexpected,
        notes,
    })
}

/// Names of all parameters but the classifier's.
fn body(graph: &Graph) -> Names {
    let classifier = format!("{}.", graph.classifier().param);
    let names = graph.parameters().into_iter().map(|p| p.name);
    names
        .filter(|name| !name.starts_with(&classifier))
        .collect()
}

/// The keys that stand under `key`; all without one.
fn under<'a>(contents: &FileContents<'a>, body: &Names, key: Option<&str>) -> Result<Vec<&'a str>> {
    let all = contents.tensors.keys().chain(contents.others.keys());
    let all: Vec<&str> = all.map(String::as_str).collect();
    let Some(key) = key.filter(|&key| key != ITSELF) else {
        return Ok(all);
    };
    let inside = |of: &&str| {
        of.strip_prefix(key)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    let chosen: Vec<&str> = all.iter().copied().filter(inside).collect();
    if chosen.is_empty() {
        return Err(no_such_key(contents.path, key, &all, body));
    }
    Ok(chosen)
}

fn no_such_key(path: &Path, key: &str, all: &[&str], body: &Names) -> Error {
    let networks = titles(&whole_networks(all, body));
    let is_network = !networks.is_empty();
    let top_level: BTreeSet<&str> = all.iter().map(|key| first(key)).collect();
    let top_level = top_level.into_iter().map(str::to_owned).collect();
    Error::NoSuchKey {
        path: path.to_path_buf(),
        key: key.into(),
        found: if is_network { networks } else { top_level },
        is_network,
    }
}

/// The places of a network; what explains less than half of it is no copy of it.
fn whole_networks<'a>(keys: &[&'a str], body: &Names) -> Vec<Place<'a>> {
    let mut found = places(keys, body);
    found.retain(|place| 2 * place.keys.len() >= body.len());
    found
}

type Chosen<'a> = (Place<'a>, Vec<String>, Vec<&'a str>);

/// The place of the network, what is to be said of it, and the prefixes of other networks beside it.
fn choose<'a>(
    keys: &[&'a str],
    body: &Names,
    path: &Path,
    reading: &Reading,
) -> Result<Chosen<'a>> {
    let mut notes = Vec::new();
    let mut found = whole_networks(keys, body);
    if reading.key.as_deref() == Some(ITSELF) {
        let other = found.iter().map(|place| place.prefix);
        let other = other.filter(|prefix| !prefix.is_empty()).collect();
        return Ok((place_at(keys, "", body), notes, other));
    }
    if found.is_empty() {
        return Ok((place_at(keys, "", body), notes, Vec::new()));
    }
    let first = match found.len() {
        1 => 0,
        _ => first_of_two(&found).ok_or_else(|| several(path, &found))?,
    };
    let place = found.swap_remove(first);
    let beside: Vec<&str> = found.iter().map(|place| place.prefix).collect();
    if let Some(other) = found.first() {
        let of = quoted(&[place.title(), other.title()]);
        notes.push(format!("of {of} took {}", quoted(&[place.title()])));
    } else if !place.prefix.is_empty() {
        notes.push(format!(
            "took what stands under {}",
            quoted(&[place.title()])
        ));
    }
    if !place.layout.title.is_empty() {
        notes.push(format!("read as {}", place.layout.title));
    }
    Ok((place, notes, beside))
}

/// Which of two networks is meant, where that is known.
fn first_of_two(found: &[Place<'_>]) -> Option<usize> {
    let [one, other] = found else { return None };
    let differ = |one: &str, other: &str, (first, second): (&str, &str)| {
        one.contains(first) && one.replace(first, second) == other
    };
    FIRST_OF_TWO.iter().find_map(|&pair| {
        if differ(one.prefix, other.prefix, pair) {
            return Some(0);
        }
        differ(other.prefix, one.prefix, pair).then_some(1)
    })
}

fn several(path: &Path, found: &[Place<'_>]) -> Error {
    Error::SeveralNetworks {
        path: path.to_path_buf(),
        kind: "network",
        found: titles(found),
        remedy: "say which with `checkpoint_key`",
    }
}

fn is_beside(name: &str) -> bool {
    BESIDE.iter().any(|beginning| name.starts_with(beginning))
}

/// A key that means, without the usual wrappers, a parameter which another key means already, is an error: which of them
/// is right is not to be guessed.
fn twice(
    used: &HashSet<&str>,
    key: &str,
    path: &Path,
    place: &Place<'_>,
    graph: &Graph,
) -> Result<()> {
    let name = stripped(key);
    let classifier = format!("{}.", graph.classifier().param);
    let first = match place.keys.get(name) {
        Some(first) => Some(*first),
        None if name.starts_with(&classifier) => {
            used.iter().copied().find(|other| stripped(other) == name)
        }
        None => None,
    };
    match first {
        Some(first) if place.layout.title.is_empty() => Err(Error::DuplicateKey {
            path: path.to_path_buf(),
            name: name.into(),
            first: first.into(),
            second: key.into(),
        }),
        _ => Ok(()),
    }
}

fn first(key: &str) -> &str {
    key.split('.').next().unwrap_or_default()
}

/// What was left out, by the first part of its name that the network does not share.
fn left_out_note(place: &Place<'_>, left_out: &[&str]) -> Option<String> {
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    for key in left_out {
        let shared = place.prefix.split_inclusive('.');
        let rest = shared.fold(*key, |rest, part| rest.strip_prefix(part).unwrap_or(rest));
        *groups.entry(first(rest)).or_default() += 1;
    }
    let names: Vec<&str> = groups.keys().copied().collect();
    let keys = if left_out.len() == 1 { "key" } else { "keys" };
    (!left_out.is_empty())
        .then(|| format!("left out {} ({} {keys})", quoted(&names), left_out.len()))
}
