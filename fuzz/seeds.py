"""Writes small sound files for every fuzz target into fuzz/corpus/TARGET: a fuzzer gets further from these than from nothing.

    python3 fuzz/seeds.py                  # wants numpy, scipy, pillow; pyarrow and torch, where they are there
    python3 fuzz/seeds.py IMAGES=image ...  # and takes small files of a folder, IMAGES, as seeds of a target
"""

import gzip
import io
import json
import pathlib
import pickle
import sys
import tarfile
import zipfile

import numpy as np
import scipy.io
from PIL import Image

CORPUS = pathlib.Path(__file__).parent / "corpus"
FIXTURES = pathlib.Path(__file__).parent.parent / "crates"
RANDOM = np.random.default_rng(0)
# Larger files slow a fuzzer down.
LARGEST = 40_000


def put(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def take(target, folder, pattern="*"):
    """Small files of a folder, under names that tell where they were."""
    for path in sorted(folder.rglob(pattern)):
        if path.is_file() and 0 < path.stat().st_size <= LARGEST:
            put(target, "-".join(path.relative_to(folder).parts)[-200:], path.read_bytes())


def without_checksums(archive):
    """The same zip archive with checksums of 0, which a fuzzer need not get right."""
    archive = bytearray(archive)
    for start, at in ((b"PK\x03\x04", 14), (b"PK\x01\x02", 16)):
        place = archive.find(start)
        while place >= 0:
            archive[place + at : place + at + 4] = bytes(4)
            place = archive.find(start, place + 4)
    return bytes(archive)


def images():
    pixels = RANDOM.integers(0, 256, (9, 7, 3), dtype=np.uint8)
    rgb = Image.fromarray(pixels)
    kinds = {"rgb": rgb, "grey": rgb.convert("L"), "palette": rgb.quantize(16), "alpha": rgb.convert("RGBA"), "bit": rgb.convert("1")}
    ways = {
        "jpeg": [{}, {"progressive": True}, {"subsampling": 2}],
        "png": [{}],
        "gif": [{}],
        "bmp": [{}],
        "ppm": [{}],
        "webp": [{"lossless": True}, {"quality": 50}, {"save_all": True, "append_images": [rgb]}],
        "tiff": [{}] + [{"compression": name} for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group4", "tiff_lzma")],
    }
    for kind, image in kinds.items():
        for way, options in ways.items():
            for at, option in enumerate(options):
                out = io.BytesIO()
                try:
                    image.save(out, way, **option)
                except OSError:
                    continue
                put("image", f"{kind}{at}.{way}", out.getvalue())
    for way in ("tiff", "jpeg"):
        out = io.BytesIO()
        rgb.convert("CMYK").save(out, way)
        put("image", f"cmyk.{way}", out.getvalue())
    deep = Image.fromarray(RANDOM.integers(0, 2**16, (9, 7), dtype=np.uint16))
    for way in ("png", "tiff", "ppm"):
        out = io.BytesIO()
        deep.save(out, way)
        put("image", f"deep.{way}", out.getvalue())
    for kind in ("P1 2 2 0 1 1 0", "P2 2 2 9 0 1 2 3", "P3 1 1 255 1 2 3", "P4 9 1\n\xaa\x80", "P5 1 1 65535\n\1\2"):
        put("image", kind[:2], kind.encode("latin-1"))


def records():
    put("cifar_binary", "three", RANDOM.integers(0, 10, 3 * 3073, dtype=np.uint8).tobytes())
    put("cifar_binary", "coarse", RANDOM.integers(0, 10, 2 * 3074, dtype=np.uint8).tobytes())


def pickles():
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    data = RANDOM.integers(0, 256, (2, 3072), dtype=np.uint8)
    batch = {"data": data, "labels": [1, 2], "fine_labels": [3, 4], "coarse_labels": [0, 1], "label_names": names}
    for protocol in range(6):
        put("pickle", f"text{protocol}", pickle.dumps(batch, protocol))
        put("pickle", f"bytes{protocol}", pickle.dumps({k.encode(): v for k, v in batch.items()}, protocol))


def matlab():
    annotation = np.zeros((1, 2), dtype=[(n, "O") for n in ("bbox_x1", "bbox_y1", "class", "fname")])
    for at in range(2):
        annotation[0, at] = (1, 1, at + 1, f"0000{at + 1}.jpg")
    names = np.empty((1, 2), dtype=object)
    names[0, :] = ["first", "second"]
    everything = {
        "X": RANDOM.integers(0, 256, (32, 32, 3, 2), dtype=np.uint8),
        "y": np.array([[10], [3]], dtype=np.uint8),
        "trnid": np.array([[1]]),
        "valid": np.array([[2]]),
        "tstid": np.array([[3]]),
        "labels": np.array([[1, 2, 1]], dtype=np.uint8),
        "annotations": annotation,
        "class_names": names,
    }
    for compressed in (False, True):
        out = io.BytesIO()
        scipy.io.savemat(out, everything, do_compression=compressed)
        put("matlab", f"all{int(compressed)}.mat", out.getvalue())


def arrays():
    image = RANDOM.integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    objects = np.empty(3, dtype=object)
    objects[:] = [image[0], image[1, :4], image[2, :, :2]]
    labels = np.array([0, 1, 2])
    matrices = RANDOM.uniform(-1, 1, (4, 19900)).astype(np.float32)
    for name, images in {"arrays": image, "objects": objects}.items():
        for save in (np.savez, np.savez_compressed):
            out = io.BytesIO()
            save(out, x_train=images, y_train=labels, x_val=images, y_val=labels, cc200=matrices[:2], y=labels[:2])
            put("npz", f"{name}-{save.__name__}.npz", without_checksums(out.getvalue()))


def lists():
    put("lists", "gtsrb", b"Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n0.ppm;1;1;0;0;1;1;1\n")
    put("lists", "dtd", b"banded/0.jpg\nblotchy/1.jpg\n")
    put("lists", "pets", b"Abyssinian_12 1 1 1\nAmerican_Bulldog_3 2 2 1\n")
    put("lists", "ucf", b"1 Archery\n2 Biking\nArchery/v_Archery_g01_c01.avi 1\n")
    put("lists", "aircraft", b"1 707-320\n2 F-16A/B\n")
    put("lists", "own", b'path,label,split\na.png,"a, b",train\nb.png,c,test\n')
    put("lists", "food", json.dumps({"apple_pie": ["apple_pie/1"], "waffles": ["waffles/2"]}).encode())
    entry = [["apple_pie/1.jpg", 0, "apple pie"], ["waffles/2.jpg", 1, "waffles"]]
    put("lists", "coop", json.dumps({"train": entry, "val": entry, "test": entry}).encode())


def tables():
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        print("no pyarrow: no seeds for parquet")
        return
    out = io.BytesIO()
    Image.fromarray(RANDOM.integers(0, 256, (4, 4, 3), dtype=np.uint8)).save(out, "png")
    image = {"bytes": out.getvalue(), "path": "a.png"}
    features = {"label": {"names": ["x", "y"], "_type": "ClassLabel"}, "image": {"_type": "Image"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    labels = [0, 1, 0, 1]
    struct = pyarrow.table({"image": [image] * 4, "label": labels}).replace_schema_metadata(metadata)
    plain = pyarrow.table({"image": [image["bytes"]] * 4, "label": labels})
    texts = pyarrow.table({"image": [image["bytes"]] * 4, "label": ["x", "y", "x", None]})
    options = {name: {"compression": name} for name in ("none", "snappy", "gzip", "lz4", "zstd", "brotli")}
    options["second"] = {"compression": "gzip", "data_page_version": "2.0", "use_dictionary": False}
    options["delta"] = {"use_dictionary": False, "column_encoding": {"label": "DELTA_BINARY_PACKED"}}
    for kind, table in {"struct": struct, "plain": plain, "texts": texts}.items():
        for name, option in options.items():
            if (kind, name) != ("texts", "delta"):
                sink = io.BytesIO()
                pyarrow.parquet.write_table(table, sink, row_group_size=2, **option)
                put("parquet", f"{kind}-{name}", sink.getvalue())


def checkpoints():
    header = json.dumps({"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    put("checkpoint", "safetensors", len(header).to_bytes(8, "little") + header + bytes(16))
    for target in ("torch", "checkpoint"):
        take(target, FIXTURES / "rut-models/tests/fixtures", "*.p*t*")
        take(target, FIXTURES / "rut-models/tests/fixtures", "*.th")
    try:
        import torch
    except ImportError:
        print("no torch: no seeds for pickled checkpoints")
        return
    shared = torch.arange(12.0)
    views = {"turned": shared.view(3, 4).t(), "part": shared[3:7], "wide": torch.ones(1).expand(5), "none": torch.zeros(0, 3)}
    head = {"module.fc.weight": torch.zeros(10, 64), "module.fc.bias": torch.zeros(10), "fc.weight_mask": torch.ones(10, 64).bool()}
    kinds = {name: torch.zeros(2, dtype=getattr(torch, name)) for name in ("float16", "bfloat16", "float64", "int64", "uint8", "complex64")}
    states = {"state": {"w": torch.zeros(2, 3), "n": torch.tensor(3)}, "views": views, "head": head, "kinds": kinds}
    torch.serialization.set_crc32_options(False)
    for name, state in states.items():
        for way, zipped in {"zip": True, "legacy": False}.items():
            for protocol in (2, 4):
                out = io.BytesIO()
                whole = {"state_dict": state, "epoch": 1}
                torch.save(whole, out, _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
                for target in ("torch", "checkpoint"):
                    put(target, f"{name}-{way}-{protocol}", out.getvalue())


def archives():
    def tar(mode):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode=mode) as archive:
            for name in ("a/b.txt", "c"):
                entry = tarfile.TarInfo(name)
                entry.size = 3
                archive.addfile(entry, io.BytesIO(b"abc"))
        return out.getvalue()

    put("archive", "tar", tar("w"))
    put("archive", "tar.gz", gzip.compress(tar("w"), mtime=0))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.txt", "abc")
    put("archive", "zip", out.getvalue())
    with tarfile.open(fileobj=(out := io.BytesIO()), mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("é" * 120, "b" * 150):
            archive.addfile(tarfile.TarInfo(name))
    put("archive", "pax", out.getvalue())
    with tarfile.open(fileobj=(out := io.BytesIO()), mode="w", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("b" * 150))
    put("archive", "gnu", out.getvalue())


def zips():
    for name, method in {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}.items():
        for large in (False, True):
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w", method) as archive:
                for entry in ("a", "b/c"):
                    with archive.open(entry, "w", force_zip64=large) as file:
                        file.write(b"abc" * 50)
                archive.comment = b"a comment"
            put("zip", f"{name}{int(large)}", without_checksums(out.getvalue()))


def results():
    earlier = FIXTURES / "rut-cli/tests/fixtures/earlier"
    for pattern in ("record.json", "plan.jsonl", "events.jsonl", "failed.json"):
        take("results", earlier, pattern)
    put("results", "upstream.json", b'{"format_version": 1, "model": "resnet20_cifar100"}')
    take("study", earlier, "*.toml")
    take("study", FIXTURES.parent / "experiments", "*.toml")
    put("study", "axes", b'title = "a"\n[base]\ndataset = "digits"\n[axes]\nseed = [1, 2]\n[[exclude]]\nseed = 1\n')
    take("tensors", earlier, "*.safetensors")
    logits, labels = RANDOM.normal(size=(4, 3)), np.array([0, 1, 2, 1])
    for save in (np.savez, np.savez_compressed):
        for kind in (np.float16, np.float32, np.float64):
            out = io.BytesIO()
            save(out, logits=logits.astype(kind), labels=labels, probabilities=np.full((4, 3), 1 / 3))
            put("tensors", f"{kind.__name__}-{save.__name__}", out.getvalue())


if __name__ == "__main__":
    for make in (images, records, pickles, matlab, arrays, lists, tables, checkpoints, archives, zips, results):
        make()
    for pair in sys.argv[1:]:
        folder, target = pair.rsplit("=", 1)
        take(target, pathlib.Path(folder))
