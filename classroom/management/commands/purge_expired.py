"""`manage.py purge_expired --days N`: delete what a school has decided to keep no longer."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from classroom.models import ClassSession

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Delete the sessions that ended more than N days ago, with their participants, consents and readings, and "
        "sign-ins that ran out. There is no way back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, required=True, help="how long an ended session is kept")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["days"] < 1:
            raise CommandError(f"--days {options['days']}: expected 1 or more")
        expired = _expired(options["days"])
        if options["dry_run"]:
            self._list(expired)
            return
        for session in expired.iterator():
            self._purge(session)
        call_command("clearsessions")

    def _list(self, expired: QuerySet[ClassSession]) -> None:
        for session in expired:
            self.stdout.write(f"{session} ({session.participants.count()} participants)")
        self.stdout.write(f"{expired.count()} would be deleted")

    def _purge(self, session: ClassSession) -> None:
        """One session in one transaction (Django's delete is one), so that a long purge can be stopped."""
        name, public_id = str(session), session.public_id
        rows, _ = session.delete()
        log.info("purged session %s: %d rows", public_id, rows)
        self.stdout.write(f"Deleted {name}: {rows} rows")


def _expired(days: int) -> QuerySet[ClassSession]:
    """Live sessions never expire."""
    limit = timezone.now() - timedelta(days=days)
    return ClassSession.objects.filter(ended_at__lt=limit).select_related("course").order_by("ended_at")
