"""Readings in Django admin: to be read, never edited.

A school admin sees no more of a student than the teacher does: readings and minutes one by one only of those who
share individually. Of everybody else there is the class mood above the floor, and nothing that says how many of their
rows lie between those that are shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.db import connection, transaction
from django.db.models import DurationField, Exists, ExpressionWrapper, F, OuterRef, QuerySet, Sum
from django.db.models.functions import Coalesce, Now
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from classroom import access, actions
from classroom.admin import ClassSessionAdmin, ParticipantAdmin
from classroom.admin_parts import OwnRows, Recorded
from classroom.models import ClassSession, Participant
from classroom.templatetags.roomtone import duration
from emotions.models import EmotionEvent, MinuteRollup, MoodPoint
from emotions.reports import sharers
from emotions.reports.archive import archive
from emotions.reports.exports import DIALECTS
from emotions.reports.overview import overview
from emotions.reports.strips import strip
from emotions.reports.term import mean_moods
from emotions.reports.term_page import mood_words
from emotions.reports.totals import totals
from emotions.reports.wording import percent
from ml.labels import LABELS

SESSION, PARTICIPANT = "session__id__exact", "participant__id__exact"
WINDOW = 20_000
"""Rows that a list shows, the newest. To older ones leads the page of their session, or of their student."""
LAST_SESSIONS = 20
"""Through how many a list looks for one that has rows to show, where none is chosen."""


class NewestRows(ChangeList):
    """A list costs the same however many rows there are: it filters, counts and pages within the window."""

    model_admin: Readings

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        rows = super().get_queryset(request, exclude_parameters)
        return rows.filter(**self.model_admin.window(request))


class Readings(Recorded, OwnRows):
    """Millions of rows: the newest of one session (`?session__id__exact=`), or of all."""

    of = "session__course__instructor"
    show_full_result_count = False
    list_per_page = 50
    sortable_by = ()
    # All, in the order in which they were stored: the primary key has it, and a time would need an index of its own.
    # One session's, by time: the index that reports read.
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)
    in_session: ClassVar[str]

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return (f"-{self.in_session}", "-pk") if SESSION in request.GET else self.ordering

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without what is left of a session that is being deleted slice by slice."""
        return super().get_queryset(request).filter(session__purged_at=None)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NewestRows

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        told = {"subtitle": self._window_words(request)} | (extra_context or {})
        return super().changelist_view(request, told)

    def _window_words(self, request: HttpRequest) -> str:
        if SESSION in request.GET:
            return f"Among the newest {WINDOW:,} of one session"
        return f"Among the newest {WINDOW:,} stored; older ones are reached from the page of their session"

    def window(self, request: HttpRequest) -> dict[str, Any]:
        """From where on."""
        session, column = request.GET.get(SESSION, ""), self.get_ordering(request)[0].removeprefix("-")
        rows = self.model._default_manager.all()
        rows = rows.filter(session=session) if session.isdecimal() else rows
        return self.newest(rows, column)

    @staticmethod
    def newest(rows: QuerySet[Any], column: str) -> dict[str, Any]:
        with transaction.atomic(), connection.cursor() as cursor:
            # Along the index, row by row: of a session with millions it would rather sort all that are shown.
            cursor.execute("SET LOCAL enable_sort = off")
            edge = rows.order_by(f"-{column}").values_list(column, flat=True)[WINDOW : WINDOW + 1].first()
        return {} if edge is None else {f"{column}__gt": edge}

    def key_of(self, row: Any) -> str:
        """What the address of a row's own page ends with."""
        return str(row.pk)

    @admin.display(description="Shares")
    def share_words(self, row: Any) -> str:
        return ", ".join(
            f"{label} {percent(share)}" for label, share in zip(LABELS, self.shares_of(row), strict=False)
        )

    def shares_of(self, row: Any) -> list[float]:
        return list(row.shares or [])


class NewestOfSharers(NewestRows):
    """Each row leads to a page that is not called by its number. Django's window for choosing one would tell that."""

    model_admin: ReadingsOfSharers

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_popup = False

    def url_for_result(self, result: Any) -> str:
        return reverse(
            f"admin:{self.opts.label_lower.replace('.', '_')}_change", args=[self.model_admin.key_of(result)]
        )


class ReadingsOfSharers(Readings):
    """Rows that tell of single students, those of one session, or a student's own.

    Between two of them others are stored, of students who stay unseen. How many must not show: it would tell when the
    face of one of these was measured. So a list counts no rows but those that it shows, and a row's number, which
    counts all that were stored before it, is neither shown nor searched for.
    """

    change_form_template = "admin/emotions/reading.html"

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return f"-{self.in_session}", "-pk"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NewestOfSharers

    def _window_words(self, request: HttpRequest) -> str:
        if PARTICIPANT in request.GET:
            return "Of one student"
        if SESSION in request.GET:
            return super()._window_words(request)
        return (
            "Of the latest session in which a student shares with their name; others are reached from their own pages"
        )

    def window(self, request: HttpRequest) -> dict[str, Any]:
        """A student's rows are few: all of them."""
        if PARTICIPANT in request.GET:
            return {}
        typed = request.GET.get(SESSION, "")
        session = typed if typed.isdecimal() else self._latest(request)
        of_one = {"session": session, "participant__session": session}
        return of_one | self.newest(self.get_queryset(request).filter(**of_one), self.in_session)

    def _latest(self, request: HttpRequest) -> int | None:
        """Of the last sessions in which somebody shares, the latest with rows to show. One after the other: the
        database would rather look through everything that is stored."""
        sharing = Participant.objects.filter(session=OuterRef("pk"), scope=Participant.Scope.INDIVIDUAL)
        every = ClassSession.objects.all()
        sessions = every if access.reads_every_session(request.user) else every.visible_to(request.user)
        last = sessions.filter(Exists(sharing)).order_by("-pk").values_list("pk", flat=True)[:LAST_SESSIONS]
        shown = self.get_queryset(request)
        return next((pk for pk in last if shown.filter(session=pk, participant__session=pk).exists()), None)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        by_number = lookup.split("__")[0] in {"pk", self.opts.pk.name}
        return not by_number and super().lookup_allowed(lookup, value, request)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        try:
            key = self.columns_of(object_id)
        except ValueError:
            return None
        return self.get_queryset(request).filter(**key).first()

    def columns_of(self, key: str) -> dict[str, Any]:
        """The other way round of `key_of`; raises ValueError for what is none."""
        raise NotImplementedError


@admin.register(EmotionEvent)
class EmotionEventAdmin(ReadingsOfSharers):
    """Readings of students who share individually."""

    list_display = ("captured_at", "participant", "label", "confidence_words", "unsure", "model_version")
    list_filter = ("label", "uncertain", "source")
    list_select_related = ("participant",)
    search_fields = ("participant__display_name",)
    in_session = "captured_at"
    fields = (
        "session", "participant", "captured_at", "received_at", "label", "confidence_words", "uncertain",
        "share_words", "box", "face_count", "model_version", "source", "connection", "sequence",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[EmotionEvent]:
        return sharers.individual_events(super().get_queryset(request))

    def key_of(self, row: Any) -> str:
        return f"{row.participant_id}-{row.connection.hex}-{row.sequence}"

    def columns_of(self, key: str) -> dict[str, Any]:
        participant, connection, sequence = key.split("-")
        return {"participant": int(participant), "connection": UUID(hex=connection), "sequence": int(sequence)}

    def shares_of(self, row: Any) -> list[float]:
        return list(row.probabilities)

    @admin.display(description="Unsure")
    def unsure(self, event: EmotionEvent) -> str:
        return "Unsure" if event.uncertain else ""

    @admin.display(description="Confidence", ordering="confidence")
    def confidence_words(self, event: EmotionEvent) -> str:
        return percent(event.confidence)


@admin.register(MinuteRollup)
class MinuteRollupAdmin(ReadingsOfSharers):
    """Minutes of students who share individually."""

    list_display = ("minute", "participant", "readings", "uncertain", "share_words")
    list_select_related = ("participant",)
    search_fields = ("participant__display_name",)
    in_session = "minute"
    fields = ("session", "participant", "minute", "readings", "uncertain", "share_words")

    def get_queryset(self, request: HttpRequest) -> QuerySet[MinuteRollup]:
        return sharers.individual_rollups(super().get_queryset(request))

    def key_of(self, row: Any) -> str:
        return f"{row.session_id}-{row.participant_id}-{row.minute:%Y%m%d%H%M}"

    def columns_of(self, key: str) -> dict[str, Any]:
        session, participant, minute = key.split("-")
        at = datetime.strptime(minute, "%Y%m%d%H%M").replace(tzinfo=UTC)
        return {"session": int(session), "participant": int(participant), "minute": at}

    def shares_of(self, row: Any) -> list[float]:
        return [total / row.readings for total in row.probability_sums] if row.readings else []


@admin.register(MoodPoint)
class MoodPointAdmin(Readings):
    """The class mood second by second; empty shares are seconds under the floor. Without the words about the pace:
    which of them count may have changed since (emotions.reports.pace)."""

    list_display = ("second", "session", "measured", "not_visible", "connected", "share_words")
    list_select_related = ("session__course",)
    in_session = "sequence"
    fields = (
        "session", "sequence", "at", "share_words", "joined", "connected", "measured", "uncertain", "not_visible",
        "model_version",
    )  # fmt: skip

    @admin.display(description="At", ordering="at")
    def second(self, point: MoodPoint) -> str:
        return f"{timezone.localtime(point.at):%-d %b %Y, %H:%M:%S}"


admin.site.unregister(ClassSession)


class SessionList(ChangeList):
    """With the mean mood of each session on the page, and sums over all that the filters leave."""

    sums: dict[str, Any]

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        sessions: list[Any] = list(self.result_list)
        moods = mean_moods([session.pk for session in sessions])
        for session in sessions:
            mood = moods.get(session.pk)
            session.mean_mood = mood.shares if mood else None
        self.result_list = sessions
        self.sums = self._sums()

    def _sums(self) -> dict[str, Any]:
        found = ClassSession.objects.filter(pk__in=self.queryset.order_by().values("pk"))
        length = ExpressionWrapper(Coalesce("ended_at", Now()) - F("started_at"), output_field=DurationField())
        taught = found.aggregate(taught=Sum(length))["taught"] or timedelta()
        kept = found.filter(purged_at=None).values("pk")
        students = Participant.objects.students().filter(session__in=kept).count()
        return {"sessions": self.result_count, "students": students, "taught": duration(taught)}


@admin.register(ClassSession)
class MeasuredSessionAdmin(ClassSessionAdmin):
    """Past sessions with their mood, as far as the report tells it; export and purge."""

    list_display = (*ClassSessionAdmin.list_display[:5], "mood", *ClassSessionAdmin.list_display[5:])
    fields = (*ClassSessionAdmin.fields, "recorded")
    actions = ("export_chosen", *ClassSessionAdmin.actions[:-1], "purge_chosen", "erase_chosen")
    change_form_template = "admin/emotions/session.html"
    change_list_template = "admin/emotions/sessions.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SessionList

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        session = self.get_object(request, unquote(object_id))
        shown = {"report": overview(session), "separators": DIALECTS} if session else {}
        return super().change_view(request, object_id, form_url, shown | (extra_context or {}))

    @admin.display(description="Mood")
    def mood(self, session: Any) -> str:
        if session.purged_at:
            return "–"
        if session.mean_mood is None:
            return mood_words(None)
        return format_html("{} {}", mood_words(session.mean_mood), strip(session.mean_mood))

    # -- Export

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "export")

    @admin.action(description="Export their reports as one ZIP", permissions=["export"])
    def export_chosen(self, request: HttpRequest, rows: QuerySet[ClassSession]) -> HttpResponseBase | None:
        if self.too_many(request, rows) or not rows:
            return None
        sessions = list(rows.select_related("course__instructor"))
        for session in sessions:
            self.log_change(request, session, "Exported from the administration.")
        answer = StreamingHttpResponse(archive(sessions), content_type="application/zip")
        answer.headers["Content-Disposition"] = 'attachment; filename="roomtone-sessions.zip"'
        return answer

    # -- Purge

    def has_purge_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "purge")

    @admin.action(description="Purge what was recorded, keep the sessions", permissions=["purge"])
    def purge_chosen(self, request: HttpRequest, rows: QuerySet[ClassSession]) -> HttpResponse | None:
        if question := self.asked(request, rows, "purge", "Purge", what_goes=_what_goes):
            return question
        self.each(request, rows, lambda session: self._purge(request, session))
        return None

    def _purge(self, request: HttpRequest, session: ClassSession) -> str:
        """The line that stays tells how many rows went, as far as it was told before."""
        with transaction.atomic():
            went = totals(session).in_words
            receipt = actions.purge_session(session)
            self.log_change(request, session, f"Purged. {went}. Receipt {receipt.public_id}.")
        return f"purged. {went}."

    @admin.display(description="Recorded")
    def recorded(self, session: ClassSession) -> str:
        if session.purged_at:
            return "Nothing any more"
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


def _what_goes(rows: Iterable[ClassSession]) -> dict[str, Any]:
    """Each session with its counts (none for one that is live, or was purged), and the sum of what is told."""
    counted = [(row, None if row.live or row.purged_at else totals(row)) for row in rows]
    told = [each for _, each in counted if each]
    return {"counted": counted, "least": sum(each.least for each in told), "nothing": not told}


def _links(lists: dict[str, str], of: str) -> SafeString:
    rows = ((reverse(f"admin:emotions_{name}_changelist"), of, words) for name, words in lists.items())
    return format_html_join(" · ", '<a href="{}?{}">{}</a>', rows)
