//! Instructions of pickles that may name anything: what would be called stays a call, and what the
//! writer stored elsewhere stays an id.

use super::machine::Machine;
use super::node::Node;
use super::opcode as op;
use crate::Fault;

impl<'a> Machine<'a> {
    /// Does the instruction, if it is one of these.
    pub(super) fn any_step(&mut self, opcode: u8) -> Result<bool, Fault> {
        match opcode {
            op::BINPERSID => {
                let id = self.pop()?;
                self.push_node(Node::Persistent(id))?;
            }
            op::PERSID => {
                let line = self.cursor.line()?;
                self.push_node(Node::Bytes(line.into()))?;
                let id = self.pop()?;
                self.push_node(Node::Persistent(id))?;
            }
            op::NEWOBJ => self.call()?,
            op::NEWOBJ_EX => {
                // The keywords are state, which is dropped.
                self.pop()?;
                self.call()?;
            }
            op::OBJ => self.old_object()?,
            op::INST => {
                self.any_name(op::GLOBAL)?;
                let class = self.pop()?;
                let arguments = self.pop_mark()?;
                self.push_node(Node::Tuple(arguments.into()))?;
                let arguments = self.pop()?;
                self.push_node(Node::Call(class, arguments))?;
            }
            op::EMPTY_SET => self.push_node(Node::List(Vec::new()))?,
            op::FROZENSET => {
                let items = self.pop_mark()?;
                self.push_node(Node::List(items))?;
            }
            op::ADDITEMS => self.fill_list(opcode)?,
            op::LONG1 => self.long(1)?,
            op::LONG4 => self.long(4)?,
            op::LONG => self.decimal_long()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Pushes what stands under a module and a name, whatever they are.
    pub(super) fn any_name(&mut self, opcode: u8) -> Result<(), Fault> {
        let node = match opcode {
            op::GLOBAL => Node::Class(self.cursor.two_lines()?),
            _ => {
                let (name, module) = (self.pop()?, self.pop()?);
                Node::NamedClass(module, name)
            }
        };
        self.push_node(node)
    }

    /// A class and its arguments behind the last mark.
    fn old_object(&mut self) -> Result<(), Fault> {
        let items = self.pop_mark()?;
        let Some((&class, arguments)) = items.split_first() else {
            return Err(self.fault("a class behind the mark", "nothing"));
        };
        self.push_node(Node::Tuple(arguments.into()))?;
        let arguments = self.pop()?;
        self.push_node(Node::Call(class, arguments))
    }

    /// An int behind the length of its bytes, a number of one or four.
    fn long(&mut self, width: u8) -> Result<(), Fault> {
        let bytes = match width {
            1 => self.cursor.counted::<1>()?,
            _ => self.cursor.counted::<4>()?,
        };
        self.push_node(super::constants::long(bytes).unwrap_or(Node::Long(bytes)))
    }

    fn decimal_long(&mut self) -> Result<(), Fault> {
        let line = self.cursor.line()?;
        let digits = line.strip_suffix(b"L").unwrap_or(line);
        self.push_node(super::constants::decimal(line).unwrap_or(Node::Long(digits)))
    }
}
