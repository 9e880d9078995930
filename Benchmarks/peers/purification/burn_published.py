"""BURN as its abstract describes it (arXiv 2507.10491): `burnd purify --method published`; docs/method.md, section 10."""
from peers.cases import Case
from peers.network import Network
from peers.purification import burn


def purify(network: Network, case: Case, seed: int) -> Network:
    return burn.purify(network, case, seed, "--method", "published")
