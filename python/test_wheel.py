"""What a user of the wheel does: install it, run the quickstart in an empty folder, read the results.

    python -m pip install WHEEL'[data]' && python python/test_wheel.py
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import rut

PROGRAM = shutil.which("rut", path=str(Path(sys.executable).parent))


class Wheel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.results = Path(cls.folder.name, "results")
        for method in ["lp", "vp"]:
            cls.run_rut(method, "--epochs", "2")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def run_rut(cls, *words):
        environment = {"HOME": cls.folder.name, "PATH": os.defpath}
        return subprocess.run(
            [PROGRAM, *words], cwd=cls.folder.name, env=environment, check=True, capture_output=True, text=True
        ).stdout

    def test_runs_are_a_frame(self):
        runs = rut.load(self.results)
        self.assertEqual(sorted(runs["spec.method"]), ["lp", "vp"])
        self.assertTrue(runs["test.raw.accuracy"].between(0.05, 1).all())

    def test_logits_give_the_accuracy_of_the_record(self):
        for name, run in rut.load(self.results).iterrows():
            arrays = rut.logits(self.results / name)
            logits, labels = arrays["test.logits"], arrays["test.labels"]
            self.assertEqual(logits.shape, (797, 10))
            accuracy = (logits.argmax(axis=1) == labels).mean()
            self.assertAlmostEqual(accuracy, run["test.raw.accuracy"], places=12)

    def test_events_have_two_epochs(self):
        for name in rut.load(self.results).index:
            events = rut.events(self.results / name)
            self.assertEqual((events["event"] == "epoch").sum(), 2)

    def test_a_report_is_made_of_them(self):
        self.run_rut("report", "results", "--out", "report")
        self.assertTrue(Path(self.folder.name, "report", "report.html").is_file())

    def test_what_is_not_there_is_said(self):
        for call in [lambda: rut.load("nothing"), lambda: rut.events("nothing"), lambda: rut.logits("nothing")]:
            with self.assertRaisesRegex(FileNotFoundError, "nothing"):
                call()


if __name__ == "__main__":
    unittest.main()
