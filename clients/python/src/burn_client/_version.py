"""Written by scripts/set-version."""

__version__ = "0.2.0"
