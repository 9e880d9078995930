"""BURN as its abstract describes it (arXiv 2507.10491): `burnd scan --method published`; docs/method.md, section 10."""
from peers.cases import Case
from peers.detection import Detected, burn
from peers.network import Network


def detect(network: Network, case: Case, seed: int) -> Detected:
    return burn.detect(network, case, seed, "--method", "published")
