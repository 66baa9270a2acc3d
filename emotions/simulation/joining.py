"""Joining as a browser does: the name form, then the consent form; what remains is the participant's cookie."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urljoin, urlsplit

import httpx

AT_ONCE = 8
"""Students who join at the same time."""
NAMES = """
    Aarav Diya Ishaan Meera Kabir Anaya Rohan Saanvi Vivaan Tara Arjun Nisha Ada Bruno Chiara Dmitri Elif Farid
    Grace Hana Ines Jonas Kemi Luca Mina Noor Oskar Priya Quinn Rosa Samir Thandi Uma Viktor Wanda Ximena Yusuf Zoe
""".split()


class JoinRefusedError(Exception):
    """The server did not let a student in; the message names the address and the status of its answer."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a joined student needs for the socket."""

    name: str
    session_id: str
    cookie: str


def display_name(number: int) -> str:
    """The n-th synthetic student's name; numbered from the second round of names on."""
    round_, place = divmod(number, len(NAMES))
    return NAMES[place] if round_ == 0 else f"{NAMES[place]} {round_ + 1}"


class _Form(HTMLParser):
    """The hidden fields of the page's forms."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "input" and found.get("type") == "hidden" and found.get("name"):
            self.hidden[str(found["name"])] = found.get("value") or ""


def _hidden_fields(page: httpx.Response) -> dict[str, str]:
    form = _Form()
    form.feed(page.text)
    return form.hidden


class Joiner:
    """Joins students, AT_ONCE at the same time, on one HTTP client; each has cookies of their own."""

    def __init__(self, client: httpx.AsyncClient, base_url: str, code: str) -> None:
        self._client, self._base, self._code = client, base_url, code
        # The client itself keeps none: who joins beside must not come in with another student's cookie.
        client.cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))

    async def join(self, name: str, scope: str) -> Ticket:
        """Raises JoinRefusedError with the page's status where the server says no."""
        cookies: dict[str, str] = {}
        join_url = urljoin(self._base, f"/join/{self._code}/")
        page = await self._get(join_url, cookies)
        page = await self._post(join_url, _hidden_fields(page) | {"display_name": name}, cookies)
        consent_url = urljoin(self._base, page.headers["location"])
        page = await self._get(consent_url, cookies)
        await self._post(consent_url, _hidden_fields(page) | {"scope": scope}, cookies)
        return Ticket(name, urlsplit(consent_url).path.split("/")[2], _participant_cookie(cookies))

    async def _get(self, url: str, cookies: dict[str, str]) -> httpx.Response:
        return self._checked(await self._client.get(url, headers=_headers(url, cookies)), {200}, cookies)

    async def _post(self, url: str, data: dict[str, str], cookies: dict[str, str]) -> httpx.Response:
        answer = await self._client.post(url, data=data, headers=_headers(url, cookies))
        return self._checked(answer, {302, 303}, cookies)

    def _checked(self, answer: httpx.Response, expected: set[int], cookies: dict[str, str]) -> httpx.Response:
        if answer.status_code not in expected:
            raise JoinRefusedError(f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}")
        cookies.update({cookie.name: cookie.value or "" for cookie in answer.cookies.jar})
        return answer


def _headers(url: str, cookies: dict[str, str]) -> dict[str, str]:
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {"Referer": url, "Cookie": header} if header else {"Referer": url}


def _participant_cookie(cookies: dict[str, str]) -> str:
    found = [f"{name}={value}" for name, value in cookies.items() if name.startswith("participant-")]
    if not found:
        raise JoinRefusedError("the server set no participant cookie")
    return found[0]


async def join_class(
    joiner: Joiner, scopes: list[str], progress: Callable[[int, int], None], *, at_once: int = AT_ONCE
) -> list[Ticket]:
    """One ticket per scope, in order; `at_once` join at the same time."""
    gate, done = asyncio.Semaphore(at_once), 0

    async def one(number: int, scope: str) -> Ticket:
        nonlocal done
        async with gate:
            ticket = await joiner.join(display_name(number), scope)
        done += 1
        progress(done, len(scopes))
        return ticket

    return list(await asyncio.gather(*(one(number, scope) for number, scope in enumerate(scopes))))
