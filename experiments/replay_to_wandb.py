"""Replays finished runs into Weights & Biases. Optional: rut itself talks to no service.

    pip install wandb
    python experiments/replay_to_wandb.py --project NAME results/RUN…

A run keeps its id, so that replaying it twice makes one run. Steps and names are those of TensorBoard's event file.
"""

import argparse
import json
from pathlib import Path

import wandb

FIGURES = {
    "step": {"loss": "train/loss"},
    "epoch": {"loss": "train/epoch_loss", "accuracy": "train/accuracy", "learning_rate": "train/learning_rate"},
    "mapped": {"churn": "map/churn", "ties": "map/ties", "without_evidence": "map/without_evidence"},
    "scored": {name: f"{{split}}/{name}" for name in ("accuracy", "nll", "ece")},
}


def figures(event):
    """Names and numbers of an event, and of the members of a grid."""
    for field, name in FIGURES.get(event["event"], {}).items():
        name = name.format(split=event.get("split"))
        value = event[field]
        if value is not None:
            yield name, len(value) if isinstance(value, list) else value
        for member in event.get("members", []):
            if field in member:
                yield f"{name}/member_{member['member']}", member[field]


def reached(event, step):
    """Steps taken at an event that comes after `step` steps; an iteration of L-BFGS is an epoch without steps."""
    if event["event"] == "step":
        return event["step"]
    return max(step, event["epoch"] + 1) if event["event"] == "epoch" else step


def replay(folder, project):
    record = json.loads((folder / "record.json").read_text())
    run = wandb.init(project=project, id=record["run_id"], name=folder.name, config=record["spec"], resume="allow")
    step, row = 0, {}
    for line in (folder / "events.jsonl").read_text().splitlines():
        event = json.loads(line)
        before, step = step, reached(event, step)
        if step != before and row:
            run.log(row, step=before)
            row = {}
        row |= figures(event)
    run.log(row, step=step)
    for which, scores in record["test"].items():
        for name in ("accuracy", "ece", "nll", "brier"):
            if which != "intervals" and scores:
                run.summary[f"test/{which}/{name}"] = scores[name]
    run.summary["network/density"] = record["network"]["density"]
    run.finish()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", default="rut")
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    arguments = parser.parse_args()
    for folder in arguments.runs:
        replay(folder, arguments.project)
