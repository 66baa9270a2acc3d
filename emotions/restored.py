"""After a restore: readings that a student had erased are in the database again, and go again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from classroom import signals
from classroom.actions import words_said
from classroom.models import Participant
from emotions import actions
from emotions.models import EmotionEvent
from emotions.reports import rollups


@receiver(signals.minutes_erased_again)
def minutes_erased_again(participant: Participant, since: datetime, until: datetime, **_: Any) -> int:
    """How many readings went. By our clock, not the browser's, none had come in after the erasure."""
    rollups.hold(participant.session_id)
    actions.forget_words(participant.session_id, words_said(participant.pk, since, until))
    span = EmotionEvent.objects.filter(participant=participant, captured_at__gte=since, received_at__lte=until)
    gone, _total = span.delete()
    if gone:
        rollups.recount_participant(participant.session_id, participant.pk, since)
    return gone
