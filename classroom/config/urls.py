"""Every address of the product."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    # One page for everybody who changes their password: the administration's own would take guesses without end.
    path("admin/password_change/", RedirectView.as_view(pattern_name="password_change"), name="staff_password"),
    path("admin/", admin.site.urls),
    path("", include("classroom.urls")),
    path("", include("emotions.urls")),
]
