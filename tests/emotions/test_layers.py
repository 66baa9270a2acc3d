"""The contract about imports within emotions (pyproject.toml) speaks of every module: one it doesn't name is free."""

from __future__ import annotations

import tomllib
from pathlib import Path

from django.conf import settings

# Packages of which only the parts hold anything.
EMPTY = {"emotions", *(f"emotions.{name}" for name in ("frames", "meters", "mood", "readings", "reports"))}


def test_every_module_has_its_layer() -> None:
    project = tomllib.loads(Path(settings.BASE_DIR, "pyproject.toml").read_text())
    contracts = {one["name"]: one for one in project["tool"]["importlinter"]["contracts"]}
    layers = contracts["inside emotions, imports run one way"]["layers"]
    named = tuple(f"{module.strip()}." for layer in layers for module in layer.split("|"))
    assert [module for module in _modules() - EMPTY if not f"{module}.".startswith(named)] == []


def test_a_package_without_a_layer_holds_nothing() -> None:
    for package in EMPTY:
        text = Path(settings.BASE_DIR, package.replace(".", "/"), "__init__.py").read_text()
        assert "import" not in text, package


def _modules() -> set[str]:
    files = [file.relative_to(settings.BASE_DIR) for file in Path(settings.BASE_DIR, "emotions").rglob("*.py")]
    names = {".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in files}
    return {name for name in names if not name.startswith("emotions.migrations")}
