"""Shares side by side in one line of a table: an SVG as small as a word, with its text equivalent."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from emotions.reports.charts import STACK
from emotions.reports.wording import percent
from ml.labels import INDEX

_PIECE = '<rect class="{}" x="{}" y="0" width="{}" height="10"><title>{}</title></rect>'
_STRIP = '<svg class="strip" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'


def strip(shares: Sequence[float] | None) -> SafeString:
    """`shares`: (7,) in the order of `ml.labels.LABELS`; None gives a dash. Colours come from the page's classes."""
    if shares is None:
        return format_html('<span class="muted">{}</span>', "–")
    pieces = []
    start = 0.0
    for label in STACK:
        width = shares[INDEX[label]] * 100
        pieces.append(
            (label, f"{start:.2f}", f"{width:.2f}", f"{label.capitalize()} {percent(shares[INDEX[label]])}")
        )
        start += width
    return format_html(_STRIP, ", ".join(piece[3] for piece in pieces), format_html_join("", _PIECE, pieces))
