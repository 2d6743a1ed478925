"""Makes pillow.json: what Pillow makes of small generated GIF, BMP and JPEG files.

    python crates/rut-images/tests/images/pillow.py

Needs Pillow, and libjpeg-turbo's `cjpeg` for the layouts that Pillow does not write. Each entry has the bytes of a file in
hexadecimal, the mode in which Pillow opens it, its size, the bytes of `convert("RGB")`, and by how many levels a decoder
may differ: none, but for JPEG, where decoders round differently.
"""

import io
import json
import struct
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, __version__


def value(x, c):
    """Neither smooth nor symmetric, and with every value."""
    return (37 * x + 53 * c + x * x * (c + 1)) % 256


def noise(count, below=256):
    return [(value(i, 3) ^ i >> 3) % below for i in range(count)]


def colours(count, kind="colour"):
    rules = {
        "colour": lambda i: (value(i, 0), value(i, 1), value(i, 2)),
        "grey": lambda i: (i, i, i),
        "reversed": lambda i: (count - 1 - i,) * 3,
        "black and white": lambda i: (255 * i,) * 3,
    }
    return [rules[kind](i) for i in range(count)]


def bmp(bits, header=40, palette=(), coding=0, masks=(), data=None, size=(9, 5), down=False, declared=None, offset=None):
    """A BMP; `offset` says where its header tells that pixels begin, if that is not the truth."""
    width, height = size
    stride = (width * bits + 31) // 32 * 4
    if data is None:
        most = len(palette) or 256
        data = [b % most for b in noise(stride * height)]
        data = bytes(a // 16 % most << 4 | a % 16 % most for a in noise(stride * height)) if bits == 4 else bytes(data)
    if header == 12:
        head = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        count = len(palette) if declared is None else declared
        numbers = (header, width, -height if down else height, 1, bits, coding, len(data), 0, 0, count, 0)
        head = struct.pack("<IiiHHIIiiII", *numbers) + struct.pack(f"<{len(masks)}I", *masks)
        head = head.ljust(header, b"\0")
    table = b"".join(bytes((b, g, r)) + b"\0" * (header != 12) for r, g, b in palette)
    start = 14 + len(head) + len(table) if offset is None else offset
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(table) + len(data), 0, 0, start) + head + table + data


def bmps():
    two, sixteen, all_ = colours(2), colours(16), colours(256)
    for header in (12, 40, 108):
        yield f"h{header}_1", bmp(1, header, two)
        yield f"h{header}_4", bmp(4, header, sixteen)
        yield f"h{header}_24", bmp(24, header)
    for kind in ("black and white", "reversed"):
        yield f"1_{kind}", bmp(1, 40, colours(2, kind))
    for kind in ("colour", "grey", "reversed"):
        yield f"8_{kind}", bmp(8, 40, colours(100, kind))
    for bits, palette in ((1, two), (4, sixteen), (8, colours(7)), (16, ()), (24, ()), (32, ())):
        yield f"{bits}_down", bmp(bits, 40, palette, down=True)
    yield "16", bmp(16)
    yield "32", bmp(32)
    yield "8_core", bmp(8, 12, all_, size=(3, 2))
    yield "8_undeclared", bmp(8, 40, all_, size=(3, 2), declared=0)
    yield "4_start_unknown", bmp(4, 40, sixteen, offset=0)
    yield "4_start_forgets_palette", bmp(4, 40, sixteen, offset=54)
    red_first, blue_first = (0xFF, 0xFF00, 0xFF0000, 0xFF000000), (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    for name, bits, header, masks in (
        ("565", 16, 40, (0xF800, 0x7E0, 0x1F)), ("555", 16, 52, (0x7C00, 0x3E0, 0x1F)), ("888", 24, 40, blue_first[:3]),
        ("bgrx", 32, 40, blue_first[:3]), ("xbgr", 32, 108, (0xFF000000, 0xFF0000, 0xFF00, 0)),
        ("rgba", 32, 56, red_first), ("bgra", 32, 124, blue_first), ("zero", 32, 108, (0, 0, 0, 0)),
    ):
        yield f"masks_{name}", bmp(bits, header, coding=3, masks=masks)
    rows = bytes([3, 7, 0, 5, 1, 2, 3, 4, 5, 0, 1, 9, 0, 0, 9, 4, 0, 0, 4, 1, 5, 2, 0, 0, 9, 3, 0, 0, 200, 6, 0, 0, 0, 1])
    moves = bytes([3, 7, 0, 2, 2, 1, 2, 9, 0, 0, 0, 2, 0, 1, 5, 3, 0, 0, 9, 8, 0, 1])
    for name, data in (("rows", rows), ("no_end", rows[:-2]), ("moves", moves)):
        yield f"runs8_{name}", bmp(8, 40, colours(10), 1, data=data)
    yield "runs8_down", bmp(8, 40, colours(10), 1, data=rows, down=True)
    nibbles = [5, 0x12, 0, 4, 0x34, 0x56, 0, 0, 9, 0x9A, 0, 0, 0, 9, 1, 0x23, 0x45, 0x67, 0x80, 0, 0, 0, 0, 2, 3, 1, 6, 0x78, 0, 1]
    yield "runs4", bmp(4, 40, sixteen, 2, data=bytes(nibbles), size=(9, 5))


def coded(bits, indices):
    """LZW without ever naming a longer string: the table is cleared before codes grow."""
    clear, out, room = 1 << bits, 0, 0
    codes = []
    for at, index in enumerate(indices):
        codes += [clear] * (at % (clear - 2) == 0) + [index]
    for code in codes + [clear + 1]:
        out |= code << room
        room += bits + 1
    data = out.to_bytes((room + 7) // 8, "little")
    blocks = [data[at:at + 255] for at in range(0, len(data), 255)]
    return bytes([bits]) + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def table(palette):
    flags = 0x80 | len(palette).bit_length() - 2 if palette else 0
    return flags, bytes(c for colour in palette for c in colour)


def frame(left, top, width, height, palette=(), interlaced=0, bits=4, transparent=None):
    control = b"" if transparent is None else bytes([0x21, 0xF9, 4, 1, 0, 0, transparent, 0])
    flags, colours_ = table(palette)
    place = struct.pack("<HHHHB", left, top, width, height, flags | interlaced << 6)
    return control + b"," + place + colours_ + coded(bits, noise(width * height, 1 << bits))


def gif(width, height, palette, *blocks, version=b"GIF89a", background=0, end=b";"):
    flags, colours_ = table(palette)
    return version + struct.pack("<HHBBB", width, height, flags, background, 0) + colours_ + b"".join(blocks) + end


def gifs():
    palette, other, grey = colours(16), colours(16, "reversed"), colours(16, "grey")
    yield "plain", gif(9, 5, palette, frame(0, 0, 9, 5), version=b"GIF87a")
    for height in (1, 2, 5, 19):
        yield f"interlaced_{height}", gif(5, height, palette, frame(0, 0, 5, height, interlaced=1))
    yield "local", gif(9, 5, palette, frame(0, 0, 9, 5, other))
    yield "local_only", gif(9, 5, (), frame(0, 0, 9, 5, palette))
    yield "grey", gif(9, 5, grey, frame(0, 0, 9, 5))
    yield "grey_below_local", gif(9, 5, grey, frame(0, 0, 9, 5, palette))
    yield "reversed_grey", gif(9, 5, other, frame(0, 0, 9, 5))
    yield "index_beyond", gif(9, 5, palette, frame(0, 0, 9, 5, bits=5))
    yield "offset", gif(9, 5, palette, frame(2, 1, 5, 3), background=3)
    yield "offset_transparent", gif(9, 5, palette, frame(2, 1, 5, 3, transparent=7), background=3)
    yield "beyond_screen", gif(9, 5, palette, frame(6, 3, 5, 7, transparent=2))
    yield "no_screen", gif(0, 0, palette, frame(0, 0, 5, 4))
    yield "transparent", gif(9, 5, palette, frame(0, 0, 9, 5, transparent=1))
    yield "two_frames", gif(9, 5, palette, frame(0, 0, 9, 5), frame(1, 1, 3, 3, other, transparent=3))
    loop, comment = b"!\xff\x0bNETSCAPE2.0\x03\x01\x05\0\0", b"!\xfe\x05a ; b\x01,\0"
    yield "extensions", gif(9, 5, palette, loop, comment, b"!\x77\x03;;;\0", frame(0, 0, 9, 5), comment)
    yield "garbage_behind", gif(9, 5, palette, frame(0, 0, 9, 5)) + b"GIF89a, ;"


def ramp(channels, size=(17, 11)):
    width, height = size
    return bytes((6 * x + 9 * y + 70 * c) % 256 if c < 3 else 5 * x for y in range(height) for x in range(width) for c in range(channels))


def image(mode):
    return Image.frombytes(mode, (17, 11), ramp({"L": 1, "RGB": 3, "CMYK": 4}[mode]))


def jpeg(mode, **options):
    out = io.BytesIO()
    image(mode).save(out, "JPEG", quality=90, **options)
    return out.getvalue()


def cjpeg(*options, scans=""):
    data = b"P6 17 11 255\n" + ramp(3)
    with tempfile.NamedTemporaryFile("w+") as script:
        script.write(scans)
        script.flush()
        options += ("-scans", script.name) if scans else ()
        return subprocess.run(("cjpeg", "-quality", "90") + options, input=data, capture_output=True, check=True).stdout


def jpegs():
    rotated = Image.Exif()
    rotated[0x112] = 6
    yield "411", jpeg("RGB", subsampling="4:1:1")
    yield "420_progressive", jpeg("RGB", subsampling=2, progressive=True)
    yield "grey_progressive", jpeg("L", progressive=True)
    yield "restart", jpeg("RGB", subsampling=0, restart_marker_blocks=1)
    yield "rotated", jpeg("RGB", subsampling=0, exif=rotated)
    yield "marker_in_comment", jpeg("RGB", subsampling=0, comment=b"\xff\xd9\xff\xc0")
    yield "rgb_stored", jpeg("RGB", keep_rgb=True)
    plain = jpeg("RGB", subsampling=0)
    yield "garbage_behind", plain + b"\xff\xd8\xff\0 garbage"
    yield "two_images", plain + jpeg("L")
    cmyk = jpeg("CMYK", progressive=True)
    yield "cmyk_progressive", cmyk
    at = cmyk.index(b"Adobe")
    yield "ycck", cmyk[:at + 11] + b"\2" + cmyk[at + 12:]
    yield "cmyk_unmarked", cmyk[:at - 4] + cmyk[at + 12:]
    yield "scan_each", cjpeg("-sample", "2x2", scans="0;\n1;\n2;\n")
    yield "scan_of_colours", cjpeg("-sample", "1x1", scans="0;\n1 2;\n")
    yield "fine_colours", cjpeg("-sample", "1x1,2x2,2x2")
    yield "thirds", cjpeg("-sample", "3x1")


def entry(name, data, levels):
    opened = Image.open(io.BytesIO(data))
    mode, rgb = opened.mode, opened.convert("RGB")
    return {
        "name": name, "bytes": data.hex(), "mode": mode, "size": rgb.size, "rgb": rgb.tobytes().hex(), "levels": levels,
    }


entries = [
    entry(f"{name}.{ending}", data, levels)
    for ending, files, levels in (("bmp", bmps, 0), ("gif", gifs, 0), ("jpg", jpegs, 5))
    for name, data in files()
]
version = subprocess.run(("cjpeg", "-version"), capture_output=True, text=True).stderr.strip()
versions = json.dumps({"Pillow": __version__, "cjpeg": version})
lines = ",\n".join("  " + json.dumps(entry) for entry in entries)
text = f'{{\n "versions": {versions},\n "files": [\n{lines}\n ]\n}}\n'
Path(__file__).with_suffix(".json").write_text(text)
