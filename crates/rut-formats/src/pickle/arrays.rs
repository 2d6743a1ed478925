//! NumPy's element types, arrays and numbers, made of the arguments that NumPy pickles them with
//! (NumPy, `numpy/_core/src/multiarray/methods.c` and `descriptor.c`).

use std::borrow::Cow;

use super::machine::Machine;
use super::node::{Id, Node, Stored};
use crate::Fault;
use crate::numpy::{Dtype, Layout, MAX_DIMS};

impl<'a> Machine<'a> {
    /// An array that awaits its state.
    pub(super) fn empty_array(&self) -> Node<'a> {
        Node::Array(Box::new(Stored {
            dtype: Dtype::BYTE,
            shape: vec![0],
            layout: Layout::RowMajor,
            data: None,
        }))
    }

    /// An array; whether the bytes fit the shape is seen when they are asked for.
    pub(super) fn array(
        &self,
        dtype: Id,
        shape: Id,
        layout: Layout,
        data: Id,
    ) -> Result<Node<'a>, Fault> {
        let &Node::Dtype(dtype) = self.node(dtype) else {
            return Err(self.fault("the element type of an array", self.node(dtype).kind()));
        };
        let shape = self.shape(shape)?;
        Ok(Node::Array(Box::new(Stored {
            dtype,
            shape,
            layout,
            data: Some(data),
        })))
    }

    fn shape(&self, id: Id) -> Result<Vec<usize>, Fault> {
        let lengths = self
            .short_tuple(id)?
            .into_iter()
            .map(|id| match self.node(id) {
                Node::Int(length) => usize::try_from(*length).ok(),
                _ => None,
            });
        let shape: Option<Vec<usize>> = lengths.collect();
        shape
            .filter(|shape| shape.len() <= MAX_DIMS)
            .ok_or_else(|| {
                let expected = format!("the lengths of at most {MAX_DIMS} axes");
                self.fault(expected, "another shape")
            })
    }

    /// The element type of this name.
    pub(super) fn dtype(&self, name: Id) -> Result<Node<'a>, Fault> {
        let text = match self.node(name) {
            Node::Text(text) => text.as_bytes(),
            Node::Bytes(bytes) => bytes,
            other => return Err(self.fault("the name of an element type", other.kind())),
        };
        let text = String::from_utf8_lossy(text.get(..40).unwrap_or(text));
        Dtype::parse(&text, &self.cursor.place()).map(Node::Dtype)
    }

    /// The element type in the byte order of this sign.
    pub(super) fn ordered(&self, dtype: Dtype, sign: Id) -> Dtype {
        if self.is_text(sign, ">") {
            dtype.with_order(">")
        } else {
            dtype.with_order("<")
        }
    }

    /// The order of the elements by NumPy's flag or letter for Fortran's.
    pub(super) fn layout(&self, fortran: Id) -> Layout {
        let columns = match self.node(fortran) {
            Node::Bool(flag) => *flag,
            Node::Int(flag) => *flag != 0,
            Node::Text(letter) => letter == "F",
            _ => false,
        };
        if columns {
            Layout::ColumnMajor
        } else {
            Layout::RowMajor
        }
    }

    /// An array's only number.
    pub(super) fn scalar(&self, dtype: Id, bytes: Id) -> Result<Node<'a>, Fault> {
        let (Node::Dtype(dtype), Node::Bytes(bytes)) = (self.node(dtype), self.node(bytes)) else {
            return Err(self.fault("an element type and bytes", self.node(bytes).kind()));
        };
        let integer = dtype.integer(bytes).map(Node::Int);
        let number = integer.or_else(|| dtype.float(bytes).map(Node::Float));
        number.ok_or_else(|| self.fault("a number", "bytes that are none"))
    }

    /// The bytes that Python 3 writes as a text for the readers of old protocols.
    pub(super) fn encoded(&self, text: Id, codec: Id) -> Result<Node<'a>, Fault> {
        let Node::Text(text) = self.node(text) else {
            return Err(self.fault("a text of bytes", self.node(text).kind()));
        };
        let bytes: Option<Vec<u8>> = if self.is_text(codec, "latin1") {
            text.chars().map(|char| u8::try_from(char).ok()).collect()
        } else {
            None
        };
        bytes
            .map(|bytes| Node::Bytes(Cow::Owned(bytes)))
            .ok_or_else(|| self.fault("bytes as a text in latin1", "another text"))
    }

    fn is_text(&self, id: Id, wanted: &str) -> bool {
        match self.node(id) {
            Node::Text(text) => text == wanted,
            Node::Bytes(bytes) => **bytes == *wanted.as_bytes(),
            _ => false,
        }
    }
}
