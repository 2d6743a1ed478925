//! The stack machine: its stack, its memo, and which part reads which instruction.

use std::collections::HashMap;

use super::constants::constant;
use super::cursor::Cursor;
use super::node::{Id, Node};
use super::opcode as op;
use super::value::Pickle;
use crate::Fault;

/// Bytes that the values of any pickle may take, so that small files of many small values are read.
const FREE: usize = 32 << 20;
/// How many times the length of the pickle its values may take beside.
const TIMES: usize = 2;
/// Bytes of a place in the memo that is not the next one, with the table's empty places.
const SPARSE_PLACE: usize = 48;
/// Lists, tuples and dicts that may be open at once.
const MAX_MARKS: usize = 1 << 10;
/// The newest protocol there is.
const NEWEST: u64 = 5;

/// Which names a pickle may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// The functions by which NumPy puts arrays together, which become arrays; others are errors.
    NumPy,
    /// Any: what would be called stays a [call](super::Value::call) with its arguments. Nothing is
    /// rebuilt, sets are lists, and the state of objects is dropped.
    Any,
}

/// Reads the pickle at the start of `bytes`, which may name NumPy's functions.
///
/// # Errors
/// At the first instruction that is damaged, calls anything but the functions by which NumPy puts
/// arrays together, or asks for more memory than so many bytes are worth.
pub fn parse(bytes: &[u8]) -> Result<Pickle<'_>, Fault> {
    parse_names(bytes, Names::NumPy)
}

/// Reads the pickle at the start of `bytes`, which may use these names.
///
/// # Errors
/// As [`parse`].
pub fn parse_names(bytes: &[u8], names: Names) -> Result<Pickle<'_>, Fault> {
    let mut machine = Machine::new(bytes, names);
    loop {
        let opcode = machine.cursor.opcode()?;
        if opcode == op::STOP {
            let root = machine.pop()?;
            return Ok(Pickle {
                nodes: machine.nodes,
                root,
                length: machine.cursor.position(),
            });
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
    /// What was remembered under 0, 1, 2 …, as every pickler counts.
    memo: Vec<Id>,
    /// What was remembered under other numbers.
    sparse_memo: HashMap<u64, Id>,
    /// Numbers and constants, which are made once.
    ints: HashMap<i64, Id>,
    constants: [Option<Id>; 3],
    pub(super) names: Names,
    /// Bytes that may still be taken.
    bytes_left: usize,
}

impl<'a> Machine<'a> {
    fn new(bytes: &'a [u8], names: Names) -> Self {
        Machine {
            cursor: Cursor::new(bytes),
            nodes: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Vec::new(),
            sparse_memo: HashMap::new(),
            ints: HashMap::new(),
            constants: [None; 3],
            names,
            bytes_left: bytes.len().saturating_mul(TIMES).saturating_add(FREE),
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
            _ if self.names == Names::Any && self.any_step(opcode)? => Ok(()),
            _ => {
                let node = constant(&mut self.cursor, opcode)?;
                self.push_constant(node)
            }
        }
    }

    fn check_protocol(&mut self) -> Result<(), Fault> {
        let protocol = self.cursor.unsigned::<1>()?;
        if protocol <= NEWEST {
            Ok(())
        } else {
            Err(self.fault(
                format!("a pickle of protocol 0 to {NEWEST}"),
                format!("protocol {protocol}"),
            ))
        }
    }

    /// The error at the present instruction.
    pub(super) fn fault(&self, expected: impl Into<String>, found: impl Into<String>) -> Fault {
        self.cursor.fault(expected, found)
    }

    /// Makes a value and pushes it.
    pub(super) fn push_node(&mut self, node: Node<'a>) -> Result<(), Fault> {
        let id = self.add(node)?;
        self.push(id)
    }

    /// Makes a value, whose place and contents are paid for.
    fn add(&mut self, node: Node<'a>) -> Result<Id, Fault> {
        self.take_memory(size_of::<Node<'_>>() + node.held_bytes())?;
        let id = u32::try_from(self.nodes.len())
            .map_err(|_| self.fault("fewer values", "more than can be counted"))?;
        self.nodes.push(node);
        Ok(Id(id))
    }

    /// Pushes a number or constant, which stands in the arena once.
    fn push_constant(&mut self, node: Node<'a>) -> Result<(), Fault> {
        let place = match node {
            Node::None => 0,
            Node::Bool(flag) => 1 + usize::from(flag),
            Node::Int(number) => {
                if let Some(&id) = self.ints.get(&number) {
                    return self.push(id);
                }
                self.take_memory(SPARSE_PLACE)?;
                let id = self.add(node)?;
                self.ints.insert(number, id);
                return self.push(id);
            }
            _ => return self.push_node(node),
        };
        let known = self.constants.get(place).copied().flatten();
        let id = match known {
            Some(id) => id,
            None => self.add(node)?,
        };
        if let Some(constant) = self.constants.get_mut(place) {
            *constant = Some(id);
        }
        self.push(id)
    }

    /// Counts memory before it is taken: a text that is shared can be turned into bytes again and
    /// again, and a byte can ask for a list.
    pub(super) fn take_memory(&mut self, bytes: usize) -> Result<(), Fault> {
        let left = self.bytes_left.checked_sub(bytes);
        self.bytes_left = left.ok_or_else(|| {
            let most = format!(
                "values of at most {} MiB and {TIMES} times the pickle's length",
                FREE >> 20
            );
            self.fault(most, "more; the file is damaged or hostile")
        })?;
        Ok(())
    }

    pub(super) fn push(&mut self, id: Id) -> Result<(), Fault> {
        self.take_memory(size_of::<Id>())?;
        self.stack.push(id);
        Ok(())
    }

    /// Takes the value on top, which was pushed behind the last mark.
    pub(super) fn pop(&mut self) -> Result<Id, Fault> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let top = if self.stack.len() > floor {
            self.stack.pop()
        } else {
            None
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
        let items = self.stack.get(mark..).unwrap_or_default().to_vec();
        self.stack.truncate(mark);
        Ok(items)
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
        let dense = usize::try_from(key).ok().and_then(|key| self.memo.get(key));
        match dense.or_else(|| self.sparse_memo.get(&key)).copied() {
            Some(id) => self.push(id),
            None => Err(self.fault(format!("a remembered value {key}"), "none")),
        }
    }

    fn remember(&mut self, opcode: u8) -> Result<(), Fault> {
        let key = match opcode {
            op::PUT => self.cursor.decimal()?,
            op::BINPUT => self.cursor.unsigned::<1>()?,
            op::LONG_BINPUT => self.cursor.unsigned::<4>()?,
            _ => (self.memo.len() + self.sparse_memo.len()) as u64,
        };
        let top = self.top()?;
        let place = usize::try_from(key).unwrap_or(usize::MAX);
        if let Some(known) = self.memo.get_mut(place) {
            *known = top;
        } else if place == self.memo.len() && self.sparse_memo.is_empty() {
            self.take_memory(2 * size_of::<Id>())?;
            self.memo.push(top);
        } else {
            self.take_memory(SPARSE_PLACE)?;
            self.sparse_memo.insert(key, top);
        }
        Ok(())
    }
}
