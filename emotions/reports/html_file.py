"""The report as one HTML file, with its styles inside: no script, nothing fetched, the same tables as the page."""

from __future__ import annotations

from pathlib import Path

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from classroom.models import CheckIn, ClassSession
from emotions.reports import page
from emotions.reports.cells import harmless

STYLES = (
    "classroom/css/tokens.css", "classroom/css/roomtone.css", "emotions/css/mood.css", "emotions/css/report.css",
)  # fmt: skip


def html_file(session: ClassSession) -> str:
    """A spreadsheet opens HTML, too, and would run what looks like a formula: every name and label is harmless."""
    context = {
        "session": session,
        "report": page.build(session, text=harmless),
        "words": CheckIn.Word.choices,
        "course": harmless(session.course.title),
        "title": harmless(session.title),
        "styles": _styles(),
    }
    return render_to_string("emotions/report_file.html", context)


def _styles() -> SafeString:
    found = [finders.find(name) for name in STYLES]
    return mark_safe("\n".join(Path(str(path)).read_text() for path in found))  # noqa: S308  # nosec B308 B703 - our own style sheets
