//! Instructions that name, call and build. Only the functions by which NumPy's arrays are put
//! together are known; anything else is refused by name.

use std::borrow::Cow;

use super::machine::{Machine, Names};
use super::node::{Global, Id, Node};
use super::opcode as op;
use crate::{Fault, escape};

/// Characters of a name on the stack that are looked at.
const SHOWN: usize = 256;
/// Arguments and fields of a state that are looked at; NumPy gives fewer.
const MOST: usize = 16;

impl<'a> Machine<'a> {
    /// Pushes what stands under a module and a name.
    pub(super) fn name(&mut self, opcode: u8) -> Result<(), Fault> {
        if self.names == Names::Any {
            return self.any_name(opcode);
        }
        let (module, name) = match opcode {
            op::GLOBAL => {
                let module = String::from_utf8_lossy(self.cursor.line()?);
                (module, String::from_utf8_lossy(self.cursor.line()?))
            }
            _ => {
                let (name, module) = (self.pop()?, self.pop()?);
                (self.short_text(module)?, self.short_text(name)?)
            }
        };
        match Global::find(&module, &name) {
            Some(global) => self.push_node(Node::Global(global)),
            None => Err(self.fault(
                "only lists, dicts, numbers, texts and NumPy arrays",
                format!(
                    "'{}.{}'; nothing was executed",
                    escape(&*module),
                    escape(&*name)
                ),
            )),
        }
    }

    /// A copy of a text, cut where it is too long for a name.
    fn short_text(&self, id: Id) -> Result<Cow<'a, str>, Fault> {
        match self.node(id) {
            Node::Text(text) => Ok(Cow::Owned(text.chars().take(SHOWN).collect())),
            other => Err(self.fault("a name", other.kind())),
        }
    }

    /// Does what the call of a known function does.
    pub(super) fn call(&mut self) -> Result<(), Fault> {
        let (arguments, function) = (self.pop()?, self.pop()?);
        if self.names == Names::Any {
            return self.push_node(Node::Call(function, arguments));
        }
        let &Node::Global(function) = self.node(function) else {
            let found = format!("{}; nothing was executed", self.node(function).kind());
            return Err(self.fault("a function of NumPy to call", found));
        };
        let arguments = self.short_tuple(arguments)?;
        let node = match (function, arguments.as_slice()) {
            (Global::Reconstruct, _) => self.empty_array(),
            (Global::Dtype, &[name, ..]) => self.dtype(name)?,
            (Global::Scalar, &[dtype, bytes]) => self.scalar(dtype, bytes)?,
            (Global::FromBuffer, &[data, dtype, shape, order]) => {
                let layout = self.layout(order);
                self.array(dtype, shape, layout, data)?
            }
            (Global::Encode, &[text, codec]) => self.encoded(text, codec)?,
            (Global::NoBytes, []) => Node::Bytes(Cow::Borrowed(&[])),
            _ => {
                let found = format!("others for {function:?}; nothing was executed");
                return Err(self.fault("the arguments that NumPy gives", found));
            }
        };
        self.push_node(node)
    }

    /// Gives the value below the state on top.
    pub(super) fn build(&mut self) -> Result<(), Fault> {
        let state = self.pop()?;
        if self.names == Names::Any {
            return self.top().map(drop);
        }
        let state = self.short_tuple(state)?;
        let below = self.top()?;
        let built = match (self.node(below), state.as_slice()) {
            (&Node::Dtype(dtype), &[_, order, ..]) => Node::Dtype(self.ordered(dtype, order)),
            (Node::Array(_), &[_, shape, dtype, fortran, data]) => {
                let layout = self.layout(fortran);
                self.array(dtype, shape, layout, data)?
            }
            (other, _) => {
                let found = format!("a state of {}; nothing was executed", other.kind());
                return Err(self.fault("the state of an array or an element type", found));
            }
        };
        self.replace(below, built);
        Ok(())
    }

    /// The elements of a tuple that is no longer than NumPy's.
    pub(super) fn short_tuple(&self, id: Id) -> Result<Vec<Id>, Fault> {
        match self.node(id) {
            Node::Tuple(items) if items.len() <= MOST => Ok(items.to_vec()),
            other => {
                let found = format!("{}; nothing was executed", other.kind());
                Err(self.fault(format!("a tuple of at most {MOST} values"), found))
            }
        }
    }
}
