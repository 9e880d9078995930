"""All methods, one line each. Those that cost least come first, so that a run that is stopped has said the most."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from peers.detection import (
    activation_clustering, beatrix, boundary_distance, burn, burn_published, ibd_psc, scale_up, scan, spectral_signatures,
    strip)
from peers.purification import abl, burn as burn_purify, burn_published as published_purify, fine_tuning, ft_sam, i_bau
from peers.purification import known_labels, nad


@dataclass(frozen=True)
class Method:
    name: str
    run: Callable
    source: str
    needs: str


DETECTION = [
    Method("BURN", burn.detect, "docs/method.md", "nothing"),
    Method("BURN as published", burn_published.detect, "arXiv 2507.10491", "nothing"),
    Method("Spectral signatures", spectral_signatures.detect, "Tran et al., NeurIPS 2018", "the poisoned share"),
    Method("Activation clustering", activation_clustering.detect, "Chen et al., SafeAI 2019", "nothing"),
    Method("SCAn", scan.detect, "Tang et al., USENIX Security 2021", "100 clean images a class"),
    Method("Beatrix", beatrix.detect, "Ma et al., NDSS 2023", "30 clean images a class"),
    Method("SCALE-UP", scale_up.detect, "Guo et al., ICLR 2023", "nothing"),
    Method("IBD-PSC", ibd_psc.detect, "Hou et al., ICML 2024", "100 clean images"),
    Method("Boundary distance, best threshold", boundary_distance.detect, "DeepFool, CVPR 2016", "the truth, for its threshold"),
    Method("STRIP", strip.detect, "Gao et al., ACSAC 2019", "2,000 clean images"),
]

PURIFICATION = [
    Method("BURN", burn_purify.purify, "docs/method.md", "nothing"),
    Method("BURN as published", published_purify.purify, "arXiv 2507.10491", "nothing"),
    Method("Fine-tuning", fine_tuning.purify, "Wu et al., NeurIPS 2022", "clean images, 5 % of the training set"),
    Method("NAD", nad.purify, "Li et al., ICLR 2021", "clean images, 5 % of the training set"),
    Method("FT-SAM", ft_sam.purify, "Zhu et al., ICCV 2023", "clean images, 5 % of the training set"),
    Method("ABL, unlearning", abl.purify, "Li et al., NeurIPS 2021", "a training from scratch"),
    Method("I-BAU", i_bau.purify, "Zeng et al., ICLR 2022", "clean images, 10 % of the training set"),
    Method("All true labels known", known_labels.purify, "the ceiling", "every poisoned sample and its true label"),
]
