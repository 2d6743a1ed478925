"""Reads what the command `rut` wrote: runs and events as pandas frames, logits as NumPy arrays."""

import json
from pathlib import Path

__all__ = ["events", "load", "logits"]


def load(results):
    """The finished runs in the folder `results`.

    Returns a pandas frame with a row for each run, by its folder's name, and a column for each value of `record.json`;
    nested names are joined by points (`test.raw.accuracy`, `spec.n_shot`). Raises `FileNotFoundError` if the folder is
    not there, `ValueError` if a record is no JSON.
    """
    import pandas

    results = Path(results)
    if not results.is_dir():
        raise FileNotFoundError(f"{results}: no such folder; expected the results of rut")
    rows = {}
    for path in sorted(results.glob("*/record.json")):
        try:
            rows[path.parent.name] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path}: expected a record of rut, found {error}") from error
    frame = pandas.json_normalize(list(rows.values()))
    frame.index = pandas.Index(list(rows), name="run", dtype=object)
    return frame


def events(run):
    """The events of a run's folder (`events.jsonl`) as a pandas frame, a row for each, in their order."""
    import pandas

    return pandas.read_json(_file(run, "events.jsonl"), lines=True)


def logits(run):
    """The logits and labels of a run's folder as NumPy arrays.

    Returns a dict: `test.logits` float32 [n, classes], `test.labels` [n], and the same for `validation` where there was one.
    """
    import safetensors.numpy

    return safetensors.numpy.load_file(_file(run, "logits.safetensors"))


def _file(run, name):
    path = Path(run) / name
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected the folder of a run of rut")
    return path
