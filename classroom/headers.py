"""What a browser may do on which page, beyond the content security policy (classroom.config.settings)."""

from __future__ import annotations

from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

CAMERA = ("camera", "autoplay", "screen-wake-lock")
NEEDED: dict[str, tuple[str, ...]] = {
    "student": CAMERA,
    "try": CAMERA,
    "room": CAMERA,
    "dashboard": ("fullscreen", "clipboard-write"),
}
"""By the name of the address: what its page asks the browser for. Everything else is off, on every page."""

FEATURES = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "clipboard-read", "clipboard-write", "compute-pressure",
    "display-capture", "encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid",
    "identity-credentials-get", "idle-detection", "keyboard-map", "local-fonts", "magnetometer", "microphone", "midi",
    "payment", "picture-in-picture", "publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock",
    "serial", "storage-access", "usb", "window-management", "xr-spatial-tracking",
)  # fmt: skip


def permissions(needed: tuple[str, ...]) -> str:
    """The header's value: `needed` for our own origin, the rest for nobody."""
    return ", ".join(f"{feature}=({'self' if feature in needed else ''})" for feature in FEATURES)


@sync_and_async_middleware
def browser_rules(get_response: Any) -> Any:
    """Permissions-Policy by page, and nothing of ours inside another site's page."""
    if not iscoroutinefunction(get_response):
        return lambda request: _ruled(request, get_response(request))

    async def answer_soon(request: HttpRequest) -> HttpResponseBase:
        return _ruled(request, await get_response(request))

    return answer_soon


def _ruled(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    name = request.resolver_match.view_name if request.resolver_match else ""
    response.headers["Permissions-Policy"] = permissions(NEEDED.get(name, ()))
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
