"""What every page knows about the deployment."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def deployment(request: HttpRequest) -> dict[str, object]:
    """`profile` (see classroom.config.profile) and whether /try/ is open."""
    return {"profile": settings.PROFILE, "try_page_open": settings.TRY_PAGE_OPEN}
