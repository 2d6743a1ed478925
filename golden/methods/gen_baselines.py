"""Baselines on features by scikit-learn and NumPy in f64: nearest neighbours, class means, ridge regression; and CoOp's search
for C, with every accuracy that it asked for.

Run in this folder, with scikit-learn, numpy and safetensors: `python gen_baselines.py`.
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import NearestNeighbors

HERE = Path(__file__).parent
rng = np.random.default_rng(11)
CLASSES, WIDTH = 5, 24
means = rng.normal(size=(CLASSES, WIDTH))


def draw(labels, noise):
    """Features like those behind a ReLU: 0 or more, with zeros."""
    x = means[labels] + noise * rng.normal(size=(len(labels), WIDTH))
    return np.maximum(x, 0).astype(np.float32)


# Class 4 has one image.
y = np.concatenate([np.arange(66) % 4, [4]])
yv = np.arange(50) % CLASSES
x, xv = draw(y, 0.9), draw(yv, 0.9)
tensors = {"x": x, "y": y, "xv": xv, "yv": yv}
X, V = x.astype(np.float64), xv.astype(np.float64)

for k, tau in ((1, 0.07), (20, 0.07), (20, 1.0), (500, 0.5)):
    near = NearestNeighbors(n_neighbors=min(k, len(X)), metric="cosine", algorithm="brute").fit(X)
    distances, indices = near.kneighbors(V)
    w = np.zeros((len(V), CLASSES))
    for row, (found, cosines) in enumerate(zip(indices, 1 - distances)):
        np.add.at(w[row], y[found], np.exp(cosines / tau))
    tensors[f"knn.{k}.{tau}"] = np.log(w + 1 / CLASSES) - np.log(w.sum(1, keepdims=True) + 1)

unit = X / np.linalg.norm(X, axis=1, keepdims=True)
prototypes = np.stack([unit[y == c].mean(0) for c in range(CLASSES)])
tensors["prototype"] = cosine_similarity(V, prototypes)

# More images than features, fewer, and two classes (of which scikit-learn gives one column).
for name, rows, labels in (("tall", slice(None), y), ("wide", slice(47, None), y), ("two", slice(None), (y > 1).astype(int))):
    for alpha in (0.1, 1.0, 100.0):
        scores = RidgeClassifier(alpha=alpha, solver="cholesky").fit(X[rows], labels[rows]).decision_function(V)
        tensors[f"ridge.{name}.{alpha}"] = np.stack([-scores, scores], 1) if scores.ndim == 1 else scores

# The search of CoOp's linear probe of CLIP, with the order in which it fits.
searches = {}


def search(name, fit):
    asked = {}

    def accuracy(c):
        if repr(c) not in asked:
            asked[repr(c)] = fit(c)
        return asked[repr(c)]

    grid = [1e6, 1e4, 1e2, 1.0, 1e-2, 1e-4, 1e-6]
    peak = grid[int(np.argmax([accuracy(c) for c in grid]))]
    low, high, steps = 1e-1 * peak, 1e1 * peak, []
    for _ in range(8):
        at_low, at_high = accuracy(low), accuracy(high)
        middle = 10 ** (0.5 * (np.log10(low) + np.log10(high)))
        if at_low < at_high:
            better, low = high, float(middle)
        else:
            better, high = low, float(middle)
        steps.append([low, high, better])
    searches[name] = {"peak": peak, "steps": steps, "asked": [[float(c), a] for c, a in asked.items()]}


# Made-up accuracies: a peak inside, ends, and a plateau.
search("inside", lambda c: float(1 / (1 + (np.log10(c) + 1.3) ** 2)))
search("low end", lambda c: float(-np.log10(c)))
search("high end", lambda c: float(np.log10(c)))
search("plateau", lambda c: 0.5)
# Real fits, of noisier images.
ys, ysv = np.arange(120) % 4, np.arange(400) % 4
xs, xsv = draw(ys, 1.2), draw(ysv, 1.2)
tensors |= {"search.x": xs, "search.y": ys, "search.xv": xsv, "search.yv": ysv}


def logistic(c):
    fit = LogisticRegression(C=c, max_iter=100_000, tol=1e-9).fit(xs.astype(np.float64), ys)
    return float(fit.score(xsv.astype(np.float64), ysv))


search("fits", logistic)
for name, found in searches.items():
    print(name, found["peak"], found["steps"][-1], [a for _, a in found["asked"]][:7])
versions = {"sklearn": sklearn.__version__, "numpy": np.__version__}
(HERE / "baselines.json").write_text(json.dumps({"versions": versions, "searches": searches}, indent=1) + "\n")
save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, HERE / "baselines.safetensors", metadata=versions)
