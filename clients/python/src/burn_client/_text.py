"""Text of others on a terminal, as `burnd` shows it."""

from __future__ import annotations

import unicodedata

#: Parts of names in many scripts.
JOINERS = frozenset("\u200c\u200d")
#: Invisible, though not of the categories that say so (Default_Ignorable_Code_Point, and the empty Braille pattern).
INVISIBLE = frozenset(map(chr, [
    0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10),
    *range(0xE0100, 0xE01F0)]))


def plain(text: str) -> str:
    """In one line, control, invisible and direction characters shown as escapes: they could move the cursor, colour what
    follows, or look like a line of ours."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in JOINERS or (
            character not in INVISIBLE and unicodedata.category(character) not in ("Cc", "Cf", "Zl", "Zp", "Cs")):
        return character
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character) or f"\\u{{{ord(character):X}}}"
