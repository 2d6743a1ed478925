"""Running means and variances of batch norms, estimated anew by PyTorch, for `Recalibration`.

Run in this folder, with torch, torchvision, numpy and safetensors: `python make_recalibration.py`. Networks are in training
mode with `momentum=None`, in f64, and see images in batches of which the last is smaller. They are torchvision's ResNet-18
with the weights of `weights_rule.py`, masked to a density of 0.4096, and the small network of `methods/tickets.safetensors`.
Of every buffer there are the first four channels and the sum of all.
"""

import json
from pathlib import Path

import torch
import torchvision
from safetensors.torch import load_file
from torch import nn

import weights_rule as rule

HERE = Path(__file__).parent
torch.set_default_dtype(torch.float64)


def recalibrated(net, images, batch_size):
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    net.double().train()
    with torch.no_grad():
        for batch in images.double().split(batch_size):
            net(batch)
    buffers = {name: value for name, value in net.state_dict().items() if "running" in name}
    return {name: {"first": value[:4].tolist(), "sum": value.sum().item()} for name, value in buffers.items()}


def resnet18():
    net = torchvision.models.resnet18(weights=None)
    shapes = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    weights = {name: torch.from_numpy(value) for name, value in rule.state_dict(shapes, False).items()}
    for name, value in weights.items():
        if value.dim() == 4 and name != "conv1.weight":
            value.mul_(torch.from_numpy(rule.mask(name, tuple(value.shape), 0.4096)))
    net.load_state_dict(weights, strict=False)
    return net


def small():
    tensors = load_file(HERE / "methods" / "tickets.safetensors")
    weights = {name[4:]: value for name, value in tensors.items() if name.startswith("net.")}
    net = nn.Sequential()
    net.add_module("conv1", nn.Conv2d(3, 4, 3, 1, 1, bias=False))
    net.add_module("bn1", nn.BatchNorm2d(4))
    net.add_module("relu1", nn.ReLU())
    net.add_module("conv2", nn.Conv2d(4, 6, 3, 2, 1, bias=False))
    net.add_module("bn2", nn.BatchNorm2d(6))
    net.add_module("relu2", nn.ReLU())
    net.add_module("pool", nn.AdaptiveAvgPool2d(1))
    net.add_module("flatten", nn.Flatten())
    net.add_module("fc", nn.Linear(6, 5))
    net.load_state_dict(weights, strict=False)
    return net, tensors["x"]


images = torch.from_numpy(rule.image("recalibration", (7, 3, 64, 64)))
net, few = small()
golden = {
    "torch": torch.__version__,
    "torchvision": torchvision.__version__,
    "resnet18": {"batch_size": 3, "buffers": recalibrated(resnet18(), images, 3)},
    "small": {"batch_size": 8, "buffers": recalibrated(net, few, 8)},
}
(HERE / "recalibration.json").write_text(json.dumps(golden, indent=1) + "\n")
