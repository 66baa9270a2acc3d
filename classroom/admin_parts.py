"""What several pages of the administration share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth import get_permission_codename
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from classroom import access
from classroom.errors import RefusedError
from classroom.models import ClassSession, Course

MOST_AT_ONCE = 200


class Recorded:
    """Rows that the product wrote: nobody adds, changes or deletes them by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class RecordedInline(Recorded, admin.TabularInline):  # type: ignore[type-arg]
    """Such rows on the page of what they belong to."""

    template = "admin/classroom/recorded_inline.html"
    extra = 0
    can_delete = False


class AsShown(admin.ModelAdmin):  # type: ignore[type-arg]
    """Nobody is found by what no page shows. Django lets an address ask for any column, and for whatever refers to a
    row: `?check_ins__isnull=False` would list by name everybody who said a word."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return self._shows(lookup.split(LOOKUP_SEP)[0], request) and super().lookup_allowed(lookup, value, request)

    def _shows(self, name: str, request: HttpRequest) -> bool:
        """Of the model's own columns those on the page of a row. What is no column is a filter's own, or ignored."""
        try:
            field = self.opts.get_field(name)
        except FieldDoesNotExist:
            return True
        shown = flatten_fieldsets(self.get_fieldsets(request))
        return bool(field.concrete and (field == self.opts.pk or field.name in shown))


class OwnRows(AsShown):
    """Whoever may not see every session finds here what belongs to their own courses, and nothing else."""

    of: ClassVar[str]
    """The way from a row to its instructor."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows if access.reads_every_session(request.user) else rows.filter(**{self.of: request.user})

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Without the filter by instructor, which would list colleagues, for those who see none of theirs."""
        filters = super().get_list_filter(request)
        return filters if access.reads_every_session(request.user) else [one for one in filters if one != self.of]


class Asking(admin.ModelAdmin):  # type: ignore[type-arg]
    """Actions that can't be taken back: they ask first, do one row after the other, and say of each how it went."""

    def asked(
        self,
        request: HttpRequest,
        rows: QuerySet[Any],
        action: str,
        title: str,
        what_goes: Callable[[QuerySet[Any]], dict[str, Any]] = lambda _: {},
    ) -> HttpResponse | None:
        """The page that asks (admin/classroom/<action>.html); None once that was answered with yes.

        `what_goes`: what the page says beside the rows; with `nothing`, there is no button, as it can be done with
        none of them. More rows than MOST_AT_ONCE are refused.
        """
        if self.too_many(request, rows):
            return HttpResponseRedirect(request.get_full_path())
        if "confirmed" in request.POST:
            return None
        told = {"rows": rows, "opts": self.opts, "title": title, "action": f"{action}_chosen"} | what_goes(rows)
        template = f"admin/classroom/{action}.html"
        return TemplateResponse(request, template, self.admin_site.each_context(request) | told)

    def too_many(self, request: HttpRequest, rows: QuerySet[Any]) -> bool:
        """Whether more than MOST_AT_ONCE are chosen, which is then said."""
        if (count := rows.count()) <= MOST_AT_ONCE:
            return False
        self.message_user(request, f"{count:,} are chosen. Choose {MOST_AT_ONCE} at most.", messages.ERROR)
        return True

    def each(self, request: HttpRequest, rows: Iterable[Any], do: Callable[[Any], str]) -> None:
        """`do` returns what happened; what it raises as a RefusedError is said, and the next row comes."""
        for row in rows:
            name = str(row)
            try:
                self.message_user(request, f"{name}: {do(row)}", messages.SUCCESS)
            except RefusedError as error:
                self.message_user(request, f"{name}: {error.message}", messages.ERROR)

    def may(self, request: HttpRequest, action: str) -> bool:
        """Whether this person has the permission `<action>_<model>`."""
        return request.user.has_perm(f"{self.opts.app_label}.{get_permission_codename(action, self.opts)}")


class Erasable(Asking):
    """Erasure with everything that refers to the rows, after a page that asks. For whoever may delete such rows.

    Django's own deletion first loads whatever it would delete: for readings, millions of rows.
    """

    actions: tuple[str, ...] = ("erase_chosen",)

    def erase(self, request: HttpRequest, row: Any) -> None:
        """Raises RefusedError, with words."""
        raise NotImplementedError

    def what_erases(self, rows: QuerySet[Any]) -> dict[str, Any]:
        """As `what_goes` of `asked`."""
        return {}

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "delete")

    @admin.action(description="Erase, with everything that was recorded", permissions=["erase"])
    def erase_chosen(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        if question := self.asked(request, rows, "erase", "Erase", what_goes=self.what_erases):
            return question

        def erase(row: Any) -> str:
            self.erase(request, row)
            return "erased."

        self.each(request, rows, erase)
        return None


class CourseFilter(admin.RelatedFieldListFilter):
    """Courses with sessions, to choose from: the instructor's own, for those who see no others. Two teachers may call
    theirs alike."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        courses = Course.objects.filter(Exists(ClassSession.objects.filter(course=OuterRef("pk")))).order_by("title")
        if not access.reads_every_session(request.user):
            return [(course.pk, course.title) for course in courses.filter(instructor=request.user.pk)]
        return [
            (course.pk, f"{course.title} ({course.instructor})") for course in courses.select_related("instructor")
        ]


class StateFilter(admin.SimpleListFilter):
    title, parameter_name = "state", "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "Live"), ("ended", "Ended"), ("purged", "Purged")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "live":
                return queryset.filter(ended_at=None)
            case "ended":
                return queryset.exclude(ended_at=None).filter(purged_at=None)
            case "purged":
                return queryset.exclude(purged_at=None)
        return queryset
