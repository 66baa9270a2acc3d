"""/metrics, for whoever bears the token."""

from __future__ import annotations

import hmac
import logging

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from redis.exceptions import RedisError

from emotions.meters import exposition

log = logging.getLogger(__name__)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Of all processes. 404 where no token is set, 403 without it, 503 while Redis does not answer."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not _bears(request, settings.METRICS_TOKEN):
        return HttpResponse("the token is missing or wrong\n", status=403, content_type="text/plain")
    try:
        return HttpResponse(exposition.text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)
    except (RedisError, OSError) as error:
        log.warning("metrics: Redis: %s", error)
        return HttpResponse("Redis does not answer\n", status=503, content_type="text/plain")


def _bears(request: HttpRequest, token: str) -> bool:
    """Compared in a time that tells nothing of the token."""
    given = request.headers.get("Authorization", "")
    return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
