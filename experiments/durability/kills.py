#!/usr/bin/env python3
"""Ends runs at random moments, goes on with them, and compares what comes out with runs that were left alone.

    cargo build --workspace --bin rut
    python3 experiments/durability/kills.py --rut target/debug/rut --kills 100 DIR

DIR gets everything. A linear probe, a visual prompt and a sweep are each ended so many times: seven times of ten by SIGKILL,
else by SIGTERM, SIGINT or SIGHUP. Records (but for `cost`), events, logits and what was trained must be the same to the bit.
What a killed sweep started must be gone within a second. Exits with 1 if anything is not as it must be.
"""

import argparse
import random
import shutil
import signal
import sys
import time

from runs import Runs, children, difference, is_there

SIGNALS = [signal.SIGKILL] * 7 + [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]


def gone_after(pids):
    """Seconds until none of `pids` runs."""
    started = time.monotonic()
    while any(is_there(pid) for pid in pids):
        if time.monotonic() - started > 60:
            raise SystemExit(f"what a killed sweep started is still there after a minute: {pids}")
        time.sleep(0.01)
    return time.monotonic() - started


def campaign(runs, kind, kills, draw):
    """Ends `kind` so many times; gives what went wrong."""
    alone, killed = runs.folder / f"{kind}-alone", runs.folder / f"{kind}-killed"
    for folder in (alone, killed):
        shutil.rmtree(folder, ignore_errors=True)
    resume = [] if kind == "sweep" else ["--resume"]
    runs.ends(runs.command(kind, alone))
    started = time.monotonic()
    runs.ends(runs.command(kind, killed))
    whole = time.monotonic() - started
    if what := difference(alone, killed):
        raise SystemExit(f"{kind}: two runs that were left alone differ in {what}")
    shutil.rmtree(killed)
    done, ended, late, wrong, sent = 0, 0, 0.0, [], {}
    while done < kills:
        fresh, started = not killed.exists(), time.monotonic()
        process = runs.start(runs.command(kind, killed, resume))
        life = draw.uniform(0.01, 0.6 * whole)
        while process.poll() is None and time.monotonic() - started < life:
            time.sleep(0.005)
        own = children(process.pid) if kind == "sweep" else []
        if process.poll() is None:
            how = draw.choice(SIGNALS)
            process.send_signal(how)
            # Its pipe is read to the end only after what it started is gone.
            process.wait()
            late = max(late, gone_after(own)) if how == signal.SIGKILL else late
            process.stdout.close()
            sent[how.name] = sent.get(how.name, 0) + 1
            done += 1
            continue
        text, _ = process.communicate()
        ended += 1
        if fresh:
            # The machine is less busy than it was.
            whole = min(whole, time.monotonic() - started)
        if process.returncode != 0:
            wrong.append(f"after {done} kills it ended with {process.returncode}: {text}")
        elif what := difference(alone, killed):
            wrong.append(f"after {done} kills it differs in {what}")
        shutil.rmtree(killed)
    runs.ends(runs.command(kind, killed, resume))
    ended += 1
    if what := difference(alone, killed):
        wrong.append(f"after {done} kills it differs in {what}")
    told = ", ".join(f"{count} {name}" for name, count in sorted(sent.items()))
    print(f"{kind}: {done} kills ({told}) over {ended} whole runs of {whole:.1f} s; {len(wrong)} wrong", flush=True)
    if kind == "sweep":
        print(f"sweep: what it started was gone after at most {late:.2f} s", flush=True)
        if late > 1:
            wrong.append(f"what it started was there for {late:.2f} s")
    return [f"{kind}: {text}" for text in wrong]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rut", default="target/debug/rut")
    parser.add_argument("--kills", type=int, default=100, help="of each kind")
    parser.add_argument("--kinds", nargs="+", default=["lp", "vp", "sweep"], choices=["lp", "vp", "sweep"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("folder", metavar="DIR")
    options = parser.parse_args()
    runs, draw = Runs(options.rut, options.folder), random.Random(options.seed)
    wrong = [text for kind in options.kinds for text in campaign(runs, kind, options.kills, draw)]
    print("\n".join(wrong) or "no difference")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
