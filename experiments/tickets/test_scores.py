#!/usr/bin/env python3
"""Tests of `scores.py`: `python3 test_scores.py`. Without PyTorch or safetensors: `skipped:`.

Scores and masks are held against `golden/methods/tickets.safetensors` of the shared material (`RUT_SHARED`, or `../shared` beside
the checkout), whose network runs in evaluation mode; GraSP also against a Hessian. Images are noise.
"""

import contextlib
import hashlib
import io
import json
import os
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("RUT_SHARED", HERE.parent.parent.parent / "shared"))
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

try:
    import torch
    import torch.nn.functional as F
    from safetensors.torch import load_file
    from torch import nn

    import scores
except ImportError as missing:
    print(f"skipped: test_scores.py: {missing}; install torch and safetensors", file=sys.stderr)
    sys.exit(0)

imp = scores.imp


def setUpModule():
    """One thread: two that wait for each other take far longer on a shared machine."""
    threads = torch.get_num_threads()
    unittest.addModuleCleanup(torch.set_num_threads, threads)
    torch.set_num_threads(1)


class Golden(nn.Module):
    """The golden network."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 3, 1, 1, bias=False), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6)
        self.fc = nn.Linear(6, 5)

    def forward(self, x):
        x = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return self.fc(x.mean((2, 3)))


class Goldens(unittest.TestCase):
    DENSITIES = (0.5, 0.168)

    def setUp(self):
        path = SHARED / "golden/methods/tickets.safetensors"
        if not path.exists():
            print(f"skipped: {path} is not there", file=sys.stderr)
            self.skipTest("no shared material")
        self.golden = load_file(path)
        self.net = Golden().double().eval()
        self.net.load_state_dict(imp.below(self.golden, "net."), strict=False)
        self.names = imp.prunable(self.net, [])
        self.assertEqual(self.names, ["conv1.weight", "conv2.weight", "fc.weight"])
        self.batches = [(self.golden["x"], self.golden["y"])]

    def assert_scores(self, found, by):
        for name in self.names:
            golden = self.golden[f"score.{by}.{name}"]
            self.assertEqual(found[name].dtype, torch.float64)
            # Relative to each score; where terms of a sum cancel (one of GraSP's), what remains is as exact as the largest.
            allowed = 1e-12 * golden.abs() + 1e-14 * golden.abs().max()
            self.assertTrue(((found[name] - golden).abs() <= allowed).all(), f"{by} {name}")

    def assert_mask(self, found, prefix):
        for name in self.names:
            self.assertTrue(torch.equal(found[name].double(), self.golden[f"{prefix}.{name}"].double()), f"{prefix} {name}")

    def test_scores_of_images(self):
        for by in ("snip", "grasp"):
            found = getattr(scores, by)(self.net, self.names, self.batches)
            self.assert_scores(found, by)
            for density in self.DENSITIES:
                self.assert_mask(scores.mask_of(found, density), f"mask.{by}.{density}")

    def test_synflow_at_once(self):
        self.assert_scores(scores.synflow(scores.linearised(self.net), self.names, (3, 8, 8)), "synflow")
        for density in self.DENSITIES:
            self.assert_mask(scores.synflow_mask(self.net, self.names, (3, 8, 8), density, 1), f"mask.synflow.{density}")
        record = json.loads((SHARED / "golden/methods/tickets.json").read_text())
        total = scores.linearised(self.net)(torch.ones(1, 3, 8, 8, dtype=torch.float64)).sum().item()
        self.assertAlmostEqual(total / record["synflow_R"], 1, places=12)

    def test_synflow_in_ten_iterations(self):
        mask = scores.synflow_mask(self.net, self.names, (3, 8, 8), 0.1, 10)
        self.assert_mask(mask, "mask.synflow_iter10_0.1")
        self.assertEqual(imp.ones(mask), 36)
        # It matters: at once, other weights stay.
        once = scores.synflow_mask(self.net, self.names, (3, 8, 8), 0.1, 1)
        self.assertFalse(all(torch.equal(mask[name], once[name]) for name in self.names))

    def test_magnitude_by_the_same_threshold(self):
        weights = {name: self.net.get_parameter(name).detach().abs() for name in self.names}
        self.assert_scores(weights, "mag")
        for density in self.DENSITIES:
            self.assert_mask(scores.mask_of(weights, density), f"mask.mag.{density}")

    def test_nothing_of_the_network_changes(self):
        before = {name: tensor.clone() for name, tensor in self.net.state_dict().items()}
        scores.snip(self.net, self.names, self.batches)
        scores.grasp(self.net, self.names, self.batches)
        scores.synflow_mask(self.net, self.names, (3, 8, 8), 0.5, 2)
        self.assertTrue(all(torch.equal(tensor, before[name]) for name, tensor in self.net.state_dict().items()))
        self.assertTrue(all(parameter.grad is None for parameter in self.net.parameters()))


class Rules(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(6)
        self.net = nn.Sequential(nn.Linear(3, 4, bias=False), nn.Tanh(), nn.Linear(4, 3, bias=False)).double()
        self.names = ["0.weight", "2.weight"]
        self.batches = [(torch.randn(5, 3).double(), torch.arange(5) % 3), (torch.randn(2, 3).double(), torch.tensor([0, 2]))]

    def losses(self, first, second, temperature=1.0):
        """The sum of the batches' mean losses, as a function of the weights."""
        return sum(F.cross_entropy(torch.tanh(x @ first.T) @ second.T / temperature, y) for x, y in self.batches)

    def test_grasp_is_weights_times_hessian_times_gradient(self):
        weights = tuple(self.net.get_parameter(name).detach() for name in self.names)
        at = torch.cat([weight.reshape(-1) for weight in weights])

        def loss(flat):
            return self.losses(flat[:12].view(4, 3), flat[12:].view(3, 4), 200.0)

        product = at * (torch.autograd.functional.hessian(loss, at) @ torch.autograd.functional.jacobian(loss, at))
        expected = product / (product.sum().abs() + 1e-10)
        found = scores.grasp(self.net, self.names, self.batches)
        found = torch.cat([found[name].reshape(-1) for name in self.names])
        self.assertTrue(torch.allclose(found, expected, rtol=1e-9, atol=0))

    def test_snip_adds_gradients_of_batches_and_then_takes_sizes(self):
        weights = tuple(self.net.get_parameter(name).detach() for name in self.names)
        gradients = torch.autograd.functional.jacobian(self.losses, weights)
        sizes = [(weight * of).abs() for weight, of in zip(weights, gradients)]
        found = scores.snip(self.net, self.names, self.batches)
        for name, size in zip(self.names, sizes):
            self.assertTrue(torch.allclose(found[name], size / sum(of.sum() for of in sizes), rtol=1e-12, atol=0))

    def test_ties_go_and_a_density_of_one_keeps_all(self):
        table = {"a": torch.tensor([1.0, 2.0, 2.0]), "b": torch.tensor([2.0, 3.0, 0.0])}
        mask = scores.mask_of(table, 0.5)
        self.assertEqual([mask["a"].tolist(), mask["b"].tolist()], [[0, 0, 0], [0, 1, 0]])
        self.assertEqual(imp.ones(scores.mask_of(table, 1.0)), 6)

    def test_bad_values_are_named(self):
        for density in (0.0, -0.1, 1.01, float("nan")):
            with self.assertRaisesRegex(scores.Problem, "--density .*: expected a number above 0"):
                scores.mask_of({"a": torch.ones(3)}, density)
        with self.assertRaisesRegex(scores.Problem, "a.weight: scores that are no finite numbers"):
            scores.checked({"a.weight": torch.tensor([1.0, float("inf")])})
        with self.assertRaisesRegex(scores.Problem, "all scores are 0"):
            scores.checked({"a": torch.zeros(2)})
        with self.assertRaisesRegex(scores.Problem, "b.weight: all of its 2 weights would go at density 0.5 by snip"):
            scores.refuse_empty_layers({"a.weight": torch.ones(2), "b.weight": torch.zeros(2)}, 0.5, "snip")
        with self.assertRaisesRegex(scores.Problem, r"a \(and 1 more layers\): all of its 3 weights"):
            scores.refuse_empty_layers({"a": torch.zeros(3), "b": torch.zeros(2)}, 0.5, "snip")

    def test_states_are_the_nearest_rounds(self):
        cases = ((1.0, 0), (0.99, 1), (0.8, 1), (0.4096, 4), (0.168, 8), (0.01, 21))
        self.assertEqual([scores.state_of(density) for density, _ in cases], [state for _, state in cases])


class Noise(imp.Data):
    """Images that are noise, in place of CIFAR-100."""

    def __init__(self, _folder, device):
        self.device, self.digest = device, "noise"
        generator = torch.Generator().manual_seed(1)
        self.images = {"train": torch.randint(256, (120, 32, 32, 3), generator=generator, dtype=torch.uint8)}
        self.labels = {"train": torch.randint(imp.CLASSES, (120,), generator=generator)}
        self.prepare()


class Command(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        torch.manual_seed(7)
        net = imp.ResNet(8)
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_var.uniform_(0.5, 2)
        self.source = self.folder / "source.safetensors"
        imp.write_tensors(self.source, imp.exported(net), {"mean": "1,2,3", "recipe": "{}"})
        self.addCleanup(setattr, imp, "Data", imp.Data)
        imp.Data = Noise

    def run_command(self, *words, by="snip", density="0.168"):
        """`scores.py` with these options; what it prints."""
        required = ["--by", by, "--density", density, "--checkpoint", str(self.source), "--out-dir", str(self.folder / by)]
        arguments = scores.parser().parse_args([*required, "--model", "resnet8_cifar100", *words])
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            scores.prune(arguments)
        return out.getvalue()

    def test_checkpoint_and_mask_are_as_imp_writes_them(self):
        images = ["--data", "any", "--images-per-class", "1", "--batch", "40", "--mode"]
        for by, words in (("snip", [*images, "train"]), ("grasp", [*images, "eval"]), ("synflow", ["--iterations", "5"])):
            printed = self.run_command(*words, by=by)
            mask, metadata = imp.read_tensors(self.folder / by / "resnet8_cifar100_8_mask.safetensors")
            weights, of_weights = imp.read_tensors(self.folder / by / "resnet8_cifar100_8_checkpoint.safetensors")
            self.assertEqual(metadata, of_weights)
            self.assertEqual(set(mask), set(imp.prunable(imp.ResNet(8), ["stem", "classifier"])))
            total = sum(kept.numel() for kept in mask.values())
            self.assertEqual(imp.ones(mask), total - int((1 - 0.168) * total))
            self.assertIn(f"{by} kept {imp.ones(mask)} of {total} weights, 16.80%", printed)
            imp.load_into(imp.ResNet(8), weights, "there")
            for name, tensor in load_file(self.source).items():
                expected = tensor * mask[name] if name in mask else tensor
                self.assertTrue(torch.equal(weights[name], expected), name)
            self.assertTrue(all(kept.dtype == torch.uint8 for kept in mask.values()))
            self.assertEqual(metadata["source_sha256"], hashlib.sha256(self.source.read_bytes()).hexdigest())
            self.assertEqual((metadata["by"], metadata["density"], metadata["mean"]), (by, "0.168", "1,2,3"))
            layers = json.loads(metadata["layers"])
            self.assertEqual(sum(kept for kept, _ in layers.values()), int(metadata["kept_weights"]))
            self.assertEqual(metadata.get("iterations"), "5" if by == "synflow" else None)
            self.assertEqual(metadata.get("images_sha256"), None if by == "synflow" else "noise")

    def test_the_mode_and_the_seed_matter(self):
        masks = []
        for number, words in enumerate((["train", "--seed", "0"], ["train", "--seed", "0"], ["eval"], ["train", "--seed", "1"])):
            state = str(number + 1)
            self.run_command("--data", "any", "--images-per-class", "1", "--state", state, "--mode", *words)
            masks.append(load_file(self.folder / f"snip/resnet8_cifar100_{state}_mask.safetensors"))
        same = [all(torch.equal(mask[name], kept) for name, kept in masks[0].items()) for mask in masks]
        self.assertEqual(same, [True, True, False, False])

    def test_a_density_of_one_writes_no_mask(self):
        self.run_command("--iterations", "1", by="synflow", density="1")
        names = [path.name for path in (self.folder / "synflow").iterdir()]
        self.assertEqual(names, ["resnet8_cifar100_0_checkpoint.safetensors"])

    def test_bad_input_is_named(self):
        data = ["--data", "any"]
        cases = (
            ("snip", "0.5", [], "--by snip needs images"),
            ("snip", "0", data, "--density 0.0: expected a number above 0"),
            ("snip", "1.5", data, "--density 1.5: expected a number above 0"),
            ("grasp", "0.5", [*data, "--iterations", "3"], "--iterations 3: grasp takes its scores once"),
            ("synflow", "0.5", ["--iterations", "0"], "--iterations 0: expected 1 or more"),
            ("synflow", "0.5", ["--keep", "head"], "--keep head: expected some of stem, classifier"),
            ("synflow", "0.5", ["--state", "0"], "--state 0: expected 1 or more"),
            ("synflow", "0.5", ["--model", "resnet14_cifar100"], "source.safetensors: not this network"),
            ("synflow", "0.5", ["--model", "vgg16"], "--model vgg16: expected resnet20_cifar100"),
            ("synflow", "0.5", ["--checkpoint", "nowhere.safetensors"], "nowhere.safetensors: not read"),
            ("synflow", "0.5", ["--checkpoint", "nowhere.pth"], "nowhere.pth: not read"),
            ("snip", "0.5", [*data, "--images-per-class", "2"], "200 images are to be scored, and there are 120"),
            ("synflow", "0.0001", ["--iterations", "1"], "weights would go at density 0.0001 by synflow.*--allow-empty-layers"),
        )
        for by, density, words, expected in cases:
            with self.assertRaisesRegex(scores.Problem, expected):
                self.run_command(*words, by=by, density=density)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["source.safetensors"])

    def test_files_are_not_replaced(self):
        self.run_command("--iterations", "5", by="synflow")
        with self.assertRaisesRegex(scores.Problem, "resnet8_cifar100_8_checkpoint.safetensors: is there already"):
            self.run_command("--iterations", "5", by="synflow")


class Torchvision(unittest.TestCase):
    def setUp(self):
        try:
            from torchvision import datasets, models  # noqa: F401
            from PIL import Image
        except ImportError as missing:
            print(f"skipped: {missing}", file=sys.stderr)
            self.skipTest("no torchvision")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        torch.manual_seed(8)
        self.net = models.resnet18(num_classes=2)
        torch.save(self.net.state_dict(), self.folder / "net.pth")
        for label in ("left", "right"):
            (self.folder / "images" / label).mkdir(parents=True)
            for number in range(2):
                pixels = torch.randint(256, (40, 50, 3), dtype=torch.uint8).numpy()
                Image.fromarray(pixels).save(self.folder / "images" / label / f"{number}.png")

    def run_command(self, by, *words):
        required = ["--by", by, "--density", "0.5", "--model", "resnet18", "--checkpoint", str(self.folder / "net.pth")]
        arguments = scores.parser().parse_args([*required, "--out-dir", str(self.folder / by), *words])
        with contextlib.redirect_stdout(io.StringIO()):
            scores.prune(arguments)
        return load_file(self.folder / by / "resnet18_3_mask.safetensors")

    def test_a_resnet_of_torchvision(self):
        images = ["--data", str(self.folder / "images"), "--images-per-class", "2", "--batch", "4"]
        # SynFlow's first iteration takes all of a shortcut that carries little.
        with self.assertRaisesRegex(scores.Problem, "layer4.0.downsample.0.weight.*--allow-empty-layers"):
            self.run_command("synflow", "--iterations", "1")
        cases = (("snip", images), ("grasp", images), ("synflow", ["--iterations", "1", "--allow-empty-layers"]))
        for by, words in cases:
            mask = self.run_command(by, *words)
            self.assertEqual(len(mask), 19)
            total = sum(kept.numel() for kept in mask.values())
            self.assertEqual(total, 11_166_912 - 9_408)  # Of all convolutions, and of the stem.
            self.assertLessEqual(imp.ones(mask), total - int(0.5 * total))
            self.assertGreater(imp.ones(mask), 0.49 * total)

    def test_other_classes_are_refused(self):
        with self.assertRaisesRegex(scores.Problem, "images: 2 folders of classes, and the network has 3 classes"):
            net = type(self.net)(type(self.net.layer1[0]), [2, 2, 2, 2], num_classes=3)
            torch.save(net.state_dict(), self.folder / "net.pth")
            self.run_command("snip", "--data", str(self.folder / "images"), "--images-per-class", "1")
        with self.assertRaisesRegex(scores.Problem, "nowhere: expected a folder of images for each class"):
            self.run_command("snip", "--data", str(self.folder / "nowhere"))


if __name__ == "__main__":
    unittest.main()
