"""Embeddings of class names for `rut vp --mapping semantic`: a .safetensors file with `source` [S, D] and `target` [T, D], and the
names in its metadata (`names`, a line `source=NAME` or `target=NAME` for each class, in their order).

    python experiments/embed_names.py imagenet.txt birds.txt embeddings.safetensors

Each text file has one class name per line, in label order; the targets' must be those that `rut data info` lists. AutoVP takes bare names
and CLIP's ViT-B/32; any text encoder of the `sentence-transformers` package will do (`--encoder`). Without it, or offline, give your own
matrices by `--source-matrix` and `--target-matrix` (.npy).
"""
import argparse

import numpy as np
from safetensors.numpy import save_file


def names(path):
    with open(path, encoding="utf-8") as file:
        found = [line.strip() for line in file if line.strip()]
    if not found:
        raise SystemExit(f"{path}: expected one class name per line, found none")
    return found


def embedded(texts, matrix, encoder):
    if matrix:
        found = np.load(matrix)
        if found.ndim != 2 or len(found) != len(texts):
            raise SystemExit(f"{matrix}: expected [{len(texts)}, width], found {found.shape}")
    else:
        from sentence_transformers import SentenceTransformer

        found = SentenceTransformer(encoder).encode(texts)
    found = np.asarray(found, dtype=np.float32)
    return np.ascontiguousarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="names of the network's classes, one per line")
    parser.add_argument("target", help="names of the data set's classes, one per line")
    parser.add_argument("output")
    parser.add_argument("--encoder", default="clip-ViT-B-32")
    parser.add_argument("--source-matrix")
    parser.add_argument("--target-matrix")
    args = parser.parse_args()
    source, target = names(args.source), names(args.target)
    lines = [f"source={name}" for name in source] + [f"target={name}" for name in target]
    tensors = {
        "source": embedded(source, args.source_matrix, args.encoder),
        "target": embedded(target, args.target_matrix, args.encoder),
    }
    save_file(tensors, args.output, metadata={"names": "\n".join(lines)})


if __name__ == "__main__":
    main()
