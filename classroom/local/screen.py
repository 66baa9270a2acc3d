"""What a person sees in the terminal while everything runs."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_red", "bright_cyan")
NAME_WIDTH = 9
# What programs say in the course of a good day.
_USUAL = {
    "postgres": ("LOG:", "the database system is starting up"),
    "valkey": (" * ", "overcommit", "signal-handler", "bye"),
    "worker": ("Created TensorFlow Lite XNNPACK delegate",),
}


class Screen:
    """Prints from several threads. A terminal that is gone must not keep anything from stopping in order."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._quiet = quiet
        self._colours: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def private(self) -> bool:
        """Whether only the person at the terminal reads along; a file or a journal may have other readers."""
        return sys.stdout.isatty()

    def line(self, name: str, text: str) -> None:
        """One line of a process's log, behind its name."""
        if self._quiet or not text or any(usual in text for usual in _USUAL.get(name, ())):
            return
        with self._lock:
            colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        self.say(Text.assemble((f"{name:<{NAME_WIDTH}}│ ", colour), text))

    def say(self, what: object) -> None:
        with contextlib.suppress(OSError):
            self._console.print(what)

    @contextlib.contextmanager
    def step(self, doing: str) -> Iterator[None]:
        """Show what is being done, then how long it took."""
        begun = time.monotonic()
        with self._console.status(doing) if self._console.is_terminal else contextlib.nullcontext():
            yield
        self.say(Text.assemble(("✓ ", "green"), doing, (f"  {time.monotonic() - begun:.1f} s", "dim")))

    def welcome(self, rows: Sequence[tuple[str, str, str]], notes: Sequence[str]) -> None:
        """The addresses: (who, address, with what). Whole on their lines, to be copied and clicked."""
        self.say(Rule("Roomtone is running", style="green"))
        for who, address, credentials in rows:
            self.say(Text.assemble((f"  {who:<14}", "bold"), (address, "cyan")))
            if credentials:
                self.say(Text(f"  {'':<14}{credentials}"))
        for note in notes:
            self.say(Text(f"  {note}", style="dim"))
        self.say(Rule(style="green"))
