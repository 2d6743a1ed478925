#!/usr/bin/env python3
"""Flips bits in files of runs and of the feature cache, one at a time, and asks whether anybody notices.

    cargo build --workspace --bin rut
    python3 experiments/durability/flips.py --rut target/debug/rut --flips 200 DIR

DIR gets everything. In every file so many bits are drawn. A finished run must be refused by `rut eval`, a half-done one by
`--resume`, both with the file's name; a file of the cache may cost an extraction, but the run's results must be the same to the
bit. Exits with 1 if a flip passed.
"""

import argparse
import random
import shutil
import signal
import sys
import time

from runs import Runs, difference


def flipped(path, flips, draw):
    """Yields for every drawn bit, flipped, and puts the file back."""
    whole = path.read_bytes()
    for bit in [draw.randrange(8 * len(whole)) for _ in range(flips)]:
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        yield bit
    path.write_bytes(whole)


def refused(runs, words, run, flips, draw):
    """Flips bits of every file of the folder `run` that the program checks; gives those that `words` did not refuse."""
    passed = []
    for path in sorted(run.iterdir()):
        if path.name == ".lock" or path.name.startswith("events.out"):
            continue
        before = len(passed)
        for bit in flipped(path, flips, draw):
            text = runs.ends(words, range(256))
            named = path.name in text or path.name == "spec.toml" and "resume" in text
            if "error: failed to" not in text or not named:
                passed.append(f"bit {bit} of {path}: {text[-300:]}")
        print(f"{path.relative_to(runs.folder)}: {flips} flips, {len(passed) - before} passed", flush=True)
    return passed


def finished(runs, kind, flips, draw):
    results = runs.folder / f"{kind}-finished"
    runs.ends(runs.command(kind, results))
    run = next(results.iterdir())
    return refused(runs, [runs.rut, "eval", str(run)], run, flips, draw)


def half_done(runs, kind, flips, draw):
    results = runs.folder / f"{kind}-half-done"
    process = runs.start(runs.command(kind, results))
    while not any(path.stat().st_size > 1000 for path in results.glob("*/events.jsonl")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate()
    if process.returncode != 130:
        raise SystemExit(f"{kind} was to be stopped, and ended with {process.returncode}")
    words = runs.command(kind, results, ["--resume"])
    return refused(runs, words, next(results.iterdir()), flips, draw)


def cached(runs, flips, draw):
    alone, again = runs.folder / "lp-finished", runs.folder / "lp-again"
    passed = []
    for path in sorted(path for path in (runs.folder / "cache").rglob("*") if path.is_file()):
        before = len(passed)
        for bit in flipped(path, flips, draw):
            shutil.rmtree(again, ignore_errors=True)
            text = runs.ends(runs.command("lp", again))
            told = path.suffix != ".safetensors" or "extracting again" in text
            if (what := difference(alone, again)) or not told:
                passed.append(f"bit {bit} of {path}: {what or 'not told'}")
        print(f"{path.relative_to(runs.folder)}: {flips} flips, {len(passed) - before} passed", flush=True)
    return passed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rut", default="target/debug/rut")
    parser.add_argument("--flips", type=int, default=200, help="of each file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("folder", metavar="DIR")
    options = parser.parse_args()
    runs, draw = Runs(options.rut, options.folder), random.Random(options.seed)
    passed = []
    for kind in ["lp", "vp"]:
        passed += finished(runs, kind, options.flips, draw)
        passed += half_done(runs, kind, options.flips, draw)
    # Each costs a run.
    passed += cached(runs, max(1, options.flips // 10), draw)
    print("\n".join(passed) or "no flip passed")
    sys.exit(1 if passed else 0)


if __name__ == "__main__":
    main()
