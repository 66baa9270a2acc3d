"""`up --host`: where it listens, where it asks itself, and under which names it answers. Nothing is started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from classroom.local import product, services
from classroom.local.product import Choices, Product
from classroom.local.screen import Screen

Make = Callable[..., Product]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """A product that knows its network and has started no process."""
    monkeypatch.setattr(product, "lan_addresses", lambda: ["192.0.2.7", "192.0.2.8"])
    for name in ("ROOMTONE_ALLOWED_HOSTS", "ROOMTONE_PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)
    made: list[Product] = []

    def maker(**choices: object) -> Product:
        made.append(Product(Choices(folder=tmp_path, **choices), Screen(quiet=True)))  # type: ignore[arg-type]
        made[-1]._port = 8000
        made[-1]._prepare_network()
        return made[-1]

    yield maker
    for each in made:
        each._folder.close()


def hosts(made: Product) -> list[str]:
    return made._settings()["ROOMTONE_ALLOWED_HOSTS"].split(",")


def test_an_address_of_its_own_is_asked_and_answered(make: Make) -> None:
    made = make(host="192.0.2.7")
    assert made.base_url == "http://192.0.2.7:8000"
    assert "192.0.2.7" in hosts(made)
    assert "192.0.2.8" not in hosts(made), "nobody listens there"


def test_every_address_means_every_name(make: Make) -> None:
    made = make(host="0.0.0.0")
    assert made.base_url == "http://localhost:8000"
    assert {"localhost", "192.0.2.7", "192.0.2.8"} <= set(hosts(made))
    assert "ROOMTONE_PUBLIC_URL" not in made._settings(), "a proxy's address is the instructor's own"


def test_without_a_wish_it_is_this_machine_alone(make: Make) -> None:
    made = make()
    assert made.base_url == "http://localhost:8000"
    assert not {"192.0.2.7", "192.0.2.8"} & set(hosts(made))


def test_the_local_network_has_https(make: Make) -> None:
    made = make(lan=True)
    assert made.base_url == "https://localhost:8000"
    assert {"192.0.2.7", "192.0.2.8"} <= set(hosts(made))
    assert made._settings()["ROOMTONE_PUBLIC_URL"] == "https://192.0.2.7:8000"


@pytest.mark.parametrize(
    ("base", "socket"), [("http://192.0.2.7:1", "ws://192.0.2.7:1"), ("https://a:1", "wss://a:1")]
)
def test_the_demo_class_comes_by_the_same_address(base: str, socket: str) -> None:
    words = services.simulate("CODE", base, 3).arguments
    assert words[words.index("--url") + 1] == socket


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "192.0.2.7"], "--host 192.0.2.7: expected an IPv4 address of this machine"),
        (["--host", "127.0.0.1", "--lan"], "leave --host out"),
    ],
)
def test_an_address_that_can_not_be_is_refused_in_words(tmp_path: Path, words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("up", "--data", str(tmp_path), *words)
    assert not list(tmp_path.iterdir()), "nothing was begun for it"


def test_its_own_addresses_are_reached_past_a_proxy(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    given = make(host="192.0.2.7")._settings()
    assert given["no_proxy"] == given["NO_PROXY"]
    assert given["no_proxy"].startswith("intranet.example,localhost,127.0.0.1,::1,")
    assert "192.0.2.7" in given["no_proxy"].split(",")


def test_browsers_remember_https_only_where_somebody_asked_for_it(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ROOMTONE_HTTPS", "ROOMTONE_HSTS_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    made = make()
    assert made._settings()["ROOMTONE_HSTS_SECONDS"] == "0"
    made._environment["ROOMTONE_HTTPS"] = "1"
    assert "ROOMTONE_HSTS_SECONDS" not in made._settings(), "then a year, as the settings say"
