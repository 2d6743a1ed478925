//! Writes MAT-files of version 5, in either byte order.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// The order of the bytes of a number.
#[derive(Clone, Copy)]
pub enum ByteOrder {
    Little,
    Big,
}

/// A writer of elements.
#[derive(Clone, Copy)]
pub struct Writer(pub ByteOrder);

impl Writer {
    pub fn word(self, value: u32) -> [u8; 4] {
        match self.0 {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        }
    }

    /// The header, and these elements.
    pub fn file(self, elements: &[Vec<u8>]) -> Vec<u8> {
        let mut file = vec![b'x'; 124];
        file.extend(match self.0 {
            ByteOrder::Little => *b"\0\x01IM",
            ByteOrder::Big => *b"\x01\0MI",
        });
        file.extend(elements.concat());
        file
    }

    /// An element; a small one where its bytes fit in the tag.
    pub fn element(self, kind: u32, bytes: &[u8]) -> Vec<u8> {
        let length = bytes.len() as u32;
        let mut element = match length {
            1..=4 => self.word(length << 16 | kind).to_vec(),
            _ => [self.word(kind), self.word(length)].concat(),
        };
        element.extend(bytes);
        element.resize(element.len().next_multiple_of(8), 0);
        element
    }

    /// An array: class with flags, dimensions, name, and the elements of its values.
    pub fn matrix(self, class: u32, dims: &[u32], name: &str, values: &[u8]) -> Vec<u8> {
        let words =
            |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|&word| self.word(word)).collect() };
        let body = [
            self.element(6, &words(&[class, 0])),
            self.element(5, &words(dims)),
            self.element(1, name.as_bytes()),
            values.to_vec(),
        ];
        self.element(14, &body.concat())
    }

    /// A row of characters.
    pub fn text(self, name: &str, text: &str) -> Vec<u8> {
        let units: Vec<u16> = text.encode_utf16().collect();
        let bytes = units.iter().flat_map(|&unit| match self.0 {
            ByteOrder::Little => unit.to_le_bytes(),
            ByteOrder::Big => unit.to_be_bytes(),
        });
        let values = self.element(4, &bytes.collect::<Vec<u8>>());
        self.matrix(4, &[1, units.len() as u32], name, &values)
    }

    /// A struct array of records with these fields, each a few bytes long.
    pub fn records(self, name: &str, fields: &[&str], values: &[Vec<u8>]) -> Vec<u8> {
        let names: Vec<u8> = fields
            .iter()
            .flat_map(|field| format!("{field:\0<8}").into_bytes())
            .collect();
        let count = (values.len() / fields.len()) as u32;
        let body = [
            self.element(5, &self.word(8)),
            self.element(1, &names),
            values.concat(),
        ];
        self.matrix(2, &[1, count], name, &body.concat())
    }

    /// The same element, compressed.
    pub fn compressed(self, element: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(element).expect("memory");
        let bytes = encoder.finish().expect("memory");
        [
            &self.word(15)[..],
            &self.word(bytes.len() as u32),
            bytes.as_slice(),
        ]
        .concat()
    }
}
