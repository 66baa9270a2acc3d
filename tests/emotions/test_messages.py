"""Messages are closed types: what is not declared fails where it is made, not in somebody's browser."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest
from django.conf import settings
from pydantic import ValidationError

from classroom.models import CheckIn, Participant
from emotions import messages
from emotions.consumers.camera import CameraConsumer
from emotions.consumers.dashboard import DashboardConsumer
from emotions.messages import (
    TILE_FIELDS,
    CameraStateChanged,
    CheckInSaid,
    FromStudent,
    HandMoved,
    Hello,
    Message,
    MoodTick,
    OwnReading,
    Pace,
    Point,
    StillThere,
    TileChange,
)
from emotions.models import EmotionEvent
from ml.labels import LABELS

SCRIPTS = Path(settings.BASE_DIR, "emotions/static/emotions/js")


def own_reading(**changes: Any) -> OwnReading:
    values: dict[str, Any] = {
        "sequence": 1, "box": None, "label": None, "uncertain": False,
        "face_count": 0, "help": "no_face", "seen_by_teacher": "aggregate",
    }  # fmt: skip
    return OwnReading(**(values | changes))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"type": "hello", "client_ms": 1.5}', Hello(client_ms=1.5)),
        ('{"type": "camera.state", "state": "paused"}', CameraStateChanged(state="paused")),
        ('{"type": "check_in", "word": "too_fast"}', CheckInSaid(word="too_fast")),
        ('{"type": "hand", "up": true}', HandMoved(up=True)),
        ('{"type": "still.there"}', StillThere()),
    ],
)
def test_what_a_student_may_say(text: str, said: Message) -> None:
    assert FromStudent.validate_json(text) == said


@pytest.mark.parametrize("changes", [{"label": "bored"}, {"help": "smile"}, {"extra": 1}, {"sequence": None}])
def test_an_undeclared_value_fails_where_the_message_is_made(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        own_reading(**changes)


def test_a_message_does_not_change() -> None:
    with pytest.raises(ValidationError):
        own_reading().sequence = 2


def test_shares_are_seven_and_within_0_and_1() -> None:
    counts = dict.fromkeys(("joined", "connected", "measured", "uncertain", "not_visible"), 0)
    for shares in ([0.5] * 6, [0.5] * 8, [1.1] + [0.0] * 6):
        with pytest.raises(ValidationError):
            Point(sequence=1, at_ms=0, shares=shares, low=None, high=None, pace=messages.Pace(), **counts)


def test_the_wire_and_the_database_use_the_same_words() -> None:
    assert get_args(messages.Label) == LABELS
    assert set(get_args(messages.Word)) == set(CheckIn.Word.values)
    assert set(messages.Pace.model_fields) == {*CheckIn.Word.values, "withheld"}
    assert set(get_args(messages.Welcome.model_fields["scope"].annotation)) == set(Participant.Scope.values)
    assert all(len(label) <= 8 for label in LABELS)
    assert EmotionEvent._meta.get_field("label").max_length == 8


def test_each_message_names_its_type_once() -> None:
    typed = [one for one in vars(messages).values() if isinstance(one, type) and issubclass(one, Message)]
    names = [one.model_fields["type"].default for one in typed if "type" in one.model_fields]
    assert len(names) == len(set(names))
    assert json.loads(own_reading().to_json())["type"] == "reading.own"


def test_every_event_of_a_group_has_a_handler() -> None:
    """A message's type names its handler."""
    source = Path(settings.BASE_DIR, "emotions/publish.py").read_text()
    types = set(re.findall(r'"type": "([a-z.]+)"', source))
    assert types == {
        "mood.tick",
        "session.changed",
        "session.ended",
        "consent.changed",
        "turned.out",
        "taken.over",
    } | {"attention.own", "hand.changed", "markers.changed", "room.changed", "tiles.gone"}
    handlers = {name for consumer in (CameraConsumer, DashboardConsumer) for name in vars(consumer)}
    assert {name.replace(".", "_") for name in types} <= handlers


def test_close_codes_are_those_that_a_browser_does_not_retry() -> None:
    assert {int(code) for code in messages.CloseCode} == {4400, 4401, 4403, 4404, 4409, 4410, 4411, 4413, 4426, 4429}


def test_pages_know_every_close_code_by_its_name() -> None:
    """And a student's page has words for each; none is written as a bare number beside."""
    named = re.findall(r"^  (\w+): (\d+),$", (SCRIPTS / "closing.js").read_text(), re.MULTILINE)
    assert {name: int(code) for name, code in named} == {code.name: code for code in messages.CloseCode}
    endings = (SCRIPTS / "camera/words.js").read_text().split("ENDINGS = {")[1].split("\n};")[0]
    assert re.findall(r"^  \[CODE\.(\w+)\]: \{ title", endings, re.MULTILINE) == [
        code.name for code in messages.CloseCode
    ]
    others = [script for script in SCRIPTS.rglob("*.js") if script.name != "closing.js"]
    assert [script.name for script in others if re.search(r"\b44\d\d\b", script.read_text())] == []
    used = {name for script in others for name in re.findall(r"\bCODE\.(\w+)", script.read_text())}
    assert used <= {code.name for code in messages.CloseCode}


def test_the_web_process_loads_no_network() -> None:
    """Its sockets send frames on; whoever reads them is another process."""
    program = "import classroom.config.asgi, emotions.tasks, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "emotions.consumers.camera" in loaded
    assert not {"cv2", "tensorflow", "ai_edge_litert", "onnxruntime", "ml.serving.analyser"} & set(loaded)


def test_tiles_of_a_tick_travel_as_rows_and_come_back_whole() -> None:
    shown = TileChange(
        id=UUID(int=1),
        name=None,
        state="measured",
        label="happy",
        uncertain=False,
        seen_ms=5,
        value=0.4,
    )
    nobody = Point(
        sequence=1, at_ms=1, shares=None, low=None, high=None, joined=1, connected=1, measured=1, uncertain=0,
        not_visible=0, pace=Pace(),
    )  # fmt: skip
    tick = MoodTick(point=nobody, tiles=[shown], gone=[])
    (row,) = json.loads(tick.to_json())["tiles"]
    assert row == [str(UUID(int=1)), None, 0, 3, 0, 5.0, 0.4]
    fields = [
        (name, values[at] if values and at is not None else at)
        for (name, values), at in zip(TILE_FIELDS, row, strict=True)
    ]
    assert dict(fields) == json.loads(shown.to_json())
    assert MoodTick.model_validate_json(tick.to_json()) == tick
    with pytest.raises(ValueError, match="shorter"):
        MoodTick.model_validate_json(tick.to_json().replace(",0.4]", "]"))
    with pytest.raises(ValueError, match="Input should be 'measured'"):
        MoodTick.model_validate_json(tick.to_json().replace("null,0,3,", "null,7,3,"))
