//! Instructions that push a number, a text or bytes.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::node::Node;
use super::opcode as op;
use super::text::{number, raw_unicode, unquote};
use crate::Fault;

/// The value that the instruction pushes.
pub(super) fn constant<'a>(cursor: &mut Cursor<'a>, opcode: u8) -> Result<Node<'a>, Fault> {
    let node = match opcode {
        op::NONE => Node::None,
        op::NEWTRUE => Node::Bool(true),
        op::NEWFALSE => Node::Bool(false),
        op::BININT1 => Node::Int(cursor.unsigned::<1>()? as i64),
        op::BININT2 => Node::Int(cursor.unsigned::<2>()? as i64),
        op::BININT => Node::Int(i32::from_le_bytes(cursor.array()?).into()),
        op::BINFLOAT => Node::Float(f64::from_be_bytes(cursor.array()?)),
        op::SHORT_BINSTRING | op::SHORT_BINBYTES => bytes(cursor.counted::<1>()?),
        op::BINSTRING | op::BINBYTES => bytes(cursor.counted::<4>()?),
        op::BINBYTES8 | op::BYTEARRAY8 => bytes(cursor.counted::<8>()?),
        _ => return checked(cursor, opcode),
    };
    Ok(node)
}

/// The same for the instructions whose bytes can make no sense.
fn checked<'a>(cursor: &mut Cursor<'a>, opcode: u8) -> Result<Node<'a>, Fault> {
    let (node, expected) = match opcode {
        op::SHORT_BINUNICODE => (utf8(cursor.counted::<1>()?), "a text in UTF-8"),
        op::BINUNICODE => (utf8(cursor.counted::<4>()?), "a text in UTF-8"),
        op::BINUNICODE8 => (utf8(cursor.counted::<8>()?), "a text in UTF-8"),
        op::LONG1 => (long(cursor.counted::<1>()?), "an int of 64 bits"),
        op::LONG4 => (long(cursor.counted::<4>()?), "an int of 64 bits"),
        op::INT | op::LONG => (decimal(cursor.line()?), "an int of 64 bits in decimal"),
        op::FLOAT => (
            number(cursor.line()?).map(Node::Float),
            "a float in decimal",
        ),
        op::STRING => (unquote(cursor.line()?).map(Node::Bytes), "a quoted text"),
        op::UNICODE => (raw_unicode(cursor.line()?).map(Node::Text), "a text"),
        _ => {
            let found = format!("0x{opcode:02x}; nothing was executed");
            return Err(cursor.fault("an instruction that data files use", found));
        }
    };
    node.ok_or_else(|| cursor.fault(expected, "other bytes; the file is damaged"))
}

fn bytes(bytes: &[u8]) -> Node<'_> {
    Node::Bytes(Cow::Borrowed(bytes))
}

fn utf8(bytes: &[u8]) -> Option<Node<'_>> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(Node::Text(Cow::Borrowed(text)))
}

/// A number in two's complement, little-endian, of up to eight bytes.
pub(super) fn long(bytes: &[u8]) -> Option<Node<'static>> {
    let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
    let mut all = if negative { [0xff; 8] } else { [0; 8] };
    all.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(Node::Int(i64::from_le_bytes(all)))
}

/// A number in decimal, with an `L` behind it or not; protocol 1 writes bools as `00` and `01`.
pub(super) fn decimal(line: &[u8]) -> Option<Node<'static>> {
    match line {
        b"00" => Some(Node::Bool(false)),
        b"01" => Some(Node::Bool(true)),
        _ => number(line.strip_suffix(b"L").unwrap_or(line)).map(Node::Int),
    }
}
