"""A line on standard error that says how far a task is."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from ._text import plain


class ProgressLine:
    """Redraws itself on a terminal; elsewhere it writes a line for each step and each tenth of it."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.interactive = self.stream.isatty()
        self._label = ""
        self._tenth = -1
        self._drawn = 0.0

    def __call__(self, label: str, fraction: float) -> None:
        fraction = min(max(fraction, 0.0), 1.0)
        label = plain(label)
        changed, tenth = label != self._label, int(fraction * 10)
        if self.interactive:
            if changed or fraction == 1 or time.monotonic() - self._drawn > 0.1:
                if changed and self._label:
                    self.stream.write("\n")
                full = int(fraction * 30)
                self.stream.write(f"\r\x1b[K{label:<32} [{'#' * full}{'.' * (30 - full)}] {fraction:4.0%}")
                self._drawn = time.monotonic()
        elif changed or tenth != self._tenth:
            self.stream.write(f"{label} {fraction:.0%}\n")
        self.stream.flush()
        self._label, self._tenth = label, tenth

    def finish(self) -> None:
        if self.interactive and self._label:
            self.stream.write("\n")
        self._label, self._tenth = "", -1


def silent(label: str, fraction: float) -> None:
    """Says nothing."""
