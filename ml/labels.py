"""The seven emotions, in FER2013's own order. This order holds everywhere: network, database, wire, charts."""

from __future__ import annotations

LABELS: tuple[str, ...] = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
INDEX: dict[str, int] = {label: index for index, label in enumerate(LABELS)}
NEUTRAL: int = INDEX["neutral"]

TROUBLED = ("angry", "disgust", "fear", "sad")
"""The labels of a face that looks troubled."""
