"""Addresses of the classroom. Dashboards, reports and /try/ are in emotions.urls."""

from __future__ import annotations

from django.contrib.auth import views as auth
from django.urls import path

from classroom.views import accounts, controls, courses, health, join, privacy, room, student

urlpatterns = [
    # Students
    path("", join.home, name="home"),
    path("join/", join.join, name="join"),
    path("join/<str:code>/", join.join_session, name="join_session"),
    path("session/<uuid:public_id>/", student.student, name="student"),
    path("session/<uuid:public_id>/consent/", student.consent, name="consent"),
    path("session/<uuid:public_id>/withdraw/", student.withdraw, name="withdraw"),
    path("session/<uuid:public_id>/leave/", student.leave, name="leave"),
    path("session/<uuid:public_id>/erase/", privacy.erase, name="erase"),
    path("receipt/<uuid:public_id>/", privacy.receipt, name="receipt"),
    path("receipt/<uuid:public_id>.json", privacy.receipt_file, name="receipt_file"),
    path("privacy/", privacy.privacy, name="privacy"),
    # Instructors
    path("courses/", courses.courses, name="courses"),
    path("courses/<uuid:public_id>/", courses.course, name="course"),
    path("courses/<uuid:public_id>/start/", courses.start_session, name="start_session"),
    path("courses/<uuid:public_id>/rename/", courses.rename_course, name="rename_course"),
    path("courses/<uuid:public_id>/alerts/", courses.set_alerts, name="set_alerts"),
    path("courses/<uuid:public_id>/keep/", courses.set_keeping, name="set_keeping"),
    path("courses/<uuid:public_id>/reading-place/", courses.set_reading_place, name="set_reading_place"),
    path("teach/<uuid:public_id>/rename/", courses.rename_session, name="rename_session"),
    path("teach/<uuid:public_id>/lock/", controls.lock_session, name="lock_session"),
    path("teach/<uuid:public_id>/unlock/", controls.unlock_session, name="unlock_session"),
    path("teach/<uuid:public_id>/renew/", controls.renew_code, name="renew_code"),
    path("teach/<uuid:public_id>/end/", controls.end_session, name="end_session"),
    path("teach/<uuid:public_id>/remove/", controls.remove_participant, name="remove_participant"),
    path("teach/<uuid:public_id>/people/", controls.people, name="people"),
    path("teach/<uuid:public_id>/lower/", controls.lower_hand, name="lower_hand"),
    path("teach/<uuid:public_id>/marker/", controls.add_marker, name="add_marker"),
    path("teach/<uuid:public_id>/marker/<int:pk>/rename/", controls.rename_marker, name="rename_marker"),
    path("teach/<uuid:public_id>/marker/<int:pk>/remove/", controls.remove_marker, name="remove_marker"),
    path("teach/<uuid:public_id>/room/", room.room, name="room"),
    path("teach/<uuid:public_id>/room/declare/", room.declare_room, name="declare_room"),
    path("teach/<uuid:public_id>/room/withdraw/", room.withdraw_room, name="withdraw_room"),
    path("teach/<uuid:public_id>/qr.svg", controls.session_qr, name="session_qr"),
    # Accounts
    path("accounts/login/", accounts.SignIn.as_view(), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path(
        "accounts/password/",
        auth.PasswordChangeView.as_view(form_class=accounts.OwnPasswordForm),
        name="password_change",
    ),
    path("accounts/password/done/", auth.PasswordChangeDoneView.as_view(), name="password_change_done"),
    path("accounts/reset/", accounts.ForgottenPassword.as_view(), name="password_reset"),
    path("accounts/reset/sent/", auth.PasswordResetDoneView.as_view(), name="password_reset_done"),
    path("accounts/reset/<uidb64>/<token>/", auth.PasswordResetConfirmView.as_view(), name="password_reset_confirm"),
    path("accounts/reset/done/", auth.PasswordResetCompleteView.as_view(), name="password_reset_complete"),
    # Machines
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
