#!/usr/bin/env python3
"""Prunes a network at once by scores that need gradients of its weights: SNIP, GraSP and SynFlow.

    python3 scores.py --by snip --density 0.168 --checkpoint states/seed0/rewind_checkpoint.safetensors --data DIR --out-dir OUT
    python3 scores.py --by synflow --density 0.168 --iterations 100 --checkpoint X --out-dir OUT            # needs no images

writes `OUT/{model}_{state}_checkpoint.safetensors`, the weights of the checkpoint with 0 where they are pruned, and
`OUT/{model}_{state}_mask.safetensors`, as `imp.py` does. Nothing is trained. Needs PyTorch and safetensors, and torchvision
for networks other than the CIFAR ResNet of `imp.py`.

With weights w, loss L (cross-entropy) and all sums over the images, a weight's score is

- `snip`: |w · ∂L/∂w| over the sum of these (Lee et al. 2019; ∂L/∂m of a mask m of ones);
- `grasp`: w · (H g) over the size of the sum, g = ∂L/∂w and H = ∂²L/∂w² of logits divided by 200 (Wang et al. 2020). The
  highest stay: the weights that the flow of gradients needs least have the lowest;
- `synflow`: |w · ∂R/∂w|, R the sum of the outputs of the network with |w| for every parameter and statistic, in evaluation
  mode, for one input of ones (Tanaka et al. 2020). It is taken `--iterations` times: after iteration i of n, d^(i/n) is left.

They are those of Synaptic-Flow's `Pruners/pruners.py`, and so is the threshold, one for all layers: with k = ⌊(1 - density) · N⌋
of N weights, what is at or below the k-th lowest score goes. Ties at the threshold all go, so that fewer may stay.

Prunable are all convolutions and linear layers but those of `--keep`: stem and classifier, as in `imp.py`.
"""

import argparse
import copy
import hashlib
import importlib.util
import json
import math
import re
import sys
from pathlib import Path

import torch
import torch.nn.functional as F


def sibling(name, known_as):
    """A module beside this one, by its path: Python had a module `imp` of its own until 3.12."""
    if known_as not in sys.modules:
        spec = importlib.util.spec_from_file_location(known_as, Path(__file__).resolve().parent / name)
        sys.modules[known_as] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[known_as])
    return sys.modules[known_as]


imp = sibling("imp.py", "experiments_imp")
Problem = imp.Problem

TEMPERATURE = 200.0
# Of the number of the order of images that are scored; above all epochs and masks of `imp.stream`.
ORDER = 1 << 22
NAMES = {"snip": "SNIP", "grasp": "GraSP", "synflow": "SynFlow"}
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CIFAR = re.compile(r"resnet([0-9]+)_cifar100")

# ----------------------------------------------------------------------------------------------------------- scores


def parameters(net, names):
    """The parameters of these names."""
    return [net.get_parameter(name) for name in names]


def loss_of(net, images, labels, temperature=1.0):
    """Mean cross-entropy of a batch."""
    return F.cross_entropy(net(images) / temperature, labels)


def snip(net, names, batches):
    """SNIP: name → score, of the shape of the weight. `batches` are pairs of images and labels; the net's mode is the caller's."""
    weights = parameters(net, names)
    gradients = [torch.zeros_like(weight) for weight in weights]
    for images, labels in batches:
        for total, of in zip(gradients, torch.autograd.grad(loss_of(net, images, labels), weights)):
            total += of
    found = [(weight.detach() * of).abs() for weight, of in zip(weights, gradients)]
    norm = sum(of.sum() for of in found)
    return checked({name: of / norm for name, of in zip(names, found)})


def grasp(net, names, batches, temperature=TEMPERATURE):
    """GraSP, in Synaptic-Flow's sign: the highest stay. `batches` are gone through twice, and must be the same twice."""
    weights = parameters(net, names)
    stopped = [torch.zeros_like(weight) for weight in weights]
    for images, labels in batches:
        for total, of in zip(stopped, torch.autograd.grad(loss_of(net, images, labels, temperature), weights)):
            total += of
    products = [torch.zeros_like(weight) for weight in weights]
    for images, labels in batches:
        gradients = torch.autograd.grad(loss_of(net, images, labels, temperature), weights, create_graph=True)
        inner = sum((one * other).sum() for one, other in zip(stopped, gradients))
        for total, of in zip(products, torch.autograd.grad(inner, weights)):
            total += of
    found = [weight.detach() * of for weight, of in zip(weights, products)]
    norm = sum(of.sum() for of in found).abs() + 1e-10
    return checked({name: of / norm for name, of in zip(names, found)})


def linearised(net):
    """A copy in f64 and evaluation mode, all parameters and statistics replaced by their absolute values."""
    net = copy.deepcopy(net).double().eval()
    with torch.no_grad():
        for tensor in net.state_dict().values():
            tensor.abs_()
    return net


def synflow(linear, names, shape):
    """SynFlow of a linearised network. `shape` is an input's: channels, rows, columns."""
    weights = parameters(linear, names)
    ones = torch.ones(1, *shape, dtype=weights[0].dtype, device=weights[0].device)
    gradients = torch.autograd.grad(linear(ones).sum(), weights)
    return checked({name: (weight.detach() * of).abs() for name, weight, of in zip(names, weights, gradients)})


def checked(scores):
    """Refuses scores that order nothing."""
    for name, score in scores.items():
        if not torch.isfinite(score).all():
            raise Problem(f"{name}: scores that are no finite numbers; check the checkpoint, its classes, and the images")
    if not any(score.any() for score in scores.values()):
        raise Problem("all scores are 0: the network's output depends on none of the weights; check the checkpoint")
    return scores


# ------------------------------------------------------------------------------------------------------------ masks


def check_density(density):
    """Refuses what is no density."""
    if not 0 < density <= 1:
        raise Problem(f"--density {density}: expected a number above 0, and 1 at most: the share of weights that stay")


def mask_of(scores, density):
    """The highest scores over all layers; ties at the threshold go, as everywhere in Synaptic-Flow."""
    check_density(density)
    total = sum(score.numel() for score in scores.values())
    return imp.top_mask(scores, total - int((1 - density) * total))


def synflow_mask(net, names, shape, density, iterations):
    """SynFlow's mask, in so many iterations, each on what the one before left."""
    check_density(density)
    if iterations < 1:
        raise Problem(f"--iterations {iterations}: expected 1 or more")
    linear = linearised(net)
    for iteration in range(1, iterations + 1):
        mask = mask_of(synflow(linear, names, shape), density ** (iteration / iterations))
        imp.Trainer.apply(linear, mask)
    return mask


def refuse_empty_layers(mask, density, by):
    """A layer without weights passes nothing on; a ResNet then is left with the other path of that block."""
    empty = [name for name, kept in mask.items() if not kept.any()]
    if empty:
        others = f" (and {len(empty) - 1} more layers)" if empty[1:] else ""
        raise Problem(
            f"{empty[0]}{others}: all of its {mask[empty[0]].numel()} weights would go at density {density} by {by}, and the"
            " layer would pass nothing on; take a larger --density, another --by, or --allow-empty-layers"
        )


# --------------------------------------------------------------------------------------------------- network, images


def network(model, tensors):
    """An untrained network of this name, with as many classes as the checkpoint has."""
    cifar = CIFAR.fullmatch(model)
    if cifar:
        return imp.ResNet(int(cifar[1]))
    try:
        from torchvision import models
    except ImportError as error:
        raise Problem(f"--model {model}: needs torchvision ({error}); without it, resnet20_cifar100 and other depths") from error
    known = [name for name in models.list_models() if models.get_model_builder(name).__module__ == "torchvision.models.resnet"]
    if model not in known:
        raise Problem(f"--model {model}: expected resnet20_cifar100 or another depth, or one of torchvision's: {', '.join(known)}")
    classes = tensors["fc.weight"].shape[0] if "fc.weight" in tensors else 1000
    return models.get_model(model, weights=None, num_classes=classes)


def read_checkpoint(path):
    """Tensors and metadata of a `.safetensors` file, or of a `.pth` that is a dictionary of tensors."""
    if path.suffix == ".safetensors":
        return imp.read_tensors(path)
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise Problem(f"{path}: not read ({error.strerror}); name a file that is there") from error
    except Exception as error:
        raise Problem(f"{path}: not read as weights of PyTorch; expected a dictionary of tensors, or a .safetensors file") from error
    if not isinstance(tensors, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in tensors.values()):
        raise Problem(f"{path}: holds more than weights; expected a dictionary of tensors: save net.state_dict() alone")
    return tensors, {}


class CifarBatches:
    """Images of CIFAR-100's training set in an order of its own, flipped and cropped as in training."""

    def __init__(self, data, count, size, seed):
        self.data, self.count, self.size = data, count, size
        self.plan, self.digest = data.epoch(seed, ORDER), data.digest
        if count > len(data.labels["train"]):
            raise Problem(f"{count} images are to be scored, and there are {len(data.labels['train'])}: lower --images-per-class")

    def __iter__(self):
        for at in range(0, self.count, self.size):
            yield self.data.batch(self.plan, at, min(self.size, self.count - at))


class FolderBatches:
    """Images below a folder for each class, classes in the order of the folders' names: resized to 256, cropped to 224."""

    def __init__(self, folder, count, size, seed):
        from torchvision import datasets, transforms

        steps = [transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), transforms.Normalize(*IMAGENET)]
        try:
            self.images = datasets.ImageFolder(folder, transforms.Compose(steps))
        except OSError as error:
            raise Problem(f"{folder}: expected a folder of images for each class ({error}); name the training images") from error
        if count > len(self.images):
            raise Problem(f"{count} images are to be scored, and {folder} has {len(self.images)}: lower --images-per-class")
        generator = torch.Generator().manual_seed(imp.stream(seed, ORDER))
        self.size, self.device = size, torch.device("cpu")
        self.chosen = torch.randperm(len(self.images), generator=generator)[:count].tolist()
        digest = hashlib.sha256()
        for index in self.chosen:
            digest.update(Path(self.images.samples[index][0]).read_bytes())
        self.digest = digest.hexdigest()

    def __iter__(self):
        for at in range(0, len(self.chosen), self.size):
            images, labels = zip(*(self.images[index] for index in self.chosen[at : at + self.size]))
            yield torch.stack(images).to(self.device), torch.tensor(labels, device=self.device)


def batches_of(arguments, net, device):
    """The images that are scored."""
    if arguments.data is None:
        raise Problem(f"--by {arguments.by} needs images: name their folder with --data; synflow needs none")
    count = arguments.images_per_class * net.fc.out_features
    if CIFAR.fullmatch(arguments.model):
        return CifarBatches(imp.Data(arguments.data, device), count, arguments.batch, arguments.seed)
    batches = FolderBatches(arguments.data, count, arguments.batch, arguments.seed)
    classes = len(batches.images.classes)
    if classes != net.fc.out_features:
        raise Problem(f"{arguments.data}: {classes} folders of classes, and the network has {net.fc.out_features} classes")
    batches.device = device
    return batches


# ---------------------------------------------------------------------------------------------------------- command


def state_of(density):
    """The round of `imp.py` whose density, 0.8 to the power of the round, is nearest; 0 is the dense network."""
    return 0 if density == 1 else max(1, round(math.log(density) / math.log(0.8)))


def scored(arguments, net, names, device):
    """The mask, and what its files say of how it came about."""
    if arguments.by == "synflow":
        iterations = 100 if arguments.iterations is None else arguments.iterations
        side = imp.SIDE if CIFAR.fullmatch(arguments.model) else 224
        mask = synflow_mask(net, names, (3, side, side), arguments.density, iterations)
        return mask, {"iterations": str(iterations)}
    net = copy.deepcopy(net).train(arguments.mode == "train")
    batches = batches_of(arguments, net, device)
    scores = {"snip": snip, "grasp": grasp}[arguments.by](net, names, batches)
    return mask_of(scores, arguments.density), {
        "images": str(arguments.images_per_class * net.fc.out_features),
        "images_sha256": batches.digest,
        "seed": str(arguments.seed),
        "batch": str(arguments.batch),
        "mode": arguments.mode,
    }


def densities(mask):
    """Kept weights, and all: over all layers, and of each."""
    return imp.ones(mask), sum(kept.numel() for kept in mask.values()), {
        name: [int(kept.sum()), kept.numel()] for name, kept in mask.items()
    }


def check(arguments):
    """Refuses options that cannot be meant."""
    check_density(arguments.density)
    for name in ("images_per_class", "batch", "state"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise Problem(f"--{name.replace('_', '-')} {value}: expected 1 or more")
    if arguments.iterations is not None and arguments.by != "synflow":
        raise Problem(f"--iterations {arguments.iterations}: {arguments.by} takes its scores once; leave it out, or take synflow")
    if arguments.iterations is not None and arguments.iterations < 1:
        raise Problem(f"--iterations {arguments.iterations}: expected 1 or more")
    for layer in filter(None, arguments.keep.split(",")):
        if layer not in imp.KEEPABLE:
            raise Problem(f"--keep {layer}: expected some of {', '.join(imp.KEEPABLE)}, or nothing")


def prune(arguments):
    """What the command does."""
    check(arguments)
    state = state_of(arguments.density) if arguments.state is None else arguments.state
    paths = {kind: arguments.out_dir / f"{arguments.model}_{state}_{kind}.safetensors" for kind in ("checkpoint", "mask")}
    for path in paths.values():
        if path.exists():
            raise Problem(f"{path}: is there already; name another --out-dir or --state, or remove it")
    tensors, source = read_checkpoint(arguments.checkpoint)
    tensors = {name: tensor for name, tensor in tensors.items() if not name.endswith("num_batches_tracked")}
    net = network(arguments.model, tensors)
    imp.load_into(net, tensors, arguments.checkpoint)
    device = imp.device(arguments.device)
    net = net.to(device, memory_format=torch.channels_last)
    names = imp.prunable(net, [layer for layer in arguments.keep.split(",") if layer])
    mask, metadata = scored(arguments, net, names, device)
    if not arguments.allow_empty_layers:
        refuse_empty_layers(mask, arguments.density, arguments.by)
    kept, total, layers = densities(mask)
    metadata |= {name: source[name] for name in ("arch", "upstream", "mean", "std") if name in source}
    metadata |= {
        "how": f"{NAMES[arguments.by]} of the source's weights, pruned at once, not trained since",
        "by": arguments.by,
        "density": str(arguments.density),
        "keep": arguments.keep,
        "state": str(state),
        "kept": f"{kept / total:.6f}",
        "kept_weights": str(kept),
        "layers": json.dumps(layers),
        "source": arguments.checkpoint.name,
        "source_sha256": hashlib.sha256(arguments.checkpoint.read_bytes()).hexdigest(),
        "torch": torch.__version__,
        "device": device.type,
    }
    imp.Trainer.apply(net, mask)
    if kept < total:
        imp.write_tensors(paths["mask"], mask, metadata)
    imp.write_tensors(paths["checkpoint"], imp.exported(net), metadata)
    least = min(layers, key=lambda name: layers[name][0] / layers[name][1])
    print(f"{paths['checkpoint']}: {arguments.by} kept {kept} of {total} weights, {kept / total:.2%}")
    print(f"fewest: {least}, {layers[least][0]} of {layers[least][1]}; nothing was trained")


def parser():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--by", choices=tuple(NAMES), required=True, help="which score")
    parser.add_argument("--density", type=float, required=True, help="share of the prunable weights that stays, such as 0.168")
    parser.add_argument("--checkpoint", type=Path, required=True, help="whose weights are scored: .safetensors or .pth")
    parser.add_argument("--out-dir", type=Path, required=True, help="gets checkpoint and mask")
    parser.add_argument("--model", default="resnet20_cifar100", help="or a ResNet of torchvision [default: resnet20_cifar100]")
    parser.add_argument("--state", type=int, help="number in the files' names [default: L where 0.8^L is nearest the density]")
    parser.add_argument("--keep", default="stem,classifier", help="layers without a mask [default: stem,classifier]")
    parser.add_argument("--iterations", type=int, help="of synflow [default: 100]")
    parser.add_argument("--data", type=Path, help="for snip and grasp: holds cifar-100-binary, or for torchvision's class folders")
    parser.add_argument("--images-per-class", type=int, default=10, help="so many times the classes, at random [default: 10]")
    parser.add_argument("--batch", type=int, default=256, help="gradients are those of these batches' mean losses [default: 256]")
    parser.add_argument("--mode", choices=("train", "eval"), default="train", help="batch norms' for snip, grasp [default: train]")
    parser.add_argument("--allow-empty-layers", action="store_true", help="write a mask that keeps nothing of some layer")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of images [default: 0]")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--threads", type=int, help="of PyTorch, on a CPU [default: as many as cores]")
    return parser


def main():
    arguments = parser().parse_args()
    if arguments.threads is not None:
        torch.set_num_threads(arguments.threads)
    try:
        prune(arguments)
    except Problem as problem:
        sys.exit(f"scores.py: {problem}")


if __name__ == "__main__":
    main()
