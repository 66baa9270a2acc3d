"""`manage.py erase_again`: after a restore, erase again what was erased since the copy was made."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from classroom import actions
from classroom.models import Erasure


class Command(BaseCommand):
    help = (
        "After a restore: erase again what the receipts say was erased since the copy was made. The receipts must "
        "have been put back first, and the secret key must be the one that they were made with (docs/operations.md). "
        "Makes no new receipts; a second run finds nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
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
