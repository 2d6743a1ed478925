"""Makes augment.json: what Pillow and torchvision make of small generated pictures by the operations of augmentation.

    python golden/augment.py

`operations`: each by itself with explicit magnitudes, on several pictures; the first 16 digits of the SHA-256 of the
RGB bytes that come out, and the bytes where they are few. `policies`: every operation of TrivialAugment's two spaces, at
every level and sign, on one picture; the magnitudes and the digests, those of the negated magnitudes behind the others.
`trivial-wide` is torchvision's TrivialAugmentWide itself; `trivial` is the space "fixed_standard" of
automl/trivialaugment, written out here. Made on x86-64: where a compiler fuses multiplication and addition, Pillow's enhancers differ by a level.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import PIL
import torchvision
from PIL import Image, ImageEnhance, ImageOps
from torchvision.transforms import InterpolationMode, TrivialAugmentWide
from torchvision.transforms import functional as F
from torchvision.transforms.autoaugment import _apply_op

LEVELS = 31
RULES = {
    "noise": lambda x, y, c: (37 * x + 91 * y + 53 * c + 7 * x * y + x * x * (c + 1)) % 256,
    "ramp": lambda x, y, c: (3 * x + 5 * y) % 150 + 30 * c + 10,
    "few": lambda x, y, c: ((x // 3 + y // 5) * (c + 1)) % 3 * 90,
    "flat": lambda x, y, c: 77 + 20 * c + 0 * x,
}
PICTURES = [
    ("noise", 17, 17), ("noise", 32, 32), ("ramp", 32, 32), ("few", 17, 17), ("flat", 17, 17), ("noise", 23, 9),
    ("ramp", 9, 23), ("noise", 4, 3), ("noise", 2, 5), ("ramp", 3, 3), ("noise", 1, 1),
]


def picture(rule, width, height):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return Image.fromarray(RULES[rule](x, y, c).astype(np.uint8), "RGB")


def affine(matrix):
    return lambda image: image.transform(image.size, Image.AFFINE, matrix)


def enhanced(enhancer):
    return lambda factor: lambda image: enhancer(image).enhance(factor)


MAKE = {
    "identity": lambda _: lambda image: image,
    "auto-contrast": lambda _: ImageOps.autocontrast,
    "equalize": lambda _: ImageOps.equalize,
    "rotate": lambda degrees: lambda image: image.rotate(degrees),
    "solarize": lambda threshold: lambda image: ImageOps.solarize(image, threshold),
    "color": enhanced(ImageEnhance.Color),
    "posterize": lambda bits: lambda image: ImageOps.posterize(image, bits),
    "contrast": enhanced(ImageEnhance.Contrast),
    "brightness": enhanced(ImageEnhance.Brightness),
    "sharpness": enhanced(ImageEnhance.Sharpness),
    "shear-x": lambda v: affine((1, v, 0, 0, 1, 0)),
    "shear-y": lambda v: affine((1, 0, 0, v, 1, 0)),
    "translate-x": lambda v: affine((1, 0, v, 0, 1, 0)),
    "translate-y": lambda v: affine((1, 0, 0, 0, 1, v)),
}
FACTORS = [-0.5, 0.0, 0.01, 0.1, 0.5, 0.94, 1.0, 1.3, 1.9, 1.99, 2.5]
MAGNITUDES = {
    "identity": [0], "auto-contrast": [0], "equalize": [0],
    "rotate": [0, 1, 4.5, 7, -13, 30, 45, 90, -90, 135, 180, 200.25, 270, 360, -372],
    "solarize": [0, 1, 100, 127.5, 128, 255, 256],
    "posterize": [1, 2, 3, 4, 5, 6, 7, 8],
    "color": FACTORS, "contrast": FACTORS, "brightness": FACTORS, "sharpness": FACTORS,
    "shear-x": [0, 0.01, -0.01, 0.3, -0.3, 0.5, 0.99, -0.99], "shear-y": [0, 0.01, -0.01, 0.3, -0.3, 0.5, 0.99, -0.99],
    "translate-x": [0, 1, -1, 5, -8, 10, 31, 40], "translate-y": [0, 1, -1, 5, -8, 10, 31, 40],
}


def digest(image):
    return hashlib.sha256(image.convert("RGB").tobytes()).hexdigest()[:16]


def entry(place, operation, magnitudes, apply):
    images = [apply(picture(*place), magnitude) for magnitude in magnitudes]
    found = {"picture": place, "operation": operation, "magnitudes": magnitudes, "digests": [digest(image) for image in images]}
    if place[1] * place[2] <= 12:
        found["bytes"] = [image.tobytes().hex() for image in images]
    return found


def operations():
    for name, magnitudes in MAGNITUDES.items():
        for place in PICTURES:
            yield entry(place, name, magnitudes, lambda image, magnitude: MAKE[name](magnitude)(image))
    for place in PICTURES:
        yield entry(place, "flip", [0], lambda image, _: image.transpose(Image.FLIP_LEFT_RIGHT))


def crops():
    """torchvision's `crop`, and that of a padded image, as RandomCrop(padding=4) has it."""
    for left, top, width, height in [(0, 0, 17, 17), (1, 0, 16, 16), (0, 1, 16, 16), (5, 3, 9, 4), (-4, -4, 17, 17), (4, -2, 17, 17)]:
        image = F.pad(picture("noise", 17, 17), 4)
        image = F.crop(image, top + 4, left + 4, height, width)
        yield {"left": left, "top": top, "width": width, "height": height, "sha256": digest(image)}


def standard():
    """Name, magnitudes and whether they are negated at random. `int` cuts off."""
    levels = range(LEVELS)
    factors = [float(level) * (1.9 - 0.1) / 30 + 0.1 for level in levels]
    shears = [float(level) * 0.3 / 30 for level in levels]
    shifts = [int(level * 10 / 30) for level in levels]
    for name in ("identity", "auto-contrast", "equalize"):
        yield name, [0], False
    yield "rotate", [int(level * 30 / 30) for level in levels], True
    yield "solarize", [256 - int(level * 256 / 30) for level in levels], False
    yield "color", factors, False
    yield "posterize", [8 - int(level * (8 - 4) / 30) for level in levels], False
    yield "contrast", factors, False
    yield "brightness", factors, False
    yield "sharpness", factors, False
    yield "shear-x", shears, True
    yield "shear-y", shears, True
    yield "translate-x", shifts, True
    yield "translate-y", shifts, True


def wide():
    space = TrivialAugmentWide()._augmentation_space(LEVELS)
    names = {name.replace("-", ""): name for name in MAKE}
    found = {names[name.lower()]: (name, magnitudes, signed) for name, (magnitudes, signed) in space.items()}
    for name in MAKE:
        known, magnitudes, signed = found[name]
        yield name, known, magnitudes.flatten().tolist(), signed


def line(name, magnitudes, signed, apply):
    """On a picture of all values, or of few where the operation is one of its histogram."""
    image = picture("ramp" if name in ("auto-contrast", "equalize") else "noise", 32, 32)
    every = magnitudes + [-v for v in magnitudes] if signed else magnitudes
    return {"operation": name, "magnitudes": magnitudes, "signed": signed, "digests": [digest(apply(image, v)) for v in every]}


def policies():
    def torchvision_apply(known):
        return lambda image, v: _apply_op(image, known, v, InterpolationMode.NEAREST, None)

    def pillow_apply(name):
        return lambda image, v: MAKE[name](v)(image)

    return {
        "trivial": [line(name, m, s, pillow_apply(name)) for name, m, s in standard()],
        "trivial-wide": [line(name, m, s, torchvision_apply(known)) for name, known, m, s in wide()],
    }


def lines(entries):
    return ",\n".join("  " + json.dumps(entry) for entry in entries)


spaces = ",\n".join(f'  "{name}": [\n{lines(space)}\n  ]' for name, space in policies().items())
text = f"""{{
 "versions": {json.dumps({"Pillow": PIL.__version__, "torchvision": torchvision.__version__})},
 "operations": [
{lines(operations())}
 ],
 "crops": [
{lines(crops())}
 ],
 "policies": {{
{spaces}
 }}
}}
"""
Path(__file__).with_suffix(".json").write_text(text)
