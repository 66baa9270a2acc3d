"""Join codes: short enough to type from a projector, long enough not to be guessed."""

from __future__ import annotations

import secrets

# No I, L, O, U, 0, 1: they are misread, or spell words. 30 letters, 7 places: 2 * 10**10 codes.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 7


def new_join_code() -> str:
    """A fresh random code, without separators (as stored)."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def normalise(text: str) -> str:
    """What a person typed, as it is stored: upper case, only letters and digits."""
    return "".join(character for character in text.upper() if character.isalnum())


def spaced(code: str) -> str:
    """As shown: KMT-4QXB."""
    return f"{code[:3]}-{code[3:]}"
