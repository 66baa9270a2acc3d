"""Guesses are counted, and after too many of them an address waits. What is right is never counted."""

from __future__ import annotations

import logging
import unicodedata
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, ip_address, ip_network

import redis
from django.conf import settings
from django.http import HttpRequest

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


def who_signs_in(request: HttpRequest) -> str:
    """Whose wrong passwords are counted together: an address and the user name that was typed.

    In the form in which Django looks it up (NFKC, no blanks around it): written otherwise it is the same name.
    """
    name = unicodedata.normalize("NFKC", request.POST.get("username", "")).strip().lower()
    return f"{client_address(request)}:{name[:150]}"


@dataclass(frozen=True, slots=True)
class Guesses:
    """At most `limit` wrong guesses in a fixed window of `seconds`, per `who`: an address, perhaps with a name.

    Redis key: {prefix}:guesses:{name}:{who}, an integer that lives for the window. While Redis does not answer,
    nobody is shut out: the guess is logged instead.
    """

    name: str
    limit: int
    seconds: int

    def exhausted(self, who: str) -> bool:
        try:
            return int(_client(settings.REDIS_URL).get(self._key(who)) or 0) >= self.limit
        except redis.RedisError:
            log.warning("guesses of %s are not limited: Redis does not answer", self.name)
            return False

    def count(self, who: str) -> None:
        """One more wrong guess. The window begins with the first."""
        try:
            with _client(settings.REDIS_URL).pipeline() as pipe:
                pipe.set(self._key(who), 0, ex=self.seconds, nx=True)
                pipe.incr(self._key(who))
                pipe.execute()
        except redis.RedisError:
            log.warning("a wrong guess of %s was not counted: Redis does not answer", self.name)

    def _key(self, who: str) -> str:
        return f"{settings.REDIS_PREFIX}:guesses:{self.name}:{who}"


@cache
def _client(url: str) -> redis.Redis:
    """One pool of connections for each process, kept: a class that joins asks several times a second."""
    return redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1)


# A whole school may sit behind one address, and mistypes. 100 guesses in ten minutes, among 2 * 10**10 codes, find
# one of 100 live sessions once in some forty years.
JOIN_CODES = Guesses("join-code", limit=100, seconds=600)
# Per address and user name: a colleague who mistypes shuts nobody else out.
PASSWORDS = Guesses("password", limit=10, seconds=600)
TOO_MANY_PASSWORDS = (
    "Too many wrong passwords. Wait ten minutes, then try again, or ask your administrator for a new link."
)
