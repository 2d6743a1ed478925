#!/usr/bin/env python3
"""Writes a folder of results with as many records as a large study has, for measuring `rut report`.

    python3 benchmarks/synthetic_study.py RESULTS OUT

RESULTS holds at least one finished run of `rut lp` and one of `rut vp`; their records, events, logits and prompts are the
templates. OUT gets 2 methods x 10 data sets x 10 networks x 5 numbers of shots x 5 seeds = 5,000 runs of 100 classes each.
Figures are drawn around plausible curves from a fixed seed: they are no measurements, and nothing is to be read from them.
"""

import argparse
import hashlib
import json
import pathlib
import random
import shutil

CLASSES, IMAGES = 100, 10_000
DATA_SETS = [f"images{i}" for i in range(10)]
SHOTS = [1, 4, 16, 64, "all"]
STATES = range(10)  # 0 is dense
SEEDS = range(5)


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def figures(summary, accuracy, ece, draw):
    """A summary with these figures, its other fields scaled to them."""
    summary.update(n=IMAGES, classes=CLASSES, accuracy=accuracy, top5=min(1.0, accuracy + 0.1), ece=ece)
    summary.update(mean_confidence=max(0.0, accuracy - ece), nll=2.5 * (1 - accuracy) + 0.1, brier=1 - accuracy)
    summary.update(debiased_ece_squared=ece * ece, rmsce=1.2 * ece, mce=2 * ece, adaptive_ece=ece, ks=ece)
    share = lambda: min(1.0, max(0.0, draw.gauss(accuracy, 0.1)))
    summary["per_class"] = [{"count": IMAGES // CLASSES, "accuracy": share()} for _ in range(CLASSES)]


def scores(scores, accuracy, ece, draw):
    figures(scores["raw"], accuracy, ece, draw)
    if scores.get("at_temperature"):
        figures(scores["at_temperature"], accuracy, ece / 3, draw)
    for name, value in [("accuracy", accuracy), ("ece", ece), ("nll", scores["raw"]["nll"]), ("brier", 1 - accuracy)]:
        half = 0.01 if name != "ece" else 0.006
        scores["intervals"][name] = {"estimate": value, "lo": value - half, "hi": value + half}


def record(template, method, data, state, shots, seed):
    draw = random.Random(f"{method} {data} {state} {shots} {seed}")
    new = json.loads(template)
    rank = SHOTS.index(shots)
    level = 0.25 + 0.12 * rank + 0.02 * DATA_SETS.index(data) - (0.08 if method == "vp" else 0)
    accuracy = min(0.98, max(0.02, draw.gauss(level - 0.004 * state**1.5, 0.012)))
    ece = abs(draw.gauss(0.12 - 0.015 * rank + 0.004 * state, 0.01))
    new["cost"].pop("checksum", None)  # of the template: no drawn record has one
    spec = new["spec"]
    spec.update(dataset=data, n_shot=shots, seed=seed, network="ticket" if state else "dense")
    spec.pop("sparsity", None)
    if state:
        spec["sparsity"] = state
    kind = f"ticket{state}" if state else "dense"
    new["run_id"] = f"{data}-{spec['model']}-{kind}-{method}-{shots}shot-seed{seed}-{digest(json.dumps(spec))[:10]}"
    used = CLASSES * (500 if shots == "all" else shots)
    new["data"].update(name=data, class_names=[f"{data} class {i}" for i in range(CLASSES)], test_images=IMAGES)
    new["data"].update(test_digest=digest(data), train_indices=list(range(used)), labels_used=used)
    density = 0.8**state
    new["network"].update(checkpoint=digest(f"checkpoint {state}"), mask=digest(f"mask {state}") if state else None)
    new["network"].update(density=density, density_without_stem_and_classifier=density, density_adapted=density)
    for part in ["test", "validation", "test_before_remap"]:
        if new.get(part):
            scores(new[part], accuracy, ece, draw)
    if new.get("mapping"):
        sources = draw.sample(range(1000), CLASSES)
        new["mapping"].update(sources=sources, sources_before_remap=sources)
        new["mapping"]["source_names"] = [f"source {i}" for i in sources]
    return new


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    args = parser.parse_args()
    templates = {}
    for path in sorted(args.results.glob("*/record.json")):
        text = path.read_text()
        templates.setdefault(json.loads(text)["spec"]["method"], (path.parent, text))
    count = 0
    for method, (folder, text) in sorted(templates.items()):
        for data in DATA_SETS:
            for state in STATES:
                for shots in SHOTS:
                    for seed in SEEDS:
                        new = record(text, method, data, state, shots, seed)
                        run = args.out / new["run_id"]
                        run.mkdir(parents=True)
                        for file in ["events.jsonl", "logits.safetensors", "prompt.safetensors"]:
                            if (folder / file).exists():
                                shutil.copy(folder / file, run / file)
                        (run / "record.json").write_text(json.dumps(new, indent=2))
                        count += 1
    print(f"{count} runs in {args.out}")


if __name__ == "__main__":
    main()
