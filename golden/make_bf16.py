"""Writes bf16.json and bf16.safetensors: what PyTorch's autocast to bfloat16 makes of the bundled ResNet-20s on bundled digits.

    python3 make_bf16.py OUT_DIR

Run it in this folder. Networks, images and output gradients are those of `crates/rut-models/tests/bf16.rs`: digits whose pixels are
four times as wide and high, and gradients of the logits by `weights_rule.py`. For each network: logits in f64 and under autocast
(as it stands, and with batch norms folded into convolutions, which is how inference libraries run it), how far these are from f64
(relative L2), how many classes agree, the cosine of the input gradients, and the mean cross entropy of the ten first logits.

On a CPU for which PyTorch has no convolutions in bf16, they are computed in f32 and rounded where autocast rounds; the metadata
says so.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from safetensors.torch import load_file
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

import weights_rule as rule

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "experiments" / "tickets"))
import imp  # noqa: E402

IMAGES = 64
# Name, folder of `checkpoints/`, state.
NETWORKS = [("state0", ".", 0), ("state8", ".", 8), *((f"fair/state{state}", "fair", state) for state in (0, 2, 4, 6, 8))]
MEAN = np.array([0.5071, 0.4865, 0.4409], np.float32)
DEVIATION = np.array([0.2673, 0.2564, 0.2762], np.float32)


def digits():
    """Normalised images [n, 3, 32, 32] in f32, and labels."""
    rows = np.loadtxt(HERE.parent / "data/digits/digits.csv", delimiter=",", dtype=np.float32, max_rows=IMAGES)
    pixels = (rows[:, :64] / np.float32(16)).reshape(-1, 1, 8, 8).repeat(4, 2).repeat(4, 3)
    normalised = (pixels - MEAN.reshape(1, 3, 1, 1)) / DEVIATION.reshape(1, 3, 1, 1)
    return torch.from_numpy(normalised), torch.from_numpy(rows[:, 64].astype(np.int64))


def network(folder, state):
    """The bundled network of a state, without its masked weights."""
    folder = HERE.parent / "checkpoints" / folder
    tensors = load_file(folder / f"resnet20_cifar100_{state}_checkpoint.safetensors")
    mask = folder / f"resnet20_cifar100_{state}_mask.safetensors"
    for name, kept in (load_file(mask) if mask.exists() else {}).items():
        name = name if name in tensors else name.removesuffix("_mask")
        tensors[name] = tensors[name] * kept.to(tensors[name].dtype)
    net = imp.ResNet(20)
    imp.load_into(net, {name: tensor for name, tensor in tensors.items() if not name.endswith("num_batches_tracked")}, folder)
    return net.eval()


def folded(net):
    """The same with every batch norm folded into the convolution before it."""
    for module in list(net.modules()):
        pairs = {"conv1": "bn1", "conv2": "bn2"}
        if isinstance(module, nn.Sequential) and len(module) == 2 and isinstance(module[1], nn.BatchNorm2d):
            pairs = {"0": "1"}
        for conv, norm in pairs.items():
            conv, bn = getattr(module, conv, None), getattr(module, norm, None)
            if isinstance(conv, nn.Conv2d) and isinstance(bn, nn.BatchNorm2d):
                weight, bias = fuse_conv_bn_weights(
                    conv.weight, None, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
                )
                conv.weight = nn.Parameter(weight.detach())
                setattr(module, norm, Shift(bias.detach()))
    return net


class Shift(nn.Module):
    """The bias of a convolution, added in f32: between two roundings, where a library rounds the sum once."""

    def __init__(self, bias):
        super().__init__()
        self.bias = bias

    def forward(self, x):
        wide = torch.promote_types(x.dtype, torch.float32)
        return (x.to(wide) + self.bias.to(wide).view(1, -1, 1, 1)).to(x.dtype)


def run(net, images, gradient, autocast):
    """Logits and input gradient."""
    x = images.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        logits = net(x)
    (back,) = torch.autograd.grad(logits, x, gradient.to(logits.dtype))
    return logits.detach().double(), back.double()


def apart(found, expected):
    """Relative L2."""
    return ((found - expected).norm() / expected.norm()).item()


def main():
    out = Path(sys.argv[1])
    imp.Conv2d.emulated = imp.lacks_bf16(torch.device("cpu"))
    images, labels = digits()
    gradient = torch.from_numpy(rule.image("grad", IMAGES * 100)).reshape(IMAGES, 100) - 0.5
    tensors, figures = {}, {}
    for title, *place in NETWORKS:
        exact, exact_back = run(network(*place).double(), images.double(), gradient.double(), False)
        tensors[f"{title}.f64"] = exact.float().numpy()
        figures[title] = {"loss": F.cross_entropy(exact[:, :10], labels).item()}
        for name, net in (("autocast", network(*place)), ("autocast_folded", folded(network(*place)))):
            logits, back = run(net, images, gradient, True)
            if name == "autocast":
                tensors[f"{title}.{name}"] = logits.float().numpy()
            figures[title][name] = {
                "logits": apart(logits, exact),
                "agree": (logits.argmax(1) == exact.argmax(1)).double().mean().item(),
                "gradient_cosine": F.cosine_similarity(back.flatten(), exact_back.flatten(), 0).item(),
                "loss": F.cross_entropy(logits[:, :10], labels).item(),
            }
    about = {"torch": torch.__version__, "emulated": str(imp.Conv2d.emulated).lower()}
    save_file(tensors, out / "bf16.safetensors", about)
    (out / "bf16.json").write_text(json.dumps({**about, **figures}, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


main()
