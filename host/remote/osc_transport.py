"""The transport over OSC.

| message | does |
|---|---|
| ``/transport/play``, ``/stop``, ``/toggle``, ``/start`` | what the button does; with a number, only where it is not 0 |
| ``/transport/locate seconds`` | goes to a place on the timeline |
| ``/transport/loop start end`` | goes round between two places, in seconds; ``1``: in the loop there was last; ``0``: no longer |
| ``/transport/record`` | ``1`` or ``0``: begins or ends the takes of all recorders |
| ``/transport`` | is answered by how it is, as subscribers are told: ``/transport/rolling``, ``/place`` (seconds), ``/loop`` (1 or 0, start, end), ``/recording`` |

These addresses are the transport's also where a patch has a node of that name.
"""  # noqa: E501 - a table

from __future__ import annotations

import math
from collections.abc import Iterator, MutableMapping

from host.remote.transport import LONGEST_S, WORDS, Deck
from host.remote.wire import Argument

ROOT = "/transport"
BUTTONS = frozenset(WORDS) - {"loop", "record"}
ADDRESSES = frozenset({ROOT, *(f"{ROOT}/{word}" for word in (*WORDS, "locate"))})
PLACE_S = 0.1
"""While it rolls, the place is told whenever it has moved by so much."""

Told = MutableMapping[str, tuple[float, ...]]


class TransportRequestError(ValueError):
    """What a client is told is wrong with its message."""


def act(deck: Deck, address: str, arguments: tuple[Argument, ...]) -> None:
    """Do what a message to one of ``ADDRESSES`` asks for. Raises TransportRequestError."""
    word = address.removeprefix(f"{ROOT}/")
    numbers = [_number(argument) for argument in arguments]
    match word, numbers:
        case (("play" | "stop" | "toggle" | "start"), [] | [_]):
            if all(numbers):  # a button that is let go sends a nought
                deck.press(word)  # pyright: ignore[reportArgumentType] - one of BUTTONS
        case "locate", [seconds]:
            deck.transport.locate(_place(seconds))
        case "loop", [start, end]:
            if not _place(start) < _place(end):
                raise TransportRequestError(f"expected an end after {start:g} s, found {end:g} s")
            deck.transport.loop((start, end))
        case "loop", [on]:
            if not deck.loop(bool(on)):
                raise TransportRequestError("there is no loop yet: expected a start and an end, in seconds")
        case "record", [on]:
            deck.transport.record(bool(on))
        case _:
            raise TransportRequestError(
                "these are not the arguments it takes: /transport/locate seconds, /transport/loop start end or 0 or 1, "
                "/transport/record 0 or 1"
            )


def news(deck: Deck, told: Told) -> Iterator[tuple[str, tuple[float, ...]]]:
    """What is not as it was ``told``: addresses and arguments. Whoever sends them notes them in ``told``."""
    state = deck.state
    place = told.get(f"{ROOT}/place", (-math.inf,))[0]
    start, end = state.loop or (0.0, 0.0)
    rows: dict[str, tuple[float, ...]] = {
        "rolling": (int(state.rolling),),
        "loop": (int(state.loop is not None), float(start), float(end)),
        "recording": (int(state.recording),),
        "place": (float(state.place_s) if abs(state.place_s - place) >= PLACE_S else place,),
    }
    for word, values in rows.items():
        if told.get(f"{ROOT}/{word}") != values:
            yield f"{ROOT}/{word}", values


def _number(argument: Argument) -> float:
    if isinstance(argument, str) or argument is None or not math.isfinite(argument):
        raise TransportRequestError("expected finite numbers")
    return float(argument)


def _place(seconds: float) -> float:
    if not 0.0 <= seconds <= LONGEST_S:
        raise TransportRequestError(f"expected a place from 0 to {LONGEST_S:g} s, found {seconds:g}")
    return seconds
