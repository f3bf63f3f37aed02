"""Which control moves what in a patch: chosen by its name, or learned from the one that is moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from time import monotonic, sleep
from typing import Any, Protocol, cast

import mido

from graph.document import Patch
from graph.errors import PatchError
from graph.spec import Kinds, Param
from host.remote.addresses import addresses_of
from host.remote.buttons import Button, buttons_in, with_button, without_button
from host.remote.learn import pressed, turned
from host.remote.mappings import Takeover, controls_in, usual, with_control, without_controls
from host.remote.sources import Decoder, Source
from host.remote.transport import WORDS, Word

LOOK_S = 0.005


class Controller(Protocol):
    """Where moves come from (``host.remote.ports.Port``)."""

    def step(self, now: float) -> bool: ...

    def iter_pending(self) -> Iterator[mido.Message]: ...


def meant(patch: Patch, kinds: Kinds, text: str) -> tuple[str, Param] | Word:
    """The node and param, or the part of the transport, that a text names: ``flt.freq_hz``, ``play``. What a group
    exposes is the param inside it.

    Raises PatchError.
    """
    if text in WORDS:
        return cast(Word, text)
    node, _, name = text.rpartition(".")
    place = addresses_of(patch, kinds).find(node, name) if node else None
    if place is None:
        raise PatchError(f"there is no param {text!r}; expected NODE.PARAM, or one of {', '.join(WORDS)}")
    return place.node, place.param


def learned(controller: Controller, what: tuple[str, Param] | Word, seconds: float) -> Source:
    """The control that is moved first; for the transport, the one that is pressed. Raises PatchError where none is."""
    hear = pressed if isinstance(what, str) else turned(*what)
    decoder, end = Decoder(), monotonic() + seconds
    while monotonic() < end:
        controller.step(monotonic())
        for message in controller.iter_pending():
            for source in map(hear, decoder.events(message)):
                if source is not None:
                    return source
        sleep(LOOK_S)
    raise PatchError(f"nothing was moved within {seconds:g} s")


def chosen(patch: Patch, what: tuple[str, Param] | Word, source: Source | None, takeover: Takeover) -> dict[str, Any]:
    """A patch's metadata with a source for something, in place of what it had; without one, with none.

    Raises PatchError.
    """
    if isinstance(what, str):
        return with_button(patch.metadata, Button(source, what)) if source else without_button(patch.metadata, what)
    node, param = what[0], what[1].name
    if source is None:
        return without_controls(patch.metadata, node, param)
    return with_control(patch.metadata, replace(usual(source, node, param), takeover=takeover))


def listed(patch: Patch) -> tuple[list[dict[str, str]], list[str]]:
    """The controls of a patch, as plain data, and in one line each what in them is not understood."""
    controls, problems = controls_in(patch.metadata)
    buttons, more = buttons_in(patch.metadata)
    rows = [{"from": str(c.source), "to": f"{c.node}.{c.param}", "takeover": c.takeover} for c in controls]
    return [*rows, *({"from": str(b.source), "to": b.word, "takeover": ""} for b in buttons)], problems + more
