"""What several pages of the administration share."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from classroom.errors import RefusedError


class Recorded:
    """Rows that the product wrote: nobody adds, changes or deletes them by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class Erasable(admin.ModelAdmin):  # type: ignore[type-arg]
    """Erasure with everything that refers to the rows, after a page that asks. For whoever may delete such rows.

    Django's own deletion first loads whatever it would delete: for readings, millions of rows.
    """

    actions = ("erase_chosen",)

    def erase(self, row: Any) -> None:
        """Raises RefusedError, with words."""
        raise NotImplementedError

    def has_erase_permission(self, request: HttpRequest) -> bool:
        options = self.opts
        return request.user.has_perm(f"{options.app_label}.{get_permission_codename('delete', options)}")

    @admin.action(description="Erase, with everything that was recorded", permissions=["erase"])
    def erase_chosen(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        if "confirmed" not in request.POST:
            context = self.admin_site.each_context(request) | {"rows": rows, "opts": self.opts, "title": "Erase"}
            return TemplateResponse(request, "admin/classroom/erase.html", context)
        for row in rows:
            self._erase_one(request, row)
        return None

    def _erase_one(self, request: HttpRequest, row: Any) -> None:
        name = str(row)
        try:
            self.erase(row)
        except RefusedError as error:
            self.message_user(request, f"{name}: {error.message}", messages.ERROR)
        else:
            self.message_user(request, f"{name}: erased.", messages.SUCCESS)


class StateFilter(admin.SimpleListFilter):
    title, parameter_name = "state", "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("live", "Live"), ("ended", "Ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {"live", "ended"}:
            return queryset
        return queryset.filter(ended_at__isnull=self.value() == "live")
