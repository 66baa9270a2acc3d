"""Which messages a page understands. A page may have been open since before the server was updated."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from urllib.parse import parse_qs

from emotions import messages
from emotions.frames import frame, reading
from ml.labels import LABELS

PARAMETER = "format"
"""In the address of a socket. Programs that are no page leave it out."""


@cache
def page_format() -> str:
    """Eight hex digits that change with whatever pages and sockets say to each other, and with nothing else that is
    not a docstring of it: nobody has to remember to count up."""
    kinds = [
        kind for kind in vars(messages).values() if isinstance(kind, type) and issubclass(kind, messages.Message)
    ]
    return digest([kind.model_json_schema() for kind in kinds])


def digest(schemas: list[dict[str, object]]) -> str:
    """Of messages with these JSON schemas, beside what has none: the rows of tiles and the binary messages."""
    spoken = [schemas, messages.TILE_FIELDS, frame.HEADER_FORMAT, reading.BODY_FORMAT, reading.HELPS, LABELS]
    return hashlib.sha256(json.dumps(spoken).encode()).hexdigest()[:8]


def is_outdated(query: bytes) -> bool:
    """Whether a socket's address names another format than ours."""
    named = parse_qs(query.decode("latin-1")).get(PARAMETER)
    return named is not None and named[-1] != page_format()
