"""Makes resize.bicubic.json: what Pillow and PyTorch make of small generated images with bicubic interpolation.

    python golden/resize.bicubic.py

`pictures`: pixels by the rule of `resize.synthetic.py` through torchvision's transforms on Pillow images, as there.
`real`: values of one channel through `torch.nn.functional.interpolate(mode="bicubic", antialias=True)`, in f64.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import PIL
import torch
import torchvision
from PIL import Image
from torchvision.transforms import CenterCrop, InterpolationMode, Resize

CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "P": 1}
SIZES = [(8, 8), (32, 32), (7, 60), (60, 7), (40, 100), (45, 31), (1, 9), (5, 90)]
CASES = [(["squash 12"], "late"), (["squash 64"], "rgb"), (["shorter-side 16", "center-crop 14"], "rgb")]
CUBIC = {"interpolation": InterpolationMode.BICUBIC}
TRANSFORM = {
    "squash": lambda n: Resize((n, n), **CUBIC), "shorter-side": lambda n: Resize(n, **CUBIC), "center-crop": CenterCrop,
}


def value(x, y, c):
    return (37 * x + 91 * y + 53 * c + 7 * x * y + x * x * (c + 1)) % 256


def picture(mode, width, height):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(CHANNELS[mode]), indexing="ij")
    pixels = value(x, y, c).astype(np.uint8)
    image = Image.fromarray(pixels[..., 0] if CHANNELS[mode] == 1 else pixels, "L" if mode == "P" else mode)
    if mode == "P":
        image = image.convert("P")
        image.putpalette([value(i, 3, c) for i in range(256) for c in range(3)])
    return image


def pictures():
    for mode in CHANNELS:
        for width, height in SIZES:
            for steps, order in CASES:
                image = picture(mode, width, height)
                image = image.convert("RGB") if order == "rgb" else image
                for step in steps:
                    name, side = step.split()
                    image = TRANSFORM[name](int(side))(image)
                raw = image.convert("RGB").tobytes()
                yield {
                    "mode": mode, "width": width, "height": height, "order": order, "steps": steps,
                    "out": image.size, "first": list(raw[:6]), "sha256": hashlib.sha256(raw).hexdigest(),
                }


def real():
    for (width, height), (to_width, to_height) in (((9, 7), (4, 3)), ((5, 6), (8, 11)), ((12, 3), (5, 3))):
        values = ((np.arange(width * height) * 37 % 101) / 101).astype(np.float32)
        image = torch.from_numpy(values.reshape(1, 1, height, width)).double()
        out = torch.nn.functional.interpolate(
            image, size=(to_height, to_width), mode="bicubic", antialias=True, align_corners=False
        )
        yield {
            "from": [width, height], "to": [to_width, to_height],
            "values": values.tolist(), "out": out.flatten().tolist(),
        }


def lines(entries):
    return ",\n".join("  " + json.dumps(entry) for entry in entries)


versions = {"Pillow": PIL.__version__, "torch": torch.__version__, "torchvision": torchvision.__version__}
text = f"""{{
 "versions": {json.dumps(versions)},
 "pictures": [
{lines(pictures())}
 ],
 "real": [
{lines(real())}
 ]
}}
"""
Path(__file__).with_suffix(".json").write_text(text)
