"""The pinned package: from which registry, and what is refused. The registry here is a server of the test's own."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from django.conf import settings

from classroom.local.registry import PUBLIC, FetchError, Package, fetch, registry


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Quietly."""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """A package with two files, in a registry that the environment names."""
    place = tmp_path / "registry" / "parts" / "-"
    place.mkdir(parents=True)
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name in ("dist/wanted.mjs", "dist/other.mjs"):
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))
    (place / "parts-1.2.3.tgz").write_bytes(content.getvalue())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path / "registry")))
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"http://127.0.0.1:{server.server_address[1]}")
    digest = base64.b64encode(hashlib.sha512(content.getvalue()).digest()).decode()
    yield Package("parts", "1.2.3", f"sha512-{digest}", ("dist/wanted.mjs",))
    server.shutdown()
    server.server_close()


def test_only_the_wanted_files_are_taken(package: Package, tmp_path: Path) -> None:
    fetch(package, tmp_path / "out")
    assert {path.name: path.read_text() for path in (tmp_path / "out").iterdir()} == {"wanted.mjs": "dist/wanted.mjs"}


def test_another_content_is_refused(package: Package, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="not the package that was pinned"):
        fetch(replace(package, integrity="sha512-AAAA"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_version_that_is_not_there(package: Package, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="the npm registry does not answer"):
        fetch(replace(package, version="9.9.9"), tmp_path / "out")


def test_only_the_web_is_a_registry(tmp_path: Path, package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", tmp_path.as_uri())
    with pytest.raises(FetchError, match="is not one"):
        fetch(package, tmp_path / "out")


def test_the_registry_is_the_one_that_npm_would_ask(tmp_path: Path) -> None:
    npmrc, none = tmp_path / ".npmrc", tmp_path / "missing"
    npmrc.write_text('fund=false\nregistry = "https://npm.school.example/all"\n')
    assert registry({}, (none,)) == PUBLIC
    assert registry({}, (none, npmrc)) == "https://npm.school.example/all/"
    assert registry({"npm_config_registry": "https://other.example/"}, (npmrc,)) == "https://other.example/"


def test_where_browsers_are_required_on_device_mode_is_tested_too() -> None:
    """Without its files the tests of on-device mode are skipped: that must not happen unseen."""
    if os.environ.get("REQUIRE_BROWSER") != "1":
        pytest.skip("browsers are not required here")
    assert settings.DEVICE is not None, "run manage.py device_files; it says why there are none"
