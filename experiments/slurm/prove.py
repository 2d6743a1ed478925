#!/usr/bin/env python3
"""Proves `rut sweep emit --slurm` on a real Slurm of one node, as root, with Debian's packages `slurm-wlm` and `munge`.

    cargo build --workspace --bin rut
    python3 experiments/slurm/prove.py --rut target/debug/rut DIR

DIR must not exist and gets everything. A study of 48 runs is run twice: by `rut sweep run`, and as an array of 12 tasks. Of
the array, one task is killed, the node is lost and brought back under others, and some reach their time limit. The study is
then submitted again, as its user would. In the end every record must be there and equal to the local one in everything but
`cost`, and so must the reports. Ends all daemons and runs that it started; exits with 1 if anything is not as it must be.
"""

import argparse
import filecmp
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RUNS, RUNS_PER_TASK = 48, 4
TASKS = RUNS // RUNS_PER_TASK
# Tasks that prompt dense networks, and those that prompt tickets, which take longer.
SHORT, LONG = range(6, 9), range(9, 12)
# Slurm looks at limits twice a minute, and sends a signal up to a minute early.
TIME, SIGNAL_SECONDS = "00:01:00", 20

STUDY = """\
title = "Proof of the job array"

[base]
dataset = "digits"
model = "resnet20_cifar100"
batch_size = 10
save_every = 1

[axes]
method = ["lp", "vp"]
network = [{{ network = "dense", steps = {short} }}, {{ network = "ticket", sparsity = 8, steps = {long} }}]
n_shot = [1, 4, 16]
seed = [4, 5, 6, 7]
"""


def must(holds, what):
    if not holds:
        raise SystemExit(f"prove: {what}")


def say(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def wait(what, seconds, found):
    """What `found` gives once that is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := found():
            return result
        time.sleep(0.5)
    raise SystemExit(f"prove: {what}: not within {seconds} s")


class Proof:
    """The folders, the study and the Slurm of one proof."""

    def __init__(self, options):
        self.dir, self.rut = options.dir.resolve(), options.rut.resolve()
        self.patience = options.patience
        self.slurm = self.dir / "slurm"
        self.study = self.dir / "study.toml"
        self.results, self.local = self.dir / "results", self.dir / "local"
        self.jobs, self.report = self.dir / "jobs", self.dir / "report"
        self.env = os.environ | {"SLURM_CONF": str(self.slurm / "slurm.conf")}
        self.dir.mkdir(parents=True)
        self.study.write_text(STUDY.format(short=options.steps, long=4 * options.steps))

    def call(self, *words):
        done = subprocess.run([str(word) for word in words], cwd=ROOT, env=self.env, stdout=subprocess.PIPE, text=True)
        must(done.returncode == 0, f"{' '.join(map(str, words))} ended with {done.returncode}")
        return done.stdout

    def node(self, action):
        self.call(HERE / "single_node.sh", action, self.slurm)

    def sweep(self, word, results, *more):
        places = ["--results-path", results, "--cache-dir", self.dir / f"{results.name}-cache"]
        return self.call(self.rut, "sweep", word, self.study, *places, *more)

    def emit(self):
        words = ["--slurm", "--output", self.jobs, "--report", self.report, "--runs-per-task", RUNS_PER_TASK]
        self.sweep("emit", self.results, *words, "--time", TIME, "--signal-seconds", SIGNAL_SECONDS)
        must(f"--array=0-{TASKS - 1}\n" in (self.jobs / "runs.sbatch").read_text(), f"expected {TASKS} tasks")

    def submit(self):
        """The numbers of the jobs, by name."""
        out = self.call("bash", self.jobs / "submit.sh")
        jobs = dict(re.findall(r"(\w+): +(\d+)", out))
        must({"extract", "runs", "collect"} <= jobs.keys(), f"expected three jobs, found {out}")
        return jobs

    def states(self, job):
        """The states of a job's tasks, by number; an array that has not begun is one entry."""
        out = self.call("squeue", "--noheader", "--array", "--states=all", f"--jobs={job}", "--format=%K %T")
        return dict(line.split() for line in out.splitlines())

    def restarts(self, job, task):
        return int(re.search(r"Restarts=(\d+)", self.call("scontrol", "show", "job", f"{job}_{task}")).group(1))

    def log(self, job, task):
        return (self.jobs / "logs" / f"rut-runs-{job}_{task}.log").read_text()

    def planned(self, task):
        """The folders of a task's runs."""
        lines = (self.jobs / "plan.jsonl").read_text().splitlines()[1:]
        part = lines[int(task) * RUNS_PER_TASK:][:RUNS_PER_TASK]
        return [self.results / json.loads(line)["run_id"] for line in part]

    def prompting(self, job, tasks):
        """One of `tasks` that has saved a part of a run and has more to do, with its processes."""
        for task, state in self.states(job).items():
            if state != "RUNNING" or int(task) not in tasks:
                continue
            runs, pids = self.planned(task), processes(job, task)
            saved = any((run / "state.safetensors").exists() for run in runs)
            if saved and pids and not (runs[-2] / "record.json").exists():
                return task, pids
        return None

    def ended(self, job):
        live = {"PENDING", "RUNNING", "COMPLETING", "REQUEUED", "CONFIGURING", "SUSPENDED"}
        states = self.states(job)
        return states if states and not live & set(states.values()) else None

    def status(self):
        return json.loads(self.sweep("status", self.results, "--json"))["counts"]


def processes(job, task):
    """The processes of a task, the script first."""
    marks = {f"SLURM_ARRAY_JOB_ID={job}".encode(), f"SLURM_ARRAY_TASK_ID={task}".encode()}
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            # Slurm's own part of a task is the parent of the script.
            if marks <= set((entry / "environ").read_bytes().split(b"\0")) and is_of_a_task(entry):
                found.append(int(entry.name))
        except OSError:
            continue
    return sorted(found)


def is_of_a_task(entry):
    return "slurm" not in (entry / "comm").read_text() and "State:\tZ" not in (entry / "status").read_text()


def lives(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def kill_a_task(proof, job):
    task, pids = wait("a task that prompts", proof.patience, lambda: proof.prompting(job, SHORT))
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    say(f"killed task {task} (processes {pids})")
    state = wait("the killed task's end", 60, lambda: failed(proof.states(job).get(task)))
    say(f"Slurm says {state} and leaves it at that")
    return task


def failed(state):
    return state if state in ("FAILED", "CANCELLED", "NODE_FAIL", "OUT_OF_MEMORY") else None


def lose_the_node(proof, job):
    task, pids = wait("a long task that prompts", proof.patience, lambda: proof.prompting(job, LONG))
    proof.node("lose-node")
    say(f"lost the node with task {task} (processes {pids}) at work")
    wait("the lost task in the queue again", 150, lambda: proof.states(job).get(task) == "PENDING")
    alive = [pid for pid in pids if lives(pid)]
    say(f"Slurm has queued task {task} again; of its former self there are still {alive}")
    proof.node("restart-node")
    say("the node is back")
    return task


def check_the_array(proof, job, killed, lost):
    states = wait("the array's end", proof.patience, lambda: proof.ended(job))
    say(f"the array has ended: {states}")
    restarts = {task: proof.restarts(job, task) for task in states}
    say(f"queued again, times: { {task: times for task, times in restarts.items() if times} }")
    must(restarts[killed] == 0, f"Slurm was not expected to queue the killed task {killed} again")
    must(restarts[lost] > 0, f"Slurm was expected to queue the lost task {lost} again")
    logs = {task: proof.log(job, task) for task in states}
    limited = [task for task, log in logs.items() if "stopped; its state is saved" in log]
    say(f"saved by the signal before the time limit: tasks {limited}")
    must(limited, "no task reached its time limit; ask for more --steps")
    for task in limited:
        must(restarts[task] > 0, f"task {task} was saved and not queued again")
        must("going on after step" in logs[task], f"task {task} began again from the first step")
    met = [task for task, log in logs.items() if "going on in another process" in log]
    say(f"met their former selves at work: tasks {met}")
    wait("the first collection", 300, lambda: proof.ended(proof.first["collect"]))
    must((proof.report / "report.html").exists(), "the first collection left no report")


def submit_again(proof):
    """What is left is done by the same command."""
    counts = proof.status()
    say(f"after the first submission: {counts}")
    must(counts["done"] < RUNS, "the killed task left nothing undone")
    must(counts["failed"] == 0, "a run failed")
    jobs = proof.submit()
    say(f"submitted again: {jobs}")
    states = wait("the second array's end", proof.patience, lambda: proof.ended(jobs["runs"]))
    must(set(states.values()) == {"COMPLETED"}, f"the second array ended with {states}")
    collected = wait("the second collection", 300, lambda: proof.ended(jobs["collect"]))
    must(set(collected.values()) == {"COMPLETED"}, f"the second collection ended with {collected}")


def compare(proof):
    """Records, but for their cost, and reports without it."""
    counts = proof.status()
    must(counts["done"] == RUNS, f"expected {RUNS} runs done, found {counts}")
    for run in [run for task in range(TASKS) for run in proof.planned(task)]:
        pair = [json.loads((results / run.name / "record.json").read_text()) for results in (proof.results, proof.local)]
        for record in pair:
            del record["cost"]
        must(pair[0] == pair[1], f"the records of {run.name} differ")
    say(f"{RUNS} records are equal but for their cost")
    reports = [proof.dir / f"report-of-{results.name}" for results in (proof.results, proof.local)]
    for results, report in zip((proof.results, proof.local), reports):
        proof.call(proof.rut, "report", results, "--omit-cost", "--out", report)
    count = same_files(*reports)
    say(f"{count} files of the two reports without cost are equal byte for byte")


def same_files(one, other):
    names = [sorted(str(path.relative_to(report)) for path in report.rglob("*") if path.is_file()) for report in (one, other)]
    must(names[0] == names[1], "the reports have different files")
    _, different, missing = filecmp.cmpfiles(one, other, names[0], shallow=False)
    must(not different and not missing, f"the reports differ in {different + missing}")
    return len(names[0])


def prove(proof):
    say("the study on this machine")
    proof.sweep("run", proof.local)
    proof.emit()
    proof.first = proof.submit()
    job = proof.first["runs"]
    say(f"submitted: {proof.first}")
    killed = kill_a_task(proof, job)
    lost = lose_the_node(proof, job)
    check_the_array(proof, job, killed, lost)
    submit_again(proof)
    compare(proof)
    say("proved")


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dir", type=Path, metavar="DIR", help="a folder of a short path that does not exist yet")
    parser.add_argument("--rut", type=Path, default=ROOT / "target/debug/rut", help="the program [default: %(default)s]")
    parser.add_argument("--steps", type=int, default=300, help="of a dense prompt; a ticket's has four times as many [default: %(default)s]")
    parser.add_argument("--patience", type=int, default=1800, help="seconds to wait for an array [default: %(default)s]")
    return parser.parse_args()


def main():
    # Whatever ends this program, the daemons are ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("prove: terminated"))
    proof = Proof(options())
    proof.node("start")
    try:
        prove(proof)
    finally:
        # A node that is away cannot be told to end its tasks.
        subprocess.run([HERE / "single_node.sh", "restart-node", proof.slurm], stderr=subprocess.DEVNULL)
        proof.node("stop")


if __name__ == "__main__":
    sys.exit(main())
