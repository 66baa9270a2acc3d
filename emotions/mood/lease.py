"""One of several processes does the work; the others stand by. A lease in Redis, renewed while it is held."""

from __future__ import annotations

import uuid

import redis

_RENEW = """
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) return 1 end
if holder then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class Lease:
    """`milliseconds`: how long the others wait for a holder who died."""

    def __init__(self, client: redis.Redis, name: str, milliseconds: int) -> None:
        self._client, self._name, self._milliseconds = client, name, milliseconds
        self._token = uuid.uuid4().hex

    def hold(self) -> bool:
        """Take it or renew it. Whether it is ours now. Raises redis.RedisError."""
        return bool(self._client.eval(_RENEW, 1, self._name, self._token, self._milliseconds))

    def release(self) -> None:
        """Let the next one begin at once."""
        self._client.eval(_RELEASE, 1, self._name, self._token)
