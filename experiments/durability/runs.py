"""Small runs of `rut` for `kills.py` and `flips.py`: how they are called, and when two of them are equal."""

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SMALL = ["--classes", "0-2", "--n-shot", "4", "--batch-size", "5", "--save-every", "0"]
LENGTH = {"lp": ["--epochs", "100"], "vp": ["--epochs", "12"]}
STUDY = """\
[base]
dataset = "digits"
model = "resnet20_cifar100"
sparsity = 8
classes = ["0-2"]
batch_size = 5
n_shot = 4
save_every = 0
[axes]
run = [{ method = "lp", epochs = 60 }, { method = "vp", epochs = 5 }]
seed = [1, 2, 3]
"""


class Runs:
    """The program, and a folder for what it writes."""

    def __init__(self, rut, folder):
        self.rut = str(Path(rut).resolve())
        self.folder = Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)

    def command(self, kind, results, more=()):
        """A run of `kind` (`lp`, `vp` or `sweep`) with its results in `results`."""
        if kind == "sweep":
            study = self.folder / "study.toml"
            study.write_text(STUDY)
            words = ["sweep", "run", study, "--results-path", results, "--jobs", "2", "--threads", "2"]
        else:
            words = [kind, *SMALL, *LENGTH[kind], "--threads", "1", "--results-path", results, *more]
        return [self.rut, *map(str, words)]

    def start(self, words):
        cache = {"XDG_CACHE_HOME": str(self.folder / "cache")}
        return subprocess.Popen(
            words,
            cwd=ROOT,
            env=cache,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ends(self, words, codes=(0,)):
        """What a command said, which must end with one of `codes`."""
        process = self.start(words)
        text, _ = process.communicate()
        if process.returncode not in codes:
            raise SystemExit(f"{' '.join(words)}\nended with {process.returncode}:\n{text}")
        return text


def record(run):
    """The record in the folder `run` without what two runs may differ in."""
    found = json.loads((run / "record.json").read_text())
    del found["cost"]
    return found


def difference(one, other):
    """The first thing in which two folders of results differ, or `None`."""
    folders = [sorted(p.name for p in results.iterdir() if p.is_dir()) for results in (one, other)]
    if folders[0] != folders[1]:
        return f"runs: {folders[0]} and {folders[1]}"
    for name in folders[0]:
        if record(one / name) != record(other / name):
            return f"the record of {name}"
        for file in ["events.jsonl", "logits.safetensors", "head.safetensors", "prompt.safetensors"]:
            a, b = one / name / file, other / name / file
            if a.exists() != b.exists() or a.exists() and a.read_bytes() != b.read_bytes():
                return f"{file} of {name}"
    return None


def children(pid):
    """Processes that `pid` started and that are there."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


def is_there(pid):
    """Whether a process runs."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
