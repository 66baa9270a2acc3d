"""How many files a process may have open. Each socket is one, and the usual limit of 1,024 is a few classes' worth:
beyond it a web process refuses everybody, and only its log says why."""

from __future__ import annotations

import resource

ENOUGH = 65_536
"""More sockets than one process serves. No more than that: some libraries walk through every number allowed."""


def allow_many_open_files() -> None:
    """For this process and all that it starts: ENOUGH, as far as the hard limit goes. Never fewer than before."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wished = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wished:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wished, hard))
