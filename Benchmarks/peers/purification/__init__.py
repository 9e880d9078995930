"""Purifications: `purify(network, case, seed)` answers with another network, and leaves the one it is given alone."""
