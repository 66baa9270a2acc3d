"""`manage.py purge_expired`: delete what has been kept as long as its course, or the deployment, says."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from classroom import retention
from classroom.actions import expire
from classroom.errors import RefusedError
from classroom.models import ClassSession


class Command(BaseCommand):
    help = (
        "Delete the sessions that have been kept as long as their course says, with their participants, consents and "
        "readings, and sign-ins that ran out. Each leaves a record that names nobody. There is no way back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, help="whatever courses say: what ended more than so many days ago")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be deleted")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["days"]
        if days is not None and days < 1:
            raise CommandError(f"--days {days}: expected 1 or more")
        expired = retention.expired(days)
        if options["dry_run"]:
            self._list(expired)
            return
        for session in expired.iterator():
            self._expire(session)
        call_command("clearsessions")

    def _list(self, expired: QuerySet[ClassSession]) -> None:
        for session in expired:
            self.stdout.write(f"{session} ({session.participants.students().count()} participants)")
        self.stdout.write(f"{expired.count()} would be deleted")

    def _expire(self, session: ClassSession) -> None:
        name = str(session)
        try:
            receipt = expire(session)
        except RefusedError as error:
            self.stdout.write(f"Passed over {name}: {error}")
            return
        self.stdout.write(f"Deleted {name}: {sum(receipt.rows.values())} rows, record {receipt.public_id}")
