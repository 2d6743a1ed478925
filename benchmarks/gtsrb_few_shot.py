"""Few-shot runs of the bundled CIFAR-100 network on ten real traffic signs, dense and as a ticket, as a table.

    python3 benchmarks/gtsrb_few_shot.py --rut target/release/rut --data-dir FOLDER [--json FILE]

FOLDER holds GTSRB in torchvision's layout (`gtsrb/GTSRB/…`), all of it or its first ten classes.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile

SHOTS = [1, 4, 16]
SEEDS = [4, 5, 6]
NETWORKS = {"dense": ["dense", "0"], "state 8": ["ticket", "8"]}


def run(args, method, network, shots, seed, results):
    kind, state = NETWORKS[network]
    words = f"{method} --dataset gtsrb --classes 0-9 --model resnet20_cifar100 --network {kind} --batch-size 32".split()
    words += ["--n-shot", str(shots), "--seed", str(seed), "--epochs", "100" if method == "lp" else "40"]
    words += ["--data-dir", str(args.data_dir), "--results-path", results, "--json"]
    words += ["--sparsity", state] if kind == "ticket" else []
    out = subprocess.run([args.rut, *words], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rut", default="target/release/rut")
    parser.add_argument("--data-dir", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as results:
        for method in ("lp", "vp"):
            for network in NETWORKS:
                for shots in SHOTS:
                    records = [run(args, method, network, shots, seed, results) for seed in SEEDS]
                    raw = [record["test"]["raw"] for record in records]
                    fitted = [record["test"]["at_temperature"] or {} for record in records]
                    rows.append({
                        "method": method,
                        "network": network,
                        "shots": shots,
                        "n": records[0]["data"]["test_images"],
                        "accuracy": [one["accuracy"] for one in raw],
                        "ece": [one["ece"] for one in raw],
                        "ece_at_temperature": [one.get("ece") for one in fitted],
                        "seconds": [record["cost"]["total_seconds"] for record in records],
                        "ids": [record["run_id"] for record in records],
                    })
                    mean = {key: statistics.mean(rows[-1][key]) for key in ("accuracy", "ece", "seconds")}
                    print(f"{method} {network} {shots:2} shots: accuracy {mean['accuracy']:.1%}"
                          f" ({min(rows[-1]['accuracy']):.1%} to {max(rows[-1]['accuracy']):.1%}),"
                          f" ECE {mean['ece']:.3f}, {mean['seconds']:.1f} s")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
