"""Opens the index of a report with pandas: a row per run, numbers as numbers, and the figures of the records.

    python pandas_index.py REPORT RESULTS
"""

import json
import sys
from pathlib import Path

import pandas
from pandas.api.types import is_numeric_dtype

report, results = (Path(word) for word in sys.argv[1:])
records = [json.loads(path.read_text()) for path in results.glob("*/record.json")]
folders = {path.name for path in results.iterdir() if path.is_dir()}
assert len(records) >= 2 and len(folders) > len(records)

NUMBERS = ["seed", "epochs", "batch_size", "shots", "sparsity", "lr", "density", "test_images", "labels_used", "accuracy", "ece"]
NUMBERS += ["ece_lo", "ece_hi", "temperature", "nll_at_temperature", "validation_accuracy", "total_seconds", "peak_memory_bytes"]
WORDS = ["dataset", "method", "network", "model", "folder", "isa"]
# pandas' own reading of decimals may miss the last bit.
CLOSE = 1e-12


def summaries(record):
    test = record["test"]
    return {"": test["raw"], "_at_temperature": test["at_temperature"]}


def same(row, column, value):
    got = row[column]
    if value is None:
        equal = pandas.isna(got)
    elif isinstance(value, str):
        equal = got == value
    else:
        equal = abs(got - value) <= CLOSE * abs(value)
    assert equal, f"{row['run_id']}: {column}: {got}, expected {value}"


def check(index):
    assert index["run_id"].is_unique and set(index["run_id"]) == folders
    assert index.columns.is_unique
    done = index[index["status"] == "done"]
    rest = index[index["status"] != "done"]
    for column in NUMBERS:
        assert is_numeric_dtype(index[column]), f"{column}: {index[column].dtype}"
    for column in WORDS:
        assert done[column].map(type).eq(str).all(), column
    assert len(done) == len(records) and done["error"].isna().all()
    # A run without a record has no figures, and says why.
    assert rest["accuracy"].isna().all() and rest["error"].notna().all()
    rows = {row["run_id"]: row for _, row in done.iterrows()}
    for record in records:
        row, spec = rows[record["run_id"]], record["spec"]
        for field in ["dataset", "method", "network", "seed", "lr", "batch_size", "sparsity"]:
            same(row, field, spec.get(field))
        same(row, "shots", spec["n_shot"])
        same(row, "density", record["network"]["density"])
        same(row, "total_seconds", record["cost"]["total_seconds"])
        for suffix, summary in summaries(record).items():
            for figure in ["accuracy", "ece", "nll", "brier"]:
                same(row, figure + suffix, summary and summary[figure])
        same(row, "ece_lo", record["test"]["intervals"]["ece"]["lo"])


check(pandas.read_csv(report / "runs.csv"))
check(pandas.read_json(report / "runs.jsonl", lines=True))
