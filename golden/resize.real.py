"""Makes resize.real.json: what torchvision's transforms make of small generated images of real values.

    python golden/resize.real.py

One-channel tensors by the rule of `value`, rounded to f32, sent through torchvision's transforms for tensors (PyTorch's
bilinear interpolation with antialiasing) in f64. `values` is every `every`-th value of the result, row by row;
`distance_of_f32` is how far the same in f32 is from it at most: PyTorch then finds the weights in f32 too.
"""

import json
from pathlib import Path

import numpy as np
import torch
import torchvision
from torchvision.transforms import CenterCrop, Resize

SIZES = [(8, 8), (7, 30), (30, 7), (45, 31), (1, 9), (200, 200)]
STEPS = [["squash 12"], ["squash 16", "squash 32"], ["shorter-side 16", "center-crop 14"], ["center-crop 37"], ["squash 224"]]
TRANSFORM = {"squash": lambda n: Resize((n, n)), "shorter-side": Resize, "center-crop": CenterCrop}


def value(x, y):
    """Neither smooth nor symmetric, from 0 to 1, on no grid of bytes."""
    return ((37 * x + 91 * y + 7 * x * y + x * x) % 1009) / 1008


def image(width, height):
    y, x = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    return torch.from_numpy(value(x, y).astype(np.float32))[None]


def images():
    for width, height in SIZES:
        for steps in STEPS:
            wide, narrow = image(width, height).double(), image(width, height)
            for step in steps:
                name, side = step.split()
                wide, narrow = TRANSFORM[name](int(side))(wide), TRANSFORM[name](int(side))(narrow)
            values = wide[0].flatten().tolist()
            every = len(values) // 50 + 1
            distance = (wide - narrow).abs().max().item()
            yield {
                "width": width, "height": height, "steps": steps, "distance_of_f32": distance,
                "every": every, "values": values[::every],
            }


versions = {"torch": torch.__version__, "torchvision": torchvision.__version__}
golden = {"script": "resize.real.py", "versions": versions, "images": list(images())}
path = Path(__file__).with_name("resize.real.json")
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
