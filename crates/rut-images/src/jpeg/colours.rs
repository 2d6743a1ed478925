//! In which colours the channels of a JPEG file are: what libjpeg makes of markers that are missing or contradict each
//! other (`default_decompress_parms` in its `jdapimin.c`, and how `jdmarker.c` recognises the markers). Every other
//! decoder has rules of its own, so the answer is handed to them.

/// The marker segments that say something of colours: JFIF's and Adobe's.
const APP0: u8 = 0xe0;
const APP14: u8 = 0xee;
/// Bytes in the body of a JFIF segment, of which a shorter one is none.
const JFIF: usize = 14;
/// Bytes in the body of Adobe's segment; the last one is the transform.
const ADOBE: usize = 12;

/// What the channels mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Colours {
    Grey,
    Rgb,
    YCbCr,
    Cmyk,
    /// Cyan, magenta and yellow written as YCbCr, and black.
    Ycck,
}

impl Colours {
    /// How Adobe's marker says it; grey has no number.
    pub(super) fn adobe_transform(self) -> Option<u8> {
        match self {
            Colours::Grey => None,
            Colours::Rgb | Colours::Cmyk => Some(0),
            Colours::YCbCr => Some(1),
            Colours::Ycck => Some(2),
        }
    }
}

/// What the markers before the first scan say.
#[derive(Clone, Copy, Default)]
pub(super) struct Markers {
    jfif: bool,
    /// The transform of the last marker of Adobe's.
    adobe: Option<u8>,
}

impl Markers {
    /// Takes note of a segment.
    pub(super) fn see(&mut self, marker: u8, body: &[u8]) {
        match marker {
            APP0 if body.len() >= JFIF && body.starts_with(b"JFIF\0") => self.jfif = true,
            APP14 if body.len() >= ADOBE && body.starts_with(b"Adobe") => {
                self.adobe = Some(body[ADOBE - 1]);
            }
            _ => {}
        }
    }

    /// The colours of a frame whose channels have these numbers; nothing for two channels, or more than four.
    pub(super) fn colours(self, ids: &[u8]) -> Option<Colours> {
        match (ids.len(), self.adobe) {
            (1, _) => Some(Colours::Grey),
            // JFIF has no other colours, whatever else the file says.
            (3, _) if self.jfif => Some(Colours::YCbCr),
            (3, Some(0)) => Some(Colours::Rgb),
            (3, None) if ids == b"RGB" => Some(Colours::Rgb),
            (3, _) => Some(Colours::YCbCr),
            (4, None | Some(0)) => Some(Colours::Cmyk),
            (4, _) => Some(Colours::Ycck),
            _ => None,
        }
    }
}
