#!/usr/bin/env python3
"""Tests of `imp.py` and `cifar100.py`: `python3 test_imp.py`. Without PyTorch, safetensors, NumPy or Pillow: `skipped:`.

Masks are held against `golden/methods/tickets.safetensors` of the shared material (`RUT_SHARED`, or `../shared` beside the
checkout), networks against the bundled checkpoints, the batches against a loop; training is stopped and must go on to the same
bits. Images are noise, a few of them.
"""

import contextlib
import importlib.util
import io
import json
import os
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SHARED = Path(os.environ.get("RUT_SHARED", ROOT.parent / "shared"))
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

try:
    import numpy as np
    import torch
    from PIL import Image
    from safetensors.torch import load_file

    import cifar100
except ImportError as missing:
    print(f"skipped: test_imp.py: {missing}; install torch, safetensors, numpy and pillow", file=sys.stderr)
    sys.exit(0)


# By its path: Python had a module `imp` of its own until 3.12.
SPEC = importlib.util.spec_from_file_location("experiments_imp", HERE / "imp.py")
imp = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = imp
SPEC.loader.exec_module(imp)


class Noise(imp.Data):
    """A few images that are noise, in place of CIFAR-100."""

    def __init__(self, train=48, test=20):
        self.device, self.digest = torch.device("cpu"), "noise"
        generator = torch.Generator().manual_seed(1)
        sizes = {"train": train, "test": test}
        self.images, self.labels = {}, {}
        for part, count in sizes.items():
            self.images[part] = torch.randint(256, (count, 32, 32, 3), generator=generator, dtype=torch.uint8)
            self.labels[part] = torch.randint(imp.CLASSES, (count,), generator=generator)
        self.prepare()


def small(**changes):
    return imp.Recipe(**({"data": "noise", "depth": 8, "epochs": 2, "states": 1, "batch": 16, "lr": 0.05} | changes))


def quiet(function, *arguments):
    with contextlib.redirect_stdout(io.StringIO()):
        return function(*arguments)


class Masks(unittest.TestCase):
    def setUp(self):
        path = SHARED / "golden/methods/tickets.safetensors"
        if not path.exists():
            print(f"skipped: {path} is not there", file=sys.stderr)
            self.skipTest("no shared material")
        self.golden = load_file(path)
        self.names = ["conv1.weight", "conv2.weight", "fc.weight"]
        self.weights = {name: self.golden[f"net.{name}"] for name in self.names}
        self.full = {name: torch.ones_like(weight) for name, weight in self.weights.items()}

    def assert_golden(self, mask, prefix):
        for name in self.names:
            self.assertTrue(torch.equal(mask[name].double(), self.golden[f"{prefix}.{name}"].double()), f"{prefix} {name}")

    def test_four_levels_are_open_lths(self):
        mask = self.full
        for level, kept in zip(range(1, 5), (282, 224, 178, 141)):
            mask = imp.next_mask(self.weights, mask)
            self.assertEqual(imp.ones(mask), kept)
            self.assert_golden(mask, f"olth.L{level}")

    def test_an_ignored_layer_is_counted_and_kept(self):
        mask = imp.next_mask(self.weights, self.full, ignore=("fc.weight",))
        self.assertEqual({name: imp.ones({name: kept}) for name, kept in mask.items()}, dict(zip(self.names, (83, 169, 30))))

    def test_at_once_is_synaptic_flows_magnitude(self):
        total = imp.ones(self.full)
        for density in (0.5, 0.168):
            kept = total - int((1 - density) * total)
            mask = imp.top_mask({name: weight.abs() for name, weight in self.weights.items()}, kept)
            self.assert_golden(mask, f"mask.mag.{density}")


class Rules(unittest.TestCase):
    def test_ties_at_the_threshold_go(self):
        weights = {"a": torch.tensor([1.0, -2.0, 2.0, 2.0, 3.0, 4.0])}
        mask = imp.next_mask(weights, {"a": torch.ones(6)})
        self.assertEqual(mask["a"].tolist(), [0, 0, 0, 0, 1, 1])

    def test_a_mask_that_would_be_empty_is_refused(self):
        with self.assertRaisesRegex(imp.Problem, "2 weights are left"):
            imp.next_mask({"a": torch.tensor([1.0, 2.0])}, {"a": torch.ones(2)})

    def test_random_masks_are_exact_nested_and_of_their_seed(self):
        shapes = {"a": (30, 10), "b": (700,)}
        more, less, other = (imp.random_mask(shapes, kept, seed) for kept, seed in ((400, 3), (170, 3), (170, 4)))
        self.assertEqual([imp.ones(mask) for mask in (more, less, other)], [400, 170, 170])
        self.assertTrue(all((less[name] <= more[name]).all() for name in shapes))
        self.assertFalse(torch.equal(less["b"], other["b"]))

    def test_learning_rates_meet_at_the_rewinding_point(self):
        recipe = small(lr=1.0, epochs=4)
        rates = [recipe.rate(step, 10) for step in range(50)]
        self.assertAlmostEqual(rates[0], 0.1)
        self.assertEqual(rates[9], 1.0)
        self.assertEqual(rates[10], 1.0)
        self.assertAlmostEqual(rates[30], 0.5)
        self.assertTrue(0 < rates[49] < 0.01)

    def test_ece_of_three_predictions(self):
        chances = torch.tensor([[0.6, 0.4], [0.9, 0.1], [0.9, 0.1]], dtype=torch.float64)
        accuracy, ece = imp.scores(chances.log(), torch.tensor([0, 0, 1]))
        self.assertAlmostEqual(accuracy, 2 / 3)
        self.assertAlmostEqual(ece, (0.4 + 0.8) / 3)

    def test_options_that_cannot_be_meant_are_named(self):
        for change, named in (({"epochs": 0}, "--epochs 0"), ({"fraction": 1.0}, "--fraction"), ({"keep": "head"}, "--keep head")):
            with self.assertRaisesRegex(imp.Problem, named):
                small(**change).check()
        with self.assertRaisesRegex(imp.Problem, "--depth 21"):
            imp.ResNet(21)


class Network(unittest.TestCase):
    def test_bundled_networks_are_this_network(self):
        for state in (0, 8):
            path = ROOT / f"checkpoints/resnet20_cifar100_{state}_checkpoint.safetensors"
            imp.load_into(imp.ResNet(20), load_file(path), path)
        mask = load_file(ROOT / "checkpoints/resnet20_cifar100_8_mask.safetensors")
        self.assertEqual(set(mask), set(imp.prunable(imp.ResNet(20), ["stem", "classifier"])))

    def test_another_network_is_refused(self):
        with self.assertRaisesRegex(imp.Problem, "here: not this network: 'layer1.2.conv1.weight'"):
            imp.load_into(imp.ResNet(20), imp.exported(imp.ResNet(14)), "here")


class Batches(unittest.TestCase):
    def test_crops_and_flips_are_those_of_a_loop(self):
        data = Noise()
        plan = data.epoch(5, 2)
        images, labels = data.batch(plan, 16, 16)
        self.assertTrue(images.is_contiguous(memory_format=torch.channels_last))
        for i in range(16):
            image, (down, right), flip = (of[16 + i] for of in plan)
            padded = torch.zeros(40, 40, 3, dtype=torch.uint8)
            padded[4:36, 4:36] = data.images["train"][image]
            cropped = padded[down : down + 32, right : right + 32]
            cropped = cropped.flip(1) if flip else cropped
            expected = (cropped.permute(2, 0, 1).float() / 255 - data.mean[0]) / data.deviation[0]
            self.assertTrue(torch.equal(images[i], expected))
            self.assertEqual(labels[i], data.labels["train"][image])

    def test_an_epoch_is_of_its_seed_and_number(self):
        data = Noise()
        same, again, later, other = (data.epoch(*of)[0].tolist() for of in ((0, 1), (0, 1), (0, 2), (1, 1)))
        self.assertEqual(same, again)
        self.assertNotEqual(same, later)
        self.assertNotEqual(same, other)
        self.assertEqual(sorted(same), list(range(48)))


def step(net, images, labels, emulated, precision=torch.bfloat16):
    """Loss and gradients of a training step, by autocast or by its emulation."""
    for module in net.modules():
        if isinstance(module, imp.Conv2d):
            module.emulated = emulated
    net.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        logits = net(images).float()
    loss = imp.F.cross_entropy(logits, labels)
    loss.backward()
    return loss.item(), {name: parameter.grad.clone() for name, parameter in net.named_parameters()}


class Emulation(unittest.TestCase):
    """bf16 computed in f32, against f64 and against PyTorch's own autocast."""

    SHAPES = ((3, 16, 3, 1, 32), (16, 16, 3, 1, 32), (16, 32, 3, 2, 32), (32, 64, 1, 2, 16), (64, 64, 3, 1, 8))

    def setUp(self):
        threads = torch.get_num_threads()
        self.addCleanup(torch.set_num_threads, threads)
        torch.set_num_threads(1)
        torch.manual_seed(4)

    def layer(self, shape, images):
        """A convolution, its input and a gradient of its output."""
        inputs, outputs, kernel, stride, side = shape
        layer = imp.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False).to(memory_format=torch.channels_last)
        x = torch.randn(images, inputs, side, side).contiguous(memory_format=torch.channels_last).requires_grad_()
        return layer, x, torch.randn(images, outputs, side // stride, side // stride).to(torch.bfloat16)

    @staticmethod
    def results(layer, x, gradient, emulated):
        """Output, and gradients of input and weight."""
        layer.emulated = emulated
        with torch.autocast("cpu", torch.bfloat16):
            out = layer(x)
        return (out.detach(), *torch.autograd.grad(out, (x, layer.weight), gradient))

    def test_every_result_is_rounded_once_from_rounded_inputs(self):
        # The reference has one rounding at each of the four places. Where a sum in f32 and one in f64 lie on both sides of
        # a tie, one bit differs: at most in one of a thousand values. Without any one of the roundings most values differ.
        for shape in self.SHAPES:
            layer, x, gradient = self.layer(shape, 16)
            mine = self.results(layer, x, gradient, True)
            self.assertEqual([part.dtype for part in mine], [torch.bfloat16, torch.float32, torch.float32])
            rounded, weight = (part.detach().to(torch.bfloat16).double().requires_grad_() for part in (x, layer.weight))
            out = imp.F.conv2d(rounded, weight, None, layer.stride, layer.padding)
            exact = (out.detach(), *torch.autograd.grad(out, (rounded, weight), gradient.double()))
            for name, part, of in zip(("output", "input", "weight"), mine, exact):
                differs = (part.double() != of.to(torch.bfloat16).double()).double().mean().item()
                self.assertLess(differs, 1e-3, f"{shape} {name}")

    def test_a_convolution_is_autocasts(self):
        # PyTorch's loop, which runs where there is no bf16, sums gradients of an input over the window, and of a weight over
        # the images, in bf16. So gradients agree to the bit for a window of one and one image only; else to these roundings.
        for shape in self.SHAPES:
            for images in (1, 4):
                layer, x, gradient = self.layer(shape, images)
                mine, theirs = (self.results(layer, x, gradient, emulated) for emulated in (True, False))
                self.assertEqual([part.dtype for part in mine], [part.dtype for part in theirs])
                self.assertLess((mine[0] != theirs[0]).float().mean().item(), 1e-3, f"{shape} output")
                if shape[2] == 1 and images == 1:
                    for part, of in zip(mine[1:], theirs[1:]):
                        self.assertLess((part != of).float().mean().item(), 1e-3, f"{shape} gradients")
                for part, of in zip(mine[1:], theirs[1:]):
                    self.assertLess(((part - of).norm() / of.norm()).item(), 3 * 2**-9, f"{shape} gradients")

    def test_a_step_is_autocasts(self):
        # Rounding decides about the sign of what is near 0, so that gradients far from the loss are close in norm only:
        # emulation and autocast differ by less than half of what autocast and f32 do.
        images = torch.randn(16, 3, 32, 32).contiguous(memory_format=torch.channels_last)
        labels = torch.randint(imp.CLASSES, (16,))
        net = imp.ResNet(8).to(memory_format=torch.channels_last)
        (mine, of_mine), (theirs, of_theirs), (_, of_f32) = (
            step(net, images, labels, *how) for how in ((True,), (False,), (False, torch.float32))
        )
        self.assertLess(abs(mine - theirs), 2**-9 * theirs)

        def apart(gradients):
            return {name: ((gradients[name] - of).norm() / of.norm()).item() for name, of in of_theirs.items()}

        emulated, single = apart(of_mine), apart(of_f32)
        self.assertLess(emulated["fc.weight"], 2 * 2**-9)
        self.assertLess(emulated["fc.bias"], 2 * 2**-9)
        self.assertLess(np.median(list(emulated.values())), 0.5 * np.median(list(single.values())))
        self.assertLess(max(emulated.values()), 0.1)

    def test_all_between_convolutions_is_bf16(self):
        net, seen = imp.ResNet(8), []
        for module in net.modules():
            if isinstance(module, (imp.Conv2d, imp.nn.BatchNorm2d)):
                module.emulated = True
                module.register_forward_hook(lambda _module, _inputs, out: seen.append(out.dtype))
        with torch.autocast("cpu", torch.bfloat16):
            self.assertEqual(net(torch.randn(2, 3, 32, 32)).dtype, torch.bfloat16)
        self.assertEqual(seen, [torch.bfloat16] * 18)
        # In f32 there is nothing to emulate.
        self.assertEqual(net(torch.randn(2, 3, 32, 32)).dtype, torch.float32)


class StopAfter(imp.Trainer):
    """Is asked to stop after `left` uses of its mask: at the beginning of a job, and after each step."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.left = 1

    def apply(self, net, mask):
        super().apply(net, mask)
        self.left -= 1
        self.stop = self.left <= 0


class Training(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.threads = torch.get_num_threads()
        self.addCleanup(torch.set_num_threads, self.threads)
        torch.set_num_threads(1)

    def at(self, name):
        return Path(self.folder.name) / name

    def test_a_stopped_run_goes_on_to_the_same_bits(self):
        for precision in ("bf16", "f32"):
            recipe, whole, pieces = small(precision=precision), self.at(f"whole {precision}"), self.at(f"pieces {precision}")
            quiet(imp.Trainer(recipe, Noise(), whole, self.at("run a " + precision)).train, [0])
            stops = 0
            while True:
                trainer = StopAfter(recipe, Noise(), pieces, self.at("run b " + precision))
                trainer.left = 2 + stops % 2
                try:
                    quiet(trainer.train, [0])
                    break
                except imp.Stopped:
                    stops += 1
            self.assertGreater(stops, 5)
            files = sorted(path.relative_to(whole) for path in whole.rglob("*.safetensors"))
            names = [str(path) for path in files]
            self.assertEqual(
                names,
                [
                    "seed0/imp/resnet8_cifar100_0_checkpoint.safetensors",
                    "seed0/imp/resnet8_cifar100_1_checkpoint.safetensors",
                    "seed0/imp/resnet8_cifar100_1_mask.safetensors",
                    "seed0/rewind_checkpoint.safetensors",
                ],
            )
            for path in files:
                mine, theirs = load_file(whole / path), load_file(pieces / path)
                self.assertEqual(set(mine), set(theirs))
                for name in mine:
                    self.assertTrue(torch.equal(mine[name], theirs[name]), f"{precision} {path} {name}")

    def test_pruned_weights_are_zero_and_the_others_were_trained(self):
        recipe, states = small(precision="f32"), self.at("states")
        trainer = imp.Trainer(recipe, Noise(), states, self.at("run"))
        quiet(trainer.train, [0])
        rewind, (one, metadata) = (
            load_file(states / "seed0/rewind_checkpoint.safetensors"),
            imp.read_tensors(states / "seed0/imp/resnet8_cifar100_1_checkpoint.safetensors"),
        )
        mask = load_file(states / "seed0/imp/resnet8_cifar100_1_mask.safetensors")
        total = sum(kept.numel() for kept in mask.values())
        self.assertEqual(imp.ones(mask), total - -(-total // 5) - 1)
        self.assertEqual(metadata["kept_weights"], str(imp.ones(mask)))
        for name, kept in mask.items():
            self.assertTrue((one[name][kept == 0] == 0).all())
            self.assertTrue((one[name][kept == 1] != rewind[name][kept == 1]).float().mean() > 0.9)

    def test_emulation_is_noted(self):
        for emulated in (True, False):
            states = self.at(f"states {emulated}")
            trainer = imp.Trainer(small(epochs=1), Noise(), states, self.at(f"run {emulated}"))
            trainer.emulated = emulated
            quiet(trainer.train_job, imp.Job(0, "rewind", 0))
            log = json.loads((states / "seed0/rewind_log.json").read_text())
            self.assertEqual([epoch.get("emulated", False) for epoch in log["epochs"]], [emulated])
            self.assertEqual("emulated" in imp.read_tensors(states / "seed0/rewind_checkpoint.safetensors")[1], emulated)
        mine, theirs = (load_file(self.at(f"states {of}") / "seed0/rewind_checkpoint.safetensors") for of in (True, False))
        self.assertFalse(torch.equal(mine["conv1.weight"], theirs["conv1.weight"]) and imp.lacks_bf16(torch.device("cpu")))

    def test_controls_keep_as_many_weights(self):
        recipe, states = small(precision="f32", epochs=1, states=4, batch=48), self.at("states")
        quiet(imp.Trainer(recipe, Noise(), states, self.at("run")).train, [0])
        kept = {
            family: imp.ones(load_file(states / f"seed0/{family}/resnet8_cifar100_4_mask.safetensors"))
            for family in imp.FAMILIES
        }
        self.assertEqual(len(set(kept.values())), 1, kept)

    def test_families_may_be_trained_apart(self):
        recipe, states = small(precision="f32", epochs=1, states=4, batch=48), self.at("states")
        with self.assertRaisesRegex(imp.Problem, r"resnet8_cifar100_4_mask.safetensors: not there.*train seed0/imp/4 first"):
            quiet(imp.Trainer(recipe, Noise(), states, self.at("run a")).train, [0], ["oneshot"])
        quiet(imp.Trainer(recipe, Noise(), states, self.at("run b")).train, [0], ["imp"])
        self.assertFalse((states / "seed0/oneshot").exists())
        quiet(imp.Trainer(recipe, Noise(), states, self.at("run a")).train, [0], ["random"])
        self.assertTrue((states / "seed0/random/resnet8_cifar100_4_checkpoint.safetensors").exists())
        self.assertFalse((states / "seed0/oneshot").exists())

    def test_another_recipe_does_not_go_on(self):
        states = self.at("states")
        quiet(imp.Trainer(small(epochs=1), Noise(), states, self.at("run")).train, [0])
        with self.assertRaisesRegex(imp.Problem, "rewind_checkpoint.safetensors: made with epochs = 1, and this run has 2"):
            quiet(imp.Trainer(small(epochs=2), Noise(), states, self.at("run")).train, [0])

    def test_a_torn_file_is_named(self):
        path = self.at("torn.safetensors")
        path.write_bytes(b"\x08\0\0\0")
        with self.assertRaisesRegex(imp.Problem, "torn.safetensors: not read as safetensors"):
            imp.read_tensors(path)

    def test_data_of_another_length_is_named(self):
        folder = self.at("cifar-100-binary")
        folder.mkdir()
        (folder / "train.bin").write_bytes(bytes(3074))
        with self.assertRaisesRegex(imp.Problem, "train.bin: expected 50000 records of 3074 bytes, found 3074 bytes"):
            imp.Data(self.folder.name, torch.device("cpu"))


class Mosaics(unittest.TestCase):
    def test_superclasses_hold_five_classes_each(self):
        self.assertEqual(len(cifar100.FINE), 100)
        self.assertEqual(np.bincount(cifar100.COARSE_OF_FINE).tolist(), [5] * 20)
        # The first records of the official test set: mountain, forest, seal, mushroom, sea, with their coarse labels.
        self.assertEqual([cifar100.FINE[i] for i in (49, 33, 72, 51, 71)], ["mountain", "forest", "seal", "mushroom", "sea"])
        self.assertEqual(cifar100.COARSE_OF_FINE[[49, 33, 72, 51, 71]].tolist(), [10, 10, 0, 4, 10])

    def test_images_of_a_mosaic_and_records(self):
        with tempfile.TemporaryDirectory() as folder:
            pixels = np.zeros((3200, 3200, 3), np.uint8)
            pixels[32:64, 64:96] = (1, 2, 3)
            pixels[32, 65] = (7, 8, 9)
            path = Path(folder) / "mosaic.png"
            Image.fromarray(pixels).save(path, compress_level=1)
            image = cifar100.mosaic(path)[102]
        self.assertEqual([int(plane[5, 5]) for plane in image], [1, 2, 3])
        self.assertEqual([int(plane[0, 1]) for plane in image], [7, 8, 9])
        record = cifar100.records(image[None], np.array([72]))
        self.assertEqual(len(record), 3074)
        self.assertEqual((record[0], record[1], record[2], record[3], record[2 + 1024 + 1]), (0, 72, 1, 7, 8))

    def test_a_checkout_is_refused(self):
        with self.assertRaisesRegex(cifar100.Problem, "is in the git checkout"):
            cifar100.convert(HERE, HERE / "nowhere")

    def test_other_pictures_are_refused(self):
        with self.assertRaisesRegex(cifar100.Problem, "not the images of CIFAR-100"):
            cifar100.check_statistics(np.zeros((10, 3, 32, 32), np.uint8))


if __name__ == "__main__":
    unittest.main()
