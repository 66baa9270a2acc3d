"""`python -m benchmarks.cold_start`: how long a worker's child takes to its first result, and what is loaded then."""

from __future__ import annotations

import json
import os
import sys
import time

STARTED = time.monotonic()

import django  # noqa: E402

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classroom.config.settings")


def main() -> None:
    """Load what the worker's parent loads, fork as its pool does, let the child read one frame."""
    django.setup()
    import celery.bin.worker
    import celery.concurrency.prefork  # noqa: F401

    from benchmarks.faces import frames_at
    from classroom.config import celery as application  # noqa: F401
    from emotions import tasks  # noqa: F401

    jpeg = frames_at("near", 1)[0]
    forked = time.monotonic()
    if pid := os.fork():
        os.waitpid(pid, 0)
        return
    from emotions.readings import analysis, draining  # noqa: F401

    [result] = analysis.analyser().analyse([jpeg])
    print(
        json.dumps(
            {
                "fork_to_first_result_s": round(time.monotonic() - forked, 3),
                "process_to_first_result_s": round(time.monotonic() - STARTED, 3),
                "tensorflow_loaded": "tensorflow" in sys.modules,
                "a_face_was_found": bool(getattr(result, "readings", ())),
            }
        )
    )


if __name__ == "__main__":
    main()
