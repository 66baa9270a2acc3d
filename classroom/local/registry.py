"""One pinned package from the npm registry, without npm: for files that no Python package carries.

The registry is the one that npm itself would ask on this machine: the environment's, the checkout's or the person's
`.npmrc`, or the public one.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import tarfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from classroom.local.folder import CHECKOUT

PUBLIC = "https://registry.npmjs.org/"
TIMEOUT_SECONDS = 30.0
LARGEST_BYTES = 100_000_000


class FetchError(Exception):
    """The package can't be had, in words that name the reason."""


@dataclass(frozen=True, slots=True)
class Package:
    """`integrity`: as npm writes it, sha512 in base64. `files`: the wanted ones, by their path in the package."""

    name: str
    version: str
    integrity: str
    files: tuple[str, ...]


def registry(environment: Mapping[str, str] | None = None, files: tuple[Path, ...] | None = None) -> str:
    """The address of the registry, with a slash at its end."""
    known = {name.lower(): value for name, value in (os.environ if environment is None else environment).items()}
    places = (CHECKOUT / ".npmrc", Path.home() / ".npmrc") if files is None else files
    named = [known.get("npm_config_registry", ""), *map(_registry_in, places), PUBLIC]
    return next(address for address in named if address).rstrip("/") + "/"


def fetch(package: Package, folder: Path) -> None:
    """Put the package's wanted files into `folder`, by their last name. Raises FetchError; then nothing is there."""
    content = _download(f"{registry()}{package.name}/-/{package.name.rpartition('/')[2]}-{package.version}.tgz")
    found = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
    if found != package.integrity:
        raise FetchError(f"{package.name} {package.version} is not the package that was pinned (another checksum)")
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in _unpacked(content, package).items():
        (folder / Path(name).name).write_bytes(data)


def _registry_in(npmrc: Path) -> str:
    """What a `.npmrc` names; empty where it names none or can't be read."""
    try:
        named = re.search(r"^\s*registry\s*=\s*(\S+)", npmrc.read_text(encoding="utf-8"), re.MULTILINE)
    except (OSError, UnicodeDecodeError):
        return ""
    return named.group(1).strip("\"'") if named else ""


def _download(address: str) -> bytes:
    if not address.startswith(("https://", "http://")):
        raise FetchError(f"the registry's address is not one: {address}")
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  # nosec B310
            content: bytes = answer.read(LARGEST_BYTES)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise FetchError(f"the npm registry does not answer ({error})") from error
    return content


def _unpacked(content: bytes, package: Package) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        found = {}
        for name in package.files:
            member = archive.extractfile(f"package/{name}")
            if member is None:
                raise FetchError(f"{package.name} {package.version} has no {name}")
            found[name] = member.read()
    return found
