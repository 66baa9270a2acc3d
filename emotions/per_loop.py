"""What a process has once for each event loop: made at its first use."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Self
from weakref import WeakKeyDictionary


class OncePerLoop:
    """Use `here()`. All methods of such an object belong to its event loop."""

    _of_loop: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, Self]]

    def __init_subclass__(cls) -> None:
        cls._of_loop = WeakKeyDictionary()

    @classmethod
    def here(cls) -> Self:
        """The running event loop's own."""
        loop = asyncio.get_running_loop()
        found = cls._of_loop.get(loop)
        if found is None:
            found = cls._of_loop[loop] = cls()
        return found
