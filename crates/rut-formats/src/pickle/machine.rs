//! The stack machine: its stack, its memo, and which part reads which instruction.

use std::collections::HashMap;

use super::constants::constant;
use super::cursor::Cursor;
use super::node::{Id, Node};
use super::opcode as op;
use super::value::Pickle;
use crate::Fault;

/// Values that any pickle may have, so that small files of many small values are read.
const FREE_VALUES: usize = 1 << 18;
/// Bytes of the file that pay for one value more.
const BYTES_PER_VALUE: usize = 16;
/// How many times the length of the file may be copied: the bytes of protocol 0 are unescaped to a
/// text, and the text is turned into bytes.
const COPIES: usize = 3;
/// Lists, tuples and dicts that may be open at once.
const MAX_MARKS: usize = 1 << 10;
/// The newest protocol there is.
const NEWEST: u64 = 5;

/// Reads the pickle at the start of `bytes`.
///
/// # Errors
/// At the first instruction that is damaged, calls anything but the functions by which NumPy puts
/// arrays together, or asks for more than so many bytes are worth.
pub fn parse(bytes: &[u8]) -> Result<Pickle<'_>, Fault> {
    let mut machine = Machine::new(bytes);
    loop {
        let opcode = machine.cursor.opcode()?;
        if opcode == op::STOP {
            let root = machine.pop()?;
            let nodes = machine.nodes;
            return Ok(Pickle { nodes, root });
        }
        machine.step(opcode)?;
    }
}

/// Where reading stands.
pub(super) struct Machine<'a> {
    pub(super) cursor: Cursor<'a>,
    nodes: Vec<Node<'a>>,
    stack: Vec<Id>,
    /// Heights of the stack at which something was opened.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
    /// How many times more something may be pushed or remembered.
    values_left: usize,
    /// Bytes that may still be copied.
    bytes_left: usize,
}

impl<'a> Machine<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Machine {
            cursor: Cursor::new(bytes),
            nodes: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
            values_left: FREE_VALUES + bytes.len() / BYTES_PER_VALUE,
            bytes_left: bytes.len().saturating_mul(COPIES),
        }
    }

    fn step(&mut self, opcode: u8) -> Result<(), Fault> {
        match opcode {
            op::PROTO => self.check_protocol(),
            op::FRAME => self.cursor.array::<8>().map(drop),
            op::MARK => self.mark(),
            op::POP => self.pop().map(drop),
            op::POP_MARK => self.pop_mark().map(drop),
            op::DUP => self.top().and_then(|top| self.push(top)),
            op::EMPTY_LIST | op::LIST | op::EMPTY_DICT | op::DICT | op::EMPTY_TUPLE | op::TUPLE => {
                self.open_container(opcode)
            }
            op::TUPLE1 | op::TUPLE2 | op::TUPLE3 => self.make_short_tuple(opcode),
            op::APPEND | op::APPENDS => self.fill_list(opcode),
            op::SETITEM | op::SETITEMS => self.fill_dict(opcode),
            op::GET | op::BINGET | op::LONG_BINGET => self.recall(opcode),
            op::PUT | op::BINPUT | op::LONG_BINPUT | op::MEMOIZE => self.remember(opcode),
            op::GLOBAL | op::STACK_GLOBAL => self.name(opcode),
            op::REDUCE => self.call(),
            op::BUILD => self.build(),
            _ => {
                let node = constant(&mut self.cursor, opcode)?;
                self.push_node(node)
            }
        }
    }

    fn check_protocol(&mut self) -> Result<(), Fault> {
        let protocol = self.cursor.unsigned::<1>()?;
        match protocol <= NEWEST {
            true => Ok(()),
            false => Err(self.fault(
                format!("a pickle of protocol 0 to {NEWEST}"),
                format!("protocol {protocol}"),
            )),
        }
    }

    /// The error at the present instruction.
    pub(super) fn fault(&self, expected: impl Into<String>, found: impl Into<String>) -> Fault {
        self.cursor.fault(expected, found)
    }

    /// Makes a value and pushes it.
    pub(super) fn push_node(&mut self, node: Node<'a>) -> Result<(), Fault> {
        self.copied(node.copied_bytes())?;
        let id = u32::try_from(self.nodes.len())
            .map_err(|_| self.fault("fewer values", "more than can be counted"))?;
        self.push(Id(id))?;
        self.nodes.push(node);
        Ok(())
    }

    /// Counts bytes that no longer stand in the file: a text that is shared can be turned into
    /// bytes again and again.
    fn copied(&mut self, bytes: usize) -> Result<(), Fault> {
        let left = self.bytes_left.checked_sub(bytes);
        self.bytes_left = left.ok_or_else(|| {
            self.fault("fewer copied bytes", "more; the file is damaged or hostile")
        })?;
        Ok(())
    }

    pub(super) fn push(&mut self, id: Id) -> Result<(), Fault> {
        self.count_value()?;
        self.stack.push(id);
        Ok(())
    }

    fn count_value(&mut self) -> Result<(), Fault> {
        let left = self.values_left.checked_sub(1);
        self.values_left = left.ok_or_else(|| {
            let most = format!("at most {FREE_VALUES} values, and one for {BYTES_PER_VALUE} bytes");
            self.fault(most, "more; the file is damaged or hostile")
        })?;
        Ok(())
    }

    /// Takes the value on top, which was pushed behind the last mark.
    pub(super) fn pop(&mut self) -> Result<Id, Fault> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let top = match self.stack.len() > floor {
            true => self.stack.pop(),
            false => None,
        };
        top.ok_or_else(|| self.fault("a value on the stack", "none"))
    }

    pub(super) fn top(&mut self) -> Result<Id, Fault> {
        let top = self.pop()?;
        self.stack.push(top);
        Ok(top)
    }

    fn mark(&mut self) -> Result<(), Fault> {
        if self.marks.len() == MAX_MARKS {
            let most = format!("at most {MAX_MARKS} open lists, tuples and dicts");
            return Err(self.fault(most, "more; the file is damaged or hostile"));
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    /// Takes what was pushed behind the last mark, and the mark.
    pub(super) fn pop_mark(&mut self) -> Result<Vec<Id>, Fault> {
        let mark = self.marks.pop();
        let mark = mark.filter(|&mark| mark <= self.stack.len());
        let mark = mark.ok_or_else(|| self.fault("an open list, tuple or dict", "none"))?;
        Ok(self.stack.split_off(mark))
    }

    /// A value, as far as it is there.
    pub(super) fn node(&self, id: Id) -> &Node<'a> {
        self.nodes.get(id.0 as usize).unwrap_or(&Node::None)
    }

    /// Puts a value in the place of another.
    pub(super) fn replace(&mut self, id: Id, node: Node<'a>) {
        if let Some(place) = self.nodes.get_mut(id.0 as usize) {
            *place = node;
        }
    }

    /// The value on top, which stays there.
    pub(super) fn top_node(&mut self) -> Result<&mut Node<'a>, Fault> {
        let top = self.top()?;
        let missing = self.fault("a value on the stack", "none");
        self.nodes.get_mut(top.0 as usize).ok_or(missing)
    }

    fn recall(&mut self, opcode: u8) -> Result<(), Fault> {
        let key = match opcode {
            op::GET => self.cursor.decimal()?,
            op::BINGET => self.cursor.unsigned::<1>()?,
            _ => self.cursor.unsigned::<4>()?,
        };
        match self.memo.get(&key) {
            Some(&id) => self.push(id),
            None => Err(self.fault(format!("a remembered value {key}"), "none")),
        }
    }

    fn remember(&mut self, opcode: u8) -> Result<(), Fault> {
        let key = match opcode {
            op::PUT => self.cursor.decimal()?,
            op::BINPUT => self.cursor.unsigned::<1>()?,
            op::LONG_BINPUT => self.cursor.unsigned::<4>()?,
            _ => self.memo.len() as u64,
        };
        let top = self.top()?;
        self.count_value()?;
        self.memo.insert(key, top);
        Ok(())
    }
}
