"""A small backdoored case: BadNets on CIFAR-10 images, made once by the shared cases' own script."""

import os
import pathlib
import subprocess
import tarfile

from burnd import ROOT

TRAINING, TEST, TARGET = 1000, 200, 8


class Case:
    def __init__(self, shared):
        self.folder = ROOT / f".cache/test-cases/badnets-{TRAINING}-{TEST}"
        self.model = shared / "cases/badnets/model.pt2"
        # case.json is written last.
        if not (self.folder / "case.json").exists():
            subprocess.run(
                [os.environ["BURN_PYTHON"], shared / "cases/make_case.py", "--attack", "badnets", "--target",
                 str(TARGET), "--train", str(TRAINING), "--test", str(TEST), "--out", self.folder], check=True)
        self.training = self._archive("train", "cifar10-train.tar")
        self.clean = self._archive("test/clean", "cifar10-test.tar")
        self.triggered = self._archive("test/triggered", "cifar10-triggered.tar")

    def _archive(self, part, name):
        path = self.folder / name
        if not path.exists():
            # Blocks of zeros end an archive; more of them make it long enough to be uploaded in pieces.
            with tarfile.open(path, "w", bufsize=1 << 20) as archive:
                for folder in sorted((self.folder / part).iterdir()):
                    archive.add(folder, folder.name)
            if part == "train":
                with open(path, "ab") as file:
                    file.write(bytes(6 << 20))
        return path


def shared_folder():
    """Where the real cases are; None where there are none."""
    named = os.environ.get("BURN_SHARED")
    for folder in [named and pathlib.Path(named), ROOT / "../shared"]:
        if folder and (folder / "cases/make_case.py").exists() and os.environ.get("BURN_PYTHON"):
            return folder.resolve()
    return None
