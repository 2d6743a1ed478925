"""Bootstrap intervals of a fitted temperature and of its gain, by NumPy and SciPy, for `bootstrap_temperature`.

Run in this folder, with numpy, scipy and safetensors: `python make_temperature.py`. The sets are the
first rows of those in `metrics.safetensors`, and eleven rows that are right with one that is wrong, where many draws end at
the lower bound. A draw's temperature is the root of
the derivative of its NLL in ln T, found by Brent's method (`brentq`) on the samples themselves; the gain is NLL(1) - NLL(T),
both over all samples. Draws are of ChaCha8 (RFC 8439 with 8 rounds, 64-bit counter, nonce 1, key of the seed) written out
below, by Lemire's rule.
"""

import json
from pathlib import Path

import numpy as np
import scipy
from safetensors.numpy import load_file
from scipy.optimize import brentq

HERE = Path(__file__).parent
LO, HI, RESAMPLES = 0.01, 100.0, 2000


def chacha8(seed, nonce, blocks):
    """32-bit words of the first `blocks` blocks, in order."""
    key = [seed & 0xFFFFFFFF, seed >> 32, 0, 0, 0, 0, 0, 0]
    start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *key, 0, 0, nonce & 0xFFFFFFFF, nonce >> 32]
    state = np.array(start, np.uint32)[:, None].repeat(blocks, 1)
    state[12] = np.arange(blocks, dtype=np.uint32)
    x = state.copy()

    def quarter(a, b, c, d):
        for i, j, k, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[i] += x[j]
            x[k] ^= x[i]
            x[k] = (x[k] << np.uint32(turn)) | (x[k] >> np.uint32(32 - turn))

    for _ in range(4):
        for q in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)):
            quarter(*q)
        for q in ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(*q)
    return (x + state).T.ravel()


def draws(n, count):
    """`count` indices below `n`."""
    words = chacha8(0, 1, count // 8 + 64).astype(object)
    excess, found = 2**64 % n, []
    for low, high in zip(words[::2], words[1::2]):
        product = (int(low) | int(high) << 32) * n
        if product % 2**64 >= excess:
            found.append(product >> 64)
    return np.array(found[:count], np.int64)


def nll(z, y, log_t):
    s = z / np.exp(log_t)
    s = s - s.max(1, keepdims=True)
    return np.log(np.exp(s).sum(1)) - s[np.arange(len(y)), y]


def slope(z, y, log_t):
    """d NLL / d ln T of every sample."""
    s = z / np.exp(log_t)
    s = s - s.max(1, keepdims=True)
    p = np.exp(s) / np.exp(s).sum(1, keepdims=True)
    return s[np.arange(len(y)), y] - (p * s).sum(1)


def fitted(z, y):
    ends = [slope(z, y, np.log(t)).sum() for t in (LO, HI)]
    if ends[0] >= 0 and ends[1] <= 0:
        return 1.0
    if ends[0] >= 0:
        return LO
    if ends[1] <= 0:
        return HI
    return float(np.exp(brentq(lambda log_t: slope(z, y, log_t).sum(), np.log(LO), np.log(HI), xtol=1e-14)))


def case(z, y):
    z = z.astype(np.float64)
    n = len(y)
    index = draws(n, RESAMPLES * n).reshape(RESAMPLES, n)
    at_one = nll(z, y, 0.0).mean()
    gain = lambda t: float(at_one - nll(z, y, np.log(t)).mean())
    t = np.array([fitted(z[i], y[i]) for i in index])
    gains = np.array([gain(value) for value in t])
    own = fitted(z, y)
    ends = lambda values: [float(end) for end in np.quantile(values, [0.025, 0.975])]
    return {"n": n, "temperature": [own, *ends(t)], "gain": [gain(own), *ends(gains)], "at_bounds": int(((t == LO) | (t == HI)).sum())}


data = load_file(HERE / "metrics.safetensors")
names = sorted({name.rsplit(".", 1)[0] for name in data})
sets = {}
for name in names:
    z, y = data[f"{name}.logits"], data[f"{name}.labels"].astype(np.int64)
    for rows in (7, 12, 60, 400):
        if rows <= len(y):
            sets[f"{name}.{rows}"] = (z[:rows], y[:rows])
z, y = data["near_calibrated.logits"], data["near_calibrated.labels"].astype(np.int64)
right = z.argmax(1) == y
chosen = np.concatenate([np.flatnonzero(right)[:11], np.flatnonzero(~right)[:1]])
sets["one_wrong.12"] = (z[chosen], y[chosen])
cases = {name: case(*pair) for name, pair in sets.items()}
versions = {"numpy": np.__version__, "scipy": scipy.__version__, "resamples": RESAMPLES, "bounds": [LO, HI]}
text = ",\n".join(f'    "{name}": {json.dumps(found)}' for name, found in cases.items())
(HERE / "temperature.json").write_text(f'{{\n  "made_with": {json.dumps(versions)},\n  "cases": {{\n{text}\n  }}\n}}\n')
for name, found in cases.items():
    print(name, found)
