"""Keys, from a terminal as a hand or a script types into it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from host.terminal.keyboard import keyboard

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The end of a terminal that a person types into; the other one is standard input."""
    import pty

    mine, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield mine
        os.closerange(mine, mine + 1)  # which may be closed already


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (b" ", [" "]),
        (b"rs0", ["r", "s", "0"]),
        (b"\x1b[D\x1b[C\x1bOD\x1bOC", ["left", "right", "left", "right"]),
        (b"l\x1b[Cl", ["l", "right", "l"]),
        (b"\x1b[A\x1b[3~q", ["\x1b", "\x1b", "q"]),
        (b"\x1b", ["\x1b"]),
        (b"\x04", ["\x04"]),
    ],
)
def test_every_key_that_is_typed_is_heard(terminal: int, typed: bytes, keys: list[str]) -> None:
    with keyboard() as key:
        os.write(terminal, typed)
        assert [key(10.0) for _ in keys] == keys
        assert key(0.0) == ""


def test_a_terminal_that_goes_away_is_the_end(terminal: int) -> None:
    with keyboard() as key:
        os.write(terminal, b"l")
        assert key(10.0) == "l"
        os.closerange(terminal, terminal + 1)
        assert key(10.0) == "q"
