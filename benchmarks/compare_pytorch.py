#!/usr/bin/env python3
"""PyTorch beside `rut bench`, on the CPU, on the same shapes, in alternation.

    cargo build --release -p rut-cli
    python3 benchmarks/compare_pytorch.py                      # everything
    python3 benchmarks/compare_pytorch.py --quick              # small batches, one round: does it run?
    python3 benchmarks/compare_pytorch.py --json FILE --only dense-forward,head
    python3 benchmarks/compare_pytorch.py --precision bf16     # both sides in bfloat16

Needs Python 3.9 or newer with torch and torchvision (`pip install torch torchvision`); no weights and no data are
read. Nothing else may run beside it: PyTorch's threads wait for one another, and lose more than their share on a busy
machine. Even an idle one is noisy, so each case is measured in several rounds, rut and each form of PyTorch in turn, and what is
printed is the median over rounds of the ratio of times within a round (PyTorch's by rut's: above 1, rut is faster),
with the smallest and the largest. Where a target is set, both of its figures stand beside: what must be, and the goal.

PyTorch runs in two eager forms, f32, in evaluation mode, weights without gradients:

    plain   as the reference script runs it: NCHW, batch norm apart
    best    batch norm folded (torch.nn.utils.fusion.fuse_conv_bn_eval), channels_last

and with `--compile` in a third one for forward passes: `torch.compile` with freezing, where that works. With `--precision
bf16` both are like `best`, f32 images in and f32 logits out as on rut's side; what is compared with is the faster of them:

    autocast  f32 weights under torch.autocast("cpu", dtype=torch.bfloat16)
    pure      weights and images rounded to bfloat16

and `--compile` compiles the second one. There are no targets then, and no case `head`, which both train in f32.

The cases (`--only` takes their names):

    dense-forward, dense-backward            images to logits; the same and the gradient of the images
    state8-forward, state8-backward          0.8^8 = 16.8 % of the weights between stem and classifier kept by one
                                             magnitude threshold; PyTorch runs them dense, zeros and all. With drawn
                                             weights this keeps 29 % of ResNet-50's multiplications, for early layers
                                             keep more; --mask-kind random keeps 16.8 % of every layer
    dense-vp32, dense-vp128, state8-vp32, state8-vp128
                                             a step of visual prompting on images of 32 or 128 pixels: PyTorch
                                             pads them onto the canvas, adds the prompt, normalises, runs forward,
                                             picks ten logits, and goes back from the cross-entropy to the prompt;
                                             both sides end with a step of Adam
    head                                     an epoch of a linear head at batch 128: gather, forward, cross-entropy,
                                             backward, Adam; 50,000 x 2,048 features, 10 classes
    memory                                   peak memory of a process of its own that takes such a step at batch 128,
                                             window 32, dense: VmHWM of Linux, program and all
    threads                                  dense and state8: forward and backward with two threads against one; here
                                             the ratio is each side's own, and the target is rut's

rut makes its own weights and PyTorch its own, by the same rules: neither is faster for other values. rut is the
binary of --rut, else target/release/rut of this checkout.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DENSITY = 0.8**8

# Each case: what rut measures, its window, its density, and the target against `best`: what must be, and the goal.
CASES = {
    "dense-forward": ("forward", None, None, (1.1, 1.5)),
    "dense-backward": ("backward", None, None, (1.3, 1.8)),
    "state8-forward": ("forward", None, DENSITY, (2.4, 3.3)),
    "state8-backward": ("backward", None, DENSITY, (3.0, 4.3)),
    "dense-vp32": ("vp-step", 32, None, (2.4, 3.2)),
    "state8-vp32": ("vp-step", 32, DENSITY, (5.0, 7.0)),
    "dense-vp128": ("vp-step", 128, None, (1.6, 2.1)),
    "state8-vp128": ("vp-step", 128, DENSITY, (3.4, 5.0)),
    "head": ("head", None, None, (2.0, 3.0)),
}
# The eager forms of PyTorch, the usual opponent last.
FORMS = {"f32": ["plain", "best"], "bf16": ["autocast", "pure"]}
MEMORY_TARGET = (1.2 * 2**30, 600 * 2**20)
THREAD_TARGETS = {"dense": (1.8, 1.9), "state8": (1.6, 1.8)}


def fail(text):
    sys.exit(f"error: {text}")


# ---------------------------------------------------------------------------------------------------------- the two


class Rut:
    """`rut bench`, each time in a process of its own."""

    def __init__(self, path, options):
        self.path, self.options, self.about = path, options, {}

    def command(self, case, json_file, threads, **changes):
        name, window, density, _ = CASES[case]
        options = {**vars(self.options), **changes}
        line = [self.path, "bench", "--only", name, "--threads", str(threads), "--json", json_file]
        line += ["--engine", options["engine"], "--model", options["model"]]
        line += ["--batch-size", str(options["batch_size"]), "--repeat", str(options["repeat"])]
        line += ["--warmup", str(options["warmup"]), "--head", options["head"]]
        line += ["--precision", options["precision"]] if options["precision"] != "f32" else []
        line += ["--window", str(window)] if window else []
        line += ["--density", str(density), "--mask-kind", options["mask_kind"]] if density else []
        return line

    def measured(self, case, threads, **changes):
        with tempfile.TemporaryDirectory() as folder:
            report = os.path.join(folder, "bench.json")
            run(self.command(case, report, threads, **changes))
            with open(report, encoding="utf-8") as file:
                found = json.load(file)
        for key in ("rut", "commit", "cpu", "engine", "isa", "precision"):
            if found.get(key):
                self.about[key] = found[key]
        return found["measurements"][0]

    def seconds(self, case, threads):
        """Median seconds of one repetition."""
        return self.measured(case, threads)["seconds"]["median"]

    def memory(self, batch_size):
        """Peak of a process that takes one step, bytes."""
        changes = {"batch_size": batch_size, "warmup": 0, "repeat": 1}
        return self.measured("dense-vp32", self.options.threads, **changes)["peak_memory_bytes"]


class PyTorch:
    """One form of a network, ready to be asked. Everything is made anew for every case, so that nothing else is held."""

    def __init__(self, form, case, options):
        import torch

        self.torch, self.form, self.options = torch, form, options
        _, self.window, self.density, _ = CASES[case]
        torch.manual_seed(4)
        self.size = 224
        if CASES[case][0] != "head":
            self.logits = self.make_network()
        self.step = getattr(self, CASES[case][0].replace("-", "_"))()

    def seconds(self, threads):
        """Median seconds of one repetition."""
        self.torch.set_num_threads(threads)
        for _ in range(self.options.warmup):
            self.step()
        laps = []
        for _ in range(self.options.repeat):
            start = time.perf_counter()
            self.step()
            laps.append(time.perf_counter() - start)
        return statistics.median(laps)

    def make_network(self):
        """From f32 images to f32 logits."""
        import torchvision

        torch = self.torch
        network = getattr(torchvision.models, self.options.model)(weights=None).eval()
        with torch.no_grad():
            if self.density:
                prune(torch, network, self.density)
        if self.form != "plain":
            fold_batch_norm(network)
            network = network.to(memory_format=torch.channels_last)
        network.requires_grad_(False)
        if self.options.precision == "bf16":
            network = self.in_bf16(network)
        if self.form == "compiled":
            import torch._inductor.config

            torch._inductor.config.freezing = True
            network = torch.compile(network)
        return network

    def in_bf16(self, network):
        torch = self.torch
        if self.form == "autocast":

            def logits(images):
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    return network(images).float()

        else:
            network = network.to(torch.bfloat16)

            def logits(images):
                return network(images.to(torch.bfloat16)).float()

        return logits

    def laid_out(self, images):
        form = self.torch.contiguous_format if self.form == "plain" else self.torch.channels_last
        return images.contiguous(memory_format=form)

    def images(self):
        shape = (self.options.batch_size, 3, self.size, self.size)
        return self.laid_out(4.0 * self.torch.rand(shape) - 2.0)

    def forward(self):
        images = self.images()

        def step():
            with self.torch.no_grad():
                self.logits(images)

        return step

    def backward(self):
        images = self.images().requires_grad_(True)
        gradient = None

        def step():
            nonlocal gradient
            logits = self.logits(images)
            if gradient is None:
                gradient = 2.0 * self.torch.rand_like(logits) - 1.0
            self.torch.autograd.grad(logits, images, gradient)

        return step

    def vp_step(self):
        torch, batch, side = self.torch, self.options.batch_size, self.window
        before, after = (self.size - side + 1) // 2, (self.size - side) // 2
        pad = (before, after, before, after)
        mask = torch.nn.functional.pad(torch.zeros(3, side, side), pad, value=1.0)
        mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
        std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
        program = torch.zeros(3, self.size, self.size, requires_grad=True)
        adam = torch.optim.Adam([program], lr=0.01)
        images, labels = torch.rand(batch, 3, side, side), torch.arange(batch) % 10
        sources = torch.randperm(1000)[:10]

        def step():
            canvas = torch.nn.functional.pad(images, pad) + torch.sigmoid(program) * mask
            logits = self.logits(self.laid_out((canvas - mean) / std))[:, sources]
            loss = torch.nn.functional.cross_entropy(logits, labels)
            adam.zero_grad()
            loss.backward()
            adam.step()
            # What a training loop reports of every step.
            return loss.item(), (logits.argmax(1) == labels).sum().item()

        return step

    def head(self):
        torch = self.torch
        count, width, classes = (int(number) for number in self.options.head.split(","))
        features, labels = torch.rand(count, width), torch.arange(count) % classes
        layer = torch.nn.Linear(width, classes)
        adam = torch.optim.Adam(layer.parameters(), lr=0.01)

        def epoch():
            for rows in torch.randperm(count).split(128):
                logits = layer(features[rows])
                loss = torch.nn.functional.cross_entropy(logits, labels[rows])
                adam.zero_grad()
                loss.backward()
                adam.step()
                loss.item(), (logits.argmax(1) == labels[rows]).sum().item()

        return epoch


def prune(torch, network, density):
    """Keeps the largest magnitudes over all weights but the first convolution's and the last layer's."""
    layers = [m for m in network.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))][1:-1]
    magnitudes = torch.cat([layer.weight.abs().flatten() for layer in layers])
    kept = round(density * magnitudes.numel())
    threshold = magnitudes.topk(kept).values[-1]
    for layer in layers:
        layer.weight.mul_(layer.weight.abs() >= threshold)


def fold_batch_norm(module):
    """Folds every batch norm of a torchvision network into the convolution registered before it."""
    import torch

    fuse = torch.nn.utils.fusion.fuse_conv_bn_eval
    last = None
    for name, child in list(module.named_children()):
        if isinstance(child, torch.nn.BatchNorm2d) and isinstance(last and last[1], torch.nn.Conv2d):
            setattr(module, last[0], fuse(last[1], child))
            setattr(module, name, torch.nn.Identity())
        else:
            fold_batch_norm(child)
        # ResNets register conv1, bn1, conv2, bn2 …: a batch norm belongs to the convolution right before it.
        last = (name, child)


# ------------------------------------------------------------------------------------------------------- measuring


def run(line):
    """What a process printed."""
    ended = subprocess.run(line, capture_output=True, text=True)
    if ended.returncode != 0:
        fail(f"`{' '.join(line)}` ended with {ended.returncode}:\n{ended.stderr.strip()}")
    return ended.stdout


def peak_of_this_process():
    """Bytes, or None where the system does not tell. Not `ru_maxrss`: it begins with the parent's memory."""
    try:
        with open("/proc/self/status", encoding="utf-8") as file:
            lines = [line for line in file if line.startswith("VmHWM:")]
        return int(lines[0].split()[1]) * 1024
    except (OSError, IndexError, ValueError):
        return None


def spread(values):
    return {"median": statistics.median(values), "minimum": min(values), "maximum": max(values), "rounds": values}


def say(text=""):
    print(text, flush=True)


def shown(ratio):
    return f"{ratio['median']:.2f}x ({ratio['minimum']:.2f} to {ratio['maximum']:.2f})"


def against(target):
    return f"must {target[0]:g}x, goal {target[1]:g}x" if target else ""


def compare(rut, case, options):
    """Rounds of rut and each form of PyTorch in turn."""
    forms = ["plain"] if case == "head" else list(FORMS[options.precision])
    if options.compile and CASES[case][0] == "forward":
        forms.append("compiled")
    networks = {form: PyTorch(form, case, options) for form in forms}
    seconds = {"rut": [], **{form: [] for form in forms}}
    for _ in range(options.rounds):
        seconds["rut"].append(rut.seconds(case, options.threads))
        for form in list(networks):
            try:
                seconds[form].append(networks[form].seconds(options.threads))
            except Exception as error:  # torch.compile fails in many ways, and only it may.
                if form != "compiled":
                    raise
                reason = str(error).strip().splitlines() or [type(error).__name__]
                say(f"  torch.compile does not work here: {reason[0]}")
                del networks[form], seconds[form]
    ratios = {}
    for form in networks:
        ratios[form] = spread([t / r for t, r in zip(seconds[form], seconds["rut"])])
    # In f32 the optimised form is judged, in bfloat16 the fastest.
    judged = "best" if "best" in ratios else min(ratios, key=lambda form: ratios[form]["median"])
    target = CASES[case][3] if options.precision == "f32" else None
    found = {"case": case, "target": target, "seconds": {k: spread(v) for k, v in seconds.items()}, "ratios": ratios, "judged": judged}
    for form, ratio in ratios.items():
        times = f"{statistics.median(seconds[form]):9.4f} s  rut {statistics.median(seconds['rut']):9.4f} s"
        remark = (against(target) or "judged") if form == judged else ""
        say(f"{case:16} {form:9} {times}  {shown(ratio):28} {remark}".rstrip())
    return found


def compare_memory(rut, options):
    batch = options.memory_batch_size
    of_f32 = options.precision == "f32"
    target = MEMORY_TARGET if of_f32 else None
    found = {"case": "memory", "batch_size": batch, "target": target, "bytes": {"rut": rut.memory(batch)}}
    for form in FORMS[options.precision]:
        line = [sys.executable, os.path.abspath(__file__), "--child", form, "--batch-size", str(batch)]
        line += ["--threads", str(options.threads), "--model", options.model, "--precision", options.precision]
        found["bytes"][form] = json.loads(run(line))
    mib = {name: "unknown" if n is None else f"{n / 2**20:.0f} MiB" for name, n in found["bytes"].items()}
    target = "must 1.2 GiB, goal 600 MiB" if batch == 128 and of_f32 else ""
    texts = ", ".join(f"{name} {text}" for name, text in mib.items())
    say(f"memory, batch {batch}: {texts}  {target}".rstrip())
    return found


def compare_threads(rut, options):
    found, form = [], FORMS[options.precision][-1]
    for kind, target in THREAD_TARGETS.items():
        case = f"{kind}-backward"
        target = target if options.precision == "f32" else None
        other = PyTorch(form, case, options)
        ratios = {"rut": [], form: []}
        for _ in range(options.rounds):
            for name, seconds in (("rut", lambda n: rut.seconds(case, n)), (form, other.seconds)):
                ratios[name].append(seconds(1) / seconds(2))
        ratios = {name: spread(values) for name, values in ratios.items()}
        found.append({"case": f"threads-{kind}", "target": target, "ratios": ratios})
        texts = f"rut {shown(ratios['rut'])}  {against(target)}".rstrip()
        say(f"1 to 2 threads, {kind}: {texts}; PyTorch, {form}: {shown(ratios[form])}")
    return found


def child(options):
    """One step of visual prompting in this process; prints its peak memory."""
    options.warmup, options.repeat = 0, 1
    PyTorch(options.child, "dense-vp32", options).seconds(options.threads)
    say(json.dumps(peak_of_this_process()))


# ------------------------------------------------------------------------------------------------------ the command


def arguments():
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    names = [*CASES, "memory", "threads"]
    forms = [form for eager in FORMS.values() for form in eager]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--rut", metavar="PATH", default=os.path.join(ROOT, "target", "release", "rut"), help="the binary")
    add("--json", metavar="FILE", help="also write everything to this file")
    add("--quick", action="store_true", help="small batches and one round, to see that it runs")
    add("--compile", action="store_true", help="also torch.compile with freezing, forward only")
    add("--precision", choices=[*FORMS], default="f32", help="of both sides (default f32)")
    add("--only", metavar="CASES", help=f"some of {', '.join(names)}")
    add("--model", default="resnet50", help="a ResNet of torchvision and of rut (default resnet50)")
    add("--engine", default="auto", help="rut's engine (default auto)")
    add("--mask-kind", choices=["magnitude", "random"], default="magnitude", help="of rut's state 8 (default magnitude)")
    add("--threads", type=int, default=min(2, cores), help="of both sides (default 2)")
    add("--rounds", type=int, help="default 5, with --quick 1")
    add("--batch-size", type=int, help="default 32, with --quick 2")
    add("--repeat", type=int, help="repetitions in a round (default 3, with --quick 1)")
    add("--child", choices=forms, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.precision != "f32":
        names.remove("head")
    options.only = options.only.split(",") if options.only else names
    unknown = [name for name in options.only if name not in names]
    if unknown:
        parser.error(f"--only: expected some of {', '.join(names)}; found {', '.join(unknown)}")
    quick = options.quick
    options.rounds = options.rounds or (1 if quick else 5)
    options.batch_size = options.batch_size or (2 if quick else 32)
    options.repeat = options.repeat or (1 if quick else 3)
    options.warmup = 1
    options.head = "2000,2048,10" if quick else "50000,2048,10"
    options.memory_batch_size = 8 if quick else 128
    if min(options.threads, options.rounds, options.batch_size, options.repeat) < 1:
        parser.error("--threads, --rounds, --batch-size and --repeat: expected at least 1")
    if not options.model.startswith("resnet"):
        parser.error(f"--model: expected a ResNet (batch norms are folded by its layout); found {options.model}")
    return options


def check(options):
    try:
        import torch
        import torchvision
    except ImportError as error:
        fail(f"{error}; this comparison needs torch and torchvision: pip install torch torchvision")
    if not hasattr(torchvision.models, options.model):
        fail(f"torchvision has no network called {options.model}")
    if options.child:
        return
    if not os.path.isfile(options.rut):
        fail(f"there is no {options.rut}; build it with `cargo build --release -p rut-cli`, or name it with --rut")
    folder = os.path.dirname(os.path.abspath(options.json)) if options.json else ROOT
    if not os.path.isdir(folder):
        fail(f"write {options.json}: there is no folder {folder}")


def main():
    options = arguments()
    check(options)
    import torch
    import torchvision

    torch.set_num_threads(options.threads)
    if options.child:
        return child(options)
    rut, found = Rut(options.rut, options), []
    say(f"PyTorch {torch.__version__} beside {options.rut}: {options.model}, batch {options.batch_size}, {options.precision}, "
        f"{options.threads} threads, {options.rounds} rounds of {options.repeat}, state 8 by a {options.mask_kind} mask")
    say("ratios are PyTorch's time by rut's, medians over rounds (smallest to largest)")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    if load is not None and load > 0.5:
        say(f"warning: the machine is busy (load {load:.1f}): ratios will mean little")
    say()
    for case in CASES:
        if case in options.only:
            found.append(compare(rut, case, options))
    if "memory" in options.only:
        found.append(compare_memory(rut, options))
    if "threads" in options.only:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        if cores < 2:
            say("1 to 2 threads: not measured, for there is one core")
        else:
            found.extend(compare_threads(rut, options))
    about = {
        "format_version": 1,
        "date": datetime.date.today().isoformat(),
        "platform": f"{platform.system()}-{platform.machine()}",
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "load_at_start": load,
        "rut": rut.about,
        "model": options.model,
        "engine": options.engine,
        "precision": options.precision,
        "batch_size": options.batch_size,
        "threads": options.threads,
        "rounds": options.rounds,
        "repeat": options.repeat,
        "head": options.head,
        "mask_kind": options.mask_kind,
        "quick": options.quick,
        "cases": found,
    }
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(about, file, indent=2)
            file.write("\n")
        say(f"\nwritten to {options.json}")


if __name__ == "__main__":
    main()
