"""Opens a run's files with pandas, as the manual shows.

    python pandas_events.py RUN
"""

import json
import sys
from pathlib import Path

import pandas

run = Path(sys.argv[1])
record = json.loads((run / "record.json").read_text())
curve = pandas.read_json(run / "events.jsonl", lines=True)

steps = curve[curve["event"] == "step"]
assert len(steps) == record["training"]["steps"]
assert list(steps["step"]) == list(range(1, len(steps) + 1))
assert steps["loss"].between(0, 20).all()

epochs = curve[curve["event"] == "epoch"]
assert list(epochs["epoch"]) == list(range(record["spec"]["epochs"]))
assert abs(epochs["loss"].iloc[-1] - record["training"]["final_loss"]) < 1e-9
assert epochs["accuracy"].between(0, 1).all()
