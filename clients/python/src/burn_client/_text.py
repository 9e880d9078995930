"""Text of others on a terminal, as `burnd` shows it."""

from __future__ import annotations

import unicodedata

#: Parts of names in many scripts.
JOINERS = frozenset("\u200c\u200d")


def plain(text: str) -> str:
    """In one line, control, invisible and direction characters shown as escapes: they could move the cursor, colour what
    follows, or look like a line of ours."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in JOINERS or unicodedata.category(character) not in ("Cc", "Cf", "Zl", "Zp", "Cs"):
        return character
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character) or f"\\u{{{ord(character):X}}}"
