"""A real service and a real, small case for the tests.

BURN_BIN names the folder of the built programs.
"""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "clients/python/examples"))
# The package that is installed, where there is one to test.
if "BURN_CLIENT_INSTALLED" not in os.environ:
    sys.path.insert(0, str(ROOT / "clients/python/src"))


class Service:
    """A `burnd serve` on a loopback port, with the real worker; it can be killed and started again."""

    def __init__(self, folder: pathlib.Path, **settings: str) -> None:
        self.programs = pathlib.Path(os.environ["BURN_BIN"]).resolve()
        self.folder = folder
        self.environment = {
            **os.environ, "BURND_DATA": str(folder / "data"), "BURND_LIMITS_FREE_BYTES": "0",
            "BURND_LOG_LEVEL": "warning", **{f"BURND_{name.upper()}": value for name, value in settings.items()}}
        self.key = self.run("keys", "create", "tests", "--scope", "submit").stdout.strip()
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.programs / "burnd"), *arguments], env=self.environment, check=check, capture_output=True, text=True)

    def start(self) -> None:
        with open(self.folder / "log", "a") as log:
            self.process = subprocess.Popen(
                [str(self.programs / "burnd"), "serve", "--listen", f"127.0.0.1:{self.port}"], env=self.environment,
                stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, (self.folder / "log").read_text()
        self.port = int(line.rsplit(":", 1)[1])

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="session")
def make_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Service]]:
    running: list[Service] = []

    def make(**settings: str) -> Service:
        running.append(Service(tmp_path_factory.mktemp("service"), **settings))
        return running[-1]

    yield make
    for service in running:
        service.stop()


@pytest.fixture(scope="session")
def service(make_service: Callable[..., Service]) -> Service:
    """Shared by all tests that do not harm it."""
    return make_service()


class Case:
    """Drawn images with a backdoor, the network trained on them, and both as files."""

    def __init__(self, folder: pathlib.Path) -> None:
        import drawn
        import torch

        from burn_client import pack_dataset
        from burn_client._modules import export

        torch.set_num_threads(2)
        self.train = drawn.Shapes(1500, seed=1, poisoned=0.1)
        self.clean = drawn.Shapes(240, seed=2)
        self.triggered = drawn.Shapes(240, seed=2, triggered=True)
        self.module = drawn.train(self.train)
        self.packed = pack_dataset(self.train, folder / "train.tar")
        self.model = folder / "model.pt2"
        export(self.module, (3, drawn.SIDE, drawn.SIDE), self.model)


@pytest.fixture(scope="session")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("case"))


@pytest.fixture(scope="session")
def purified(service: Service, case: Case) -> Any:
    """One purification through the client, for all tests that look at results."""
    from burn_client import Client

    steps: list[tuple[str, float]] = []
    client = Client(service.url, service.key, progress=lambda label, fraction: steps.append((label, fraction)))
    result = client.purify(
        case.module, case.train, clean=case.clean, triggered=case.triggered, target_class=case.train.target, seed=5,
        rounds=1)
    return result, steps
