"""`manage.py purge_expired`: what ended long ago goes, with everything that belongs to it; the rest stays."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.forms.models import model_to_dict
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from classroom import actions, consent, retention, signals
from classroom.config.profile import PROFILES
from classroom.models import ClassSession, ConsentEvent, Course, Erasure, Participant
from emotions import slices, tasks
from emotions.models import EmotionEvent, MoodPoint
from ml.labels import LABELS

pytestmark = pytest.mark.django_db


@pytest.fixture
def course(alice: User) -> Course:
    return Course.objects.create(title="Algebra", instructor=alice)


def session(course: Course, ended_days_ago: float | None) -> ClassSession:
    """A session with a participant, a consent and a reading."""
    now = timezone.now()
    ended = None if ended_days_ago is None else now - timedelta(days=ended_days_ago)
    made = ClassSession.objects.create(course=course, started_at=now - timedelta(days=400), ended_at=ended)
    student = Participant.objects.create(session=made, display_name="Ada")
    ConsentEvent.objects.create(participant=student, epoch=1, kind="given", scope="aggregate", text_hash="0" * 64)
    EmotionEvent.objects.create(
        session=made,
        participant=student,
        connection=uuid.uuid4(),
        sequence=1,
        captured_at=now,
        received_at=now,
        probabilities=[1 / len(LABELS)] * len(LABELS),
        label="neutral",
        confidence=1 / len(LABELS),
        uncertain=True,
        box=[0, 0, 1, 1],
        face_count=1,
        model_version="test",
    )
    return made


def purge(*arguments: str) -> str:
    output = StringIO()
    call_command("purge_expired", *arguments, stdout=output)
    return output.getvalue()


def test_only_what_ended_long_enough_ago_goes(course: Course) -> None:
    old, recent, live = (session(course, days) for days in (31, 29, None))
    assert "Deleted Algebra" in purge("--days", "30")
    assert set(ClassSession.objects.all()) == {recent, live}
    for model in (Participant, EmotionEvent):
        assert set(model.objects.values_list("session", flat=True)) == {recent.pk, live.pk}
    assert not ConsentEvent.objects.filter(participant__session=old.pk).exists()
    assert Course.objects.get() == course


def test_a_dry_run_deletes_nothing(course: Course) -> None:
    session(course, 31)
    printed = purge("--days", "30", "--dry-run")
    assert "(1 participants)\n1 would be deleted" in printed
    assert ClassSession.objects.count() == 1


def test_a_live_session_never_expires(course: Course) -> None:
    session(course, None)
    assert purge("--days", "1") == ""
    assert ClassSession.objects.count() == 1


def test_each_session_goes_when_its_own_days_are_over(course: Course, settings: Settings) -> None:
    """What a session promised holds against a course that is kept longer later, and a shorter time holds for all."""
    settings.RETENTION_DAYS = 0
    forever, promised, longer = (session(course, 31) for _ in range(3))
    ClassSession.objects.filter(pk=promised.pk).update(keep_days=30)
    ClassSession.objects.filter(pk=longer.pk).update(keep_days=90)
    assert set(retention.expired()) == {promised}
    Course.objects.update(keep_days=60)
    assert set(retention.expired()) == {promised}
    Course.objects.update(keep_days=20)
    assert set(retention.expired()) == {forever, promised, longer}
    Course.objects.update(keep_days=None)
    settings.RETENTION_DAYS = 10
    assert set(retention.expired()) == {forever, promised, longer}
    purge()
    assert not ClassSession.objects.exists()


def test_where_nobody_said_how_long_everything_stays(course: Course, settings: Settings) -> None:
    settings.RETENTION_DAYS = 0
    session(course, 300)
    assert purge() == ""
    assert ClassSession.objects.count() == 1


def test_a_session_takes_the_days_of_its_course_with_it(course: Course, settings: Settings) -> None:
    settings.RETENTION_DAYS = 100
    settings.PROFILE = PROFILES["check-ins"]
    course.keep_days = 7
    first = actions.start_session(course, "check_ins")
    actions.end_session(first)
    course.keep_days = None
    second = actions.start_session(course, "check_ins")
    assert (first.keep_days, second.keep_days) == (7, 100)
    assert "7 days after the session" in consent.text_for(first).short[2].text.lower()
    assert consent.text_for(first).sha256 != consent.text_for(second).sha256


def test_a_teacher_is_asked_before_the_schools_days_delete_sessions(
    course: Course, settings: Settings, client: Client
) -> None:
    settings.RETENTION_DAYS = 30
    Course.objects.update(keep_days=365)
    old = session(course, 100)
    ClassSession.objects.filter(pk=old.pk).update(keep_days=365)
    client.force_login(course.instructor)
    address = reverse("set_keeping", args=[course.public_id])
    assert client.post(address, {"keep_days": ""}).status_code == 409
    assert (Course.objects.get().keep_days, set(retention.expired())) == (365, set())
    assert client.post(address, {"keep_days": "", "sure": "yes"}).status_code == 302
    assert set(retention.expired()) == {old}


def test_an_error_beside_the_days_forgets_no_setting(course: Course, settings: Settings, client: Client) -> None:
    """The form that starts a session stands on the page of the error, too."""
    Course.objects.update(reading_place="device")
    client.force_login(course.instructor)
    page = client.post(reverse("set_keeping", args=[course.public_id]), {"keep_days": "soon"})
    assert page.status_code == 400
    assert page.context["form"].initial["reading_place"] == "device"


def test_a_session_that_somebody_else_erased_stops_nobody(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = session(course, 40), session(course, 35)
    found = list(retention.expired(30))
    actions.erase_session(first)
    monkeypatch.setattr(retention, "expired", lambda *_: _Found(found))
    assert f"Passed over {found[0]}: This session is gone already." in purge("--days", "30")
    assert not ClassSession.objects.filter(pk=second.pk).exists()


class _Found(list[ClassSession]):
    """What was found a moment ago."""

    def iterator(self) -> Iterator[ClassSession]:
        return iter(self)


def test_what_was_purged_is_on_record_and_names_nobody(course: Course) -> None:
    gone = session(course, 31)
    Course.objects.update(keep_days=30)
    tasks.purge_expired()
    record = Erasure.objects.get()
    assert (record.what, record.why, record.course) == ("session", "expired", "Algebra")
    assert record.session_started_at == gone.started_at
    assert record.rows == {"ClassSession": 1, "ConsentEvent": 1, "EmotionEvent": 1, "Participant": 1}
    assert "Ada" not in str(model_to_dict(record))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """How often the task has asked for another of itself."""
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(tasks.purge_expired, "apply_async", lambda *arguments: asked.append(arguments))
    return asked


def test_everything_that_is_over_goes_at_once_in_short_runs(course: Course, sent: list[tuple[Any, ...]]) -> None:
    """The course's page promises "within the hour"; beat sends the task every quarter of one."""
    Course.objects.update(keep_days=30)
    recent = session(course, 29)
    for days in range(31, 31 + 17):
        session(course, days)
    left, runs = [18], [()]
    while runs:
        tasks.purge_expired(*runs.pop())
        left.append(ClassSession.objects.count())
        runs, sent[:] = list(sent), []
    assert left == [18, 14, 10, 6, 2, 1]
    assert ClassSession.objects.get() == recent
    assert Erasure.objects.count() == 17


def test_where_somebody_else_deletes_them_the_task_leaves_it_to_them(
    course: Course, sent: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [session(course, days) for days in range(31, 31 + 2 * tasks.PURGES_A_ROUND)]
    for one in found[: tasks.PURGES_A_ROUND]:
        actions.erase_session(one)
    monkeypatch.setattr(retention, "expired", lambda: found)
    tasks.purge_expired()
    assert sent == []
    assert ClassSession.objects.count() == tasks.PURGES_A_ROUND


def large(course: Course, readings: int = 35) -> ClassSession:
    """One that is over, of so many readings."""
    made = session(course, 31)
    template = EmotionEvent.objects.get(session=made)
    EmotionEvent.objects.bulk_create(_copy(template, template.participant, n) for n in range(2, readings + 1))
    return made


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten rows each, and time for no second one."""
    monkeypatch.setattr(slices, "SLICE", 10)
    monkeypatch.setattr(tasks, "PURGE_SECONDS", 0.0)


@pytest.mark.usefixtures("small_slices")
def test_a_large_session_goes_in_slices_under_one_receipt(course: Course, sent: list[tuple[Any, ...]]) -> None:
    Course.objects.update(keep_days=30)
    large(course)
    left, receipts, runs = [], [], [()]
    while runs:
        tasks.purge_expired(*runs.pop())
        left.append(EmotionEvent.objects.count())
        receipt = Erasure.objects.get()
        receipts.append((receipt.what, receipt.why, receipt.rows["EmotionEvent"]))
        runs, sent[:] = list(sent), []
    assert left == [25, 15, 5, 0]
    assert receipts == [
        *(("records", "expired", count) for count in (10, 20, 30)),
        ("session", "expired", 35),
    ]
    rows = Erasure.objects.get().rows
    assert rows == {"ClassSession": 1, "ConsentEvent": 1, "EmotionEvent": 35, "Participant": 1}
    assert not ClassSession.objects.exists()


@pytest.mark.usefixtures("small_slices")
def test_many_students_go_a_few_at_a_time_after_their_readings(course: Course) -> None:
    one = large(course, readings=15)
    for n in range(11):
        Participant.objects.create(session=one, display_name=f"Student {n}")
    left = []
    while actions.expire_some(one, 0) is None:
        left.append((EmotionEvent.objects.count(), Participant.objects.count()))
    assert left == [(5, 12), (0, 7), (0, 2)]
    assert Erasure.objects.get().rows == {"ClassSession": 1, "ConsentEvent": 1, "EmotionEvent": 15, "Participant": 12}


@pytest.mark.usefixtures("small_slices")
def test_a_slice_that_fails_costs_that_slice_alone(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the worker is killed: what went before is gone and counted, and the next run goes on."""
    one = large(course)
    assert actions.expire_some(one, 0) is None

    def killed(**_: object) -> None:
        raise SystemExit

    signals.session_thinned.connect(killed)
    try:
        with pytest.raises(SystemExit):
            actions.expire_some(one, 0)
    finally:
        signals.session_thinned.disconnect(killed)
    assert EmotionEvent.objects.count() == 25
    assert Erasure.objects.get().rows == {"EmotionEvent": 10}
    assert actions.expire(one).rows["EmotionEvent"] == 35
    assert Erasure.objects.count() == 1


@pytest.mark.usefixtures("small_slices")
def test_what_was_begun_is_finished_though_the_course_is_kept_longer_since(course: Course) -> None:
    one, whole = large(course), session(course, 31)
    purged = session(course, 31)
    actions.purge_session(purged)
    assert actions.expire_some(one, 0) is None
    Course.objects.update(keep_days=365)
    assert set(retention.expired()) == {one}
    assert set(retention.expired(300)) == {one}
    purge()
    assert set(ClassSession.objects.all()) == {whole, purged}


@pytest.mark.usefixtures("small_slices")
def test_no_page_shows_half_of_a_session(course: Course, client: Client) -> None:
    one = large(course)
    client.force_login(course.instructor)
    files = [
        reverse(name, args=[one.public_id]) for name in ("report_xlsx", "report_html", "report_csv", "events_csv")
    ]
    assert [client.get(file).status_code for file in files] == [200] * 4
    assert actions.expire_some(one, 0) is None
    assert [client.get(file).status_code for file in files] == [404] * 4
    report = client.get(reverse("report", args=[one.public_id])).content.decode()
    assert "What was recorded in it was deleted on" in report
    assert "Ada" not in report


@pytest.mark.usefixtures("small_slices")
def test_what_the_school_erases_of_it_meanwhile_is_counted_once(course: Course) -> None:
    one = large(course)
    assert actions.expire_some(one, 0) is None
    actions.erase_session(one)
    told = {(receipt.what, receipt.why, receipt.rows["EmotionEvent"]) for receipt in Erasure.objects.all()}
    assert told == {("records", "expired", 10), ("session", "school", 25)}


@pytest.mark.usefixtures("small_slices")
def test_the_command_goes_on_until_all_is_gone(course: Course) -> None:
    large(course)
    assert "Deleted Algebra" in (printed := purge("--days", "30"))
    assert ": 38 rows, record" in printed
    assert not ClassSession.objects.exists()


@pytest.mark.usefixtures("small_slices")
def test_there_is_one_row_of_rounds_at_a_time(course: Course, sent: list[tuple[Any, ...]]) -> None:
    """Beat sends the task every quarter of an hour; one large session takes many rounds."""
    Course.objects.update(keep_days=30)
    large(course)
    tasks.purge_expired()
    assert len(sent) == 1
    tasks.purge_expired()
    assert (len(sent), EmotionEvent.objects.count()) == (1, 25)
    for left in (15, 5, 0):
        tasks.purge_expired(*sent.pop())
        assert (len(sent), EmotionEvent.objects.count()) == (int(left > 0), left)
    large(course)
    tasks.purge_expired()
    assert len(sent) == 1


def test_what_reports_are_made_of_goes_first(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE", 10)
    one, counts = large(course), dict.fromkeys(("joined", "measured", "uncertain", "not_visible", "connected"), 0)
    MoodPoint.objects.bulk_create(MoodPoint(session=one, sequence=n, at=one.started_at, **counts) for n in range(12))
    assert slices.session_thinned(one) == {"MoodPoint": 10}
    assert list(MoodPoint.objects.values_list("sequence", flat=True)) == [10, 11]
    assert slices.session_thinned(one) == {"EmotionEvent": 10}
    EmotionEvent.objects.filter(sequence__gt=10).delete()
    assert slices.session_thinned(one) == {}


@pytest.mark.parametrize("days", ["0", "-5"])
def test_days_that_make_no_sense_are_refused(days: str) -> None:
    with pytest.raises(CommandError, match="expected 1 or more"):
        purge("--days", days)


def test_the_number_of_statements_does_not_grow_with_the_readings(
    course: Course, django_assert_max_num_queries: object
) -> None:
    session(course, 31)
    student = Participant.objects.get()
    template = EmotionEvent.objects.get()
    EmotionEvent.objects.bulk_create(_copy(template, student, number) for number in range(2, 500))
    with django_assert_max_num_queries(30):  # type: ignore[operator]
        purge("--days", "30")
    assert not EmotionEvent.objects.exists()


def _copy(event: EmotionEvent, student: Participant, sequence: int) -> EmotionEvent:
    values = {field.attname: getattr(event, field.attname) for field in event._meta.fields if field.name != "id"}
    return EmotionEvent(**values | {"sequence": sequence, "participant_id": student.pk})
