"""Guesses are counted, and after too many of them an address waits; but nobody can make others wait for what they
know already. Why it is so: docs/decisions/0015."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, ip_address, ip_network

import redis
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)


def client_address(request: HttpRequest) -> str:
    """As the web server knows it; of IPv6 the first half, since one line has all of the rest to choose from.

    Behind a proxy the server has to be told to trust the proxy's header.
    """
    text = str(request.META.get("REMOTE_ADDR") or "unknown")
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if isinstance(address, IPv4Address):
        return text
    return str(address.ipv4_mapped or ip_network((address.packed, 64), strict=False))


def typed_name(request: HttpRequest) -> str:
    """The user name as Django looks it up (NFKC, no blanks around it): written otherwise it is the same name."""
    return unicodedata.normalize("NFKC", request.POST.get("username", "")).strip().lower()[:150]


_COUNT = """
local counted = redis.call('INCR', KEYS[1])
if counted == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
if counted <= tonumber(ARGV[2]) then return 1 end
redis.call('DECR', KEYS[1])
return 0
"""
_TAKE_BACK = "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('DECR', KEYS[1]) end"


@dataclass(frozen=True, slots=True)
class Guesses:
    """At most `limit` (wrong guesses, as a rule) in a fixed window of `seconds`, per `who`: an address, a name, both.

    A guess is counted before anybody looks whether it is right, and taken back if it was: of many that are sent at
    once no more are looked at than of those that come one by one.

    Redis key: {prefix}:guesses:{name}:{who}, an integer that lives for the window. While Redis does not answer,
    nobody is shut out: the guess is logged instead.
    """

    name: str
    limit: int
    seconds: int

    def count(self, who: str) -> bool:
        """One more. False beyond the limit: then it is not counted, and must not be looked at. The window begins with
        the first."""
        try:
            counted = _client(settings.REDIS_URL).eval(_COUNT, 1, self._key(who), str(self.seconds), str(self.limit))
        except redis.RedisError:
            log.warning("guesses of %s are not limited: Redis does not answer", self.name)
            return True
        return bool(counted)

    @contextmanager
    def judged(self, who: str) -> Iterator[None]:
        """Within it one that was counted is looked at. What is refused (a ValidationError) stays counted; what was
        right, or could not be looked at, doesn't."""
        with _judged(lambda: self.take_back(who)):
            yield

    def take_back(self, who: str) -> None:
        """The one that was counted was none."""
        try:
            _client(settings.REDIS_URL).eval(_TAKE_BACK, 1, self._key(who))
        except redis.RedisError:
            log.warning("one of %s stays counted: Redis does not answer", self.name)

    def _key(self, who: str) -> str:
        return f"{settings.REDIS_PREFIX}:guesses:{self.name}:{who}"


@cache
def _client(url: str) -> redis.Redis:
    """One pool of connections for each process, kept: a class that joins asks several times a second."""
    # One that has become a copy of another writes nothing: its address, asked afresh, may lead to that other.
    again = Retry(NoBackoff(), 1, supported_errors=(redis.ReadOnlyError,))
    return redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1, retry=again)


class Networks:
    """In which classes the people behind an address are, and how often an address that guesses may still ask.

    Redis keys: {prefix}:known:{session}:{who}, for KNOWN_SECONDS; {prefix}:lane:{who}, for LANE_MS.
    """

    KNOWN_SECONDS = 12 * 60 * 60
    LANE_MS = 2_000

    def note(self, session_pk: int, who: str) -> None:
        """Somebody there knows the code of this class: they typed it, or it was shown to them."""
        try:
            _client(settings.REDIS_URL).set(self._known(session_pk, who), 1, ex=self.KNOWN_SECONDS)
        except redis.RedisError:
            log.warning("a network is not remembered: Redis does not answer")

    def may_ask(self, session_pk: int | None, who: str) -> bool:
        """Of an address that has used its guesses up: for a class that it is in always, otherwise one code every
        LANE_MS, right or wrong. `session_pk`: whose code was typed, if anybody's; of nobody's Redis is asked the
        same, or the time that a code takes would tell whether it is right."""
        client = _client(settings.REDIS_URL)
        try:
            if client.exists(self._known(session_pk or 0, who)):
                return True
            return bool(client.set(f"{settings.REDIS_PREFIX}:lane:{who}", 1, px=self.LANE_MS, nx=True))
        except redis.RedisError:
            return True

    def _known(self, session_pk: int, who: str) -> str:
        return f"{settings.REDIS_PREFIX}:known:{session_pk}:{who}"


# A whole school may sit behind one address, and mistypes. Afterwards one code every two seconds, among 2 * 10**10
# codes, finds one of 100 live sessions once in some fourteen years.
JOIN_CODES = Guesses("join-code", limit=100, seconds=600)
NETWORKS = Networks()
# New students of one class from one address: a lecture hall in ten minutes, no flood of invented ones.
JOINS = Guesses("join", limit=settings.JOINS_PER_ADDRESS, seconds=600)
# Wrong passwords for one name: from one address, or in a browser that is known; then of a name from everywhere, and
# of an address for any name. Of the last two a known browser knows nothing.
PASSWORDS = Guesses("password", limit=10, seconds=600)
PASSWORDS_OF_A_NAME = Guesses("password-name", limit=100, seconds=600)
PASSWORDS_OF_AN_ADDRESS = Guesses("password-address", limit=200, seconds=600)
# Wrong ones of who is signed in, and wants another: at a screen that somebody left, not only its owner may try.
OLD_PASSWORDS = Guesses("old-password", limit=10, seconds=600)
TOO_MANY_PASSWORDS = (
    "Too many wrong passwords. Wait ten minutes, then try again, or ask your administrator for a new link."
)
# A student's erasures of their own minutes: each leaves a receipt for good.
ERASURES = Guesses("erasure", limit=20, seconds=600)
# A student's answers to the consent text: each that changes something is a row of the ledger.
ANSWERS = Guesses("answer", limit=60, seconds=600)
# A student's downloads of all that is recorded about them: each reads every one of their readings.
DOWNLOADS = Guesses("download", limit=20, seconds=600)
# Letters with a link, whether or not there is such an account.
LETTERS = Guesses("letter", limit=10, seconds=600)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signs in: `device` names a browser that has signed in under this name before, "" for any other."""

    name: str
    address: str
    device: str = ""

    def count(self) -> bool:
        """One more password; False where any of the limits is reached, and then none counts it."""
        counted: list[tuple[Guesses, str]] = []
        for guesses, who in self._counted():
            if not guesses.count(who):
                _take_back(counted)
                return False
            counted.append((guesses, who))
        return True

    @contextmanager
    def judged(self) -> Iterator[None]:
        """As that of `Guesses`, of all of them."""
        with _judged(lambda: _take_back(self._counted())):
            yield

    def _counted(self) -> list[tuple[Guesses, str]]:
        if self.device:
            return [(PASSWORDS, f"{self.device}:{self.name}")]
        return [
            (PASSWORDS, f"{self.address}:{self.name}"),
            (PASSWORDS_OF_A_NAME, self.name),
            (PASSWORDS_OF_AN_ADDRESS, self.address),
        ]


@contextmanager
def _judged(take_back: Callable[[], None]) -> Iterator[None]:
    try:
        yield
    except ValidationError:
        raise
    except Exception:
        take_back()
        raise
    take_back()


def _take_back(counted: list[tuple[Guesses, str]]) -> None:
    for guesses, who in counted:
        guesses.take_back(who)
