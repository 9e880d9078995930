"""BURN: `burnd scan`, told nothing but the model and the training set."""
from peers import burnd
from peers.cases import Case
from peers.detection import Detected
from peers.network import Network


def detect(network: Network, case: Case, seed: int, *options: str) -> Detected:
    result = burnd.run("scan", case, seed, *options)
    network.passes += result.passes
    return Detected(result.flags, result.scores, result.verdict)
