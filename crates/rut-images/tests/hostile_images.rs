//! Images that are small files and take much memory or time: they are refused before memory is taken, or read within it.

mod common;

use std::io::Write as _;
use std::path::Path;

use common::{assert_says, hex, json};
use flate2::{Compression, write::ZlibEncoder};
use rut_images::{Extent, Filter, MAX_DECODED, decode};

/// What a reader may take besides four times its file, in bytes.
const FREE: u64 = 64 << 20;
/// The largest side of a square image that has no more pixels than are allowed.
const SIDE: u32 = 13_377;

/// Zeros, compressed.
fn zeros(count: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    let piece = vec![0; 1 << 20];
    let mut left = count;
    while left > 0 {
        let length = left.min(piece.len());
        encoder.write_all(&piece[..length]).expect("compressed");
        left -= length;
    }
    encoder.finish().expect("compressed")
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [kind, data].concat();
    let mut crc = flate2::Crc::new();
    crc.update(&body);
    [
        &(data.len() as u32).to_be_bytes()[..],
        &body,
        &crc.sum().to_be_bytes(),
    ]
    .concat()
}

/// A PNG of `[width, height]` and `[bits, colours, interlaced]`, with more chunks before its pixels.
fn png([width, height]: [u32; 2], kind: [u8; 3], data: &[u8], more: &[u8]) -> Vec<u8> {
    let [bits, colours, interlaced] = kind;
    let sizes = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let header = [&sizes[..], &[bits, colours, 0, 0, interlaced]].concat();
    let parts = [
        &chunk(b"IHDR", &header)[..],
        more,
        &chunk(b"IDAT", data),
        &chunk(b"IEND", &[]),
    ]
    .concat();
    [&b"\x89PNG\r\n\x1a\n"[..], &parts].concat()
}

fn made(list: &str, name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/images")
        .join(list);
    let files = json(&path)["files"].as_array().expect("files").clone();
    let entry = files.iter().find(|file| file["name"] == name);
    hex(&entry.expect("a file of this name")["bytes"])
}

/// A JPEG that claims other sizes than it has.
fn jpeg(name: &str, frame: u8, [width, height]: [u16; 2]) -> Vec<u8> {
    let mut bytes = made("pillow.json", name);
    let at = bytes
        .windows(2)
        .position(|pair| pair == [0xff, frame])
        .expect("a frame")
        + 5;
    bytes[at..at + 4].copy_from_slice(&[height.to_be_bytes(), width.to_be_bytes()].concat());
    bytes
}

/// The most memory that this process ever had, in bytes; nothing where the system does not report it.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

/// The only test of this program that measures memory, which is the whole process's.
#[test]
fn small_files_take_little_memory() {
    let bomb = zeros(1 << 28);
    let texts = [
        (b"iCCP", [&b"a\0\0"[..], &bomb].concat()),
        (b"zTXt", [&b"a\0\0"[..], &bomb].concat()),
        (b"iTXt", [&b"a\0\x01\0\0\0"[..], &bomb].concat()),
    ];
    let pixels = zeros(8 * 25);
    let unpacked: Vec<Vec<u8>> = texts
        .iter()
        .map(|(kind, text)| png([8, 8], [8, 2, 0], &pixels, &chunk(kind, text)))
        .collect();
    let lying = png([100, 100], [8, 2, 0], &bomb, &[]);
    let refused = [
        png([SIDE, SIDE], [16, 6, 0], &bomb, &[]),
        png([SIDE, SIDE], [16, 6, 1], &bomb, &[]),
        png([SIDE, SIDE], [8, 6, 0], &bomb, &[]),
        png([SIDE, SIDE], [16, 0, 0], &bomb, &[]),
        png([SIDE, SIDE], [1, 0, 0], &bomb, &[]),
        jpeg("420_progressive.jpg", 0xc2, [SIDE as u16 - 1; 2]),
        jpeg("grey_progressive.jpg", 0xc2, [SIDE as u16 - 1; 2]),
        jpeg("scan_each.jpg", 0xc0, [SIDE as u16 - 1; 2]),
        gif(SIDE as u16),
        webp_canvas(7_000),
    ];
    let before = peak();
    for bytes in &unpacked {
        let picture = decode(bytes).expect("the text is no part of the image");
        assert_eq!(picture.size(), Extent::square(8));
    }
    let _ = decode(&lying);
    for bytes in &refused {
        assert_says(
            decode(bytes),
            &[
                &format!("at most {MAX_DECODED} bytes"),
                "pixels that take",
                "shrink or remove it",
            ],
        );
    }
    if let (Some(before), Some(after)) = (before, peak()) {
        let file = bomb.len() as u64;
        assert!(
            after - before <= 4 * file + FREE,
            "{} bytes more",
            after - before
        );
    }
}

fn gif(side: u16) -> Vec<u8> {
    let mut bytes = made("pillow.json", "plain.gif");
    for at in [6, 8] {
        bytes[at..at + 2].copy_from_slice(&side.to_le_bytes());
    }
    bytes
}

fn webp_canvas(side: u32) -> Vec<u8> {
    let mut bytes = made("kinds.json", "animated.webp");
    let at = bytes
        .windows(4)
        .position(|chunk| chunk == b"VP8X")
        .expect("the canvas");
    for at in [at + 12, at + 15] {
        bytes[at..at + 3].copy_from_slice(&(side - 1).to_le_bytes()[..3]);
    }
    bytes
}

#[test]
fn a_flood_of_scans_is_refused() {
    let bytes = made("pillow.json", "420_progressive.jpg");
    let start = bytes
        .windows(2)
        .position(|pair| pair == [0xff, 0xda])
        .expect("a scan");
    let scans = &bytes[start..bytes.len() - 2];
    let flood = [&bytes[..start], &scans.repeat(100), b"\xff\xd9"].concat();
    assert_says(
        decode(&flood),
        &["damaged JPEG", "more scans than any image needs"],
    );
}

/// As many rows as would take minutes if each had a price of its own.
#[test]
fn tall_and_wide_images_are_read_and_resized() {
    const LONG: u32 = 3_000_000;
    let tall = png([1, LONG], [8, 0, 0], &zeros(2 * LONG as usize), &[]);
    let wide = png([LONG, 1], [8, 2, 0], &zeros(3 * LONG as usize + 1), &[]);
    for bytes in [tall, wide] {
        let picture = decode(&bytes).expect("a sound image");
        for picture in [picture.converted_to_rgb(), picture] {
            let small = picture.resized(Extent::square(32), Filter::Bilinear);
            let image = small.expect("resized").into_rgb();
            assert_eq!(image.pixels, vec![0; 32 * 32 * 3]);
        }
    }
}

#[test]
fn chunks_and_strips_without_number_are_read_once() {
    let pixels = zeros(8 * 25);
    let texts = chunk(b"tEXt", b"a\0b").repeat(100_000);
    let empty = chunk(b"IDAT", &[]).repeat(100_000);
    for more in [texts, empty] {
        decode(&png([8, 8], [8, 2, 0], &pixels, &more)).expect("a sound image");
    }
}

/// A TIFF of one pixel a row in strips of one row, each of which stands at the same `packed` bytes.
fn strips(rows: u32, compression: u32, fill_order: u32, packed: &[u8]) -> Vec<u8> {
    let fields = 10;
    let offsets = 8 + 2 + 12 * fields + 4;
    let lengths = offsets + 4 * rows;
    let data = lengths + 4 * rows;
    let entries = [
        [256, 1, 1],
        [257, 1, rows],
        [258, 1, 8],
        [259, 1, compression],
        [262, 1, 1],
        [266, 1, fill_order],
        [273, rows, offsets],
        [277, 1, 1],
        [278, 1, 1],
        [279, rows, lengths],
    ];
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.extend((fields as u16).to_le_bytes());
    for [tag, count, value] in entries {
        bytes.extend([tag as u16, 4].map(u16::to_le_bytes).as_flattened());
        bytes.extend([count, value].map(u32::to_le_bytes).as_flattened());
    }
    bytes.extend([0; 4]);
    for value in [data, packed.len() as u32] {
        (0..rows).for_each(|_| bytes.extend(value.to_le_bytes()));
    }
    bytes.extend(packed);
    bytes
}

#[test]
fn strips_that_name_the_same_bytes_are_not_read_over_and_over() {
    // Runs of nothing and empty blocks: a strip goes on and on before its pixel comes.
    let parts: [(u32, [&[u8]; 3]); 2] = [
        (32_773, [&[], &[0x80; 5], &[0, 7]]),
        (
            8,
            [
                &[0x78, 1],
                &[0, 0, 0, 0xff, 0xff],
                &[1, 1, 0, 0xfe, 0xff, 7],
            ],
        ),
    ];
    for (compression, [start, nothing, pixel]) in parts {
        for fill_order in [1, 2] {
            let packed = [start, &nothing.repeat(1 << 18), pixel].concat();
            let bytes = strips(1 << 17, compression, fill_order, &packed);
            assert_says(
                decode(&bytes),
                &["damaged TIFF", "more than the file holds"],
            );
        }
    }
    // Equal strips that stand in the file once.
    let shared = strips(1 << 10, 32_773, 1, &[0, 7]);
    let picture = decode(&shared).expect("a sound image");
    assert_eq!(picture.pixels(), [7; 1 << 10]);
}
