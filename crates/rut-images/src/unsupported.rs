//! Recognises unsupported files by their first bytes, so that an error can name their type.

/// What a kind of file holds at a place.
struct Signature {
    kind: &'static str,
    at: usize,
    bytes: &'static [u8],
}

const fn begins(kind: &'static str, bytes: &'static [u8]) -> Signature {
    Signature { kind, at: 0, bytes }
}

static SIGNATURES: &[Signature] = &[
    begins("JPEG 2000", b"\0\0\0\x0cjP  \r\n\x87\n"),
    begins("JPEG 2000", b"\xff\x4f\xff\x51"),
    begins("JPEG XL", b"\0\0\0\x0cJXL \r\n\x87\n"),
    begins("JPEG XL", b"\xff\x0a"),
    begins("JPEG XR", b"II\xbc"),
    begins("PAM", b"P7"),
    begins("PFM", b"PF"),
    begins("PFM", b"Pf"),
    begins("Photoshop", b"8BPS"),
    begins("icon", b"\0\0\x01\0"),
    begins("OpenEXR", b"\x76\x2f\x31\x01"),
    begins("Radiance HDR", b"#?"),
    begins("QOI", b"qoif"),
    begins("DDS", b"DDS "),
    begins("FITS", b"SIMPLE  ="),
    begins("FLIF", b"FLIF"),
    begins("PDF", b"%PDF"),
    begins("PostScript", b"%!PS"),
    Signature {
        kind: "DICOM",
        at: 128,
        bytes: b"DICM",
    },
    begins("NumPy array", b"\x93NUMPY"),
    begins("HDF5", b"\x89HDF"),
    begins("zip archive", b"PK\x03\x04"),
    begins("gzip", b"\x1f\x8b"),
    Signature {
        kind: "tar archive",
        at: 257,
        bytes: b"ustar",
    },
    Signature {
        kind: "WAVE sound",
        at: 8,
        bytes: b"WAVE",
    },
    Signature {
        kind: "AVI video",
        at: 8,
        bytes: b"AVI ",
    },
    begins(
        "Git LFS pointer: fetch its file with `git lfs pull`",
        b"version https://git-lfs",
    ),
    begins("SVG", b"<svg"),
];

/// Brands of the files that begin with a box `ftyp` (ISO/IEC 14496-12), the telling ones first.
static BRANDS: &[(&[u8; 4], &str)] = &[
    (b"avif", "AVIF"),
    (b"avis", "AVIF"),
    (b"heic", "HEIC"),
    (b"heix", "HEIC"),
    (b"hevc", "HEIC"),
    (b"hevx", "HEIC"),
    (b"heim", "HEIC"),
    (b"heis", "HEIC"),
    (b"mif1", "HEIF"),
    (b"msf1", "HEIF"),
    (b"jp2 ", "JPEG 2000"),
    (b"crx ", "Canon raw"),
];

/// Bytes of the head of a box.
const BOX: usize = 8;

/// What kind of file this is, if it is one that is known.
pub fn kind(bytes: &[u8]) -> Option<&'static str> {
    let is = |signature: &&Signature| {
        let rest = bytes.get(signature.at..);
        rest.is_some_and(|rest| rest.starts_with(signature.bytes))
    };
    let signature = SIGNATURES.iter().find(is).map(|signature| signature.kind);
    signature.or_else(|| boxed(bytes)).or_else(|| text(bytes))
}

/// The kind of a file of boxes: its own brand, or else one that it is compatible with.
fn boxed(bytes: &[u8]) -> Option<&'static str> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = (u32::from_be_bytes(*length) as usize).saturating_sub(BOX);
    let rest = rest.strip_prefix(b"ftyp")?;
    let brands = rest[..length.min(rest.len())].as_chunks::<4>().0;
    let known = BRANDS.iter().find(|(brand, _)| brands.contains(brand));
    Some(known.map_or("video", |(_, kind)| kind))
}

/// Markup, after blanks and in any case.
fn text(bytes: &[u8]) -> Option<&'static str> {
    let start = bytes.trim_ascii_start();
    let begins = |text: &str| {
        start
            .get(..text.len())
            .is_some_and(|s| s.eq_ignore_ascii_case(text.as_bytes()))
    };
    match () {
        () if begins("<!DOCTYPE html") || begins("<html") || begins("<!DOCTYPE") => Some("HTML"),
        () if begins("<?xml") => Some("XML, maybe SVG"),
        () if begins("{") => Some("JSON"),
        () => None,
    }
}
