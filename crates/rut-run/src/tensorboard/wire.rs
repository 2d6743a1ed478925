//! Messages in the wire format of protocol buffers, as far as event files need it: writing only. Which fields there are,
//! `summary` knows.

/// A message that is being written, field by field.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

/// How a field's value is laid out (protocol buffers, "Encoding").
#[derive(Clone, Copy)]
enum Layout {
    Varint = 0,
    Eight = 1,
    Delimited = 2,
    Four = 5,
}

impl Message {
    /// A field of type `double`.
    pub(super) fn double(self, field: u8, value: f64) -> Self {
        self.key(field, Layout::Eight).raw(&value.to_le_bytes())
    }

    /// A field of type `float`.
    pub(super) fn float(self, field: u8, value: f32) -> Self {
        self.key(field, Layout::Four).raw(&value.to_le_bytes())
    }

    /// A field of type `int32` or `int64`, of a value that is not negative.
    pub(super) fn number(self, field: u8, value: u64) -> Self {
        self.key(field, Layout::Varint).varint(value)
    }

    /// A field of type `string` or `bytes`, or of a message.
    pub(super) fn bytes(self, field: u8, value: &[u8]) -> Self {
        self.key(field, Layout::Delimited)
            .varint(value.len() as u64)
            .raw(value)
    }

    /// What was written.
    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    fn key(self, field: u8, layout: Layout) -> Self {
        self.varint(u64::from(field) << 3 | layout as u64)
    }

    fn varint(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of "Encoding" in the documentation of protocol buffers.
    #[test]
    fn published_examples() {
        assert_eq!(Message::default().number(1, 150).finish(), [0x08, 0x96, 1]);
        let testing = Message::default().bytes(2, b"testing").finish();
        assert_eq!(testing, b"\x12\x07testing");
        let inner = Message::default().number(1, 150).finish();
        let outer = Message::default().bytes(3, &inner).finish();
        assert_eq!(outer, [0x1a, 3, 0x08, 0x96, 1]);
    }

    #[test]
    fn numbers_are_little_endian() {
        let message = Message::default().float(2, 1.0).double(1, 1.0).finish();
        let (float, double) = message.split_at(5);
        assert_eq!(float, [0x15, 0, 0, 0x80, 0x3f]);
        assert_eq!(double, [0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
    }
}
