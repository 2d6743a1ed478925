//! The tensors of nested dicts, lists and tuples, under their keys joined by points.

use std::collections::BTreeMap;

use super::Tensor;
use super::rebuild;
use super::refusal::Refusal;
use super::storage::Storages;
use crate::pickle::{Pickle, Value};
use crate::{Fault, escape};

/// How deep dicts and lists may stand in each other.
const DEEPEST: usize = 64;
/// Values that are looked at in any pickle, beside two for each of its bytes: those that are shared
/// are looked at wherever they stand.
const FREE_VISITS: usize = 1 << 12;
/// Bytes of all names in any pickle, beside as many as the pickle has.
const FREE_NAMES: usize = 4 << 20;

/// What was found.
pub(super) struct Flat {
    pub(super) tensors: Vec<Tensor>,
    /// Key and class of the first object that stayed closed.
    pub(super) object: Option<String>,
}

/// Finds all tensors.
pub(super) fn flatten(pickle: &Pickle<'_>, storages: &Storages) -> Result<Flat, Refusal> {
    let mut walk = Walk {
        storages,
        tensors: Vec::new(),
        places: BTreeMap::new(),
        object: None,
        dicts: 0,
        visits_left: pickle
            .length()
            .saturating_mul(2)
            .saturating_add(FREE_VISITS),
        names_left: pickle.length().saturating_add(FREE_NAMES),
        name: String::new(),
    };
    walk.value(pickle.root(), Within { depth: 0, dict: 0 })?;
    Ok(Flat {
        tensors: walk.tensors,
        object: walk.object,
    })
}

/// Where a value stands: in so many dicts, the innermost of which was entered as this one.
#[derive(Clone, Copy)]
struct Within {
    depth: usize,
    dict: usize,
}

struct Walk<'s> {
    storages: &'s Storages,
    tensors: Vec<Tensor>,
    /// Where a name stands among the tensors, and in which dict.
    places: BTreeMap<String, (usize, usize)>,
    object: Option<String>,
    /// Dicts and lists that were entered.
    dicts: usize,
    visits_left: usize,
    names_left: usize,
    /// The keys that lead to the present value.
    name: String,
}

impl Walk<'_> {
    /// Looks at a value.
    fn value(&mut self, value: Value<'_>, within: Within) -> Result<(), Refusal> {
        let Some(left) = self.visits_left.checked_sub(1) else {
            return Err(hostile("fewer values", "shared ones without end"));
        };
        self.visits_left = left;
        let parts = rebuild::tensor(value, self.storages)
            .map_err(|fault| fault.within(&format!("tensor '{}'", escape(&self.name))))?;
        if let Some(parts) = parts {
            return self.add(parts, within.dict);
        }
        if within.depth == DEEPEST {
            return if value.items().is_some() || value.entries().is_some() {
                Err(hostile("dicts in dicts", "more than 64 in each other"))
            } else {
                Ok(())
            };
        }
        self.dicts += 1;
        let inside = Within {
            depth: within.depth + 1,
            dict: self.dicts,
        };
        if let Some(mut entries) = value.entries() {
            return entries.try_for_each(|(key, value)| self.entry(key, value, inside));
        }
        if let Some(items) = value.items() {
            let mut items = items.enumerate();
            return items.try_for_each(|(index, item)| {
                let length = self.enter(|name| name.push_str(&index.to_string()));
                let seen = self.value(item, inside);
                self.name.truncate(length);
                seen
            });
        }
        self.closed(value, inside)
    }

    /// Looks at a dict's value, whose key is a text or a whole number.
    fn entry(&mut self, key: Value<'_>, value: Value<'_>, inside: Within) -> Result<(), Refusal> {
        let bytes = key.bytes();
        if bytes.is_some_and(|bytes| bytes.len() > FREE_NAMES) {
            return Err(hostile("a key of at most 4 MiB", "a longer one"));
        }
        let length = match (bytes, key.integer()) {
            (Some(bytes), _) => {
                // The key is copied: a long one that is shared would be copied again and again.
                self.pay(bytes.len())?;
                self.enter(|name| name.push_str(&String::from_utf8_lossy(bytes)))
            }
            (None, Some(number)) => self.enter(|name| name.push_str(&number.to_string())),
            _ => return Ok(()),
        };
        let seen = self.value(value, inside);
        self.name.truncate(length);
        seen
    }

    /// Adds a key to the name; the length that it had.
    fn enter(&mut self, push: impl FnOnce(&mut String)) -> usize {
        let length = self.name.len();
        if length > 0 {
            self.name.push('.');
        }
        push(&mut self.name);
        length
    }

    fn pay(&mut self, bytes: usize) -> Result<(), Refusal> {
        let left = self.names_left.checked_sub(bytes);
        self.names_left = left.ok_or_else(|| {
            hostile(
                "names no longer than the pickle",
                "long ones that many tensors share",
            )
        })?;
        Ok(())
    }

    fn add(&mut self, parts: rebuild::Parts, dict: usize) -> Result<(), Refusal> {
        self.pay(self.name.len())?;
        let tensor = Tensor {
            name: self.name.clone(),
            element: parts.element,
            shape: parts.shape,
            view: parts.view,
        };
        match self.places.get(&self.name) {
            // The last of equal keys counts.
            Some(&(place, known)) if known == dict => {
                if let Some(place) = self.tensors.get_mut(place) {
                    *place = tensor;
                }
            }
            Some(_) => {
                let reason = format!("two of its tensors are called `{}`", escape(&self.name));
                let remedy = "rename one of the keys that this name is made of";
                return Err(Refusal::new(reason, remedy));
            }
            None => {
                let place = (self.tensors.len(), dict);
                self.places.insert(self.name.clone(), place);
                self.tensors.push(tensor);
            }
        }
        Ok(())
    }

    /// Remembers an object that stays closed. An `OrderedDict` of Python 2 is a call with a list of
    /// pairs.
    fn closed(&mut self, value: Value<'_>, inside: Within) -> Result<(), Refusal> {
        let Some((function, arguments)) = value.call() else {
            return Ok(());
        };
        let argument = arguments.items().and_then(|mut items| items.next());
        let class = function.class();
        if class == Some((b"collections", b"OrderedDict")) {
            for pair in argument.and_then(Value::items).into_iter().flatten() {
                let mut items = pair.items().into_iter().flatten();
                if let (Some(key), Some(value)) = (items.next(), items.next()) {
                    self.entry(key, value, inside)?;
                }
            }
            return Ok(());
        }
        // `copyreg._reconstructor(class, …)` makes an object of the class that it is given.
        let class = match class {
            Some((b"copyreg" | b"copy_reg", _)) => argument.and_then(Value::class),
            Some(class) => Some(class),
            // A module, which old files keep with its source.
            None => function
                .persistent()
                .and_then(|id| id.items()?.nth(1)?.class()),
        };
        if let (None, Some((module, name))) = (&self.object, class) {
            let [module, name] = [module, name].map(|name| {
                let cut = name.get(..100).unwrap_or(name);
                String::from_utf8_lossy(cut).into_owned()
            });
            let class = format!("{module}.{name}");
            self.object = Some(if self.name.is_empty() {
                format!("an object of the class `{}`", escape(&class))
            } else {
                format!(
                    "an object of the class `{}` under `{}`",
                    escape(&class),
                    escape(&self.name)
                )
            });
        }
        Ok(())
    }
}

fn hostile(expected: &str, found: &str) -> Refusal {
    Fault::new(
        "pickle",
        expected,
        format!("{found}; the file is damaged or hostile"),
    )
    .into()
}
