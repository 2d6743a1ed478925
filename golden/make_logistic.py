"""Multinomial logistic regression by scikit-learn, for the optimum that L-BFGS must find.

Run in this folder, with scikit-learn, numpy and safetensors: `python make_logistic.py`. The features are those of
`lp_trajectory.safetensors`. Objective: mean cross-entropy + weight_decay / 2 * |W|^2, biases not decayed, which is
scikit-learn's with C = 1 / (n * weight_decay).
"""

from pathlib import Path

import numpy as np
import sklearn
from safetensors.numpy import load_file, save_file
from sklearn.linear_model import LogisticRegression

HERE = Path(__file__).parent
data = load_file(HERE / "lp_trajectory.safetensors")
x, y = data["features"].astype(np.float64), data["labels"]
tensors = {}
for decay in ("0.1", "0.01", "0.001"):
    fit = LogisticRegression(C=1 / (len(x) * float(decay)), solver="newton-cholesky", tol=1e-12, max_iter=1_000).fit(x, y)
    z = x @ fit.coef_.T + fit.intercept_
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    r = (p - np.eye(p.shape[1])[y]) / len(x)
    gradient = np.concatenate([(r.T @ x + float(decay) * fit.coef_).ravel(), r.sum(0)])
    # A constant added to all biases changes nothing: they are given with mean 0.
    bias = fit.intercept_ - fit.intercept_.mean()
    loss = -np.log(p[np.arange(len(y)), y]).mean()
    tensors[f"{decay}.weight"], tensors[f"{decay}.bias"] = np.ascontiguousarray(fit.coef_), bias
    tensors[f"{decay}.loss"] = np.array([loss])
    print(decay, "loss", loss, "gradient", np.linalg.norm(gradient), "iterations", fit.n_iter_)
save_file(tensors, HERE / "logistic.safetensors", metadata={"sklearn": sklearn.__version__, "numpy": np.__version__})
