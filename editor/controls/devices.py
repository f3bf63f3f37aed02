"""The MIDI devices that there are, looked for aside: a system may take its time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from host.remote.ports import found_among, port_names, why_none

ALL, ABSENT = "All devices", "Not here"


def system() -> tuple[list[str], str]:
    """The devices that can be heard, and why there are none."""
    why = why_none()
    return ([], why) if why else (port_names()[0], "")


class MidiDevices:
    """What the last look found. ``count`` says how often there was one."""

    def __init__(self, look: Callable[[], tuple[list[str], str]] | None = None) -> None:
        self._look = look or system
        self._thread: threading.Thread | None = None
        self.names: tuple[str, ...] = ()
        self.why = ""
        """Why there are none, in one sentence."""
        self.count = 0

    @property
    def looking(self) -> bool:
        """Whether a look is under way."""
        return self._thread is not None and self._thread.is_alive()

    def refresh(self) -> None:
        """Look again."""
        if not self.looking:
            self._thread = threading.Thread(target=self._run, name="MIDI devices", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        try:
            names, self.why = self._look()
        except Exception as error:  # what a MIDI system does when it is asked is its own affair
            names, self.why = [], f"MIDI devices cannot be looked for: {str(error)[:200]}."
        self.names = tuple(dict.fromkeys(names))
        self.count += 1


def absent(wanted: str, names: Sequence[str]) -> bool:
    """Whether a name means a device that is not there."""
    return bool(wanted) and not found_among(wanted, list(names))


def choices(wanted: str, names: Sequence[str], none: str = ALL) -> dict[str, str]:
    """What there is to choose from, by the words that are shown; what is wanted now is always among it."""
    found = {none: "", **{name: name for name in names}}
    if wanted and wanted not in names:
        there = found_among(wanted, list(names))
        found[f"{wanted}   ({there})" if there else f"{ABSENT}: {wanted}"] = wanted
    return found


def words_for(wanted: str, names: Sequence[str], none: str = ALL) -> str:
    """The words of what is wanted now, among ``choices``."""
    return next(words for words, name in choices(wanted, names, none).items() if name == wanted)
