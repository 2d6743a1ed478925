"""Writes small sound files for every fuzz target into fuzz/corpus/TARGET: a fuzzer gets further from these than from nothing.

    python3 fuzz/seeds.py          # wants numpy, scipy, pillow; pyarrow and torch, where they are there
"""

import gzip
import io
import json
import pathlib
import pickle
import tarfile
import zipfile

import numpy as np
import scipy.io
from PIL import Image

CORPUS = pathlib.Path(__file__).parent / "corpus"
RANDOM = np.random.default_rng(0)


def put(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


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
        "tiff": [{}, {"compression": "tiff_lzw"}, {"compression": "tiff_adobe_deflate"}, {"compression": "packbits"}],
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
    out = io.BytesIO()
    rgb.convert("CMYK").save(out, "jpeg")
    put("image", "cmyk.jpeg", out.getvalue())


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
            put("npz", f"{name}-{save.__name__}.npz", out.getvalue())


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
    for name, compression in {"plain": "none", "snappy": "snappy"}.items():
        table = pyarrow.table({"image": [image] * 4, "label": [0, 1, 0, 1]}).replace_schema_metadata(metadata)
        sink = io.BytesIO()
        pyarrow.parquet.write_table(table, sink, compression=compression, row_group_size=2)
        put("parquet", name, sink.getvalue())


def checkpoints():
    header = json.dumps({"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    put("checkpoint", "safetensors", len(header).to_bytes(8, "little") + header + bytes(16))
    try:
        import torch
    except ImportError:
        print("no torch: no seeds for pickled checkpoints")
        return
    state = {"state_dict": {"w": torch.zeros(2, 3), "n": torch.tensor(3)}, "epoch": 1}
    for name, zipped in {"zip": True, "legacy": False}.items():
        out = io.BytesIO()
        torch.save(state, out, _use_new_zipfile_serialization=zipped)
        put("checkpoint", name, out.getvalue())


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


if __name__ == "__main__":
    for make in (images, records, pickles, matlab, arrays, lists, tables, checkpoints, archives):
        make()
