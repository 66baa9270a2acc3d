"""What README.md, the Makefile and the docs promise exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands

from classroom.local.folder import CHECKOUT

README = (CHECKOUT / "README.md").read_text()
OPERATIONS = (CHECKOUT / "docs" / "operations.md").read_text()


def test_every_setting_is_in_the_table_and_no_other() -> None:
    read = set()
    for file in (CHECKOUT / "classroom").rglob("*.py"):
        read |= set(re.findall(r'\benv\.[a-z]+\(\s*"([A-Z_]+)"', file.read_text()))
        read |= set(re.findall(r'os\.environ\.get\("(ROOMTONE_DEMO_[A-Z_]+)"', file.read_text()))
    rows = [line.split("|")[1] for line in README.splitlines() if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`([A-Z][A-Z_]+)`", row)}
    assert listed == read


def test_every_option_of_up_is_in_the_table() -> None:
    source = (CHECKOUT / "classroom/management/commands/up.py").read_text()
    options = set(re.findall(r'add_argument\(\s*"(--[a-z-]+)"', source))
    assert options == set(re.findall(r"^\| `(--[a-z-]+)", OPERATIONS, re.MULTILINE))


PAGES = ["README.md", *(str(path.relative_to(CHECKOUT)) for path in sorted((CHECKOUT / "docs").rglob("*.md")))]


@pytest.mark.parametrize("page", PAGES)
def test_modules_and_commands_that_are_named_exist(page: str) -> None:
    text = (CHECKOUT / page).read_text()
    for module in set(re.findall(r"python -m ([a-z_.]+)", text)):
        path = CHECKOUT / Path(*module.split("."))
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= set(get_commands())
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make (run|test|clean|help|check)", text)) <= targets


@pytest.mark.parametrize("file", PAGES)
def test_links_lead_somewhere(file: str) -> None:
    source = CHECKOUT / file
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", source.read_text()):
        assert (source.parent / target).exists(), f"{file} links to {target}"


def test_help_lists_every_target_that_a_person_calls() -> None:
    listed = subprocess.run(["make", "help"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    for target in ("run", "test", "check", "clean", "help", "run LAN=1", "run PORT=9000"):
        assert f"make {target}" in listed


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(file.name[:4]) for file in (CHECKOUT / "docs" / "decisions").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
