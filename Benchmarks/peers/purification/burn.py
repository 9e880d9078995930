"""BURN: `burnd purify`, told nothing but the model and the training set."""
import pathlib
import tempfile

from peers import burnd
from peers.cases import Case
from peers.network import Network


def purify(network: Network, case: Case, seed: int, *options: str) -> Network:
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "purified.pt2"
        result = burnd.run("purify", case, seed, *options, "--output", str(path))
        purified = case.network(path)
    network.passes += result.passes
    purified.verdict = result.verdict
    return purified
