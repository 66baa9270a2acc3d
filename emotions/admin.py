"""Readings in Django admin: to be read, never edited.

A school admin sees no more of a student than the teacher does: readings and minutes one by one only of those who
share individually. Of everybody else there are counts, and the class mood above the floor.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from classroom.admin import ClassSessionAdmin, ParticipantAdmin
from classroom.admin_parts import Recorded
from classroom.models import ClassSession, Participant
from emotions.models import EmotionEvent, MinuteRollup, MoodPoint
from emotions.reports import selectors
from emotions.reports.wording import percent
from ml.labels import LABELS

SESSION, PARTICIPANT = "session__id__exact", "participant__id__exact"
WINDOW = 20_000
"""Rows that a list goes through, the newest. To older ones leads the page of their session, or of their student."""


class NewestRows(ChangeList):
    """A list costs the same however many rows there are: it filters, counts and pages within the window."""

    model_admin: Readings

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        rows = super().get_queryset(request, exclude_parameters)
        return rows.filter(**self.model_admin.window(request))


class Readings(Recorded, admin.ModelAdmin):  # type: ignore[type-arg]
    """Millions of rows: the newest of all, or of one session (`?session__id__exact=`), or a student's own."""

    show_full_result_count = False
    list_per_page = 50
    sortable_by = ()
    # All, in the order in which they were stored: the primary key has it, and a time would need an index of its own,
    # written with every reading. One session's, by time: the index that reports read.
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)
    in_session: ClassVar[str]

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return (f"-{self.in_session}", "-pk") if SESSION in request.GET else self.ordering

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NewestRows

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        told = {"subtitle": self._window_words(request)} | (extra_context or {})
        return super().changelist_view(request, told)

    def _window_words(self, request: HttpRequest) -> str:
        if PARTICIPANT in request.GET:
            return "Of one student"
        if SESSION in request.GET:
            return f"Among the newest {WINDOW:,} of one session"
        return f"Among the newest {WINDOW:,} stored; older ones are reached from the page of their session"

    def window(self, request: HttpRequest) -> dict[str, Any]:
        """From where on. A student's rows are few: all of them."""
        if PARTICIPANT in request.GET:
            return {}
        session, column = request.GET.get(SESSION, ""), self.get_ordering(request)[0].removeprefix("-")
        rows = self.model._default_manager.order_by(f"-{column}")
        rows = rows.filter(session=session) if session.isdigit() else rows
        edge = rows.values_list(column, flat=True)[WINDOW : WINDOW + 1].first()
        return {} if edge is None else {f"{column}__gt": edge}

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
    in_session = "captured_at"
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
    in_session = "minute"
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
    in_session = "sequence"
    fields = (
        "session", "sequence", "at", "share_words", "joined", "connected", "measured", "uncertain", "not_visible",
        "pace",
    )  # fmt: skip


admin.site.unregister(ClassSession)


@admin.register(ClassSession)
class MeasuredSessionAdmin(ClassSessionAdmin):
    """Past sessions, with how much was read in them."""

    fields = (*ClassSessionAdmin.fields, "stored_readings", "recorded")

    @admin.display(description="Readings stored")
    def stored_readings(self, session: ClassSession) -> str:
        count = selectors.event_count(session)
        more = "; others are of fewer than five students, and not counted here" if count.withheld else ""
        return f"{count.shown:,}{more}"

    @admin.display(description="Recorded")
    def recorded(self, session: ClassSession) -> SafeString:
        lists = {"emotionevent": "Readings", "minuterollup": "Minutes", "moodpoint": "Class mood"}
        return _links(lists, f"{SESSION}={session.pk}")


admin.site.unregister(Participant)


@admin.register(Participant)
class MeasuredParticipantAdmin(ParticipantAdmin):
    """With the way to a student's own readings, of one who shares individually."""

    fields = (*ParticipantAdmin.fields, "recorded")

    @admin.display(description="Recorded")
    def recorded(self, participant: Participant) -> SafeString:
        return _links({"emotionevent": "Readings", "minuterollup": "Minutes"}, f"{PARTICIPANT}={participant.pk}")


def _links(lists: dict[str, str], of: str) -> SafeString:
    rows = ((reverse(f"admin:emotions_{name}_changelist"), of, words) for name, words in lists.items())
    return format_html_join(" · ", '<a href="{}?{}">{}</a>', rows)
