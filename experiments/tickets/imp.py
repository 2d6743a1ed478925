#!/usr/bin/env python3
"""Makes lottery tickets of a CIFAR ResNet on CIFAR-100: iterative magnitude pruning with weight rewinding, and its controls.

    python3 imp.py train --data DIR --states-dir states --run RUN    # may be stopped at any time; the same command goes on
    python3 imp.py measure --data DIR                             # seconds an epoch takes, in bf16 and in f32
    python3 imp.py evaluate --data DIR CHECKPOINT [--mask MASK]   # test accuracy and ECE

DIR holds `cifar-100-binary/train.bin` and `test.bin`: the official archive, or what `cifar100.py` writes. Needs PyTorch and
safetensors; runs on a CPU or on CUDA.

A network is trained from its initialisation to the rewinding point, once a seed. Every state starts from there, the dense
network (state 0) too, and is trained for the same number of epochs, with the same learning rates, the same images in the same
order, and the same flips and crops: states differ in their masks, and in nothing else. Families of masks:

- `imp`: state L prunes a fifth of what state L - 1 kept, by global magnitude of its trained weights (Frankle and Carbin 2019,
  with the rewinding of Frankle et al. 2020; the rule is open_lth's, `next_mask` says it);
- `oneshot`: as many weights as `imp` keeps in that state, by global magnitude of the trained dense network, at once;
- `random`: as many, at random over all prunable weights.

Prunable are all convolutions but the stem, the shortcuts' too; stem and classifier (`--keep`) have no mask and are not counted.

The order of an epoch and its flips and crops are a function of the seed and the epoch, so there is no state of a random number
generator to keep: a run that was stopped goes on to the same bits, on a CPU with as many threads.

On a CPU for which PyTorch has no convolutions in bf16, `--precision bf16` computes them in f32 and rounds where autocast rounds:
their inputs, weights, results and gradients; everything between them is autocast's own. Logs then say `"emulated": true`.
"""

import argparse
import fcntl
import hashlib
import json
import math
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import nn

CLASSES, SIDE, PADDING = 100, 32, 4
MEAN, DEVIATION = (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)
PARTS = {"train": 50_000, "test": 10_000}
BINS = 15
# Layers that may be kept, and the parameter that then has no mask.
KEEPABLE = {"stem": "conv1.weight", "classifier": "fc.weight"}
FAMILIES = {
    "imp": "iterative magnitude pruning, weights rewound",
    "oneshot": "magnitude of the trained dense network, pruned at once, weights rewound",
    "random": "pruned at random over all prunable weights, weights rewound",
}
# States at whose densities there are controls.
CONTROLS = (4, 8)


class Problem(Exception):
    """What is wrong, and what to do."""


# ---------------------------------------------------------------------------------------------------------- network


def lacks_bf16(device):
    """Whether PyTorch's library of convolutions has none in bf16 for this CPU: autocast then takes a slow loop."""
    if device.type != "cpu":
        return False
    try:
        return not torch.ops.mkldnn._is_mkldnn_bf16_supported()
    except (AttributeError, RuntimeError):
        return True


class ConvolutionInF32(torch.autograd.Function):
    """A convolution of bf16 tensors, forward and backward, that computes in f32 and rounds each result to bf16 once.

    That is what oneDNN does with instructions for bf16: exact products, sums in f32, one rounding (nearest, ties to even).
    """

    @staticmethod
    def forward(context, x, weight, stride, padding):
        context.save_for_backward(x, weight)
        context.stride, context.padding = stride, padding
        with torch.autocast("cpu", enabled=False):
            return F.conv2d(x.float(), weight.float(), None, stride, padding).to(torch.bfloat16)

    @staticmethod
    def backward(context, gradient):
        x, weight = context.saved_tensors
        wanted = (*context.needs_input_grad[:2], False)
        of_x, of_weight, _ = torch.ops.aten.convolution_backward(
            gradient.float(), x.float(), weight.float(), None, context.stride, context.padding, (1, 1), False, (0, 0), 1, wanted
        )
        return *(None if of is None else of.to(torch.bfloat16) for of in (of_x, of_weight)), None, None


class Conv2d(nn.Conv2d):
    """A convolution without bias, dilation and groups. Where `emulated`, it is autocast's to bf16, computed in f32."""

    emulated = False

    def forward(self, x):
        if self.emulated and torch.is_autocast_enabled("cpu"):
            return ConvolutionInF32.apply(x.to(torch.bfloat16), self.weight.to(torch.bfloat16), self.stride, self.padding)
        return super().forward(x)


class Block(nn.Module):
    """Two 3×3 convolutions and a shortcut, which is a 1×1 convolution where the shape changes."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(out + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """The CIFAR ResNet of He et al. 2016: depth 6n + 2, widths 16, 32, 64; torchvision's names, shortcuts by option B."""

    def __init__(self, depth):
        super().__init__()
        if depth < 8 or (depth - 2) % 6 != 0:
            raise Problem(f"--depth {depth}: a CIFAR ResNet has 6n + 2 layers: 20, 32, 44, 56 …")
        blocks, inputs, stages = (depth - 2) // 6, 16, []
        self.conv1 = Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        for width in (16, 32, 64):
            stride = 1 if width == 16 else 2
            stages.append(nn.Sequential(Block(inputs, width, stride), *(Block(width, width, 1) for _ in range(blocks - 1))))
            inputs = width
        self.layer1, self.layer2, self.layer3 = stages
        self.fc = nn.Linear(64, CLASSES)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.fc(x.mean((2, 3)))


def prunable(net, keep):
    """Names of the weights that have a mask, in the network's order."""
    kept = {KEEPABLE[layer] for layer in keep}
    layers = (f"{name}.weight" for name, module in net.named_modules() if isinstance(module, (nn.Conv2d, nn.Linear)))
    return [name for name in layers if name not in kept]


# ------------------------------------------------------------------------------------------------------------ masks


def next_mask(weights, mask, fraction=0.2, ignore=()):
    """open_lth's global magnitude pruning, `pruning/sparse_global.py`.

    With n = ceil(fraction · remaining), remaining being all ones of the mask, the threshold is the (n + 1)-th smallest |w| of
    what the mask keeps. What is at or below it goes: n + 1 weights, and ties. Ignored tensors keep their mask and are counted.
    """
    remaining = sum(int(kept.sum()) for kept in mask.values())
    used = [name for name in mask if name not in ignore]
    values = torch.cat([weights[name][mask[name].bool()].abs() for name in used]).sort().values
    cut = math.ceil(fraction * remaining)
    if cut >= len(values) - 1:
        raise Problem(f"{len(values)} weights are left to prune, and {cut + 1} would go: stop at an earlier state")
    threshold = values[cut]
    return {
        name: (kept.bool() & (weights[name].abs() > threshold)).to(kept.dtype) if name in used else kept.clone()
        for name, kept in mask.items()
    }


def top_mask(scores, kept):
    """The `kept` highest scores over all tensors; ties at the threshold go, as in Synaptic-Flow's `Pruners/pruners.py`."""
    values = torch.cat([score.reshape(-1) for score in scores.values()])
    cut = len(values) - kept
    if cut < 1:
        return {name: torch.ones_like(score, dtype=torch.uint8) for name, score in scores.items()}
    threshold = torch.kthvalue(values, cut).values
    return {name: (score > threshold).to(torch.uint8) for name, score in scores.items()}


def random_mask(shapes, kept, seed):
    """`kept` weights at random. Fewer weights of the same seed are some of more."""
    generator = torch.Generator().manual_seed(stream(seed, 1 << 20))
    scores = {name: torch.randn(shape, generator=generator, dtype=torch.float64) for name, shape in shapes.items()}
    return top_mask(scores, kept)


def ones(mask):
    """How many weights a mask keeps."""
    return sum(int(kept.sum()) for kept in mask.values())


# ------------------------------------------------------------------------------------------------------------- data


def stream(seed, number):
    """The seed of a generator: of an epoch's order and augmentation, or of a mask (above all epochs)."""
    return seed * 1_000_003 + number


class Data:
    """CIFAR-100 in memory: `images[part]` uint8 [image, row, column, channel], `labels[part]` int64."""

    def __init__(self, folder, device):
        self.device, self.images, self.labels = device, {}, {}
        digest = hashlib.sha256()
        for part, count in PARTS.items():
            path = Path(folder) / "cifar-100-binary" / f"{part}.bin"
            record = 2 + 3 * SIDE * SIDE
            try:
                content = path.read_bytes()
            except OSError as error:
                raise Problem(f"{path}: not read ({error.strerror}); cifar100.py writes it, or unpack the official one") from error
            if len(content) != count * record:
                raise Problem(f"{path}: expected {count} records of {record} bytes, found {len(content)} bytes: fetch it again")
            digest.update(content)
            table = torch.frombuffer(bytearray(content), dtype=torch.uint8).view(count, record)
            self.labels[part] = table[:, 1].long().to(device)
            if int(self.labels[part].max()) >= CLASSES:
                raise Problem(f"{path}: fine label {int(self.labels[part].max())}; expected 0 to {CLASSES - 1}: fetch it again")
            planes = table[:, 2:].reshape(count, 3, SIDE, SIDE)
            self.images[part] = planes.permute(0, 2, 3, 1).contiguous().to(device)
        self.digest = digest.hexdigest()
        self.prepare()

    def prepare(self):
        """The padded training images, and what normalises."""
        self.padded = F.pad(self.images["train"], (0, 0, PADDING, PADDING, PADDING, PADDING))
        self.mean = torch.tensor(MEAN, device=self.device).view(1, 3, 1, 1)
        self.deviation = torch.tensor(DEVIATION, device=self.device).view(1, 3, 1, 1)

    def normalised(self, images):
        """uint8 [image, row, column, channel] → f32 [image, channel, row, column], stored with the channels last."""
        return (images.permute(0, 3, 1, 2).float() / 255 - self.mean) / self.deviation

    def epoch(self, seed, epoch):
        """Order, offsets and flips of an epoch: a function of the seed and the epoch."""
        count = len(self.labels["train"])
        generator = torch.Generator().manual_seed(stream(seed, epoch))
        order = torch.randperm(count, generator=generator)
        shifts = torch.randint(2 * PADDING + 1, (count, 2), generator=generator)
        flips = torch.rand(count, generator=generator) < 0.5
        return order.to(self.device), shifts.to(self.device), flips.to(self.device)

    def batch(self, plan, start, size):
        """Images and labels of a training batch, cropped from the padded images and flipped."""
        order, shifts, flips = (of[start : start + size] for of in plan)
        places = torch.arange(SIDE, device=self.device)
        rows = shifts[:, 0, None] + places
        columns = shifts[:, 1, None] + torch.where(flips[:, None], SIDE - 1 - places, places)
        images = self.padded[order[:, None, None], rows[:, :, None], columns[:, None, :]]
        return self.normalised(images), self.labels["train"][order]


def logits_of(net, data, size=500):
    """Logits of the test images, in f32: [image, class]."""
    net.eval()
    images = data.images["test"]
    with torch.no_grad():
        logits = [net(data.normalised(images[at : at + size])) for at in range(0, len(images), size)]
    net.train()
    return torch.cat(logits)


def scores(logits, labels):
    """Accuracy and ECE (15 bins of equal width, (lo, hi]; Guo et al. 2017), both in [0, 1]."""
    confidence, guess = logits.double().softmax(1).max(1)
    right = (guess == labels).double()
    bins = (confidence * BINS).ceil().long().sub(1).clamp(0, BINS - 1)
    gaps = torch.zeros(BINS, dtype=torch.float64, device=bins.device).index_add(0, bins, confidence - right)
    return right.mean().item(), (gaps.abs().sum() / len(labels)).item()


# ------------------------------------------------------------------------------------------------------------ files


def write(path, content):
    """Under a temporary name, synced and renamed, so that a file is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def write_tensors(path, tensors, metadata):
    """A safetensors file; all of its metadata is text."""
    write(path, save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, metadata))


def read_tensors(path):
    """Tensors and metadata of a safetensors file."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
        return load_file(path), metadata
    except (OSError, SafetensorError) as error:
        raise Problem(f"{path}: not read as safetensors ({error}); remove it, or bring the right one") from error


def below(tensors, prefix):
    """The tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def exported(net):
    """What a checkpoint holds: weights and statistics under torchvision's names."""
    return {name: tensor for name, tensor in net.state_dict().items() if not name.endswith("num_batches_tracked")}


def load_into(net, tensors, path):
    """Fills the network; every name and shape must be there."""
    expected = exported(net)
    wrong = [name for name in expected if name not in tensors or tensors[name].shape != expected[name].shape]
    wrong += [name for name in tensors if name not in expected]
    if wrong:
        raise Problem(f"{path}: not this network: {wrong[0]!r} is missing, unexpected or of another shape ({len(wrong)} such)")
    net.load_state_dict(tensors, strict=False)


# --------------------------------------------------------------------------------------------------------- training


@dataclass(frozen=True)
class Recipe:
    """What all states of a seed share. Written into every file, and compared before anything goes on."""

    data: str
    depth: int = 20
    rewind_epochs: int = 1
    epochs: int = 16
    states: int = 8
    batch: int = 128
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    precision: str = "bf16"
    fraction: float = 0.2
    keep: str = "stem,classifier"

    def check(self):
        """Refuses what cannot be meant."""
        for name in ("rewind_epochs", "epochs", "states", "batch"):
            if getattr(self, name) < 1:
                raise Problem(f"--{name.replace('_', '-')} {getattr(self, name)}: expected 1 or more")
        if not 0 < self.fraction < 1:
            raise Problem(f"--fraction {self.fraction}: expected a number between 0 and 1")
        for layer in self.layers():
            if layer not in KEEPABLE:
                raise Problem(f"--keep {layer}: expected some of {', '.join(KEEPABLE)}, or nothing")

    def layers(self):
        """Layers without a mask."""
        return [layer for layer in self.keep.split(",") if layer]

    def text(self):
        """For a file's metadata."""
        return json.dumps(asdict(self), sort_keys=True)

    def rate(self, step, per_epoch):
        """Learning rate of a step: rising to the rewinding point, a half cosine down from there."""
        first, rest = self.rewind_epochs * per_epoch, self.epochs * per_epoch
        if step < first:
            return self.lr * (step + 1) / first
        return self.lr * 0.5 * (1 + math.cos(math.pi * (step - first) / rest))

    def same(self, path, metadata):
        """Refuses a file that another recipe made."""
        other = json.loads(metadata.get("recipe", "{}"))
        for name, mine in asdict(self).items():
            if other.get(name) != mine:
                raise Problem(
                    f"{path}: made with {name} = {other.get(name)}, and this run has {mine}; name another --states and --run,"
                    " or give the same options"
                )


@dataclass(frozen=True)
class Job:
    """One training: of a family's state, or of the rewinding point (family `rewind`)."""

    seed: int
    family: str
    state: int

    def __str__(self):
        return f"seed{self.seed}/{self.family}" + ("" if self.family == "rewind" else f"/{self.state}")


def jobs(seed, recipe, families=tuple(FAMILIES)):
    """The trainings of a seed's families, in order: a later one may read what an earlier one wrote."""
    controls = [state for state in CONTROLS if state <= recipe.states]
    states = {"imp": range(recipe.states + 1), "oneshot": controls, "random": controls}
    return [Job(seed, "rewind", 0), *(Job(seed, family, state) for family in FAMILIES if family in families for state in states[family])]


class Stopped(Exception):
    """Asked to stop; everything is saved."""


class Trainer:
    """Trains a seed's jobs, one after another, and goes on where it was stopped."""

    def __init__(self, recipe, data, states, run, save_seconds=300.0):
        recipe.check()
        self.recipe, self.data, self.states, self.run = recipe, data, Path(states), Path(run)
        self.save_seconds, self.stop = save_seconds, False
        self.per_epoch = math.ceil(len(data.labels["train"]) / recipe.batch)
        self.emulated = recipe.precision == "bf16" and lacks_bf16(data.device)

    # ---- names of files

    def file(self, job, kind):
        """A finished job's file: `checkpoint`, `mask` or `log`."""
        folder = self.states / f"seed{job.seed}"
        ending = "json" if kind == "log" else "safetensors"
        if job.family == "rewind":
            return folder / f"rewind_{kind}.{ending}"
        return folder / job.family / f"resnet{self.recipe.depth}_cifar100_{job.state}_{kind}.{ending}"

    def current(self, seed, folder=None):
        """What is kept of the job at work."""
        return (folder or self.run) / f"seed{seed}" / "current.safetensors"

    # ---- jobs

    def train(self, seeds, families=tuple(FAMILIES)):
        """Everything of these families that is not there yet."""
        for seed in seeds:
            for job in jobs(seed, self.recipe, families):
                path = self.file(job, "checkpoint")
                if path.exists():
                    self.recipe.same(path, read_tensors(path)[1])
                else:
                    self.train_job(job)

    def train_job(self, job):
        """One training, from its beginning or from what was saved."""
        net, optimiser, mask = self.start(job)
        at = self.resume(job, net, optimiser)
        first = 0 if job.family == "rewind" else self.recipe.rewind_epochs
        last = self.recipe.rewind_epochs + (0 if job.family == "rewind" else self.recipe.epochs)
        at = at or {"epoch": first, "step": 0, "loss": 0.0, "right": 0, "seconds": 0.0, "cpu": 0.0, "epochs": []}
        while at["epoch"] < last:
            self.train_epoch(job, net, optimiser, mask, at)
            self.end_epoch(job, net, optimiser, at)
        self.finish(job, net, mask, at["epochs"])

    def network(self):
        """A network on the device, its convolutions stored with the channels last."""
        net = ResNet(self.recipe.depth).to(self.data.device, memory_format=torch.channels_last)
        for module in net.modules():
            if isinstance(module, Conv2d):
                module.emulated = self.emulated
        return net

    def start(self, job):
        """Network, optimiser and mask at the beginning of a job."""
        torch.manual_seed(stream(job.seed, 1 << 21))
        net, mask = self.network(), {}
        if job.family != "rewind":
            path = self.file(Job(job.seed, "rewind", 0), "checkpoint")
            tensors, metadata = read_tensors(path)
            self.recipe.same(path, metadata)
            load_into(net, tensors, path)
            mask = {name: kept.to(self.data.device) for name, kept in self.mask(job, net).items()}
        self.apply(net, mask)
        recipe = self.recipe
        optimiser = torch.optim.SGD(
            net.parameters(), recipe.lr, recipe.momentum, weight_decay=recipe.weight_decay, nesterov=True
        )
        return net, optimiser, mask

    def mask(self, job, net):
        """The job's mask, from what earlier ones wrote."""
        names = prunable(net, self.recipe.layers())
        shapes = {name: net.get_parameter(name).shape for name in names}
        if job.family == "imp" and job.state == 0:
            return {name: torch.ones(shape, dtype=torch.uint8) for name, shape in shapes.items()}
        if job.family == "imp":
            before = Job(job.seed, "imp", job.state - 1)
            weights = read_tensors(self.file(before, "checkpoint"))[0]
            return next_mask(weights, self.written_mask(before, shapes), self.recipe.fraction)
        kept = ones(self.written_mask(Job(job.seed, "imp", job.state), shapes))
        if job.family == "random":
            return random_mask(shapes, kept, job.seed)
        dense = read_tensors(self.file(Job(job.seed, "imp", 0), "checkpoint"))[0]
        return top_mask({name: dense[name].abs() for name in names}, kept)

    def written_mask(self, job, shapes):
        """The mask of a finished job; the dense network has none."""
        if job.state == 0:
            return {name: torch.ones(shape, dtype=torch.uint8) for name, shape in shapes.items()}
        path = self.file(job, "mask")
        if not path.exists():
            raise Problem(f"{path}: not there, and needed for the next mask; train {job} first (--families imp)")
        return read_tensors(path)[0]

    @staticmethod
    def apply(net, mask):
        """Sets pruned weights to zero."""
        with torch.no_grad():
            for name, kept in mask.items():
                net.get_parameter(name).masked_fill_(kept == 0, 0.0)

    # ---- steps

    def train_epoch(self, job, net, optimiser, mask, at):
        """The steps of an epoch that are left."""
        recipe, device = self.recipe, self.data.device.type
        plan = self.data.epoch(job.seed, at["epoch"])
        wall, cpu, saved = time.monotonic(), time.process_time(), time.monotonic()
        while at["step"] < self.per_epoch:
            images, labels = self.data.batch(plan, at["step"] * recipe.batch, recipe.batch)
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate(at["epoch"] * self.per_epoch + at["step"], self.per_epoch)
            with torch.autocast(device, torch.bfloat16, enabled=recipe.precision == "bf16"):
                logits = net(images).float()
            loss = F.cross_entropy(logits, labels)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            # Momentum and decay of a pruned weight do no harm: it is set back before every forward pass.
            self.apply(net, mask)
            at["loss"] += loss.item() * len(labels)
            at["right"] += int((logits.argmax(1) == labels).sum())
            at["step"] += 1
            now = time.monotonic()
            if self.stop or now - saved > self.save_seconds:
                at["seconds"] += now - wall
                at["cpu"] += time.process_time() - cpu
                wall, cpu, saved = now, time.process_time(), now
                self.save(job, net, optimiser, at)
                if self.stop:
                    raise Stopped(f"{job}: stopped in epoch {at['epoch']}, step {at['step']} of {self.per_epoch}")
        at["seconds"] += time.monotonic() - wall
        at["cpu"] += time.process_time() - cpu

    def end_epoch(self, job, net, optimiser, at):
        """Measures, notes and saves."""
        accuracy, ece = scores(logits_of(net, self.data), self.data.labels["test"])
        count = len(self.data.labels["train"])
        at["epochs"].append(
            {
                "epoch": at["epoch"],
                "train_loss": round(at["loss"] / count, 6),
                "train_accuracy": round(at["right"] / count, 6),
                "test_accuracy": round(accuracy, 6),
                "test_ece": round(ece, 6),
                "seconds": round(at["seconds"], 1),
                "cpu_seconds": round(at["cpu"], 1),
                "torch": torch.__version__,
                "device": self.data.device.type,
                "precision": self.recipe.precision,
                "threads": torch.get_num_threads(),
                "seed": job.seed,
            }
            | ({"emulated": True} if self.emulated else {})
        )
        at.update(epoch=at["epoch"] + 1, step=0, loss=0.0, right=0, seconds=0.0, cpu=0.0)
        self.save(job, net, optimiser, at)
        print(f"{job}: {json.dumps(at['epochs'][-1])}", flush=True)

    # ---- what is kept of a job at work

    def save(self, job, net, optimiser, at):
        """Weights, momenta and place, in one file."""
        tensors = {f"weights.{name}": tensor for name, tensor in exported(net).items()}
        for name, parameter in net.named_parameters():
            momentum = optimiser.state[parameter].get("momentum_buffer")
            if momentum is not None:
                tensors[f"momentum.{name}"] = momentum
        metadata = {"job": str(job), "at": json.dumps(at), "recipe": self.recipe.text()}
        write_tensors(self.current(job.seed), tensors, metadata)
        status = {"job": str(job), "epoch": at["epoch"], "step": at["step"], "steps": self.per_epoch, "epochs": at["epochs"]}
        write(self.run / "status.json", (json.dumps(status, indent=1) + "\n").encode())

    def resume(self, job, net, optimiser):
        """Goes on from the further of what the run and the states hold of this job; None if there is nothing."""
        found = []
        for path in (self.current(job.seed), self.current(job.seed, self.states)):
            if path.exists():
                tensors, metadata = read_tensors(path)
                if metadata.get("job") == str(job):
                    self.recipe.same(path, metadata)
                    at = json.loads(metadata["at"])
                    found.append(((at["epoch"], at["step"]), path, tensors, at))
        if not found:
            return None
        _, path, tensors, at = max(found, key=lambda one: one[0])
        load_into(net, below(tensors, "weights."), path)
        momenta = below(tensors, "momentum.")
        for name, parameter in net.named_parameters():
            if name in momenta:
                momentum = torch.empty_like(parameter).copy_(momenta[name])
                optimiser.state[parameter]["momentum_buffer"] = momentum
        print(f"{job}: goes on in epoch {at['epoch']}, step {at['step']}, from {path}", flush=True)
        return at

    # ---- what is kept of a finished job

    def finish(self, job, net, mask, epochs):
        """Log and mask, and last the checkpoint, whose presence says that the job is finished."""
        kept, total = ones(mask), sum(tensor.numel() for tensor in mask.values())
        last = epochs[-1]
        metadata = {
            "arch": f"resnet{self.recipe.depth} (CIFAR), widths 16/32/64, 1x1 shortcut convolutions",
            "upstream": "CIFAR-100 fine labels",
            "mean": ",".join(map(str, MEAN)),
            "std": ",".join(map(str, DEVIATION)),
            "how": FAMILIES.get(job.family, "trained from the initialisation to the rewinding point"),
            "seed": str(job.seed),
            "epochs": str(len(epochs)),
            "upstream_test_accuracy": f"{last['test_accuracy']:.4f}",
            "upstream_test_ece": f"{last['test_ece']:.6f}",
            "torch": torch.__version__,
            "device": self.data.device.type,
            "precision": self.recipe.precision,
            "recipe": self.recipe.text(),
        }
        if any(epoch.get("emulated") for epoch in epochs):
            metadata["emulated"] = "true"
        if job.family != "rewind":
            metadata |= {"state": str(job.state), "kept": f"{kept / total:.6f}", "kept_weights": str(kept)}
        log = {"job": str(job), "recipe": asdict(self.recipe), "epochs": epochs}
        write(self.file(job, "log"), (json.dumps(log, indent=1) + "\n").encode())
        if kept < total:
            write_tensors(self.file(job, "mask"), {name: part.to(torch.uint8) for name, part in mask.items()}, metadata)
        write_tensors(self.file(job, "checkpoint"), exported(net), metadata)
        print(f"{job}: finished, accuracy {last['test_accuracy']:.4f}, ECE {last['test_ece']:.4f}", flush=True)


# --------------------------------------------------------------------------------------------------------- commands


def device(name):
    """`cpu`, `cuda`, or what is there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise Problem("--device cuda: PyTorch finds no CUDA device here; leave the option out for the CPU")
    return torch.device(name)


def train(arguments):
    """`imp.py train`"""
    data = Data(arguments.data, device(arguments.device))
    names = [field for field in Recipe.__dataclass_fields__ if field != "data"]
    recipe = Recipe(data=data.digest, **{name: getattr(arguments, name) for name in names})
    trainer = Trainer(recipe, data, arguments.states_dir, arguments.run, arguments.save_minutes * 60)
    arguments.run.mkdir(parents=True, exist_ok=True)
    with open(arguments.run / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Problem(f"{arguments.run}: another imp.py is at work there; wait for it, or name another --run") from error

        def stop(_number, _frame):
            trainer.stop = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        trainer.train(arguments.seeds, arguments.families)


def measure(arguments):
    """`imp.py measure`"""
    data = Data(arguments.data, device(arguments.device))
    for precision in ("bf16", "f32"):
        trainer = Trainer(Recipe(data="", precision=precision), data, "", "")
        net, optimiser, mask = trainer.start(Job(0, "rewind", 0))
        steps = trainer.per_epoch
        at = {"epoch": 0, "step": steps - 2, "loss": 0.0, "right": 0, "seconds": 0.0, "cpu": 0.0}
        trainer.train_epoch(Job(0, "rewind", 0), net, optimiser, mask, at)
        at.update(step=steps - arguments.steps, seconds=0.0, cpu=0.0)
        trainer.train_epoch(Job(0, "rewind", 0), net, optimiser, mask, at)
        wall, cpu = (at[name] / arguments.steps * steps for name in ("seconds", "cpu"))
        name = f"{precision}, emulated" if trainer.emulated else precision
        print(f"{name}: {wall:.0f} s an epoch, {cpu:.0f} s of CPU time, from {arguments.steps} steps", flush=True)


def evaluate(arguments):
    """`imp.py evaluate`"""
    data = Data(arguments.data, device(arguments.device))
    net = ResNet(arguments.depth).to(data.device, memory_format=torch.channels_last)
    load_into(net, read_tensors(arguments.checkpoint)[0], arguments.checkpoint)
    if arguments.mask:
        mask = read_tensors(arguments.mask)[0]
        wrong = [name for name in mask if name not in dict(net.named_parameters())]
        if wrong:
            raise Problem(f"{arguments.mask}: {wrong[0]!r} is no parameter of the network; bring its own mask")
        Trainer.apply(net, {name: kept.to(data.device) for name, kept in mask.items()})
    accuracy, ece = scores(logits_of(net, data), data.labels["test"])
    print(f"accuracy {accuracy:.4f}, ECE {ece:.6f} ({BINS} bins)")


def seeds(text):
    """`0,1` → [0, 1]"""
    try:
        return [int(seed) for seed in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: expected whole numbers and commas: 0,1") from error


def families(text):
    """`imp,random` → ["imp", "random"]"""
    names = text.split(",")
    if unknown := [name for name in names if name not in FAMILIES]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r}: expected some of {','.join(FAMILIES)}")
    return names


def parser():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data", type=Path, required=True, help="holds cifar-100-binary/train.bin and test.bin")
    shared.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    shared.add_argument("--threads", type=int, help="of PyTorch, on a CPU [default: as many as cores]")

    command = commands.add_parser("train", parents=[shared], help="make all states; goes on where it was stopped")
    command.set_defaults(command=train)
    command.add_argument("--states-dir", type=Path, required=True, help="gets finished states; what is there is not made again")
    command.add_argument("--run", type=Path, required=True, help="keeps the job at work, outside of the checkout")
    command.add_argument("--seeds", type=seeds, default=[0, 1], help="one after another [default: 0,1]")
    command.add_argument("--families", type=families, default=list(FAMILIES), help="which masks, see README.md [default: imp,oneshot,random]")
    command.add_argument("--save-minutes", type=float, default=5, help="also save within an epoch, so often [default: 5]")
    command.add_argument("--precision", choices=("bf16", "f32"), default="bf16", help="of forward and backward pass")
    for name in ("depth", "rewind_epochs", "epochs", "states", "batch", "lr", "momentum", "weight_decay", "fraction", "keep"):
        default = Recipe.__dataclass_fields__[name].default
        command.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default, help=f"[default: {default}]")

    command = commands.add_parser("measure", parents=[shared], help="seconds an epoch takes in bf16 and in f32")
    command.set_defaults(command=measure)
    command.add_argument("--steps", type=int, default=20, help="how many are timed [default: 20]")

    command = commands.add_parser("evaluate", parents=[shared], help="test accuracy and ECE of a checkpoint")
    command.set_defaults(command=evaluate)
    command.add_argument("checkpoint", type=Path)
    command.add_argument("--mask", type=Path)
    command.add_argument("--depth", type=int, default=20, help="[default: 20]")
    return parser


def main():
    arguments = parser().parse_args()
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    try:
        arguments.command(arguments)
    except (Problem, Stopped) as end:
        sys.exit(f"imp.py: {end}")


if __name__ == "__main__":
    main()
