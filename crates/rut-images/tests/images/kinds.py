"""Makes kinds.json: what Pillow makes of WebP, TIFF and 16-bit grey files.

    python crates/rut-images/tests/images/kinds.py

Needs Pillow with WebP and libtiff. What Pillow does not write (tiles, planes, big-endian files, BigTIFF, extra samples) is
put together here. Each entry has the bytes of a file in hexadecimal, the mode in which Pillow opens it, its size, the bytes
of `convert("RGB")`, and by how many levels a decoder may differ: none, but for lossy WebP.
"""

import io
import json
import struct
import zlib
from pathlib import Path

from PIL import Image, __version__, features


def value(x, c):
    """Neither smooth nor symmetric, and with every value."""
    return (37 * x + 53 * c + x * x * (c + 1)) % 256


def noise(count, below=256):
    return bytes((value(i, 3) ^ i >> 3) % below for i in range(count))


def smooth(channels, size):
    width, height = size
    return bytes((5 * x + 7 * y + 60 * c) % 256 if c < 3 else (255 - 9 * x) % 256 for y in range(height) for x in range(width) for c in range(channels))


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


# WebP

def webps():
    rgb, rgba = (Image.frombytes(m, (19, 13), smooth(len(m), (19, 13))) for m in ("RGB", "RGBA"))
    sharp = Image.frombytes("RGB", (11, 7), noise(231))
    yield "lossless", saved(rgb, "WEBP", lossless=True), 0
    yield "lossless_noise", saved(sharp, "WEBP", lossless=True), 0
    yield "lossless_alpha", saved(rgba, "WEBP", lossless=True, exact=True), 0
    yield "lossless_palette", saved(rgb.quantize(5).convert("RGB"), "WEBP", lossless=True), 0
    yield "one_pixel", saved(rgb.crop((3, 3, 4, 4)), "WEBP", lossless=True), 0
    yield "lossy", saved(rgb, "WEBP", quality=90), 5
    yield "lossy_low", saved(rgb, "WEBP", quality=10), 5
    yield "lossy_alpha", saved(rgba, "WEBP", quality=90, exact=True), 5
    yield "with_exif", saved(rgb, "WEBP", lossless=True, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0", icc_profile=b"not looked at", xmp=b"<x/>"), 0
    frames = [rgb.transpose(Image.Transpose.FLIP_LEFT_RIGHT), rgb.rotate(180)]
    yield "animated", saved(rgb, "WEBP", lossless=True, save_all=True, append_images=frames, duration=40), 0
    frames = [rgba.rotate(180)]
    yield "animated_alpha", saved(rgba, "WEBP", lossless=True, exact=True, save_all=True, append_images=frames, duration=40), 0
    yield "garbage_behind", saved(rgb, "WEBP", lossless=True) + b"RIFF garbage", 0
    # The first frame of an animation is smaller than its canvas.
    animated = bytearray(saved(rgb, "WEBP", lossless=True, save_all=True, append_images=frames, duration=40))
    at = animated.index(b"VP8X")
    animated[at + 12:at + 18] = (30).to_bytes(3, "little") + (20).to_bytes(3, "little")
    frame = animated.index(b"ANMF")
    animated[frame + 8:frame + 14] = (2).to_bytes(3, "little") + (3).to_bytes(3, "little")
    yield "animated_offset", bytes(animated), 0


# TIFF

def packbits(data):
    out = b""
    while data:
        run = 1
        while run < min(len(data), 128) and data[run] == data[0]:
            run += 1
        if run > 2:
            out, data = out + bytes([257 - run, data[0]]), data[run:]
        else:
            out, data = out + bytes([min(len(data), 5) - 1]) + data[:5], data[5:]
    return out


PACK = {1: lambda d: d, 8: zlib.compress, 32946: zlib.compress, 32773: packbits}


def differences(row, step, width, order):
    values = list(struct.unpack(f"{order}{len(row) // width}{'B' if width == 1 else 'H'}", row))
    for at in range(len(values) - 1, step - 1, -1):
        values[at] = (values[at] - values[at - step]) % 256**width
    return struct.pack(f"{order}{len(values)}{'B' if width == 1 else 'H'}", *values)


def packed_row(values, bits, order):
    if bits == 16:
        return struct.pack(f"{order}{len(values)}H", *values)
    out, room = 0, 0
    for v in values:
        out, room = out << bits | v, room + bits
    pad = -room % 8
    return (out << pad).to_bytes((room + pad) // 8, "big")


def tiff(photo, samples, bits=8, size=(19, 13), order="<", compression=1, extra=(), planar=False, tile=None, rows=None,
         predictor=1, fill=1, orientation=None, colours=None, big=False, drop=(), data=None):
    """A TIFF put together by hand; `data` are samples `[height][width][samples]`."""
    width, height = size
    if data is None:
        data = noise(width * height * samples, 2**min(bits, 8))
        data = [v * 257 ^ i % 251 for i, v in enumerate(data)] if bits == 16 else list(data)
    w, h = tile or (width, rows or height)
    pieces = []
    for plane in range(samples if planar else 1):
        for top in range(0, height, h):
            for left in range(0, width, w):
                piece = b""
                for y in range(top, top + h if tile else min(top + h, height)):
                    row = []
                    for x in range(left, left + w):
                        inside = x < width and y < height
                        at = (y * width + x) * samples
                        row += ([data[at + plane]] if planar else data[at:at + samples]) if inside else [0] * (1 if planar else samples)
                    row = packed_row(row, bits, order)
                    if predictor == 2:
                        row = differences(row, 1 if planar else samples, bits // 8, order)
                    piece += row
                piece = PACK[compression](piece)
                pieces.append(bytes(int(f"{b:08b}"[::-1], 2) for b in piece) if fill == 2 else piece)
    kinds = {1: "B", 3: "H", 4: "I", 16: "Q"}
    long = 16 if big else 4
    at, places = 16 if big else 8, []
    for piece in pieces:
        places.append(at)
        at += len(piece) + len(piece) % 2
    body = b"".join(piece + b"\0" * (len(piece) % 2) for piece in pieces)
    fields = {256: (3, [width]), 257: (4, [height]), 258: (3, [bits] * samples), 259: (3, [compression]), 262: (3, [photo]), 277: (3, [samples])}
    lengths = [len(piece) for piece in pieces]
    fields |= {322: (3, [w]), 323: (3, [h]), 324: (long, places), 325: (long, lengths)} if tile else {273: (long, places), 278: (3, [h]), 279: (4, lengths)}
    fields |= {284: (3, [2])} if planar else {}
    fields |= {338: (3, list(extra))} if extra else {}
    fields |= {317: (3, [predictor])} if predictor > 1 else {}
    fields |= {266: (3, [fill])} if fill > 1 else {}
    fields |= {274: (3, [orientation])} if orientation else {}
    fields |= {320: (3, [c[i] * 257 for i in range(3) for c in colours])} if colours else {}
    for tag in drop:
        del fields[tag]
    room = 8 if big else 4
    head = len(fields) * (20 if big else 12) + (16 if big else 6)
    entries, behind = b"", b""
    for tag, (kind, numbers) in sorted(fields.items()):
        content = struct.pack(f"{order}{len(numbers)}{kinds[kind]}", *numbers)
        if len(content) > room:
            place = struct.pack(order + "IQ"[big], at + head + len(behind))
            behind += content + b"\0" * (len(content) % 2)
            content = place
        entries += struct.pack(order + ("HHQ" if big else "HHI"), tag, kind, len(numbers)) + content.ljust(room, b"\0")
    mark = b"II" if order == "<" else b"MM"
    start = mark + (struct.pack(order + "HHHQ", 43, 8, 0, at) if big else struct.pack(order + "HI", 42, at))
    count = struct.pack(order + "HQ"[big], len(fields))
    return start + body + count + entries + b"\0" * room + behind


def colours(count):
    return [(value(i, 0), value(i, 1), value(i, 2)) for i in range(count)]


def tiffs():
    size = (19, 13)
    kinds = {"rgb": (2, 3), "grey": (1, 1), "grey_white_is_zero": (0, 1), "palette": (3, 1), "cmyk": (5, 4)}
    for name, (photo, samples) in kinds.items():
        map_ = {"colours": colours(256)} if photo == 3 else {}
        for order, end in (("<", "little"), (">", "big")):
            yield f"{name}_{end}", tiff(photo, samples, order=order, **map_)
        for compression in (8, 32946, 32773):
            yield f"{name}_packed_{compression}", tiff(photo, samples, compression=compression, rows=4, **map_)
        yield f"{name}_tiles", tiff(photo, samples, compression=8, tile=(16, 16), **map_)
        yield f"{name}_tiles_plain", tiff(photo, samples, tile=(16, 16), order=">", **map_)
        yield f"{name}_big_tiff", tiff(photo, samples, compression=8, rows=5, big=True, **map_)
        if samples > 1:
            yield f"{name}_planar", tiff(photo, samples, planar=True, rows=6)
            yield f"{name}_planar_packed", tiff(photo, samples, planar=True, rows=6, compression=8, predictor=2)
            yield f"{name}_planar_tiles", tiff(photo, samples, planar=True, tile=(16, 16), compression=8)
    for photo, samples in ((2, 3), (1, 1), (5, 4)):
        yield f"differences_{photo}", tiff(photo, samples, compression=8, predictor=2, rows=4)
        yield f"differences_tiles_{photo}", tiff(photo, samples, compression=8, predictor=2, tile=(16, 16))
    for bits in (1, 2, 4):
        for photo in (0, 1, 3):
            map_ = {"colours": colours(2**bits)} if photo == 3 else {}
            yield f"bits{bits}_{photo}", tiff(photo, 1, bits, **map_)
            yield f"bits{bits}_{photo}_packed", tiff(photo, 1, bits, compression=32773, rows=3, **map_)
            if photo != 3:  # Pillow has no such palettes.
                yield f"bits{bits}_{photo}_reversed", tiff(photo, 1, bits, fill=2, **map_)
    for order, end in (("<", "little"), (">", "big")):
        for photo, samples, extra in ((2, 3, ()), (2, 4, (2,)), (2, 4, (0,)), (5, 4, ())):
            yield f"deep_{photo}_{samples}_{extra[:1]}_{end}", tiff(photo, samples, 16, order=order, extra=extra)
        yield f"deep_differences_{end}", tiff(2, 3, 16, order=order, compression=8, predictor=2)
        for photo in (0, 1) if order == "<" else (1,):  # Pillow refuses the other.
            yield f"deep_grey_{photo}_{end}", tiff(photo, 1, 16, order=order, data=[(i * i * 7) % 600 for i in range(19 * 13)])
    for extra in ((), (0,), (1,), (2,), (2, 0), (1, 0), (0, 0)):
        samples = 3 + max(len(extra), 1)
        yield f"rgb_extra_{extra}", tiff(2, samples, extra=extra, compression=8)
        yield f"rgb_extra_{extra}_plain", tiff(2, samples, extra=extra)
    yield "rgb_extra_planar", tiff(2, 4, extra=(2,), planar=True, rows=5)
    yield "grey_extra_0", tiff(1, 2, extra=(0,))
    yield "grey_extra_2", tiff(1, 2, extra=(2,), compression=8, predictor=2)
    yield "palette_extra_0", tiff(3, 2, extra=(0,), colours=colours(256))
    yield "cmyk_extra_0", tiff(5, 5, extra=(0,))
    for orientation in range(1, 9):
        yield f"turned_{orientation}", tiff(2, 3, size=(5, 3), orientation=orientation)
    yield "reversed", tiff(2, 3, fill=2, rows=4)
    yield "reversed_packed", tiff(2, 3, fill=2, rows=4, compression=32773)
    yield "no_lengths", tiff(2, 3, drop=(279,))
    yield "no_rows_per_strip", tiff(2, 3, drop=(278,))
    yield "no_photometric", tiff(0, 1, drop=(262,))
    rgb, grey = Image.frombytes("RGB", size, smooth(3, size)), Image.frombytes("L", size, smooth(1, size))
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        yield f"{compression}_rgb", saved(rgb, "TIFF", compression=compression)
        yield f"{compression}_grey", saved(grey, "TIFF", compression=compression)
        yield f"{compression}_palette", saved(rgb.quantize(9), "TIFF", compression=compression)
        yield f"{compression}_cmyk", saved(rgb.convert("CMYK"), "TIFF", compression=compression)
        yield f"{compression}_one_bit", saved(grey.convert("1"), "TIFF", compression=compression)
        yield f"{compression}_differences", saved(rgb, "TIFF", compression=compression, tiffinfo={317: 2})
    large = Image.frombytes("L", (90, 70), noise(6300))
    yield "tiff_lzw_large", saved(large, "TIFF", compression="tiff_lzw")
    yield "two_images", saved(rgb, "TIFF", save_all=True, append_images=[grey])


# Grey of 16 bits

def deep():
    values = [0, 1, 100, 254, 255, 256, 257, 300, 1000, 32767, 32768, 65279, 65280, 65535, 12, 77]
    data = struct.pack("<16H", *values)
    grey = Image.frombytes("I;16", (8, 2), data)
    yield "grey.png", saved(grey, "PNG")
    swapped = struct.pack(">16H", *values)
    yield "grey.pgm", b"P5 8 2 65535\n" + swapped
    yield "grey_plain.pgm", b"P2 8 2 65535\n" + b" ".join(b"%d" % v for v in values)
    small = [v % 1001 for v in values]
    yield "grey_1000.pgm", b"P5 8 2 1000\n" + struct.pack(">16H", *small)
    yield "grey_1000_plain.pgm", b"P2 8 2 1000\n" + b" ".join(b"%d" % v for v in small)


def entry(name, data, levels=0):
    opened = Image.open(io.BytesIO(data))
    mode = opened.mode
    try:
        rgb = opened.convert("RGB")
    except Exception as error:
        raise SystemExit(f"{name}: {error}")
    return {"name": name, "bytes": data.hex(), "mode": mode, "size": rgb.size, "rgb": rgb.tobytes().hex(), "levels": levels}


if __name__ == "__main__":
    entries = [entry(f"{name}.webp", data, levels) for name, data, levels in webps()]
    entries += [entry(f"{name}.tif", data) for name, data in tiffs()]
    entries += [entry(name, data) for name, data in deep()]
    versions = {"Pillow": __version__, "webp": features.version("webp"), "libtiff": features.version("libtiff")}
    lines = ",\n".join("  " + json.dumps(entry) for entry in entries)
    text = f'{{\n "versions": {json.dumps(versions)},\n "files": [\n{lines}\n ]\n}}\n'
    Path(__file__).with_suffix(".json").write_text(text)
