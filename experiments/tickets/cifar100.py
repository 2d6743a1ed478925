#!/usr/bin/env python3
"""Writes CIFAR-100 in its binary form from lossless mosaics, so that `rut upstream` and `imp.py` read it.

    python3 cifar100.py MOSAICS DIR

MOSAICS holds `train_{0..4}.webp` and `test_0.webp` (100 × 100 images of 32 × 32 pixels each, lossless, row by row) and
`train_labels.npy`, `test_labels.npy` (the fine labels). DIR/cifar-100-binary gets `train.bin`, `test.bin` (a record is the coarse
label, the fine label and the planes red, green, blue) and the two lists of names. DIR must not be in a git checkout: the images
are not ours to publish. Needs NumPy and Pillow.

Pixels, fine and coarse labels are those of the official files. The order of the images is the mosaics' own, so the
files' digests differ from the official ones; what does not depend on the order is checked before anything is written: the
number of images, of images of each class, and mean and deviation of each channel.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SIDE, PER_MOSAIC, GRID = 32, 10_000, 100
CLASSES = 100

# Superclasses in the order of their labels, each with the fine classes that it holds.
COARSE = {
    "aquatic_mammals": "beaver dolphin otter seal whale",
    "fish": "aquarium_fish flatfish ray shark trout",
    "flowers": "orchid poppy rose sunflower tulip",
    "food_containers": "bottle bowl can cup plate",
    "fruit_and_vegetables": "apple mushroom orange pear sweet_pepper",
    "household_electrical_devices": "clock keyboard lamp telephone television",
    "household_furniture": "bed chair couch table wardrobe",
    "insects": "bee beetle butterfly caterpillar cockroach",
    "large_carnivores": "bear leopard lion tiger wolf",
    "large_man-made_outdoor_things": "bridge castle house road skyscraper",
    "large_natural_outdoor_scenes": "cloud forest mountain plain sea",
    "large_omnivores_and_herbivores": "camel cattle chimpanzee elephant kangaroo",
    "medium_mammals": "fox porcupine possum raccoon skunk",
    "non-insect_invertebrates": "crab lobster snail spider worm",
    "people": "baby boy girl man woman",
    "reptiles": "crocodile dinosaur lizard snake turtle",
    "small_mammals": "hamster mouse rabbit shrew squirrel",
    "trees": "maple_tree oak_tree palm_tree pine_tree willow_tree",
    "vehicles_1": "bicycle bus motorcycle pickup_truck train",
    "vehicles_2": "lawn_mower rocket streetcar tank tractor",
}
# The fine labels are the classes' places in the alphabet.
FINE = sorted(name for names in COARSE.values() for name in names.split())
COARSE_OF_FINE = np.array(
    [next(i for i, names in enumerate(COARSE.values()) if fine in names.split()) for fine in FINE], dtype=np.uint8
)

# Published statistics of the training images, in [0, 1], to four digits: red, green, blue.
MEAN, DEVIATION = (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)


class Problem(Exception):
    """What is wrong with a file, and what to do."""


def mosaic(path):
    """The images of one file: uint8 [image, channel, row, column]."""
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
    except OSError as error:
        raise Problem(f"{path}: not read as an image ({error}); expected a lossless WebP mosaic") from error
    expected = (GRID * SIDE, GRID * SIDE, 3)
    if pixels.shape != expected:
        raise Problem(f"{path}: expected {expected} (rows, columns, channels), found {pixels.shape}")
    images = pixels.reshape(GRID, SIDE, GRID, SIDE, 3).transpose(0, 2, 4, 1, 3)
    return images.reshape(PER_MOSAIC, 3, SIDE, SIDE)


def labels(path, count):
    """The fine labels, checked: every class equally often."""
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise Problem(f"{path}: not read as an array ({error}); expected {count} labels, uint8") from error
    if found.shape != (count,) or found.dtype != np.uint8:
        raise Problem(f"{path}: expected {count} labels, uint8; found {found.dtype}, {found.shape}")
    if found.max() >= CLASSES:
        raise Problem(f"{path}: label {found.max()}; fine labels are 0 to {CLASSES - 1}")
    each = np.bincount(found, minlength=CLASSES)
    if (each != count // CLASSES).any():
        odd = int(np.argmax(each != count // CLASSES))
        raise Problem(f"{path}: class {odd} has {each[odd]} images; expected {count // CLASSES}")
    return found


def check_statistics(images):
    """Holds the training images against the published mean and deviation of each channel."""
    for channel, name in enumerate(("red", "green", "blue")):
        counts = np.bincount(images[:, channel].reshape(-1), minlength=256)
        values = np.arange(256) / 255
        mean = (counts * values).sum() / counts.sum()
        deviation = np.sqrt((counts * (values - mean) ** 2).sum() / counts.sum())
        if abs(mean - MEAN[channel]) > 1e-4 or abs(deviation - DEVIATION[channel]) > 1e-4:
            raise Problem(
                f"training images, {name}: mean {mean:.4f} and deviation {deviation:.4f}, expected"
                f" {MEAN[channel]} and {DEVIATION[channel]}: these are not the images of CIFAR-100"
            )


def records(images, fine):
    """The bytes of one file: [image, 2 + 3 · 32 · 32]."""
    head = np.stack([COARSE_OF_FINE[fine], fine.astype(np.uint8)], axis=1)
    return np.concatenate([head, images.reshape(len(images), -1)], axis=1).tobytes()


def write(path, content):
    """Under a temporary name, synced and renamed."""
    temporary = path.with_name(path.name + ".tmp")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def checkout_above(folder):
    """The git checkout that `folder` is in, if any."""
    folder = folder.resolve()
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), None)


def convert(mosaics, target):
    """Writes DIR/cifar-100-binary."""
    checkout = checkout_above(target)
    if checkout is not None:
        raise Problem(f"{target}: is in the git checkout {checkout}; name a folder outside of it")
    parts = {}
    for part, names in (("train", [f"train_{i}.webp" for i in range(5)]), ("test", ["test_0.webp"])):
        fine = labels(mosaics / f"{part}_labels.npy", PER_MOSAIC * len(names))
        parts[part] = (np.concatenate([mosaic(mosaics / name) for name in names]), fine)
    check_statistics(parts["train"][0])
    folder = target / "cifar-100-binary"
    folder.mkdir(parents=True, exist_ok=True)
    for part, (images, fine) in parts.items():
        write(folder / f"{part}.bin", records(images, fine))
    write(folder / "fine_label_names.txt", ("\n".join(FINE) + "\n").encode())
    write(folder / "coarse_label_names.txt", ("\n".join(COARSE) + "\n").encode())
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("mosaics", type=Path, help="folder of the mosaics and labels")
    parser.add_argument("dir", type=Path, help="gets cifar-100-binary; outside of any git checkout")
    arguments = parser.parse_args()
    try:
        folder = convert(arguments.mosaics, arguments.dir)
    except Problem as problem:
        sys.exit(f"cifar100.py: {problem}")
    print(f"{folder}: 50,000 training images, 10,000 test images")


if __name__ == "__main__":
    main()
