"""What is in the data: `python -m ml.describe --data FILE|FOLDER [--votes FILE] [--json]`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from ml.data import dataset
from ml.data.dataset import FLAT, FaceSet
from ml.data.repeats import repeat_groups
from ml.labels import LABELS


def describe(faces: FaceSet) -> dict[str, Any]:
    """Rows by usage and label, repeats, blank pictures, agreement with the votes, and the parts for training."""
    groups = repeat_groups(faces.pixels)
    repeats = np.flatnonzero(groups != np.arange(len(faces)))
    split = dataset.divide(faces)
    return {
        "rows": len(faces),
        "by_usage": {usage: int((faces.usage == usage).sum()) for usage in sorted(set(faces.usage.tolist()))},
        "by_label": dict(zip(LABELS, np.bincount(faces.labels, minlength=len(LABELS)).tolist(), strict=True)),
        "repeats": len(repeats),
        "repeats_across_usages": int((faces.usage[repeats] != faces.usage[groups[repeats]]).sum()),
        "repeats_under_another_label": int((faces.labels[repeats] != faces.labels[groups[repeats]]).sum()),
        "blank": int((faces.pixels.std(axis=(1, 2)) < FLAT).sum()),
        **_votes(faces),
        "learn": len(split.learn),
        "dev": len(split.dev),
    }


def _votes(faces: FaceSet) -> dict[str, Any]:
    """How often the label is the one that most voters chose (ties count for the label)."""
    voted = faces.votes.sum(axis=1) > 0
    if not voted.any():
        return {}
    own = faces.votes[np.arange(len(faces)), faces.labels][voted]
    agree = own >= faces.votes[voted].max(axis=1)
    return {"voted": int(voted.sum()), "label_is_most_votes": round(float(agree.mean()), 4)}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m ml.describe", description="What is in the data.")
    parser.add_argument("--data", type=Path, required=True, help="the challenge's CSV (.gz, .xz, .zip) or a folder")
    parser.add_argument("--votes", type=Path, help="fer2013new.csv, the FER+ votes of the same rows")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(argv)
    try:
        found = describe(dataset.read(options.data, options.votes))
    except ValueError as error:
        raise SystemExit(f"ml.describe: {error}") from error
    if options.json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        Console().print(found)


if __name__ == "__main__":
    main()
