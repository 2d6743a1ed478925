"""Makes jpeg_colours.json: what Pillow makes of JPEG files whose markers are missing or contradict each other.

    python crates/rut-images/tests/images/jpeg_colours.py

Needs Pillow. Every file is one of three, of 8x8 pixels, with other markers before its frame header, behind it, or other
numbers for its channels. `rgb` is what Pillow's `convert("RGB")` gives, or nothing where Pillow refuses the file.
"""

import io
import json
import struct
from pathlib import Path

from PIL import Image, __version__, features


def segment(marker, body):
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
SHORT_JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0")
ELSEWHERE = segment(0xE1, b"JFIF\0\1\1\0\0\1\0\1\0\0")


def adobe(transform, length=12):
    return segment(0xEE, (b"Adobe\0\x64\0\0\0\0" + bytes([transform]))[:length].ljust(length, b"\0"))


def encoded(mode, channels, **options):
    pixels = bytes((17 * x + 9 * y + 70 * c) % 256 for y in range(8) for x in range(8) for c in range(channels))
    out = io.BytesIO()
    Image.frombytes(mode, (8, 8), pixels).save(out, "JPEG", quality=90, optimize=True, **options)
    return out.getvalue()


def parts(data):
    """Tables, frame header, what follows it."""
    at, before = 2, b""
    while data[at + 1] not in (0xC0, 0xC1, 0xC2):
        end = at + 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
        if data[at + 1] not in (0xE0, 0xEE):
            before += data[at:end]
        at = end
    end = at + 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
    return before, data[at:end], data[end:]


def renumbered(frame, rest, ids):
    frame, rest = bytearray(frame), bytearray(rest)
    scan = rest.index(b"\xff\xda")
    for at, number in enumerate(ids):
        frame[10 + 3 * at] = number
        rest[scan + 5 + 2 * at] = number
    return bytes(frame), bytes(rest)


def build(base, ids, first=b"", behind_frame=b""):
    before, frame, rest = parts(base)
    frame, rest = renumbered(frame, rest, ids)
    return b"\xff\xd8" + first + before + frame + behind_frame + rest


def without_channels(base, count):
    """The frame claims fewer channels, and so does its scan."""
    before, frame, rest = parts(base)
    frame = segment(frame[1], frame[4:9] + bytes([count]) + frame[10:10 + 3 * count])
    scan = rest.index(b"\xff\xda")
    end = scan + 2 + struct.unpack(">H", rest[scan + 2:scan + 4])[0]
    header = segment(0xDA, bytes([count]) + rest[scan + 5:scan + 5 + 2 * count] + rest[end - 3:end])
    return b"\xff\xd8" + before + frame + rest[:scan] + header + rest[end:]


def files():
    rgb, cmyk = encoded("RGB", 3, subsampling=0), encoded("CMYK", 4)
    numbers = {"123": (1, 2, 3), "012": (0, 1, 2), "RGB": b"RGB", "rgb": b"rgb", "111": (1, 1, 1), "1_34_35": (1, 34, 35), "321": (3, 2, 1)}
    markers = {"none": b"", "jfif": JFIF, "short_jfif": SHORT_JFIF, "jfif_in_app1": ELSEWHERE}
    markers |= {f"adobe{t}": adobe(t) for t in (0, 1, 2, 3, 255)}
    markers |= {f"jfif_adobe{t}": JFIF + adobe(t) for t in (0, 1, 2)}
    markers |= {"adobe0_jfif": adobe(0) + JFIF, "adobe1_adobe0": adobe(1) + adobe(0), "adobe0_adobe1": adobe(0) + adobe(1)}
    markers |= {"short_adobe0": adobe(0, 11), "long_adobe0": adobe(0, 40), "short_jfif_adobe0": SHORT_JFIF + adobe(0)}
    for name, ids in numbers.items():
        # Every marker for the numbers that mean something, some for the others.
        for marker, first in markers.items():
            if name in ("123", "RGB") or marker in ("none", "jfif", "adobe0", "adobe1"):
                yield f"3_{name}_{marker}", build(rgb, ids, first)
    for name in ("123", "RGB"):
        for marker in ("jfif", "adobe0"):
            yield f"3_{name}_{marker}_behind_frame", build(rgb, numbers[name], b"", markers[marker])
    for marker in ("none", "jfif", "adobe0", "adobe1", "adobe2", "adobe3", "jfif_adobe0", "jfif_adobe2", "short_adobe0"):
        yield f"4_1234_{marker}", build(cmyk, (1, 2, 3, 4), markers[marker])
        yield f"4_CMYK_{marker}", build(cmyk, b"CMYK", markers[marker])
    yield "4_1234_adobe2_behind_frame", build(cmyk, (1, 2, 3, 4), b"", markers["adobe2"])
    yield "4_1111_adobe2", build(cmyk, (1, 1, 1, 1), markers["adobe2"])
    grey = encoded("L", 1)
    for marker in ("none", "jfif", "adobe0", "adobe1", "adobe2"):
        yield f"1_1_{marker}", build(grey, (1,), markers[marker])
    yield "1_82", build(grey, b"R")
    before, frame, rest = parts(grey)
    yield "1_sampled_2x2", b"\xff\xd8" + before + frame[:11] + b"\x22" + frame[12:] + rest
    progressive = encoded("RGB", 3, subsampling=0, progressive=True)
    for marker in ("jfif_adobe0", "adobe0", "none"):
        first = markers[marker]
        before, frame, rest = parts(progressive)
        yield f"3_progressive_{marker}", b"\xff\xd8" + first + before + frame + rest
    yield "2_channels", without_channels(rgb, 2)


def entry(name, data):
    try:
        rgb = Image.open(io.BytesIO(data)).convert("RGB").tobytes().hex()
    except Exception as error:
        rgb = None
        print(name, "refused:", error)
    return {"name": name, "bytes": data.hex(), "rgb": rgb}


versions = json.dumps({"Pillow": __version__, "libjpeg-turbo": features.version("libjpeg_turbo")})
lines = ",\n".join("  " + json.dumps(entry(*file)) for file in files())
text = f'{{\n "versions": {versions},\n "files": [\n{lines}\n ]\n}}\n'
Path(__file__).with_suffix(".json").write_text(text)
