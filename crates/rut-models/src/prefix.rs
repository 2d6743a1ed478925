//! Where in a file's keys a network's parameters stand: under which prefix, and in which layout. Dictionaries and modules
//! around a network are nothing but a prefix that all its keys share.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::layout::{COMPONENTS, LAYOUTS, Layout};

/// The keys of a file that are a network's.
#[derive(Debug, Clone)]
pub(crate) struct Place<'a> {
    /// What stands before the network's own names; empty, or with a point at its end.
    pub(crate) prefix: &'a str,
    /// How names are written behind it.
    pub(crate) layout: &'static Layout,
    /// The file's keys by the parameter that they mean.
    pub(crate) keys: BTreeMap<String, &'a str>,
}

/// The names of a network's parameters.
pub(crate) type Names = HashSet<String>;

/// All places at which a file may hold a network, the best first; no two explain the same key, and none is a part of an
/// earlier one.
pub(crate) fn places<'a>(keys: &[&'a str], names: &Names) -> Vec<Place<'a>> {
    let mut rest = keys.to_vec();
    let mut found: Vec<Place<'a>> = Vec::new();
    // Each round takes keys away, and a file can hold only so many networks that are worth naming.
    for _ in 0..MOST {
        let Some(place) = best(&rest, names) else {
            break;
        };
        rest.retain(|key| place.parameter(key, names).is_none());
        if !found.iter().any(|earlier| earlier.holds(&place, names)) {
            found.push(place);
        }
    }
    found
}

/// The number of networks in one file that are listed.
const MOST: usize = 10;

/// The place under `prefix`, in the layout that explains most keys.
pub(crate) fn place_at<'a>(keys: &[&'a str], prefix: &'a str, names: &Names) -> Place<'a> {
    let under = |layout: &'static Layout| {
        let mut place = Place {
            prefix,
            layout,
            keys: BTreeMap::new(),
        };
        for key in keys {
            if let Some(name) = place.parameter(key, names) {
                place.keys.entry(name).or_insert(key);
            }
        }
        place
    };
    let first = under(&LAYOUTS[0]);
    let others = LAYOUTS.iter().skip(1).map(under);
    others.fold(first, |best, other| {
        if other.keys.len() > best.keys.len() {
            other
        } else {
            best
        }
    })
}

/// The place that explains most keys; of equals the one with the shorter prefix, then in the order of names.
fn best<'a>(keys: &[&'a str], names: &Names) -> Option<Place<'a>> {
    let mut counts: HashMap<&'a str, [usize; LAYOUT_COUNT]> = HashMap::new();
    for &key in keys {
        for (prefix, name) in cuts(key) {
            for (index, layout) in LAYOUTS.iter().enumerate() {
                if layout
                    .parameter(name, |name| names.contains(name))
                    .is_some()
                {
                    counts.entry(prefix).or_default()[index] += 1;
                }
            }
        }
    }
    let most = |counts: &[usize; LAYOUT_COUNT]| counts.iter().copied().max().unwrap_or(0);
    let (prefix, _) = counts.iter().max_by(|(a, ours), (b, theirs)| {
        let by_count = most(ours).cmp(&most(theirs));
        by_count
            .then_with(|| b.len().cmp(&a.len()))
            .then_with(|| b.cmp(a))
    })?;
    Some(place_at(keys, prefix, names))
}

const LAYOUT_COUNT: usize = LAYOUTS.len();

impl<'a> Place<'a> {
    /// The parameter that a key of the file means here.
    pub(crate) fn parameter(&self, key: &str, names: &Names) -> Option<String> {
        let name = key.strip_prefix(self.prefix)?;
        self.layout.parameter(name, |name| names.contains(name))
    }

    /// Whether another place is a block of this network, whose names are like a network's own.
    fn holds(&self, other: &Place<'_>, names: &Names) -> bool {
        let block = other.prefix.strip_prefix(self.prefix);
        block.is_some_and(|block| names.iter().any(|name| name.starts_with(block)))
    }

    /// What a person calls it: its dictionaries and modules, or `.` for the file itself.
    pub(crate) fn title(&self) -> &'a str {
        match self.prefix.strip_suffix('.') {
            Some(title) => title,
            None => ".",
        }
    }
}

/// What persons call some places, in order.
pub(crate) fn titles(places: &[Place<'_>]) -> Vec<String> {
    let mut titles: Vec<String> = places
        .iter()
        .map(|place| place.title().to_owned())
        .collect();
    titles.sort();
    titles
}

/// A key as a prefix and a name behind it, in all ways in which the name is no longer than any layout's.
fn cuts(key: &str) -> impl Iterator<Item = (&str, &str)> {
    let points = key.rmatch_indices('.').map(|(at, _)| at + 1);
    let starts = points.take(COMPONENTS).chain([0]);
    // The first is the last component, which no parameter consists of alone.
    let cuts = starts.skip(1).map(|start| key.split_at(start));
    cuts.filter(|(_, name)| name.len() <= LONGEST)
}

/// No layout has longer names, in bytes.
const LONGEST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn found(keys: &[&str]) -> Vec<(String, usize)> {
        let names = ["conv1.weight", "bn1.weight", "layer1.0.conv1.weight"];
        let places = places(keys, &names.map(str::to_owned).into());
        let titled = |place: &Place<'_>| (place.title().to_owned(), place.keys.len());
        places.iter().map(titled).collect()
    }

    #[test]
    fn a_prefix_is_what_all_keys_share() {
        assert_eq!(LAYOUT_COUNT, LAYOUTS.len());
        let keys = [
            "net.conv1.weight",
            "net.bn1.weight",
            "net.layer1.0.conv1.weight",
            "loss.weight",
        ];
        assert_eq!(found(&keys), [("net".to_owned(), 3)]);
        assert_eq!(found(&["conv1.weight"]), [(".".to_owned(), 1)]);
        assert_eq!(found(&["layer1.0.conv1.weight"]), [(".".to_owned(), 1)]);
        let with_another_block = ["conv1.weight", "layer1.0.bn1.weight"];
        assert_eq!(found(&with_another_block), [(".".to_owned(), 1)]);
        assert!(found(&["vit.norm.weight", "", "."]).is_empty());
    }

    #[test]
    fn several_networks_are_told_apart() {
        let keys = [
            "a.conv1.weight",
            "a.bn1.weight",
            "b.m.conv1.weight",
            "b.m.bn1.weight",
            "c.conv1.weight",
        ];
        let two = [
            ("a".to_owned(), 2),
            ("b.m".to_owned(), 2),
            ("c".to_owned(), 1),
        ];
        assert_eq!(found(&keys), two);
    }
}
