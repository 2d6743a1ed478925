//! The storages that a pickle names by persistent ids: `('storage', class, key, device, count)`, with
//! a part of a storage behind in files before PyTorch 1.6.

use std::collections::HashMap;

use super::element::Element;
use crate::pickle::{Pickle, Value};
use crate::{Fault, escape};

/// The longest key of a storage; PyTorch writes numbers.
const LONGEST_KEY: usize = 256;

/// A storage.
#[derive(Debug)]
pub(super) struct Storage {
    pub(super) key: Box<[u8]>,
    pub(super) element: Element,
    /// Bytes of an element.
    pub(super) size: u64,
    /// Its elements.
    pub(super) count: u64,
}

impl Storage {
    /// Its length in bytes.
    pub(super) fn bytes(&self) -> Result<u64, Fault> {
        self.count.checked_mul(self.size).ok_or_else(|| {
            let found = format!("{} elements", self.count);
            Fault::new(self.place(), "a length in bytes", found)
        })
    }

    /// Its name in errors.
    pub(super) fn place(&self) -> String {
        let key = String::from_utf8_lossy(&self.key);
        format!("storage '{}'", escape(&*key))
    }
}

/// All storages of a pickle.
#[derive(Debug)]
pub(super) struct Storages {
    list: Vec<Storage>,
    by_key: HashMap<Box<[u8]>, usize>,
}

/// Where a tensor's storage is: a part of a stored one.
pub(super) struct Part {
    pub(super) storage: usize,
    /// Elements before it.
    pub(super) offset: u64,
    /// Its elements.
    pub(super) count: u64,
}

/// The storages that the pickle names anywhere, each once.
pub(super) fn table(pickle: &Pickle<'_>) -> Result<Storages, Fault> {
    let mut storages = Storages {
        list: Vec::new(),
        by_key: HashMap::new(),
    };
    for id in pickle.persistent_ids() {
        if let Some(storage) = declared(id)? {
            storages.add(storage)?;
        }
    }
    Ok(storages)
}

impl Storages {
    fn add(&mut self, storage: Storage) -> Result<(), Fault> {
        let Some(&known) = self.by_key.get(&storage.key) else {
            self.by_key.insert(storage.key.clone(), self.list.len());
            self.list.push(storage);
            return Ok(());
        };
        match self.list.get(known) {
            Some(known) if known.size == storage.size && known.count == storage.count => Ok(()),
            _ => Err(Fault::new(
                storage.place(),
                "one kind and one length",
                "two; the file is damaged or hostile",
            )),
        }
    }

    /// The storage, or the part of one, that a persistent id names.
    pub(super) fn find(&self, id: Value<'_>) -> Option<Part> {
        let items = id.items()?;
        let key = items.clone().nth(2)?.bytes()?;
        let &storage = self.by_key.get(key)?;
        let (mut offset, mut count) = (0, self.list.get(storage)?.count);
        if let Some(view) = items.clone().nth(5).and_then(Value::items) {
            let numbers: Vec<u64> = view.skip(1).filter_map(whole).collect();
            let &[view_offset, view_count] = numbers.as_slice() else {
                return None;
            };
            if view_offset.checked_add(view_count)? > count {
                return None;
            }
            (offset, count) = (view_offset, view_count);
        }
        Some(Part {
            storage,
            offset,
            count,
        })
    }

    pub(super) fn get(&self, storage: usize) -> Option<&Storage> {
        self.list.get(storage)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Storage> {
        self.list.iter()
    }

    pub(super) fn place(&self, key: &[u8]) -> Option<usize> {
        self.by_key.get(key).copied()
    }

    pub(super) fn into_vec(self) -> Vec<Storage> {
        self.list
    }
}

/// A whole number that is not negative.
pub(super) fn whole(value: Value<'_>) -> Option<u64> {
    u64::try_from(value.integer()?).ok()
}

/// What a persistent id says of a storage; nothing of a module, which old files store as well.
fn declared(id: Value<'_>) -> Result<Option<Storage>, Fault> {
    let Some(mut items) = id.items() else {
        return Ok(None);
    };
    if items.next().and_then(Value::bytes) != Some(b"storage") {
        return Ok(None);
    }
    let fault = |found: &str| {
        let expected = "a storage with class, key, device and number of elements";
        Err(Fault::new("persistent id", expected, found))
    };
    let (Some(class), Some(key), Some(_), Some(count)) =
        (items.next(), items.next(), items.next(), items.next())
    else {
        return fault("less");
    };
    let Some((element, size)) = class
        .class()
        .and_then(|(_, name)| Element::of_storage(name))
    else {
        return fault("another class");
    };
    match (key.bytes(), whole(count)) {
        (Some(key), Some(count)) if key.len() <= LONGEST_KEY => Ok(Some(Storage {
            key: key.into(),
            element,
            size,
            count,
        })),
        _ => fault("another key or number"),
    }
}
