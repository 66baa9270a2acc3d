"""A page from before an update: the server tells it that it is outdated, and nothing that it might misread."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from classroom.models import ClassSession
from emotions import messages, page_format
from tests.emotions.conftest import Join
from tests.emotions.sockets import browser, instructor_cookies, student_cookies, web_process


@pytest_asyncio.fixture
async def process() -> AsyncIterator[None]:
    """This test's loop is a web process."""
    async with web_process():
        yield


class Longer(messages.FrameReplaced):
    """As a later version might say it."""

    waited_ms: float


def test_a_new_field_or_another_order_of_a_row_is_another_format(monkeypatch: pytest.MonkeyPatch) -> None:
    before = page_format.digest([messages.FrameReplaced.model_json_schema()])
    assert page_format.digest([messages.FrameReplaced.model_json_schema()]) == before
    assert page_format.digest([Longer.model_json_schema()]) != before
    monkeypatch.setattr(messages, "TILE_FIELDS", messages.TILE_FIELDS[::-1])
    assert page_format.digest([messages.FrameReplaced.model_json_schema()]) != before


def test_every_process_names_the_same_format() -> None:
    """A socket may be another process than the one that made the page."""
    lines = "import django; django.setup(); from emotions.page_format import page_format; print(page_format())"
    other = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == page_format.page_format()


@pytest.mark.django_db
def test_every_page_names_it(pages: None, client: Client) -> None:
    named = f'<meta name="page-format" content="{page_format.page_format()}">'
    assert named in client.get("/").text


@pytest.mark.django_db(transaction=True)
async def test_only_an_outdated_page_is_sent_away(
    process: None, alice: User, session: ClassSession, join: Join
) -> None:
    dashboard, own = f"/ws/dashboard/{session.public_id}/", await sync_to_async(instructor_cookies)(alice)
    student = await sync_to_async(join)("Sam")
    ours = page_format.page_format()
    for path, cookies in ((dashboard, own), (f"/ws/camera/{session.public_id}/", student_cookies(student))):
        async with browser(f"{path}?format=0badf00d", cookies) as opened:
            assert await opened.close_code() == messages.CloseCode.OUTDATED
        for query in (f"?format={ours}", f"?format=0badf00d&format={ours}", ""):
            async with browser(path + query, cookies) as opened:
                assert (await opened.hear())["type"] in ("mood.snapshot", "welcome")
