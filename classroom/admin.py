"""What a school admin looks after: courses, past sessions, people. What was recorded is read, never edited.

Counts of readings are added by `emotions.admin`, which registers sessions again with a subclass of ClassSessionAdmin.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from classroom import actions
from classroom.admin_parts import AsShown, CourseFilter, Erasable, OwnRows, Recorded, RecordedInline, StateFilter
from classroom.errors import RefusedError
from classroom.forms_admin import InvitationForm, SignInForm
from classroom.invitations import by_hand, invite
from classroom.models import (
    CheckIn,
    ClassSession,
    ConsentEvent,
    Course,
    Erasure,
    Marker,
    Participant,
    ShownText,
)
from classroom.retention import of_whole_session, told_lines
from classroom.roles import ROLES
from classroom.templatetags.roomtone import lasted
from classroom.text import person_name

log = logging.getLogger(__name__)

admin.site.site_header = admin.site.site_title = "Roomtone"
admin.site.index_title = "School administration"
admin.site.site_url = "/courses/"
admin.site.login_form = SignInForm


class ParticipantInline(RecordedInline):
    model = Participant
    fields = readonly_fields = ("name", "scope", "consents", "joined_at", "left_at", "removed_at")
    verbose_name_plural = "Students and their consents"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Participant]:
        people = _kept(super().get_queryset(request)).filter(kind=Participant.Kind.STUDENT)
        return people.prefetch_related("consent_events")

    @admin.display(description="Name")
    def name(self, participant: Participant) -> SafeString:
        address = reverse("admin:classroom_participant_change", args=[participant.pk])
        return format_html('<a href="{}">{}</a>', address, participant.display_name)

    @admin.display(description="Consents")
    def consents(self, participant: Participant) -> str:
        return "; ".join(f"{event} {_time(event)}" for event in participant.consent_events.all()) or "No answer yet"


class MarkerInline(RecordedInline):
    model = Marker
    fields = readonly_fields = ("at", "label")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Marker]:
        return _kept(super().get_queryset(request))


class ConsentInline(RecordedInline):
    """Without the epoch, here and elsewhere: one that is passed over says that this student erased minutes."""

    model = ConsentEvent
    fields = readonly_fields = ("at", "kind", "scope", "text_hash", "declared_by")


class CheckInInline(RecordedInline):
    """As students are told: a word stands beside a name only where its owner shares with the name, and did then."""

    model = CheckIn
    fields = readonly_fields = ("at", "word")
    verbose_name_plural = "Words about the pace (of students who share with their name)"

    def get_queryset(self, request: HttpRequest) -> QuerySet[CheckIn]:
        later = ConsentEvent.objects.filter(participant=OuterRef("participant"), at__gt=OuterRef("at"))
        sharing = super().get_queryset(request).filter(participant__scope=Participant.Scope.INDIVIDUAL)
        return sharing.filter(~Exists(later))


@admin.register(Course)
class CourseAdmin(OwnRows):
    """A school admin may rename a course, or hand it to another instructor."""

    of = "instructor"
    list_display = ("title", "instructor", "session_count", "created_at")
    list_select_related = ("instructor",)
    list_filter = ("instructor",)
    search_fields = ("title", "instructor__username", "instructor__last_name", "instructor__email")
    autocomplete_fields = ("instructor",)
    # Its own teacher sets the rest, and is asked first where that deletes sessions.
    readonly_fields = ("public_id", "created_at", "alerts", "keep_days", "reading_place")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Course]:
        courses: QuerySet[Course] = super().get_queryset(request)
        return courses.annotate(session_count=Count("sessions"))

    @admin.display(description="Sessions", ordering="session_count")
    def session_count(self, course: Any) -> int:
        return int(course.session_count)


@admin.register(ClassSession)
class ClassSessionAdmin(Recorded, OwnRows, Erasable):
    """Past and present sessions. What it lists is in tuples, for a subclass to add to."""

    of = "course__instructor"
    actions: tuple[str, ...] = ("close_chosen", "erase_chosen")
    show_facets = admin.ShowFacets.NEVER
    list_display: tuple[str, ...] = (
        "started_at",
        "course",
        "title",
        "state",
        "students",
        "report",
        "instructor",
        "length",
    )
    list_select_related = ("course__instructor",)
    list_filter = (StateFilter, "mode", "started_at", ("course", CourseFilter), "course__instructor")
    search_fields = ("title", "course__title", "course__instructor__username", "course__instructor__last_name")
    date_hierarchy = "started_at"
    list_per_page = 50
    inlines = (ParticipantInline, MarkerInline)
    fields: ClassVar[tuple[str, ...]] = (
        "course", "instructor", "title", "mode", "state", "started_at", "ended_at", "length", "students",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClassSession]:
        """With the number of students; counted for the rows of a page, not for all before they are sorted."""
        sessions: QuerySet[ClassSession] = super().get_queryset(request)
        people = Participant.objects.students().filter(session=OuterRef("pk")).order_by().values("session")
        count = Subquery(people.annotate(count=Count("pk")).values("count"))
        return sessions.annotate(participant_count=Coalesce(count, 0))

    def erase(self, request: HttpRequest, row: ClassSession) -> None:
        """Who did it stays to be read, under the session's name."""
        with transaction.atomic():
            self.log_deletions(request, ClassSession.objects.filter(pk=row.pk))
            actions.erase_session(row)

    def what_erases(self, rows: QuerySet[Any]) -> dict[str, Any]:
        return {"nothing": all(row.live for row in rows)}

    def has_close_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "close")

    @admin.action(description="End, where it was forgotten", permissions=["close"])
    def close_chosen(self, request: HttpRequest, rows: QuerySet[ClassSession]) -> HttpResponse | None:
        if question := self.asked(request, rows, "close", "End sessions", what_goes=_nothing_unless_live):
            return question
        self.each(request, rows, lambda session: self._close(request, session))
        return None

    def _close(self, request: HttpRequest, session: ClassSession) -> str:
        with transaction.atomic():
            if not actions.end_session(session):
                raise RefusedError("It had ended already.")
            self.log_change(request, session, "Ended in the administration.")
        return "ended."

    @admin.display(description="Instructor", ordering="course__instructor__username")
    def instructor(self, session: ClassSession) -> str:
        return person_name(session.course.instructor)

    @admin.display(description="Length")
    def length(self, session: ClassSession) -> str:
        return lasted(session)

    @admin.display(description="State", ordering="ended_at")
    def state(self, session: ClassSession) -> str:
        return "Purged" if session.purged_at else "Live" if session.live else "Ended"

    @admin.display(description="Students", ordering="participant_count")
    def students(self, session: Any) -> str:
        """Of a purged one nobody knows any more."""
        return "–" if session.purged_at else str(session.participant_count)

    @admin.display(description="Report")
    def report(self, session: ClassSession) -> SafeString:
        return format_html('<a href="{}">Report</a>', reverse("report", args=[session.public_id]))


@admin.register(Participant)
class ParticipantAdmin(Recorded, OwnRows, Erasable):
    of = "session__course__instructor"
    list_display = ("display_name", "session", "scope", "joined_at", "left_at", "removed_at")
    list_select_related = ("session__course",)
    list_filter = ("scope", "kind", "joined_at")
    search_fields = ("display_name", "session__course__title")
    list_per_page = 50
    inlines = (ConsentInline, CheckInInline)
    fields: ClassVar[tuple[str, ...]] = (
        "display_name",
        "session",
        "kind",
        "scope",
        "joined_at",
        "left_at",
        "removed_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Participant]:
        return _kept(super().get_queryset(request))

    def erase(self, request: HttpRequest, row: Participant) -> None:
        """Without a line that says so: it would keep the name."""
        actions.erase(row)


@admin.register(ConsentEvent)
class ConsentEventAdmin(Recorded, OwnRows):
    """The ledger of the whole school."""

    of = "participant__session__course__instructor"
    list_display = ("at", "participant", "session", "kind", "scope", "declared_by", "short_hash")
    list_select_related = ("participant__session__course", "declared_by")
    list_filter = ("kind", "scope", "at")
    search_fields = ("participant__display_name", "participant__session__course__title", "text_hash")
    date_hierarchy = "at"
    list_per_page = 50
    fields = ("participant", "session", "at", "kind", "scope", "text_hash", "declared_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConsentEvent]:
        return _kept(super().get_queryset(request), "participant__session")

    @admin.display(description="Session")
    def session(self, event: ConsentEvent) -> ClassSession:
        return event.participant.session

    @admin.display(description="Text", ordering="text_hash")
    def short_hash(self, event: ConsentEvent) -> str:
        return event.text_hash[:12]


@admin.register(Erasure)
class ErasureAdmin(Recorded, AsShown):
    """What was erased, at whose word, and what was purged because its time was over. Names nobody."""

    list_display = ("at", "what", "why", "course", "session_started_at", "went")
    list_filter = ("what", "why", "at")
    search_fields = ("course",)
    date_hierarchy = "at"
    list_per_page = 50

    def get_fields(self, request: HttpRequest, obj: Erasure | None = None) -> tuple[str, ...]:
        """The number opens the receipt's own page, which tells a student more than their school sees. The trace is
        for `erase_again` alone."""
        number = ("public_id",) if obj is not None and of_whole_session(obj) else ()
        return (*number, "at", "what", "why", "course", "session_started_at", "since", "until", "went")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Erasure], search_term: str
    ) -> tuple[QuerySet[Erasure], bool]:
        """A number is found as a whole: by its beginning it could be guessed, letter by letter."""
        try:
            return queryset.filter(public_id=UUID(search_term.strip())), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)

    @admin.display(description="Rows, as far as they are told")
    def went(self, receipt: Erasure) -> str:
        return ", ".join(f"{count:,} {words}" for words, count in told_lines(receipt)) or "–"


@admin.register(ShownText)
class ShownTextAdmin(Recorded, admin.ModelAdmin):  # type: ignore[type-arg]
    """The words behind each hash of the ledger."""

    list_display = ("first_answered_at", "version", "sha256")
    search_fields = ("version", "sha256")
    fields = ("version", "sha256", "first_answered_at", "text")

    @admin.display(description="Text")
    def text(self, shown: ShownText) -> SafeString:
        parts = ((part["heading"], part["text"]) for part in shown.words["whole"])
        return format_html_join("", "<p><b>{}</b> {}</p>", parts)


admin.site.unregister(User)


@admin.register(User)
class InstructorAdmin(UserAdmin):  # type: ignore[type-arg]
    """Everybody who signs in teaches; staff look after the school. A new account gets a link, not a password."""

    add_form = InvitationForm
    add_fieldsets = (
        (None, {"fields": ("username", "email", "first_name", "last_name"),
                "description": "The next page shows, or sends, the link with which this person sets a password."}),
    )  # fmt: skip
    list_display = ("username", "email", "first_name", "last_name", "is_active", "is_staff", "last_login")
    actions = ("send_links",)
    # Plain lists: the pair of boxes names its parts in a way that screen readers are not told.
    filter_horizontal = ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A school admin looks after people, but not after superusers: with their password comes every right."""
        return super().has_change_permission(request, obj) and (obj is None or self._in_reach(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """When somebody came is recorded, whoever asks."""
        times = ("last_login", "date_joined")
        return times if request.user.is_superuser else ("is_superuser", "user_permissions", *times)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only a superuser gives other groups than the two roles: a school admin gives nobody more than they have."""
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "groups" and field is not None and not request.user.is_superuser:
            field.queryset = Group.objects.filter(name__in=ROLES)
        return field

    def _in_reach(self, request: HttpRequest, user: User) -> bool:
        strange = user.groups.exclude(name__in=ROLES).exists() or user.user_permissions.exists()
        return request.user.is_superuser or not (user.is_superuser or strange)

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        self._invite(request, obj)
        return super().response_add(request, obj, post_url_continue)

    @admin.action(description="Send (or show) a link to set a password", permissions=["change"])
    def send_links(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            if self._in_reach(request, user):
                self._invite(request, user)
            else:
                self.message_user(request, f"{user}: only a superuser may do this.", messages.ERROR)

    def _invite(self, request: HttpRequest, user: User) -> None:
        try:
            self.message_user(request, invite(request, user), messages.SUCCESS)
        except OSError as error:
            log.warning("no invitation could be sent: %s", error)
            words = f"The e-mail to {user.email} could not be sent. {by_hand(request, user)}"
            self.message_user(request, words, messages.WARNING)


def _kept(rows: QuerySet[Any], session: str = "session") -> QuerySet[Any]:
    """Without what is left of a session that is being deleted slice by slice."""
    return rows.filter(**{f"{session}__purged_at": None})


def _nothing_unless_live(rows: Iterable[ClassSession]) -> dict[str, Any]:
    return {"nothing": not any(row.live for row in rows)}


def _time(event: ConsentEvent) -> str:
    return f"{timezone.localtime(event.at):%H:%M:%S}"
