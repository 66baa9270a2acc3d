"""What a student sees, takes along and erases of what is recorded about them, on their own page."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from classroom import actions, consent, turns
from classroom.errors import RefusedError
from classroom.models import CheckIn, ClassSession, Erasure, Participant
from classroom.throttle import DOWNLOADS, ERASURES
from emotions import own_data
from emotions.actions import record_readings
from emotions.models import EmotionEvent, MinuteRollup, MoodPoint
from emotions.reports import own, own_page, rollups, student_page
from tests.emotions.conftest import Join
from tests.emotions.lectures import NAMES, hold
from tests.emotions.mood_data import store_event, store_points
from tests.emotions.parts import frame_of, observation
from tests.emotions.sockets import student_cookies

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("pages")]


def browser_of(student: Participant) -> Client:
    client = Client()
    for name, value in student_cookies(student).items():
        client.cookies[name] = value
    return client


def address(name: str, student: Participant) -> str:
    return reverse(name, args=[student.session.public_id])


async def _pieces(stream: AsyncIterator[Any]) -> list[Any]:
    return [piece async for piece in stream]


def text_of(answer: Any) -> str:
    """Of what is streamed."""
    return b"".join(async_to_sync(_pieces)(aiter(answer))).decode()


def file_of(student: Participant) -> dict[str, Any]:
    told: dict[str, Any] = json.loads("".join(async_to_sync(_pieces)(own.file(student))))
    return told


def read(student: Participant, minutes_ago: list[float]) -> None:
    """A reading and a word at each of these times, counted into minutes."""
    now = timezone.now()
    for n, ago in enumerate(minutes_ago):
        at = now - timedelta(minutes=ago)
        store_event(student, at, sequence=n)
        CheckIn.objects.create(participant=student, word="lost", at=at)
    count(student.session)


def count(session: ClassSession) -> None:
    """As beat does, of two hours."""
    first, end = _all_minutes()
    rollups.count_minutes([session.pk], first, end)


def _all_minutes() -> tuple[datetime, datetime]:
    now = timezone.now().replace(second=0, microsecond=0)
    return now - timedelta(hours=2), now + timedelta(minutes=1)


def minutes_counted(student: Participant) -> int:
    return sum(MinuteRollup.objects.filter(participant=student).values_list("readings", flat=True))


def as_counted(session: ClassSession) -> list[dict[str, Any]]:
    rows = MinuteRollup.objects.filter(session=session).order_by("participant", "minute").values()
    return [{name: value for name, value in row.items() if name != "id"} for row in rows]


@pytest.fixture
def sam(join: Join) -> Participant:
    sam = join("Sam")
    read(sam, [30, 20, 10.5, 9.5, 1, 0.1])
    return sam


@pytest.fixture
def mia(join: Join) -> Participant:
    mia = join("Mia", "aggregate")
    read(mia, [15, 5])
    return mia


# -- Seen, and taken along


def test_the_page_says_what_is_stored(sam: Participant) -> None:
    page = browser_of(sam).get(address("own_data", sam))
    assert page.status_code == 200
    shown = page.context["recorded"]
    assert (shown.readings, shown.words, [event.scope for event in shown.consents]) == (6, 6, ["individual"])
    assert page["Cache-Control"].startswith("max-age=0, no-cache, no-store")


def test_the_file_has_everything_of_one_and_nothing_of_others(sam: Participant, mia: Participant) -> None:
    answer = browser_of(sam).get(address("own_export", sam))
    assert answer["Content-Disposition"] == 'attachment; filename="roomtone-my-data.json"'
    assert answer["Content-Type"] == "application/json"
    text = text_of(answer)
    told = json.loads(text)
    assert told["format"] == own.FORMAT
    assert told["you"]["name"] == "Sam"
    counted = {part: len(told[part]) for part in ("readings", "words_about_the_pace", "minutes", "consents")}
    minutes = MinuteRollup.objects.filter(participant=sam).count()
    assert counted == {"readings": 6, "words_about_the_pace": 6, "minutes": minutes, "consents": 1}
    assert told["consents"][0]["text"]["title"] == "Before you join"
    of_sam = EmotionEvent.objects.filter(participant=sam).values_list("connection", flat=True)
    assert {reading["connection"] for reading in told["readings"]} == {str(one) for one in of_sam}
    assert "Mia" not in text


def test_a_long_file_comes_in_pieces_without_loss(sam: Participant, monkeypatch: pytest.MonkeyPatch) -> None:
    """And between two of them it holds no connection to the database: a browser may take its time."""
    gone: list[bool] = []
    monkeypatch.setattr(own, "CHUNK", 4)
    monkeypatch.setattr(turns, "let_connections_go", lambda: gone.append(True))
    pieces = async_to_sync(_pieces)(own.file(sam))
    assert len(pieces) == 4
    assert len(gone) == 5
    told = json.loads("".join(pieces))
    rows = EmotionEvent.objects.filter(participant=sam).order_by("captured_at").values(*told["readings"][0])
    assert told["readings"] == json.loads(json.dumps(list(rows), cls=DjangoJSONEncoder))
    assert list(told) == [
        "format", "session", "you", "consents", "words_about_the_pace", "emotions", "readings", "minutes",
        "not_in_this_file",
    ]  # fmt: skip


def test_the_file_of_one_who_was_never_read(join: Join) -> None:
    told = file_of(join("Tess", "none"))
    assert (told["readings"], told["minutes"], told["not_in_this_file"]) == ([], [], own.STAYS)


def test_what_is_erased_while_the_file_is_on_its_way_leaves_it_whole(
    sam: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "CHUNK", 2)

    async def interrupted() -> str:
        stream = aiter(own.file(sam))
        begun = [await anext(stream), await anext(stream)]
        await sync_to_async(actions.erase_last)(sam, 60)
        return "".join([*begun, *await _pieces(stream)])

    assert len(json.loads(async_to_sync(interrupted)())["readings"]) == 2


def test_who_downloads_again_and_again_waits_and_nobody_else_does(sam: Participant, mia: Participant) -> None:
    client = browser_of(sam)
    assert {client.get(address("own_export", sam)).status_code for _ in range(DOWNLOADS.limit)} == {200}
    page = client.get(address("own_export", sam))
    assert (page.status_code, page.context["message"]) == (429, own_data.TOO_OFTEN)
    assert page.context["actions"][0]["url"] == address("own_data", sam)
    assert client.get(address("own_data", sam)).status_code == 200
    assert browser_of(mia).get(address("own_export", mia)).status_code == 200


def test_every_column_about_a_student_is_in_the_file(sam: Participant) -> None:
    """A new one can't be forgotten: it is in the file, or named here with the reason."""
    told = file_of(sam)
    inner = {"id", "session", "participant"}
    assert {field.name for field in EmotionEvent._meta.fields} - inner == set(told["readings"][0])
    assert {field.name for field in MinuteRollup._meta.fields} - inner == set(told["minutes"][0])
    renamed = {"public_id": "id", "display_name": "name", "scope": "choice_now"}
    of_person = {renamed.get(field.name, field.name) for field in Participant._meta.fields}
    # The session is told beside it; the kind is always a student's; the epoch only counts consents.
    assert of_person - {"session", "kind", "consent_epoch"} == set(told["you"])


@pytest.mark.parametrize("what", ["end", "removal"])
def test_after_the_end_and_after_a_removal_the_page_is_there(sam: Participant, what: str) -> None:
    if what == "end":
        actions.end_session(sam.session)
    else:
        actions.remove_participant(sam, by=sam.session.course.instructor)
    client = browser_of(sam)
    closed = client.get(address("student", sam))
    assert closed.context["actions"][0]["url"] == address("own_data", sam)
    assert client.get(address("own_data", sam)).status_code == 200
    assert client.post(address("erase", sam), {"minutes": "60"}).status_code == 302
    assert not EmotionEvent.objects.filter(participant=sam).exists()


@pytest.mark.parametrize("name", ["own_data", "own_export"])
def test_nobody_sees_anothers(sam: Participant, mia: Participant, name: str) -> None:
    client = browser_of(mia)
    assert client.get(address(name, mia)).status_code == 200
    assert Client().get(address(name, sam)).status_code == 302
    actions.leave(mia)
    assert client.get(address(name, mia)).status_code == 302


# -- Minute by minute


def words_of(student: Participant) -> str:
    """Of the page, without what it is made of."""
    html = browser_of(student).get(address("own_data", student)).content.decode()
    return plain(re.sub(r"<[^>]+>", " ", html[html.index("<main") : html.index("</main>")]))


def plain(text: str) -> str:
    """With single, breaking spaces."""
    return " ".join(text.split())


@pytest.mark.parametrize("name", ["Anaya", "Saanvi"])
def test_a_student_reads_the_same_words_as_their_instructor(session: ClassSession, name: str) -> None:
    hold(session, datetime(2026, 3, 2, 9, 3, tzinfo=UTC), 12)
    student = session.participants.get(display_name=name)
    seen, mine = student_page.build(session, student.public_id), own_page.build(student)
    assert seen is not None
    assert (mine.minutes, mine.said) == (seen.minutes, seen.said)
    assert (mine.line.words, mine.line.unsure, mine.legend) == (seen.line.words, seen.line.unsure, seen.legend)
    text = words_of(student)
    assert plain(seen.line.words) in text
    assert "My instructor reads the same, with my name" in text
    assert [line.words for line in seen.minutes if line.words not in text] == []


def test_one_counted_only_as_part_of_the_class_reads_as_much_and_nobody_else_does(
    session: ClassSession, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    hold(session, datetime(2026, 3, 2, 9, 3, tzinfo=UTC), 12)
    arjun = session.participants.select_related("session").get(display_name="Arjun")
    with django_assert_num_queries(2):
        mine = own_page.build(arjun)
    assert sum(line.readings for line in mine.minutes) == EmotionEvent.objects.filter(participant=arjun).count()
    assert [word for _at, word in mine.said] == ["Lost"]
    text = words_of(arjun)
    assert "My instructor does not see this: what was read of me counts only in the mood of the class." in text
    assert plain(mine.line.words) in text
    assert [name for name in NAMES if name in text] == ["Arjun"]


def test_the_minutes_on_the_page_are_all_that_is_stored(sam: Participant, mia: Participant) -> None:
    """Of a live session, too, and from before another choice, which its instructor doesn't see."""
    actions.record_consent(sam, "aggregate", consent.text_for(sam.session).sha256)
    store_event(sam, timezone.now(), sequence=99)  # Not counted yet.
    mine = own_page.build(sam)
    assert sum(line.readings for line in mine.minutes) == own.recorded(sam).readings == 7
    assert len(mine.said) == 6
    actions.erase_last(sam, 60)
    gone = own_page.build(sam)
    assert (gone.minutes, gone.said) == ([], [])
    assert "How my face looked" not in words_of(sam)


def test_one_who_was_never_read_finds_their_words(join: Join) -> None:
    tess = join("Tess", "none")
    assert "What I said" not in words_of(tess)
    actions.save_check_in(tess, "too_fast")
    text = words_of(tess)
    assert "How my face looked" not in text
    assert re.search(r"What I said about the pace \d\d:\d\d Too fast", text)


def test_of_a_camera_only_those_are_told_who_have_one(sam: Participant, join: Join) -> None:
    off = "In this tab my camera is off."
    assert off in words_of(sam)
    tess = join("Tess", "none")
    assert off not in words_of(tess)
    assert "Back to the session" in words_of(tess)


# -- The last minutes


def test_the_last_minutes_go_and_the_counts_are_right(sam: Participant, mia: Participant) -> None:
    answer = browser_of(sam).post(address("erase", sam), {"minutes": "10"})
    receipt = Erasure.objects.get()
    assert answer["Location"] == f"{reverse('receipt', args=[receipt.public_id])}?back={sam.session.public_id}"
    assert f'href="{address("student", sam)}"' in Client().get(answer["Location"]).content.decode()
    assert (receipt.what, receipt.why) == ("minutes", "student")
    assert (receipt.rows["EmotionEvent"], receipt.rows["CheckIn"]) == (3, 3)
    assert EmotionEvent.objects.filter(participant=sam).count() == minutes_counted(sam) == 3
    before = as_counted(sam.session)
    rollups.recount(sam.session_id, *_all_minutes())
    assert before == as_counted(sam.session)
    assert EmotionEvent.objects.filter(participant=mia).count() == minutes_counted(mia) == 2
    sam.refresh_from_db()
    assert (sam.scope, sam.consent_epoch) == ("individual", 2)


def test_of_an_ended_session_it_is_the_minutes_before_its_end(sam: Participant) -> None:
    actions.end_session(sam.session)
    started, ended = timezone.now() - timedelta(hours=1), timezone.now() - timedelta(minutes=9)
    ClassSession.objects.filter(pk=sam.session_id).update(started_at=started, ended_at=ended)
    actions.erase_last(sam, 5)
    assert EmotionEvent.objects.filter(participant=sam).count() == 2


def test_a_frame_of_the_erased_minutes_that_is_on_its_way_is_not_stored(sam: Participant) -> None:
    late = observation(frame_of(sam, sequence=99))
    actions.erase_last(sam, 10)
    assert record_readings([late]) == ["old_epoch"]


@pytest.mark.parametrize("minutes", ["0", "-1", "1441", "ten", "", "1e3", "99999999999"])
def test_minutes_that_make_no_sense_erase_nothing(sam: Participant, minutes: str) -> None:
    answer = browser_of(sam).post(address("erase", sam), {"minutes": minutes}, follow=True)
    assert "Type a number of minutes from 1 to 1440." in answer.content.decode()
    assert EmotionEvent.objects.filter(participant=sam).count() == 6
    with pytest.raises(RefusedError):
        actions.erase_last(sam, 0)


def test_receipts_cannot_be_piled_up(sam: Participant) -> None:
    browser = browser_of(sam)
    for _ in range(ERASURES.limit):
        browser.post(address("erase", sam), {"minutes": "1"})
    assert Erasure.objects.count() == ERASURES.limit
    answer = browser.post(address("erase", sam), {"minutes": "1"}, follow=True)
    assert "often within ten minutes" in answer.content.decode()
    assert Erasure.objects.count() == ERASURES.limit
    assert EmotionEvent.objects.filter(participant=sam).exists()
    browser.post(address("erase", sam), {"everything": "yes"})
    assert not Participant.objects.filter(pk=sam.pk).exists()


def test_the_administration_is_told_no_count_of_one_students_readings(
    mia: Participant, root: User, client: Client
) -> None:
    """The page of the session says only how many there are of those who share: the rest may be one student's."""
    actions.erase(mia)
    assert Erasure.objects.get().rows["EmotionEvent"] == 2
    client.force_login(root)
    page = client.get(reverse("admin:classroom_erasure_changelist")).content.decode()
    assert "names, with when they came and went" in page
    assert "readings" not in page.split("result_list")[1]


# -- Everything


def test_everything_goes_with_a_receipt_that_names_nobody(sam: Participant, mia: Participant) -> None:
    store_points(sam.session, timezone.now(), [None])
    client, pk = browser_of(sam), sam.pk
    answer = client.post(address("erase", sam), {"everything": ["no", "yes"]}, follow=True)
    receipt, page = Erasure.objects.get(), answer.content.decode()
    assert str(receipt.public_id) in page
    assert "Sam" not in page
    assert receipt.rows["EmotionEvent"] == receipt.rows["CheckIn"] == 6
    assert receipt.rows["Participant"] == receipt.rows["ConsentEvent"] == 1
    for model in (EmotionEvent, MinuteRollup, CheckIn):
        assert not model._default_manager.filter(participant=pk).exists()
    assert not Participant.objects.filter(pk=pk).exists()
    assert (MoodPoint.objects.count(), EmotionEvent.objects.count(), minutes_counted(mia)) == (1, 2, 2)
    file = client.get(reverse("receipt_file", args=[receipt.public_id])).json()
    assert file["rows"]["readings"] == 6
    assert client.get(address("own_data", sam)).status_code == 302


def test_without_the_tick_nothing_goes(sam: Participant) -> None:
    answer = browser_of(sam).post(address("erase", sam), {"everything": "no"}, follow=True)
    assert "tick the box" in answer.content.decode()
    assert EmotionEvent.objects.filter(participant=sam).count() == 6


def test_a_receipt_that_never_was_is_not_found(client: Client) -> None:
    assert client.get("/receipt/00000000-0000-4000-8000-000000000000/").status_code == 404


# -- At the same time


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("erase", [lambda sam: actions.erase_last(sam, 60), actions.erase])
def test_counting_at_the_same_time_brings_nothing_back(
    session: ClassSession, join: Join, erase: Callable[[Participant], object]
) -> None:
    """Minutes are counted without a pause while students erase: what was erased is in no count."""
    stop, counts = threading.Event(), [0, 0]

    def counting(place: int) -> None:
        while not stop.is_set():
            count(session)
            counts[place] += 1
        connection.close()

    counters = [threading.Thread(target=counting, args=(place,)) for place in range(2)]
    for thread in counters:
        thread.start()
    erased = []
    for n in range(8):
        sam = join(f"Sam {n}")
        record_readings([observation(frame_of(sam, sequence=m)) for m in range(20)])
        time.sleep(0.01)
        erased.append(sam.pk)
        erase(sam)
    time.sleep(0.05)
    stop.set()
    for thread in counters:
        thread.join(10)
    # A count that failed ends its thread, and with it this.
    assert min(counts) > 8
    assert not MinuteRollup.objects.filter(participant__in=erased).exists()
    assert not EmotionEvent.objects.filter(participant__in=erased).exists()
