"""How the channel layer's connections to Redis read what comes."""

from __future__ import annotations

from typing import Any

from redis.asyncio.connection import DefaultParser
from redis.exceptions import ConnectionError as ConnectionLostError


class ListeningParser(DefaultParser):  # type: ignore[valid-type, misc]
    """Redis' own, to which a connection that the system gave up is a lost one.

    The system says so by ETIMEDOUT, which is Python's TimeoutError, and so is "nothing came within a tenth of a
    second". The client can't tell them apart: it would ask the dead connection again at once, for ever, and hold up
    everything else in its process. In here nobody waits for a limited time, so here the word has one meaning only.
    """

    async def read_response(self, *args: Any, **kwargs: Any) -> Any:
        """Raises redis.ConnectionError for a connection that is lost, however it was."""
        try:
            return await super().read_response(*args, **kwargs)
        except TimeoutError as error:
            raise ConnectionLostError(f"given up by the system: {error}") from error
