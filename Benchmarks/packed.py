"""A packed data set of `burn-bench attacks`, read in Python."""
import json

import numpy as np


def packed_set(folder):
    """Images (N, H, W, C), bytes, mapped and not read, and labels (N)."""
    summary = json.loads((folder / "manifest.json").read_text())["summary"]
    labels = np.fromfile(folder / "labels.i32", "<i4")
    shape = (len(labels), summary["height"], summary["width"], summary["channels"])
    return np.memmap(folder / "images.u8", np.uint8, "r", shape=shape), labels
