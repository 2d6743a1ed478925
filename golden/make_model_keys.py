"""Writes model_keys.json: the names and shapes of every parameter of the models that rut knows, from torchvision and,
for the CIFAR networks, from the definition below (He et al. 2016, section 4.2). Run it to extend or re-check:

    python3 make_model_keys.py
"""

import json
from pathlib import Path

import torch
import torchvision
from torch import nn

IMAGENET = [f"resnet{d}" for d in (18, 34, 50, 101, 152)]
IMAGENET += [f"vgg{d}{suffix}" for d in (11, 13, 16, 19) for suffix in ("", "_bn")]


class Block(nn.Module):
    def __init__(self, read, write, stride, convolution_shortcut):
        super().__init__()
        self.conv1 = nn.Conv2d(read, write, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(write)
        self.conv2 = nn.Conv2d(write, write, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(write)
        if convolution_shortcut and (stride != 1 or read != write):
            self.downsample = nn.Sequential(nn.Conv2d(read, write, 1, stride, bias=False), nn.BatchNorm2d(write))


class Cifar(nn.Module):
    def __init__(self, depth, classes, classifier, convolution_shortcut):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        read = 16
        for stage, write in enumerate((16, 32, 64), start=1):
            blocks = []
            for block in range((depth - 2) // 6):
                stride = 2 if stage > 1 and block == 0 else 1
                blocks.append(Block(read, write, stride, convolution_shortcut))
                read = write
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))
        setattr(self, classifier, nn.Linear(64, classes))


def models():
    for name in IMAGENET:
        with torch.device("meta"):
            yield name, getattr(torchvision.models, name)(weights=None)
    for depth in (20, 32, 44, 56):
        yield f"resnet{depth}_cifar10", Cifar(depth, 10, "linear", convolution_shortcut=False)
        yield f"resnet{depth}_cifar100", Cifar(depth, 100, "fc", convolution_shortcut=True)


def main():
    keys = {
        name: {k: list(v.shape) for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}
        for name, net in models()
    }
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(shapes)}" for name, shapes in keys.items())
    head = f' "torch": {json.dumps(torch.__version__)},\n "torchvision": {json.dumps(torchvision.__version__)},\n'
    text = "{\n" + head + ' "models": {\n' + lines + "\n }\n}\n"
    json.loads(text)
    (Path(__file__).parent / "model_keys.json").write_text(text)


main()
