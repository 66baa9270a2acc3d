"""`manage.py erase_again`: after a restore, erase again what was erased since the copy was made, and let what was
answered about consent since then hold again."""

from __future__ import annotations

import csv
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from classroom import actions
from classroom.actions.restored import Answer, enter_again
from classroom.models import Erasure


class Command(BaseCommand):
    help = (
        "After a restore: erase again what the receipts say was erased since the copy was made, and enter again "
        "what was answered about consent since then. The receipts must have been put back first, and the secret key "
        "must be the one that they were made with (docs/operations.md). Makes no new receipts; a second run finds "
        "nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--answers", metavar="FILE", help="the saved answers about consent; -: from the input")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["answers"]:
            entered = enter_again(_answers(options["answers"]))
            self.stdout.write(f"{entered} answers about consent were entered again.")
        again = [receipt for receipt in actions.kept_receipts() if self._erased(receipt)]
        self.stdout.write(f"{len(again)} of {Erasure.objects.count()} erasures were done again.")
        if older := Erasure.objects.filter(trace="").count():
            self.stdout.write(f"{older} have no trace, being older than this version: they can't be done again.")

    def _erased(self, receipt: Erasure) -> bool:
        gone = actions.erase_again(receipt)
        if gone:
            began = timezone.localtime(receipt.session_started_at)
            what = f"{receipt.get_what_display()}, {receipt.course}, session of {began:%d %b %Y %H:%M}"
            self.stdout.write(f"Erased again: {what}")
        return gone


def _answers(file: str) -> list[Answer]:
    """Whole, before the first is entered: of a file that is cut off within a line nothing is."""
    try:
        lines = sys.stdin.readlines() if file == "-" else Path(file).read_text(encoding="utf-8").splitlines()
        return [_answer(row) for row in csv.DictReader(lines)]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise CommandError(f"{file}: expected what docs/operations.md saves, received {error!r}") from error


def _answer(row: dict[str, str]) -> Answer:
    if None in row.values():
        raise ValueError(f"a line of {sum(value is not None for value in row.values())} values")
    return Answer(
        participant=UUID(row["public_id"]),
        epoch=int(row["epoch"]),
        kind=row["kind"],
        scope=row["scope"],
        text_hash=row["text_hash"],
        at=datetime.fromisoformat(row["at"]),
        declared_by=int(row["declared_by_id"]) if row["declared_by_id"] else None,
    )
