"""Replays a run into the stand-in for wandb and compares what that was told with the run's files.

    python wandb_replay.py REPLAY RUN
"""

import json
import runpy
import sys
from pathlib import Path

import wandb

replay, run = sys.argv[1], Path(sys.argv[2])
record = json.loads((run / "record.json").read_text())
events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]

sys.argv = [replay, "--project", "shared", str(run)]
runpy.run_path(replay, run_name="__main__")

[told] = wandb.RUNS
assert told.options["project"] == "shared"
assert told.options["id"] == record["run_id"]
assert told.options["config"] == record["spec"]
assert told.finished

# Weights & Biases drops what comes with a smaller step than before.
steps = [step for step, _ in told.logged]
assert steps == sorted(steps), steps
logged = {}
for step, figures in told.logged:
    for name, value in figures.items():
        logged.setdefault(name, []).append((step, value))
assert logged["train/loss"] == [(e["step"], e["loss"]) for e in events if e["event"] == "step"]
for name in ["loss", "accuracy"]:
    epochs = [e[name] for e in events if e["event"] == "epoch"]
    tag = {"loss": "train/epoch_loss"}.get(name, f"train/{name}")
    assert [value for _, value in logged[tag]] == epochs, tag
for event in events:
    for member in event.get("members", []):
        assert any(f"member_{member['member']}" in name for name in logged)
if record["spec"]["method"] == "vp":
    ties = [e["ties"] for e in events if e["event"] == "mapped"]
    assert [value for _, value in logged["map/ties"]] == ties

assert told.summary["test/raw/accuracy"] == record["test"]["raw"]["accuracy"]
assert told.summary["test/raw/ece"] == record["test"]["raw"]["ece"]
assert told.summary["test/at_temperature/nll"] == record["test"]["at_temperature"]["nll"]
assert told.summary["network/density"] == record["network"]["density"]
