"""Makes resize.synthetic.json: what Pillow and torchvision make of small generated pictures and files.

    python golden/resize.synthetic.py

`pictures`: pixels by the rule of `value`, sent through torchvision's transforms on Pillow images, either converted
to RGB first (`rgb`) or last (`late`); size, first bytes and SHA-256 of the RGB bytes that come out.
`files`: the bytes of small image files in hexadecimal, and the RGB bytes that Pillow decodes from them.
"""

import hashlib
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL
import torchvision
from PIL import Image
from torchvision.transforms import CenterCrop, Resize

CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "P": 1}
SIZES = [(8, 8), (32, 32), (7, 60), (60, 7), (40, 100), (45, 31), (1, 9), (5, 90)]
STEPS = [["squash 12"], ["squash 64"], ["shorter-side 16", "center-crop 14"], ["center-crop 37"]]
TRANSFORM = {"squash": lambda n: Resize((n, n)), "shorter-side": Resize, "center-crop": CenterCrop}


def value(x, y, c):
    """Neither smooth nor symmetric, and with every value; alpha is channel 1 of LA and 3 of RGBA."""
    return (37 * x + 91 * y + 53 * c + 7 * x * y + x * x * (c + 1)) % 256


def picture(mode, width, height):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(CHANNELS[mode]), indexing="ij")
    pixels = value(x, y, c).astype(np.uint8)
    image = Image.fromarray(pixels[..., 0] if CHANNELS[mode] == 1 else pixels, "L" if mode == "P" else mode)
    if mode == "P":
        image = image.convert("P")
        image.putpalette([value(i, 3, c) for i in range(256) for c in range(3)])
    return image


def transformed(image, steps, order):
    image = image.convert("RGB") if order == "rgb" else image
    for step in steps:
        name, side = step.split()
        image = TRANSFORM[name](int(side))(image)
    return image.convert("RGB")


def pictures():
    for mode in CHANNELS:
        for width, height in SIZES:
            for steps in STEPS:
                for order in ("rgb", "late"):
                    out = transformed(picture(mode, width, height), steps, order)
                    raw = out.tobytes()
                    yield {
                        "mode": mode, "width": width, "height": height, "order": order, "steps": steps,
                        "out": out.size, "first": list(raw[:6]), "sha256": hashlib.sha256(raw).hexdigest(),
                    }


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, interlace):
    """A PNG of any kind; `colour` 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    adam7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    raw, seed = b"", 0
    for x0, y0, dx, dy in adam7 if interlace else ((0, 0, 1, 1),):
        columns, rows = max(0, -(-(width - x0) // dx)), max(0, -(-(height - y0) // dy))
        for _ in range(rows if columns else 0):
            seed += 1
            raw += b"\0" + bytes(value(i, seed, depth) for i in range(-(-columns * channels * depth // 8)))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    palette = chunk(b"PLTE", bytes(value(i, 1, 2) for i in range(3 * 2**depth))) if colour == 3 else b""
    end = chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + end


def files():
    for colour, depths in {0: (1, 2, 4, 8), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items():
        for depth in depths:
            for interlace in (0, 1):
                yield f"colour{colour}_depth{depth}_interlace{interlace}.png", png(5, 4, depth, colour, interlace), 0
    for name, data in {
        "p1.pbm": b"P1 # bits\n3 1\n101", "p2.pgm": b"P2 2 1 15 7 15", "p3.ppm": b"P3 1 1 255 1 2 3",
        "p4.pbm": b"P4 9 2\n\xa5\x80\x5a\x00", "p5.pgm": b"P5 2 1 100\n\x03\x47", "p6.ppm": b"P6 # x\n1 1\n255\n123",
        "p6_100.ppm": b"P6 1 1 100 \x05\x10\x64", "p6_65535.ppm": b"P6 1 1 65535\n\x12\x34\xff\xff\x80\x80",
    }.items():
        yield name, data, 0
    ramp = np.add.outer(np.arange(16) * 6, np.arange(16) * 9)[..., None] + np.array([0, 10, 20, 5])
    ramp = ramp.astype(np.uint8)
    for name, image, options, levels in (
        ("grey.jpg", Image.fromarray(ramp[..., 0]), {}, 1),
        ("cmyk.jpg", Image.fromarray(ramp, "CMYK"), {}, 2),
        ("rgb444.jpg", Image.fromarray(ramp[..., :3]), {"subsampling": 0}, 2),
        ("rgb420.jpg", Image.fromarray(ramp[..., :3]), {"subsampling": 2}, 4),
        ("progressive.jpg", Image.fromarray(ramp[..., :3]), {"subsampling": 0, "progressive": True}, 2),
    ):
        out = io.BytesIO()
        image.save(out, "JPEG", quality=95, **options)
        yield name, out.getvalue(), levels


def file_entry(name, data, levels):
    rgb = Image.open(io.BytesIO(data)).convert("RGB")
    return {"name": name, "bytes": data.hex(), "size": rgb.size, "rgb": rgb.tobytes().hex(), "levels": levels}


def lines(entries):
    return ",\n".join("  " + json.dumps(entry) for entry in entries)


meta = json.dumps({"Pillow": PIL.__version__, "torchvision": torchvision.__version__})
text = f"""{{
 "versions": {meta},
 "pictures": [
{lines(pictures())}
 ],
 "files": [
{lines(file_entry(*entry) for entry in files())}
 ]
}}
"""
Path(__file__).with_suffix(".json").write_text(text)
