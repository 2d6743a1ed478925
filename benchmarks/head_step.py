"""An epoch of training a linear head on cached features: rut's softmax regression and PyTorch, in alternation.

    cargo build --release -p rut-adapt --example head_epochs
    python benchmarks/head_step.py [--binary target/release/examples/head_epochs] [--rounds 9] [--json FILE]

Both gather shuffled batches by index from features in memory and take a step of Adam (learning rate 0.01) on the mean
cross-entropy; PyTorch with torch.nn.Linear and autograd. Medians of the rounds, and of the ratios within a round, with the
quartiles. Threads are set for both (--threads, 2).
"""

import argparse
import json
import os
import statistics
import subprocess
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--binary", default="target/release/examples/head_epochs")
parser.add_argument("--rows", type=int, default=50_000)
parser.add_argument("--width", type=int, default=2_048)
parser.add_argument("--classes", type=int, default=10)
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--heads", type=int, default=1, help="heads of rut's grid; PyTorch trains one after the other")
parser.add_argument("--kept", choices=["f32", "f16"], default="f32", help="precision that rut keeps features in")
parser.add_argument("--rounds", type=int, default=9)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--json")
args = parser.parse_args()

os.environ["OMP_NUM_THREADS"] = str(args.threads)
import torch  # noqa: E402  (after the threads are set)

torch.set_num_threads(args.threads)
torch.manual_seed(4)

words = [args.binary, args.rows, args.width, args.classes, args.batch, args.kept, args.heads]
rut = subprocess.Popen(
    [str(word) for word in words],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    text=True,
    env={**os.environ, "RAYON_NUM_THREADS": str(args.threads)},
)
assert rut.stdout.readline() == "ready\n"

features = torch.rand(args.rows, args.width)
labels = torch.arange(args.rows) % args.classes
heads = [torch.nn.Linear(args.width, args.classes) for _ in range(args.heads)]
optimizers = [torch.optim.Adam(head.parameters(), lr=0.01 / (1 + i)) for i, head in enumerate(heads)]


def pytorch_epoch():
    start = time.perf_counter()
    for head, optimizer in zip(heads, optimizers):
        for indices in torch.randperm(args.rows).split(args.batch):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(head(features[indices]), labels[indices])
            loss.backward()
            optimizer.step()
            loss.item()
    return time.perf_counter() - start


def rut_epoch():
    rut.stdin.write("\n")
    rut.stdin.flush()
    return float(rut.stdout.readline().split()[0])


pytorch_epoch(), rut_epoch()
times = [(pytorch_epoch(), rut_epoch()) for _ in range(args.rounds)]
rut.stdin.close()
rut.wait()


def spread(values):
    low, middle, high = statistics.quantiles(values, n=4)
    return {"median": middle, "quartiles": [low, high], "least": min(values)}


result = {
    "rows": args.rows,
    "width": args.width,
    "classes": args.classes,
    "batch": args.batch,
    "heads": args.heads,
    "kept": args.kept,
    "threads": args.threads,
    "rounds": args.rounds,
    "torch": torch.__version__,
    "pytorch_seconds": spread([a for a, _ in times]),
    "rut_seconds": spread([b for _, b in times]),
    "ratio": spread([a / b for a, b in times]),
}
for name in ("pytorch_seconds", "rut_seconds", "ratio"):
    value = result[name]
    low, high = value["quartiles"]
    print(f"{name:16} {value['median']:.3f}  ({low:.3f} to {high:.3f}; least {value['least']:.3f})")
if args.json:
    with open(args.json, "w") as file:
        json.dump(result, file, indent=1)
