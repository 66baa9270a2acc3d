"""What a school admin looks after: courses, past sessions, people. What was recorded is read, never edited.

Counts of readings are added by `emotions.admin`, which registers sessions again with a subclass of ClassSessionAdmin.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from classroom import actions
from classroom.admin_parts import Erasable, Recorded, StateFilter
from classroom.forms_admin import InvitationForm, SignInForm
from classroom.invitations import invite
from classroom.models import CheckIn, ClassSession, ConsentEvent, Course, Marker, Participant
from classroom.templatetags.roomtone import lasted

admin.site.site_header = admin.site.site_title = "Roomtone"
admin.site.index_title = "School administration"
admin.site.site_url = "/courses/"
admin.site.login_form = SignInForm


class ParticipantInline(Recorded, admin.TabularInline):  # type: ignore[type-arg]
    model = Participant
    fields = readonly_fields = ("name", "scope", "consents", "joined_at", "left_at", "removed_at")
    verbose_name_plural = "Students and their consents"
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Participant]:
        return super().get_queryset(request).prefetch_related("consent_events")

    @admin.display(description="Name")
    def name(self, participant: Participant) -> SafeString:
        address = reverse("admin:classroom_participant_change", args=[participant.pk])
        return format_html('<a href="{}">{}</a>', address, participant.display_name)

    @admin.display(description="Consents")
    def consents(self, participant: Participant) -> str:
        return "; ".join(f"{event} {_time(event)}" for event in participant.consent_events.all()) or "No answer yet"


class MarkerInline(Recorded, admin.TabularInline):  # type: ignore[type-arg]
    model = Marker
    fields = readonly_fields = ("at", "label")
    extra = 0
    can_delete = False


class ConsentInline(Recorded, admin.TabularInline):  # type: ignore[type-arg]
    model = ConsentEvent
    fields = readonly_fields = ("at", "kind", "scope", "epoch", "text_hash")
    extra = 0
    can_delete = False


class CheckInInline(Recorded, admin.TabularInline):  # type: ignore[type-arg]
    """As students are told: a word stands beside a name only where its owner shares with the name, and did then."""

    model = CheckIn
    fields = readonly_fields = ("at", "word")
    verbose_name_plural = "Check-ins (of students who share with their name)"
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[CheckIn]:
        later = ConsentEvent.objects.filter(participant=OuterRef("participant"), at__gt=OuterRef("at"))
        sharing = super().get_queryset(request).filter(participant__scope=Participant.Scope.INDIVIDUAL)
        return sharing.filter(~Exists(later))


@admin.register(Course)
class CourseAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """An admin may rename a course, or hand it to another instructor."""

    list_display = ("title", "instructor", "session_count", "created_at")
    list_select_related = ("instructor",)
    list_filter = ("instructor",)
    search_fields = ("title", "instructor__username", "instructor__last_name", "instructor__email")
    autocomplete_fields = ("instructor",)
    readonly_fields = ("public_id", "created_at", "alerts", "reading_place")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Course]:
        courses: QuerySet[Course] = super().get_queryset(request)
        return courses.annotate(session_count=Count("sessions"))

    @admin.display(description="Sessions", ordering="session_count")
    def session_count(self, course: Any) -> int:
        return int(course.session_count)


@admin.register(ClassSession)
class ClassSessionAdmin(Recorded, Erasable):
    """Past and present sessions. `list_display` and `readonly_fields` are tuples, for a subclass to add to."""

    list_display = (
        "started_at",
        "course",
        "title",
        "instructor",
        "length",
        "state",
        "students",
        "report",
    )
    list_select_related = ("course__instructor",)
    list_filter = (StateFilter, "mode", "started_at", "course", "course__instructor")
    search_fields = ("title", "course__title", "course__instructor__username", "course__instructor__last_name")
    date_hierarchy = "started_at"
    list_per_page = 50
    inlines = (ParticipantInline, MarkerInline)
    fields: ClassVar[tuple[str, ...]] = (
        "course", "instructor", "title", "mode", "state", "started_at", "ended_at", "length", "students", "report",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClassSession]:
        sessions: QuerySet[ClassSession] = super().get_queryset(request)
        return sessions.annotate(participant_count=Count("participants"))

    def erase(self, row: ClassSession) -> None:
        actions.erase_session(row)

    @admin.display(description="Instructor", ordering="course__instructor__username")
    def instructor(self, session: ClassSession) -> str:
        return session.course.instructor.get_full_name() or session.course.instructor.get_username()

    @admin.display(description="Length")
    def length(self, session: ClassSession) -> str:
        return lasted(session)

    @admin.display(description="State", ordering="ended_at")
    def state(self, session: ClassSession) -> str:
        return "Live" if session.live else "Ended"

    @admin.display(description="Students", ordering="participant_count")
    def students(self, session: Any) -> int:
        return int(session.participant_count)

    @admin.display(description="Report")
    def report(self, session: ClassSession) -> SafeString:
        return format_html('<a href="{}">Report</a>', reverse("report", args=[session.public_id]))


@admin.register(Participant)
class ParticipantAdmin(Recorded, Erasable):
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
        "consent_epoch",
        "joined_at",
        "left_at",
        "removed_at",
    )

    def erase(self, row: Participant) -> None:
        actions.erase(row)


@admin.register(ConsentEvent)
class ConsentEventAdmin(Recorded, admin.ModelAdmin):  # type: ignore[type-arg]
    """The ledger of the whole school."""

    list_display = ("at", "participant", "session", "kind", "scope", "short_hash")
    list_select_related = ("participant__session__course",)
    list_filter = ("kind", "scope", "at")
    search_fields = ("participant__display_name", "participant__session__course__title", "text_hash")
    date_hierarchy = "at"
    list_per_page = 50

    @admin.display(description="Session")
    def session(self, event: ConsentEvent) -> ClassSession:
        return event.participant.session

    @admin.display(description="Text", ordering="text_hash")
    def short_hash(self, event: ConsentEvent) -> str:
        return event.text_hash[:12]


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

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        self._invite(request, obj)
        return super().response_add(request, obj, post_url_continue)

    @admin.action(description="Send (or show) a link to set a password", permissions=["change"])
    def send_links(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            self._invite(request, user)

    def _invite(self, request: HttpRequest, user: User) -> None:
        try:
            self.message_user(request, invite(request, user), messages.SUCCESS)
        except OSError as error:
            self.message_user(request, f"No e-mail to {user.email}: {error}", messages.ERROR)


def _time(event: ConsentEvent) -> str:
    return f"{timezone.localtime(event.at):%H:%M:%S}"
