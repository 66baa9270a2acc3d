"""Names and labels: made tidy where people type them, refused when they can't be shown to others, and told apart."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from classroom.errors import TextRefusedError

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# Joiners inside words of Hindi, Malayalam, Persian and others: the only format characters that a name needs.
_JOINERS = {"\u200c", "\u200d"}
# Controls, format characters (they can turn the text's direction), halves of pairs, private use, line breaks.
_REFUSED = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_INVISIBLE = ("C", "M", "Z")


def tidy(text: str, *, what: str, longest: int) -> str:
    """`text` in normal form C with single blanks, 1 to `longest` characters.

    Raises TextRefusedError, in words that begin with `what` ("The name"), for text that is empty, too long, or
    holds control characters.
    """
    text = unicodedata.normalize("NFC", text).strip()
    if any(_is_refused(character) for character in text):
        raise TextRefusedError(f"{what} holds characters that can't be shown. Use letters, digits and signs.")
    text = " ".join(text.split())
    if not any(_is_visible(character) for character in text):
        raise TextRefusedError(f"{what} is empty.")
    if len(text) > longest:
        raise TextRefusedError(f"{what} is too long: {len(text)} characters, at most {longest}.")
    return text


def person_name(user: User) -> str:
    """How an instructor is called: by their name, or where none is known by what they sign in with."""
    return user.get_full_name() or user.get_username()


def distinct_names(names: Sequence[str]) -> list[str]:
    """The names of everybody who ever joined one session, namesakes told apart: `["Mia", "Mia", "Ben"]` ->
    `["Mia (1)", "Mia (2)", "Ben"]`.

    Given in the order in which namesakes joined, each keeps the number, whoever leaves and whatever they share: the
    live page, the list of who is here and the report call everybody alike. Only where one is erased, nothing is left
    that could be counted.
    """
    twice = {name for name, count in Counter(names).items() if count > 1}
    seen: Counter[str] = Counter()
    told = []
    for name in names:
        seen[name] += 1
        told.append(f"{name} ({seen[name]})" if name in twice else name)
    return told


def _is_refused(character: str) -> bool:
    return character not in _JOINERS and unicodedata.category(character) in _REFUSED


def _is_visible(character: str) -> bool:
    return not unicodedata.category(character).startswith(_INVISIBLE)
