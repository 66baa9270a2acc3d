"""Addresses of the pages that show readings."""

from __future__ import annotations

from django.urls import path

from emotions import controls, own_data, views
from emotions.meters.views import metrics

urlpatterns = [
    path("session/<uuid:public_id>/mine/", own_data.own_data, name="own_data"),
    path("session/<uuid:public_id>/mine.json", own_data.own_export, name="own_export"),
    path("teach/<uuid:public_id>/", views.dashboard, name="dashboard"),
    path("teach/<uuid:public_id>/report/", views.report, name="report"),
    path("teach/<uuid:public_id>/report/<uuid:student_id>/", views.student_report, name="student_report"),
    path("teach/<uuid:public_id>/report/counting/", views.report_counting, name="report_counting"),
    path("teach/<uuid:public_id>/report.csv", views.report_csv, name="report_csv"),
    path("teach/<uuid:public_id>/report.xlsx", views.report_xlsx, name="report_xlsx"),
    path("teach/<uuid:public_id>/report.html", views.report_html, name="report_html"),
    path("teach/<uuid:public_id>/events.csv", views.events_csv, name="events_csv"),
    path("teach/<uuid:public_id>/dismiss/", controls.dismiss, name="dismiss"),
    path("try/", views.try_page, name="try"),
    # Machines
    path("metrics", metrics, name="metrics"),
]
