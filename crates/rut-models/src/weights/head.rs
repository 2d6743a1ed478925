//! The classifier in a file: the last linear layer, under whatever name, or another head in its place.

use super::contents::FileContents;
use crate::graph::Graph;
use crate::mismatch::quoted;
use crate::prefix::{Names, Place};

/// Names by which the last linear layer is known where a network calls it otherwise.
const ALIASES: &[&str] = &["fc", "linear", "classifier", "head.fc", "head"];

/// First parts of the names of heads, whatever they are made of.
const HEADS: &[&str] = &["fc", "linear", "classifier", "head", "heads", "last_linear"];

/// What a file has for a classifier.
pub(super) struct Head<'a> {
    /// Keys of weight `[classes, width]` and bias `[classes]`.
    pub(super) linear: Option<(&'a str, &'a str)>,
    /// Number of rows of `linear`.
    pub(super) classes: Option<usize>,
    /// What stands in its place, in words, where it is no linear layer of the network's features.
    pub(super) about: Option<String>,
    /// What is to be said of it.
    pub(super) note: Option<String>,
    /// Parts of names that are another head.
    other: Vec<&'static str>,
    prefix: &'a str,
}

impl<'a> Head<'a> {
    /// The keys that it takes.
    pub(super) fn keys(&self) -> impl Iterator<Item = &&'a str> {
        self.linear.iter().flat_map(|(weight, bias)| [weight, bias])
    }

    /// Whether `key`, which is `name` behind the prefix, is of another head than a linear layer.
    pub(super) fn leaves_out(&self, key: &str, name: &str) -> bool {
        key.starts_with(self.prefix)
            && self.other.iter().any(|head| {
                name.strip_prefix(head)
                    .is_some_and(|rest| rest.starts_with('.'))
            })
    }
}

/// Looks for the classifier of `graph` behind the prefix of `place`, then behind shorter ones: a module around a network
/// may hold its head.
pub(super) fn find_head<'a>(
    graph: &Graph,
    contents: &FileContents<'a>,
    place: &Place<'a>,
    keys: &[&'a str],
) -> Head<'a> {
    let classifier = graph.classifier();
    let shape = |key: &str| {
        contents
            .tensors
            .get(key)
            .map(|array| array.shape.as_slice())
    };
    let linear = |weight: &'a str, bias: &'a str| match (shape(weight), shape(bias)) {
        (Some([classes, width]), Some([rows])) if *width == classifier.in_features => {
            (classes == rows).then_some((*classes, (weight, bias)))
        }
        // timm keeps some of them as convolutions.
        (Some([classes, width, 1, 1]), Some([rows])) if *width == classifier.in_features => {
            (classes == rows).then_some((*classes, (weight, bias)))
        }
        _ => None,
    };
    let pairs = pairs(&classifier.param, place, keys);
    let found = pairs
        .iter()
        .find_map(|&(weight, bias)| linear(weight, bias?));
    let about = pairs
        .first()
        .filter(|_| found.is_none())
        .map(|&(weight, _)| match shape(weight) {
            Some(shape) if shape.len() <= 4 => format!("{} is {shape:?}", quoted(&[weight])),
            _ => match contents.others.get(weight) {
                Some(element) => format!("{} holds {element} elements", quoted(&[weight])),
                None => format!("{} has too many axes", quoted(&[weight])),
            },
        });
    let mut head = Head {
        linear: found.map(|(_, keys)| keys),
        classes: found.map(|(classes, _)| classes),
        about,
        note: None,
        other: Vec::new(),
        prefix: place.prefix,
    };
    if head.linear.is_none() {
        head.other = HEADS.to_vec();
        head.about = head.about.or_else(|| other_head(place, keys));
    } else if let Some((weight, _)) = head.linear
        && !weight.starts_with(place.prefix)
    {
        let title = weight.strip_suffix(".weight").unwrap_or(weight);
        head.note = Some(format!("took {} as the classifier", quoted(&[title])));
    }
    head
}

/// Weight and bias of all layers that may be the classifier, the likeliest first.
fn pairs<'a>(
    classifier: &str,
    place: &Place<'a>,
    keys: &[&'a str],
) -> Vec<(&'a str, Option<&'a str>)> {
    let (weight, bias) = (format!("{classifier}.weight"), format!("{classifier}.bias"));
    let mapped = |wanted: &str| {
        let names = Names::from([wanted.to_owned()]);
        let is_wanted = |key: &&str| place.parameter(key, &names).is_some();
        keys.iter().copied().find(is_wanted)
    };
    let mut pairs: Vec<_> = mapped(&weight)
        .map(|key| (key, mapped(&bias)))
        .into_iter()
        .collect();
    let known: std::collections::HashSet<&str> = keys.iter().copied().collect();
    for prefix in ancestors(place.prefix) {
        for alias in ALIASES {
            let weight = known.get(format!("{prefix}{alias}.weight").as_str());
            let bias = known.get(format!("{prefix}{alias}.bias").as_str()).copied();
            let new = weight.filter(|weight| pairs.iter().all(|(known, _)| known != *weight));
            pairs.extend(new.map(|weight| (*weight, bias)));
        }
    }
    pairs
}

/// The prefix itself, then without its last part, and so on.
fn ancestors(prefix: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(prefix), |prefix: &&str| shorter(prefix)).take(DEEPEST)
}

fn shorter(prefix: &str) -> Option<&str> {
    let rest = prefix.strip_suffix('.')?;
    let (start, _) = prefix.split_at(rest.rfind('.').map_or(0, |at| at + 1));
    Some(start)
}

/// As many dictionaries and modules around a network are looked into.
const DEEPEST: usize = 8;

/// A head of several layers, recognised by its first key.
fn other_head(place: &Place<'_>, keys: &[&str]) -> Option<String> {
    let taken: std::collections::HashSet<&str> = place.keys.values().copied().collect();
    let is_head = |key: &&&str| {
        let name = key.strip_prefix(place.prefix).unwrap_or_default();
        let part = name.split('.').next().unwrap_or_default();
        HEADS.contains(&part) && !taken.contains(**key)
    };
    let key = keys.iter().find(is_head)?;
    Some(format!("it has another head, {}", quoted(&[key])))
}
