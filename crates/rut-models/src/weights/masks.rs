//! Which keys of a file of masks are a network's.

use std::collections::BTreeMap;

use super::check::refuse;
use super::shapes::compare;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::mask::{Mask, MaskArray};
use crate::mismatch::{Mismatch, Misshaped, quoted, shown};
use crate::prefix::{Names, Place, place_at, places, titles};

/// Masks by parameter, and what is to be said of them.
pub(super) type Masks<'a> = (BTreeMap<String, &'a MaskArray>, Vec<String>);

impl Mask {
    /// The masks under the names of the parameters of `graph`.
    ///
    /// # Errors
    ///
    /// As [`Weights::read`](crate::Weights::read) of the mask.
    pub fn of(&self, graph: &Graph) -> Result<BTreeMap<String, MaskArray>> {
        let (masks, _) = masks(graph, self)?;
        let masks = masks.into_iter();
        Ok(masks.map(|(name, mask)| (name, mask.clone())).collect())
    }
}

/// The masks under the graph's names, or everything in the file that is not of this network.
pub(super) fn masks<'a>(graph: &Graph, mask: &'a Mask) -> Result<Masks<'a>> {
    let parameters = graph.parameters();
    let names: Names = parameters.iter().map(|p| p.name.clone()).collect();
    let keys: Vec<&str> = mask.tensors().keys().map(String::as_str).collect();
    let mut place = choose(mask, &keys, &names)?;
    let (mut unexpected, mut left_out) = (Vec::new(), Vec::new());
    for key in keys {
        if place.parameter(key, &names).is_some() {
            continue;
        }
        match key.strip_prefix(place.prefix) {
            None => left_out.push(key),
            Some(name) => match classifier(graph, name) {
                Some(name) if !place.keys.contains_key(&name) => _ = place.keys.insert(name, key),
                _ => unexpected.push(key.to_owned()),
            },
        }
    }
    let shapes = place.keys.iter().map(|(name, key)| {
        let shape = mask.tensors()[*key].shape.as_slice();
        (name.as_str(), shape)
    });
    let misshaped = compare(&parameters, shapes);
    let why = why(&misshaped, &unexpected);
    refuse(Mismatch {
        path: mask.path.clone(),
        kind: "mask",
        missing: Vec::new(),
        misshaped,
        unexpected,
        why,
    })?;
    let mut found = BTreeMap::new();
    for (name, key) in &place.keys {
        mask.check(key)?;
        found.insert(name.clone(), &mask.tensors()[*key]);
    }
    Ok((found, notes(&place, &left_out)))
}

/// Why the masks do not fit, by the first tensor that does not, and what to do.
fn why(misshaped: &[Misshaped], unexpected: &[String]) -> String {
    const REMEDY: &str = "name the mask that was made for this checkpoint, and its model";
    match (misshaped.first(), unexpected.first()) {
        (Some(first), _) => format!("{first}: {REMEDY}"),
        (_, Some(first)) => format!("the network has no `{}`: {REMEDY}", shown(first)),
        _ => REMEDY.into(),
    }
}

/// Where the masks of the network stand. Of several places the one that holds nothing but zeros and ones is meant.
fn choose<'a>(mask: &Mask, keys: &[&'a str], names: &Names) -> Result<Place<'a>> {
    let found = places(keys, names);
    let whole = |place: &&Place<'_>| place.keys.values().all(|key| mask.check(key).is_ok());
    let masks: Vec<Place<'a>> = found.iter().filter(whole).cloned().collect();
    // Beside masks that stand in no dictionary, all others are of no network.
    if masks.len() > 1 && !masks[0].prefix.is_empty() {
        return Err(Error::SeveralNetworks {
            path: mask.path.clone(),
            kind: "mask",
            found: titles(&masks),
            remedy: "save the one that is meant alone: torch.save(masks, ...) with a dictionary of these masks",
        });
    }
    let first = masks.into_iter().chain(found).next();
    Ok(first.unwrap_or_else(|| place_at(keys, "", names)))
}

/// The classifier's weight or bias under another usual name.
fn classifier(graph: &Graph, name: &str) -> Option<String> {
    let (layer, leaf) = name.rsplit_once('.')?;
    let known = ["fc", "linear", "classifier", "head.fc"].contains(&layer)
        && ["weight", "bias"].contains(&leaf);
    known.then(|| format!("{}.{leaf}", graph.classifier().param))
}

fn notes(place: &Place<'_>, left_out: &[&str]) -> Vec<String> {
    let mut notes = Vec::new();
    if !place.prefix.is_empty() {
        notes.push(format!(
            "mask: took what stands under {}",
            quoted(&[place.title()])
        ));
    }
    if !left_out.is_empty() {
        notes.push(format!("mask: left out {}", quoted(left_out)));
    }
    notes
}
