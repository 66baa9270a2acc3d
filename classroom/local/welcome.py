"""What `up` says when everything runs: who opens which address, with what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = tuple[str, str, str]  # (who, address, with what)


def addresses(base: str, phones: str, demo: Mapping[str, Any] | None) -> list[Row]:
    """`base`: as this machine reaches the pages, `phones`: as others do; `demo`: what `seed_demo --json` said."""
    if demo is None:
        return [
            ("Students join", f"{phones}/join/", ""),
            ("Instructor", f"{base}/courses/", ""),
            ("Admin", f"{base}/admin/", ""),
        ]
    password = demo["password"]
    return [
        ("Students join", f"{phones}{demo['join']}", f"code {demo['join_code_spaced']}"),
        ("Instructor", f"{base}{demo['dashboard']}", f"{demo['instructor']} · {password}"),
        ("Admin", f"{base}/admin/", f"{demo['admin']} · {password}"),
    ]


def links(base: str, public_url: str, first_admin: Mapping[str, str]) -> list[Row]:
    """The link that makes the first admin, for this machine and, where it has a public address, for others."""
    places = dict.fromkeys([base, *([public_url.rstrip("/")] if public_url else [])])
    words = f"to choose a password for {first_admin['username']}; works once, and until the next start"
    return [("First admin", place + first_admin["path"], words) for place in places]


def notes(*, certificate: bool, unsaid: bool) -> list[str]:
    """`unsaid`: others may read along, so that no link for a first admin was made."""
    said = []
    if certificate:
        said.append("Each phone warns once about the certificate, which this machine made itself: go on anyway.")
    if unsaid:
        said.append("No admin yet? Start this once in a terminal: there it shows a link to choose a password.")
    return [*said, "Ctrl-C stops everything; the data is kept."]
