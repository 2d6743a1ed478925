//! Instructions that make and fill lists, tuples and dicts.

use super::machine::{Machine, Names};
use super::node::{Id, Node};
use super::opcode as op;
use crate::Fault;

impl Machine<'_> {
    /// Makes an empty container, or one of what stands behind the last mark.
    pub(super) fn open_container(&mut self, opcode: u8) -> Result<(), Fault> {
        let node = match opcode {
            op::EMPTY_LIST => Node::List(Vec::new()),
            op::LIST => Node::List(self.pop_mark()?),
            op::EMPTY_DICT => Node::Dict(Vec::new()),
            op::DICT => {
                let items = self.pop_mark()?;
                Node::Dict(self.pairs(&items)?)
            }
            op::EMPTY_TUPLE => Node::Tuple(Box::default()),
            _ => Node::Tuple(self.pop_mark()?.into()),
        };
        self.push_node(node)
    }

    /// A tuple of the one, two or three values on top.
    pub(super) fn make_short_tuple(&mut self, opcode: u8) -> Result<(), Fault> {
        let length = usize::from(opcode.saturating_sub(op::TUPLE1)) + 1;
        let items: Result<Vec<Id>, Fault> = (0..length).map(|_| self.pop()).collect();
        let mut items = items?;
        items.reverse();
        self.push_node(Node::Tuple(items.into()))
    }

    /// Appends to the list below.
    pub(super) fn fill_list(&mut self, opcode: u8) -> Result<(), Fault> {
        let items = match opcode {
            op::APPEND => vec![self.pop()?],
            _ => self.pop_mark()?,
        };
        self.take_memory(size_of_val(items.as_slice()))?;
        let is_any = self.names == Names::Any;
        let node = self.top_node()?;
        if is_any && matches!(node, Node::Call(..)) {
            // An object that takes items is a list of these.
            *node = Node::List(Vec::new());
        }
        if let Node::List(list) = node {
            list.extend(items);
            return Ok(());
        }
        let found = node.kind();
        Err(self.fault("a list to append to", found))
    }

    /// Sets keys of the dict below.
    pub(super) fn fill_dict(&mut self, opcode: u8) -> Result<(), Fault> {
        let items = match opcode {
            op::SETITEM => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
            _ => self.pop_mark()?,
        };
        let pairs = self.pairs(&items)?;
        self.take_memory(size_of_val(pairs.as_slice()))?;
        let is_any = self.names == Names::Any;
        let node = self.top_node()?;
        if is_any && matches!(node, Node::Call(..)) {
            // An object that takes keys is a dict of these: `OrderedDict`, `defaultdict`.
            *node = Node::Dict(Vec::new());
        }
        if let Node::Dict(dict) = node {
            dict.extend(pairs);
            return Ok(());
        }
        let found = node.kind();
        Err(self.fault("a dict to fill", found))
    }

    fn pairs(&self, items: &[Id]) -> Result<Vec<(Id, Id)>, Fault> {
        let (pairs, rest) = items.as_chunks::<2>();
        match rest {
            [] => Ok(pairs.iter().map(|&[key, value]| (key, value)).collect()),
            _ => Err(self.fault("as many values as keys", "one fewer")),
        }
    }
}
