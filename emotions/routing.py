"""The sockets' addresses."""

from __future__ import annotations

from django.urls import path

from emotions.consumers.camera import CameraConsumer
from emotions.consumers.dashboard import DashboardConsumer
from emotions.consumers.room import RoomConsumer
from emotions.consumers.trial import TryConsumer

sockets = [
    path("ws/camera/<uuid:session_id>/", CameraConsumer.as_asgi()),
    path("ws/dashboard/<uuid:session_id>/", DashboardConsumer.as_asgi()),
    path("ws/room/<uuid:session_id>/", RoomConsumer.as_asgi()),
    path("ws/try/", TryConsumer.as_asgi()),
]
