"""No process of ours leaves a core dump: its memory may hold a frame, and a dump would write it to a disk."""

from __future__ import annotations

import resource


def forbid_core_dumps() -> None:
    """For this process and all that it starts, for good: the hard limit can't be raised again."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
