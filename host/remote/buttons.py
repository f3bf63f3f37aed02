"""A controller's buttons that are for the transport; what a patch keeps of them, and their lights.

They stand under ``metadata.controls`` with the other controls: ``{"from": "cc 1 41", "transport": "play"}``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

import mido

from graph.errors import PatchError
from graph.plain import copied, described, mismatch
from host.remote.mappings import FIELD, MOST, PLACE, TRANSPORT
from host.remote.sources import HIGHEST, Event, Source, SourceError, messages, parse
from host.remote.transport import WORDS, Deck, Word


@dataclass(frozen=True, slots=True)
class Button:
    """One control for one thing."""

    source: Source
    word: Word


class Lights(Protocol):
    """Who shows what is on."""

    def send(self, msg: mido.Message) -> None: ...


def buttons_in(metadata: Mapping[str, Any]) -> tuple[list[Button], list[str]]:
    """The buttons that a patch's metadata hold, and in one line each what in them is not understood."""
    raw = metadata.get(FIELD)
    found: dict[Source, Button] = {}
    problems: list[str] = []
    for i, entry in enumerate(cast(list[object], raw)[:MOST] if isinstance(raw, list) else ()):
        if isinstance(entry, Mapping) and TRANSPORT in entry:
            try:
                button = _checked(cast(Mapping[str, Any], entry), f"{PLACE}[{i}]")
            except PatchError as error:
                problems.append(str(error))
            else:
                found.setdefault(button.source, button)
    return list(found.values()), problems


def _checked(entry: Mapping[str, Any], place: str) -> Button:
    word = entry[TRANSPORT]
    if not isinstance(word, str) or word not in WORDS:
        raise mismatch(f"one of {', '.join(WORDS)}", word, f"{place}.{TRANSPORT}")
    try:
        return Button(parse(entry.get("from")), word)
    except SourceError as error:
        raise PatchError(f"{error}, found {described(entry.get('from'))}", place=f"{place}.from") from None


def with_button(metadata: Mapping[str, Any], button: Button) -> dict[str, Any]:
    """Metadata in which a button does what it is for, in place of whatever did that before.

    Raises PatchError where ``controls`` is there and is no list: what is not understood is not written over.
    """
    kept = without_button(metadata, button.word)
    entry = {"from": str(button.source), TRANSPORT: button.word}
    return {**kept, FIELD: [*kept.get(FIELD, []), entry]}


def without_button(metadata: Mapping[str, Any], word: Word) -> dict[str, Any]:
    """Metadata in which no button is for something. Raises PatchError as ``with_button`` does."""
    raw = metadata.get(FIELD, [])
    if not isinstance(raw, list):
        raise mismatch("a list of controls", raw, PLACE)
    kept = [e for e in cast(list[object], raw) if not (isinstance(e, Mapping) and e.get(TRANSPORT) == word)]
    rest = {name: copied(value) for name, value in metadata.items() if name != FIELD}
    return {**rest, FIELD: copied(kept)} if kept else rest


class Buttons:
    """The buttons in use."""

    def __init__(self, deck: Deck) -> None:
        self._deck = deck
        self._buttons: dict[Source, Button] = {}
        self._down: set[Source] = set()
        self._shown: dict[Source, bool] = {}

    def use(self, buttons: Iterable[Button]) -> None:
        """Use these, and no others."""
        self._buttons = {button.source: button for button in buttons}
        self._down.clear()
        self._shown.clear()

    def hear(self, event: Event) -> bool:
        """Act on an event; whether its source is a button of the transport's."""
        button = self._buttons.get(event.source)
        if button is None:
            return False
        # a note is a press each time it begins; what else serves as a button is one when it comes up from below
        fresh = event.source.kind == "note" or event.source not in self._down
        (self._down.add if event.down else self._down.discard)(event.source)
        if event.down and fresh:
            self._deck.press(button.word)
        return True

    def feedback(self, lights: Lights) -> None:
        """Switch lights that are not as they should be."""
        for source, button in self._buttons.items():
            lit = self._deck.lit(button.word)
            if self._shown.get(source) != lit:
                self._shown[source] = lit
                for message in messages(source, HIGHEST[source.kind] if lit else 0):
                    lights.send(message)

    def show_again(self) -> None:
        """Forget what is shown: the controller was away."""
        self._shown.clear()
