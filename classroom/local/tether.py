"""Start a program that dies with its parent, and as another account where asked.

A small program of its own, not a `preexec_fn`: code between fork and exec is unsafe in a process with threads, and
the account must change before the death signal is set (changing it clears the signal). Only the standard library.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def options(arguments: list[str]) -> argparse.Namespace:
    """The command line: the parent's process id, the signal, the account, the program."""
    parser = argparse.ArgumentParser(prog="tether")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--signal", type=int, default=int(signal.SIGKILL))
    parser.add_argument("--account", help="numeric uid:gid")
    parser.add_argument("program", nargs="+")
    return parser.parse_args(arguments)


def change_account(account: str) -> None:
    """Become uid:gid for good, with no other group. Needs root."""
    uid, gid = (int(part) for part in account.split(":"))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with_parent(parent: int, number: int) -> None:
    """Ask the kernel (Linux) for a signal when the parent dies; leave at once when it is dead already."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        sys.exit("tether: the parent is gone")


def main(arguments: list[str]) -> None:
    chosen = options(arguments)
    if chosen.account:
        os.umask(0o077)
        change_account(chosen.account)
    die_with_parent(chosen.parent, chosen.signal)
    # The program is the caller's own list of words; no shell reads it.
    os.execv(chosen.program[0], chosen.program)  # noqa: S606  # nosec B606


if __name__ == "__main__":
    main(sys.argv[1:])
