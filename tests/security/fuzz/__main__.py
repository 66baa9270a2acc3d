"""`make fuzz`: the whole attack on a product of its own. Prints JSON; ends with 1, and words, if it did any harm."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import django

from classroom.local.running import RunningProduct


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.security.fuzz", description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    wanted = parser.parse_args().messages
    django.setup()
    with tempfile.TemporaryDirectory(prefix="roomtone-fuzz-") as folder:
        return attacked(Path(folder), wanted)


def attacked(folder: Path, messages: int) -> int:
    """The exit code."""
    from django.conf import settings

    from tests.security.fuzz.stage import played

    kept = {"ROOMTONE_DEBUG": "0", "ROOMTONE_ROOM_CAMERAS": "1", "ROOMTONE_SECRET_KEY": settings.SECRET_KEY}
    settings.ROOM_CAMERAS = True
    product = RunningProduct(folder / "data", os.environ | kept, ["--no-demo"])
    try:
        product.wait_until_ready()
        outcome = played(product, messages)
    finally:
        product.stop()
    sys.stdout.write(outcome.as_json() + "\n")
    for line in [*outcome.unforeseen[:20], *(f"FAILED: {fault}" for fault in outcome.faults())]:
        sys.stderr.write(line + "\n")
    return 1 if outcome.faults() else 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom.config.settings")
    sys.exit(main())
