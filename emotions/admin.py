"""Readings in Django admin: to be read, never edited.

A school admin sees no more of a student than the teacher does: readings and minutes one by one only of those who
share individually. Of everybody else there are counts, and the class mood above the floor.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from classroom.admin import ClassSessionAdmin
from classroom.admin_parts import Recorded
from classroom.models import ClassSession
from emotions.models import EmotionEvent, MinuteRollup, MoodPoint
from emotions.reports import selectors
from emotions.reports.wording import percent
from ml.labels import LABELS


class Readings(Recorded, admin.ModelAdmin):  # type: ignore[type-arg]
    """Millions of rows: no counting of them all on every page."""

    show_full_result_count = False
    list_per_page = 50

    @admin.display(description="Shares")
    def share_words(self, row: Any) -> str:
        return ", ".join(
            f"{label} {percent(share)}" for label, share in zip(LABELS, self.shares_of(row), strict=False)
        )

    def shares_of(self, row: Any) -> list[float]:
        return list(row.shares or [])


@admin.register(EmotionEvent)
class EmotionEventAdmin(Readings):
    """Readings of students who share individually."""

    list_display = ("captured_at", "participant", "label", "confidence_words", "uncertain", "model_version")
    list_filter = ("label", "uncertain", "source")
    list_select_related = ("participant",)
    search_fields = ("participant__display_name",)
    date_hierarchy = "captured_at"
    ordering = ("-captured_at",)
    fields = (
        "session", "participant", "captured_at", "received_at", "label", "confidence_words", "uncertain",
        "share_words", "box", "face_count", "model_version", "source", "connection", "sequence",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[EmotionEvent]:
        return selectors.individual_events(super().get_queryset(request))

    def shares_of(self, row: Any) -> list[float]:
        return list(row.probabilities)

    @admin.display(description="Confidence", ordering="confidence")
    def confidence_words(self, event: EmotionEvent) -> str:
        return percent(event.confidence)


@admin.register(MinuteRollup)
class MinuteRollupAdmin(Readings):
    """Minutes of students who share individually."""

    list_display = ("minute", "participant", "readings", "uncertain", "share_words")
    list_select_related = ("participant",)
    search_fields = ("participant__display_name",)
    date_hierarchy = "minute"
    ordering = ("-minute",)
    fields = ("session", "participant", "minute", "readings", "uncertain", "share_words")

    def get_queryset(self, request: HttpRequest) -> QuerySet[MinuteRollup]:
        return selectors.individual_rollups(super().get_queryset(request))

    def shares_of(self, row: Any) -> list[float]:
        return [total / row.readings for total in row.probability_sums] if row.readings else []


@admin.register(MoodPoint)
class MoodPointAdmin(Readings):
    """The class mood second by second; empty shares are seconds under the floor."""

    list_display = ("at", "session", "measured", "not_visible", "connected", "share_words")
    list_select_related = ("session__course",)
    date_hierarchy = "at"
    ordering = ("-at",)
    fields = (
        "session", "sequence", "at", "share_words", "joined", "connected", "measured", "uncertain", "not_visible",
        "pace",
    )  # fmt: skip


admin.site.unregister(ClassSession)


@admin.register(ClassSession)
class MeasuredSessionAdmin(ClassSessionAdmin):
    """Past sessions, with how much was read in them."""

    fields = (*ClassSessionAdmin.fields, "stored_readings")

    @admin.display(description="Readings stored")
    def stored_readings(self, session: ClassSession) -> int:
        return selectors.event_count(session)
