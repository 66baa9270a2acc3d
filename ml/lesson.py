"""One face's reading, seen as in a lesson, where most faces are neutral.

Calibrated probabilities are right for the mix of faces that they were calibrated on. FER2013 holds as many sad faces
as neutral ones; a lesson does not. There a face that reads "sad" with 60 % is more likely a neutral one. So whether a
reading is *uncertain*, and how pleasant a face looks, is asked of the probabilities under a lesson's mix (Bayes' rule
with another prior: Saerens, Latinne and Decaestecker 2002). The mix of a whole class is estimated: `ml.quantify`.

Plain Python: it runs for single readings, in processes that load no numbers' library for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ml.labels import LABELS

SHARES = {"neutral": 0.70, "happy": 0.15}
"""Of a lesson's faces; the rest is for the other five. Of classes that are 70 to 95 % neutral, as real ones are, the
one in which another look means the most."""
RAREST = 0.001
"""Share of a label that the data hardly has: it must not divide by nothing."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """`odds`: (7,) how much likelier each label is in a lesson than where the probabilities were calibrated.
    `uncertain_below`: a reading counts as uncertain where its label is less probable than this in a lesson."""

    odds: tuple[float, ...]
    uncertain_below: float

    def probabilities(self, probabilities: Iterable[float]) -> list[float]:
        """(7,) calibrated probabilities of one face, as they are in a lesson."""
        weighed = [float(share) * odds for share, odds in zip(probabilities, self.odds, strict=True)]
        total = sum(weighed)
        return [share / total for share in weighed]

    def is_uncertain(self, probabilities: Sequence[float], label: int) -> bool:
        """Whether the reading `label` (its place in LABELS) of these (7,) probabilities would too often be wrong."""
        return self.probabilities(probabilities)[label] < self.uncertain_below


def lesson_mix(priors: Sequence[float]) -> tuple[float, ...]:
    """(7,) shares of a lesson's faces. Beside neutral and happy ones, it has the others as often, against each other,
    as the (7,) `priors` have them."""
    known = {label: max(share, RAREST) for label, share in zip(LABELS, priors, strict=True)}
    others = (1 - sum(SHARES.values())) / sum(share for label, share in known.items() if label not in SHARES)
    return tuple(SHARES.get(label, share * others) for label, share in known.items())


def lesson_odds(priors: Sequence[float]) -> tuple[float, ...]:
    """(7,) odds for probabilities that assume these (7,) shares of the labels."""
    return tuple(share / max(known, RAREST) for share, known in zip(lesson_mix(priors), priors, strict=True))
