"""Loads JPEG folders and CIFAR files with rut-data and with torchvision, side by side, in alternation.

    cargo build --release -p rut-data --example load
    python3 benchmarks/compare_loading.py --images FOLDER [--threads 1] [--rounds 5] [--json FILE]

FOLDER holds class folders of JPEG files. torchvision: ImageFolder (Pillow), Resize((224, 224)), ToTensor, a DataLoader with
batches of 128 and as many worker processes as rut has threads (none for one thread: that is its fastest). rut: the `load`
example. Both read from the page cache. For CIFAR, a file set of the official size is made of random bytes, for rut alone.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

import torch
import torchvision
from torchvision import transforms

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOAD = ROOT / "target" / "release" / "examples" / "load"


def with_torchvision(folder, threads):
    squash = transforms.Compose([transforms.Resize((224, 224)), transforms.ToTensor()])
    images = torchvision.datasets.ImageFolder(str(folder), squash)
    loader = torch.utils.data.DataLoader(images, batch_size=128, num_workers=0 if threads == 1 else threads)
    start = time.perf_counter()
    count = sum(len(labels) for _, labels in loader)
    return count / (time.perf_counter() - start)


def with_rut(arguments, threads):
    out = subprocess.run(
        [LOAD, *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "RAYON_NUM_THREADS": str(threads)},
    ).stdout
    opened, _, seconds, rate = map(float, re.findall(r"[\d.]+", out))
    return opened, seconds, rate


def cifar(folder):
    target = pathlib.Path(folder) / "cifar-10-batches-bin"
    target.mkdir()
    for name in [f"data_batch_{at}.bin" for at in range(1, 6)] + ["test_batch.bin"]:
        records = torch.randint(0, 256, (10_000, 3073), dtype=torch.uint8)
        records[:, 0] %= 10
        (target / name).write_bytes(records.numpy().tobytes())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    # rut looks for train and test parts; this link makes the whole folder the training part, as ImageFolder has it.
    with tempfile.TemporaryDirectory() as folder:
        for part in ("train", "test"):
            (pathlib.Path(folder) / part).symlink_to(args.images.resolve())
        rates = {"torchvision": [], "rut": []}
        for _ in range(args.rounds):
            rates["torchvision"].append(with_torchvision(args.images, args.threads))
            rates["rut"].append(with_rut([folder, "224"], args.threads)[2])
    with tempfile.TemporaryDirectory() as folder:
        cifar(folder)
        loads = [with_rut(["cifar10", "32", folder], args.threads) for _ in range(args.rounds)]
    ratios = sorted(ours / theirs for ours, theirs in zip(rates["rut"], rates["torchvision"]))
    found = {
        "threads": args.threads,
        "images_per_second": rates,
        "ratio": {"median": statistics.median(ratios), "least": ratios[0], "most": ratios[-1]},
        "cifar10_50000_seconds": [opened + seconds for opened, seconds, _ in loads],
        "torchvision": torchvision.__version__,
    }
    print(json.dumps(found, indent=1))
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
