"""Text in cells: a spreadsheet shows it, and never runs it."""

from __future__ import annotations

import re

# At the beginning of a cell, and after what a spreadsheet of another country takes for the end of one. Quotes in this
# place are to it those around the next.
_FORMULA = re.compile(r"(^|[,;\t|])(?=[\s\"]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])")


def harmless(text: str) -> str:
    """What begins like a formula is led by an apostrophe. Done twice, it changes nothing more.

    Also within the text, behind a separator: opened with another one than it was written with, the rest is a cell.
    """
    return _FORMULA.sub(r"\1'", text)
