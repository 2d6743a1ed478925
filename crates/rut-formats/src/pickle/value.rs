//! A pickle that was read, and its values.

use std::borrow::Cow;

use super::node::{Id, Node, Stored};
use crate::Fault;
use crate::numpy::{Array, Kind, elements};

/// Bytes of a module's name that are looked at: a pickle may use one long name often.
const LONGEST_MODULE: usize = 256;

/// A pickle: all its values, some of which borrow from the file.
pub struct Pickle<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) root: Id,
    pub(super) length: usize,
}

/// One value of a pickle.
#[derive(Clone, Copy)]
pub struct Value<'p> {
    pickle: &'p Pickle<'p>,
    id: Id,
}

impl Pickle<'_> {
    /// All ids of what the writer stored elsewhere, wherever they stand.
    pub fn persistent_ids(&self) -> impl Iterator<Item = Value<'_>> {
        self.nodes.iter().filter_map(|node| match *node {
            Node::Persistent(id) => Some(Value { pickle: self, id }),
            _ => None,
        })
    }

    /// Bytes from the first instruction to the last, behind which something else may stand.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The value that was pickled.
    pub fn root(&self) -> Value<'_> {
        Value {
            pickle: self,
            id: self.root,
        }
    }
}

impl<'p> Value<'p> {
    fn node(self) -> Option<&'p Node<'p>> {
        self.pickle.nodes.get(self.id.0 as usize)
    }

    fn at(self, id: Id) -> Value<'p> {
        Value { id, ..self }
    }

    /// What it is, for errors.
    pub fn kind(self) -> &'static str {
        self.node().map_or("nothing", Node::kind)
    }

    /// The value of a dict under this key, a text or a `str` of Python 2.
    pub fn get(self, key: &str) -> Option<Value<'p>> {
        let Some(Node::Dict(entries)) = self.node() else {
            return None;
        };
        let answers = |&&(id, _): &&(Id, Id)| self.at(id).is_text(key);
        let (_, value) = entries.iter().rev().find(answers)?;
        Some(self.at(*value))
    }

    fn is_text(self, text: &str) -> bool {
        match self.node() {
            Some(Node::Text(found)) => found == text,
            Some(Node::Bytes(found)) => **found == *text.as_bytes(),
            _ => false,
        }
    }

    /// A text, or a `str` of Python 2 in Latin-1.
    pub fn text(self) -> Option<Cow<'p, str>> {
        match self.node()? {
            Node::Text(text) => Some(Cow::Borrowed(text)),
            Node::Bytes(bytes) => Some(bytes.iter().map(|&byte| char::from(byte)).collect()),
            _ => None,
        }
    }

    /// An int.
    pub fn integer(self) -> Option<i64> {
        match self.node()? {
            Node::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// An int of more than 64 bits: its little-endian bytes, or its decimal digits.
    pub fn long(self) -> Option<&'p [u8]> {
        match self.node()? {
            Node::Long(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A bool.
    pub fn boolean(self) -> Option<bool> {
        match self.node()? {
            Node::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// A text, or a `str` of Python 2, as its bytes; nothing is copied.
    pub fn bytes(self) -> Option<&'p [u8]> {
        match self.node()? {
            Node::Text(text) => Some(text.as_bytes()),
            Node::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The keys and values of a dict in the order in which they were set; the last of equal keys
    /// counts.
    pub fn entries(self) -> Option<impl ExactSizeIterator<Item = (Value<'p>, Value<'p>)>> {
        let Node::Dict(entries) = self.node()? else {
            return None;
        };
        Some(
            entries
                .iter()
                .map(move |&(key, value)| (self.at(key), self.at(value))),
        )
    }

    /// Module and name of a class or function, where [any](super::Names::Any) may be named.
    pub fn class(self) -> Option<(&'p [u8], &'p [u8])> {
        match *self.node()? {
            Node::Class(lines) => {
                let mut looked_at = lines.iter().take(LONGEST_MODULE);
                let at = looked_at.position(|&byte| byte == b'\n')?;
                Some((lines.get(..at)?, lines.get(at + 1..)?))
            }
            Node::NamedClass(module, name) => {
                Some((self.at(module).bytes()?, self.at(name).bytes()?))
            }
            _ => None,
        }
    }

    /// The class or function that makes an object, and the tuple of its arguments, where
    /// [any](super::Names::Any) may be named. Nothing was called.
    pub fn call(self) -> Option<(Value<'p>, Value<'p>)> {
        match *self.node()? {
            Node::Call(function, arguments) => Some((self.at(function), self.at(arguments))),
            _ => None,
        }
    }

    /// The id of what the writer stored elsewhere, where [any](super::Names::Any) may be named.
    pub fn persistent(self) -> Option<Value<'p>> {
        match *self.node()? {
            Node::Persistent(id) => Some(self.at(id)),
            _ => None,
        }
    }

    /// Whether both are one value, which the pickle holds once.
    pub fn is(self, other: Value<'_>) -> bool {
        self.id == other.id
    }

    /// A float.
    pub fn float(self) -> Option<f64> {
        match self.node()? {
            Node::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The elements of a list, a tuple or an array of objects.
    pub fn items(self) -> Option<impl ExactSizeIterator<Item = Value<'p>> + Clone> {
        let ids = match self.node()? {
            Node::List(ids) => ids.as_slice(),
            Node::Tuple(ids) => ids,
            Node::Array(stored) => self.objects(stored)?,
            _ => return None,
        };
        Some(ids.iter().map(move |&id| self.at(id)))
    }

    /// The objects of an array, as many as its shape says.
    fn objects(self, stored: &Stored) -> Option<&'p [Id]> {
        let Some(Node::List(ids)) = self.at(stored.data?).node() else {
            return None;
        };
        let count = elements(&stored.shape);
        (stored.dtype.kind == Kind::Object && count == Some(ids.len())).then_some(ids)
    }

    /// The shape of an array.
    pub fn shape(self) -> Option<&'p [usize]> {
        match self.node()? {
            Node::Array(stored) => Some(&stored.shape),
            _ => None,
        }
    }

    /// An array of numbers; `place` is for the error.
    ///
    /// # Errors
    /// If it is no array of numbers, or its bytes do not fit its shape.
    pub fn array(self, place: &str) -> Result<Array<'p>, Fault> {
        let other = || Fault::new(place, "an array of numbers", self.kind());
        let Some(Node::Array(stored)) = self.node() else {
            return Err(other());
        };
        match stored.data.and_then(|id| self.at(id).node()) {
            Some(Node::Bytes(bytes)) => {
                let shape = stored.shape.clone();
                Array::new(stored.dtype, shape, stored.layout, &**bytes, place)
            }
            _ => Err(other()),
        }
    }
}
