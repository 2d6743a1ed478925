//! The bytes of a strip or tile, unpacked as they are asked for.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::read::ZlibDecoder;
use weezl::{BitOrder, LzwStatus, decode::Decoder};

use super::layout::Compression;

/// Unpacks `packed` bytes.
pub(super) fn unpacked<'a>(packed: Cow<'a, [u8]>, compression: Compression) -> Box<dyn Read + 'a> {
    let packed = io::Cursor::new(packed);
    match compression {
        Compression::None => Box::new(packed),
        Compression::Deflate => Box::new(ZlibDecoder::new(packed)),
        Compression::PackBits => Box::new(PackBits {
            packed,
            left: Run::Copied(0),
        }),
        Compression::Lzw => Box::new(Lzw {
            packed,
            decoder: Decoder::with_tiff_size_switch(BitOrder::Msb, 8),
        }),
    }
}

/// Apple's run-length code (TIFF 6.0, section 9).
struct PackBits<R> {
    packed: R,
    left: Run,
}

/// What comes next.
enum Run {
    Copied(usize),
    Repeated(u8, usize),
}

impl<R: Read> PackBits<R> {
    /// The next byte of the file; nothing at its end.
    fn byte(&mut self) -> io::Result<Option<u8>> {
        let mut byte = [0];
        Ok((self.packed.read(&mut byte)? == 1).then_some(byte[0]))
    }

    /// Reads the head of the next run; whether there is one.
    fn next_run(&mut self) -> io::Result<bool> {
        let Some(head) = self.byte()? else {
            return Ok(false);
        };
        self.left = match head {
            0..=127 => Run::Copied(usize::from(head) + 1),
            128 => Run::Copied(0),
            _ => match self.byte()? {
                Some(byte) => Run::Repeated(byte, 257 - usize::from(head)),
                None => return Ok(false),
            },
        };
        Ok(true)
    }
}

impl<R: Read> Read for PackBits<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.left {
                Run::Copied(0) | Run::Repeated(_, 0) => {
                    if out.is_empty() || !self.next_run()? {
                        return Ok(0);
                    }
                }
                Run::Copied(left) => {
                    let most = left.min(out.len());
                    let read = self.packed.read(&mut out[..most])?;
                    self.left = Run::Copied(left - read);
                    return Ok(read);
                }
                Run::Repeated(byte, left) => {
                    let count = left.min(out.len());
                    out[..count].fill(byte);
                    self.left = Run::Repeated(byte, left - count);
                    return Ok(count);
                }
            }
        }
    }
}

/// LZW as TIFF has it (section 13).
struct Lzw<'a> {
    packed: io::Cursor<Cow<'a, [u8]>>,
    decoder: Decoder,
}

impl Read for Lzw<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let at = self.packed.position() as usize;
            let rest = &self.packed.get_ref()[at..];
            let step = self.decoder.decode_bytes(rest, out);
            self.packed.set_position((at + step.consumed_in) as u64);
            match step.status {
                Err(error) => return Err(io::Error::other(error.to_string())),
                Ok(LzwStatus::Ok) if step.consumed_out == 0 && step.consumed_in > 0 => {}
                Ok(_) => return Ok(step.consumed_out),
            }
        }
    }
}
