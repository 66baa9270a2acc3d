"""The one place of the words for a class mood.

The rules are data, so that the live page (dashboard/words.js reads RULES from the page) and the report say the
same: each side only walks through the table. A browser test holds the two against each other.

No verdicts: people "look" something; what rests on an estimate says "about"; what is not known is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emotions.mood.cohort import FLOOR
from emotions.mood.trouble import troubled
from ml.labels import INDEX, LABELS, TROUBLED

# The first row whose emotions together reach the share names the mood; the last one always does.
# `good`: whether "but" leads over to those who look troubled.
MOODS: tuple[dict[str, Any], ...] = (
    {"word": "Uneasy", "labels": [*TROUBLED], "least": 0.4, "good": False},
    {"word": "Cheerful", "labels": ["happy"], "least": 0.45, "good": True},
    {"word": "Surprised", "labels": ["surprise"], "least": 0.3, "good": True},
    {"word": "In good spirits", "labels": ["happy", "surprise"], "least": 0.35, "good": True},
    {"word": "Calm", "labels": ["neutral"], "least": 0.45, "good": True},
    {"word": "Mixed", "labels": [], "least": 0.0, "good": False},
)
RULES: dict[str, Any] = {
    "labels": list(LABELS),
    "moods": list(MOODS),
    "troubled": [*TROUBLED],
    # What students say that their teacher may want to act on; of words that equally many say, the first comes first.
    "pace": [
        {"word": "lost", "what": "they are lost"},
        {"word": "too_fast", "what": "it is too fast"},
        {"word": "too_slow", "what": "it is too slow"},
    ],
    # Enough students say so to be heard beside a mood: three, or an eighth of those connected.
    "pace_least": 3,
    "pace_part": 0.125,
    # The live sentence speaks of the mean of the last seconds, so that its words don't flicker.
    "steady_ms": 15_000,
    "floor": FLOOR,
    "empty": "Nobody is in this session now.",
    "unconnected": "Nobody is connected now.",
    "under_floor": "Too few students are measured for a class mood that singles nobody out: it takes five or more.",
    "nobody_says": "Nobody says they are lost or that the pace is wrong.",
    "unheard": "Words about the pace are counted when five students share them without a name.",
    "withheld": "The class mood is not shown: too few students to keep each of them unseen in it.",
    # What the others of those connected are. Some may be measured, but held back from the mood
    # (emotions.mood.cohort) or from the counts (emotions.mood.estimate): how many is not told, for a change of that
    # number could single somebody out.
    "left_out": "without camera (or left out so that nobody is singled out)",
}
ADJECTIVES = {
    "angry": "angry", "disgust": "disgusted", "fear": "afraid", "happy": "happy", "sad": "sad",
    "surprise": "surprised", "neutral": "neutral",
}  # fmt: skip


def share_of(shares: Sequence[float], labels: Sequence[str]) -> float:
    """The sum of the shares of `labels`."""
    return sum(shares[INDEX[label]] for label in labels)


def mood(shares: Sequence[float]) -> dict[str, Any]:
    """The row of MOODS that names these shares ((7,))."""
    return next(row for row in MOODS if share_of(shares, row["labels"]) >= row["least"])


def rounded(value: float) -> int:
    """Halves go up, as in JavaScript's Math.round."""
    return int(value + 0.5)


def look(count: int) -> str:
    return "looks" if count == 1 else "look"


def sentence(point: Mapping[str, Any], *, measuring: bool = True) -> str:
    """The class in one sentence. `point`: the fields of `emotions.messages.Point`.

    Not `measuring`: of check-ins alone.
    """
    if not measuring and point["joined"]:
        return _pace_alone(point)
    if point["shares"] is None:
        return _not_shown(point)
    parts = [_mood_clause(point["shares"], point["measured"]), _said(point, _enough(point))]
    return f"{'; '.join(filter(None, parts))}."


def _not_shown(point: Mapping[str, Any]) -> str:
    if point["connected"] == 0 and point["joined"] == 0:
        return str(RULES["empty"])
    if point["connected"] == 0 and point["measured"] == 0:
        return str(RULES["unconnected"])
    why = RULES["under_floor" if point["measured"] < RULES["floor"] else "withheld"]
    # Of how many stands below, of those who are measured: not "of" all who are there, who may speak.
    said = _said(point, _enough(point), " students")
    return f"{why} {said}." if said else str(why)


def _pace_alone(point: Mapping[str, Any]) -> str:
    """Of all who are there: the word of one who has just lost the connection still counts."""
    said = _said(point, 1, f" of {point['joined']}")
    return f"{said}." if said else str(RULES["unheard" if point["pace"].get("withheld", 0) else "nobody_says"])


def _enough(point: Mapping[str, Any]) -> float:
    return float(max(RULES["pace_least"], RULES["pace_part"] * point["connected"]))


def _said(point: Mapping[str, Any], least: float, of: str = "") -> str:
    """ "9 say it is too fast, 2 that they are lost": what `least` students or more say, the commonest first."""
    counts = [(point["pace"].get(row["word"], 0), row["what"]) for row in RULES["pace"]]
    heard = sorted((each for each in counts if each[0] >= least), key=lambda each: -each[0])
    if not heard:
        return ""
    (most, what), *others = heard
    first = f"{most}{of} {'says' if most == 1 else 'say'} {what}"
    return ", ".join([first, *(f"{count} that {what}" for count, what in others)])


def _mood_clause(shares: Sequence[float], measured: int) -> str:
    row, count = mood(shares), rounded(troubled(shares) * measured)
    if count == 0:
        return f"{row['word']}, hardly anybody looks troubled"
    return f"{row['word']}{', but' if row['good'] else ':'} about {count} of {measured} {look(count)} troubled"


def coverage(point: Mapping[str, Any], *, measuring: bool = True) -> list[str]:
    """What the mood rests on, in parts: "Rests on 21 of 24 students", "most likely 2 to 6 look troubled", …

    Without a mood, who is measured: "3 of 6 measured", "2 not visible", and the others. Not `measuring`: who is
    there.
    """
    if not measuring:
        return [f"{point['connected']} of {point['joined']} connected"]
    parts = [_rests_on(point), *_most_likely(point)]
    if point["not_visible"]:
        parts.append(f"{point['not_visible']} not visible")
    without = point["connected"] - point["measured"] - point["not_visible"]
    if without > 0:
        parts.append(f"{without} {RULES['left_out']}")
    if point["uncertain"]:
        parts.append(f"{point['uncertain']} unsure")
    if point["on_device"]:
        parts.append(f"{point['on_device']} on their own device")
    return parts


def _rests_on(point: Mapping[str, Any]) -> str:
    counts = f"{point['measured']} of {point['connected']}"
    if point["shares"] is not None:
        return f"Rests on {counts} students"
    return f"{counts} measured" if point["measured"] else f"{point['connected']} connected"


def _most_likely(point: Mapping[str, Any]) -> list[str]:
    """The band of the number in the sentence: how many look troubled. Nothing where it is that number alone."""
    if point["shares"] is None or point["troubled_low"] is None:
        return []
    low, high = (rounded(point[end] * point["measured"]) for end in ("troubled_low", "troubled_high"))
    return [f"most likely {low} to {high} look troubled"] if low < high else []


def between(ends: tuple[float, float]) -> str:
    """A band as people read it, on one line: "10 to 22 %"."""
    return f"{rounded(ends[0] * 100)}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{percent(ends[1])}"


def on_device(share: float | None, only: bool) -> list[str]:
    """Where pictures were read: a sentence, or none where the server read them all. `only`: none could be read there.
    Otherwise a picture without a face may have gone to the server, whatever the share of the readings is."""
    if not share:
        return []
    where = "on the students’ own devices"
    if only and share == 1:
        return [f"Every picture was read {where}; none left them."]
    if rounded(share * 100) == 100:
        return [f"Nearly all of it was read {where}."]
    if rounded(share * 100) == 0:
        return [f"Hardly any of it was read {where}, nearly all on the server."]
    return [f"{percent(share)} of it was read {where}, the rest on the server."]


def percent(share: float) -> str:
    """A share as people read it; the space before the sign breaks no line."""
    return f"{rounded(share * 100)}\N{NO-BREAK SPACE}%"
