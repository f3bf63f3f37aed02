"""A MIDI controller on a patch: its events move params, and what moves params otherwise is shown on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import mido

from host.remote.addresses import Place
from host.remote.buttons import Buttons
from host.remote.changes import Changes
from host.remote.learn import Hear
from host.remote.machine import MachineControl
from host.remote.mappings import Control
from host.remote.scaling import CONTINUOUS, position_of
from host.remote.sources import Decoder, Event, Source, messages, raw_at
from host.remote.target import Target
from host.remote.transport import Deck

MOST_AT_ONCE = 2000
"""Messages taken in one step: more than a cable can carry in a second."""
FEEDBACK_S = 1 / 30
"""Seconds between two looks at what changed."""


class MidiInput(Protocol):
    """As mido has it: the messages that came, without waiting for more."""

    def iter_pending(self) -> Iterator[mido.Message]: ...


class MidiOutput(Protocol):
    """As mido has it."""

    def send(self, msg: mido.Message) -> None: ...


class _Hand:
    """What is remembered of one control: where it was, whether it holds the param, and what it last made of it."""

    __slots__ = ("before", "caught", "made")

    def __init__(self) -> None:
        self.before: float | None = None
        self.caught = False
        self.made: float | None = None


class Surface:
    """Events in, params out, and back. Not for more than one thread at a time."""

    def __init__(self, target: Target, changes: Changes, deck: Deck | None = None) -> None:
        self.buttons = Buttons(deck) if deck is not None else None
        self._machine = MachineControl(deck) if deck is not None else None
        self.target = target
        self.changes = changes
        self._decoder = Decoder()
        self._controls: dict[Source, list[Control]] = {}
        self._hands: dict[tuple[Source, str, str], _Hand] = {}
        self._shown: dict[Source, int] = {}
        self._learning: tuple[Hear, Callable[[Source], None]] | None = None
        self._looked = float("-inf")

    # -- what moves what -----------------------------------------------------------------------------------------------

    @property
    def controls(self) -> list[Control]:
        """The controls in use."""
        return [control for several in self._controls.values() for control in several]

    def use(self, controls: Iterable[Control]) -> None:
        """Use these controls, and no others; those that stay keep hold of their params."""
        by_source: dict[Source, list[Control]] = {}
        for control in controls:
            by_source.setdefault(control.source, []).append(control)
        self._controls = by_source  # at once: another thread may be going through the old ones
        keys = {control.key for control in self.controls}
        self._hands = {key: hand for key, hand in self._hands.items() if key in keys}
        self._shown = {source: raw for source, raw in self._shown.items() if source in self._controls}

    def learn(self, hear: Hear, told: Callable[[Source], None]) -> None:
        """Move nothing until ``hear`` finds the control that is meant; ``told`` is told which, in the thread that
        steps. Whoever keeps the patch writes it into the metadata. Another call takes the place of this one.
        """
        self._learning = hear, told

    def forget(self) -> None:
        """Wait no longer."""
        self._learning = None

    @property
    def learning(self) -> bool:
        """Whether a control is waited for."""
        return self._learning is not None

    # -- coming in -----------------------------------------------------------------------------------------------------

    def take(self, port: MidiInput) -> bool:
        """Act on what came; whether more may be waiting."""
        for count, message in enumerate(port.iter_pending(), 1):
            if self._machine is None or not self._machine.hear(message):
                for event in self._decoder.events(message):
                    self.hear(event)
            if count >= MOST_AT_ONCE:
                return True
        return False

    def hear(self, event: Event) -> None:
        """Act on one event."""
        learning = self._learning  # another thread may end it
        if learning is not None:
            source = learning[0](event)
            if source is not None:
                self._learning = None
                learning[1](source)
            return
        if self.buttons is not None and self.buttons.hear(event):
            return
        for control in self._controls.get(event.source, ()):
            place = self.target.addresses.find(control.node, control.param)
            if place is not None:
                self._move(control, place, event)

    def _move(self, control: Control, place: Place, event: Event) -> None:
        hand = self._hands.setdefault(control.key, _Hand())
        before, hand.before = hand.before, event.position
        value = self.changes.get(self.target, *place.key)
        if control.press == "value":
            new = control.value(place.param, event.position)
            if control.takeover == "pickup" and place.param.curve in CONTINUOUS and event.source.kind != "note":
                hand.caught = _caught(control, place, hand, before, event, value)
                if not hand.caught:
                    return
        else:
            # A note is a press each time it begins; what else serves as a button is one when it comes up from below.
            down_before = event.source.kind != "note" and before is not None and before >= 0.5
            if control.press == "toggle":
                if not event.down or down_before:
                    return
                new = control.value(place.param, 0.0 if control.position(place.param, value) >= 0.5 else 1.0)
            else:
                new = control.value(place.param, 1.0 if event.down else 0.0)
        hand.made = new
        if control.press == "value":
            self._shown[event.source] = event.raw
        self.changes.put(*place.key, new)

    # -- going out -----------------------------------------------------------------------------------------------------

    def feedback(self, port: MidiOutput, now: float) -> None:
        """Show on the controller what is not shown there yet, some thirty times per second at most.

        Where one control moves several params, it shows the first.
        """
        if now - self._looked < FEEDBACK_S:
            return
        self._looked = now
        if self.buttons is not None:
            self.buttons.feedback(port)
        for source, controls in self._controls.items():
            control = controls[0]
            place = self.target.addresses.find(control.node, control.param)
            if place is None:
                continue
            value = self.changes.get(self.target, *place.key)
            raw = raw_at(source, control.position(place.param, value))
            if self._shown.get(source) != raw:
                self._shown[source] = raw
                for message in messages(source, raw):
                    port.send(message)

    def show_again(self) -> None:
        """Forget what the controller shows: it was away."""
        self._shown.clear()
        if self.buttons is not None:
            self.buttons.show_again()


def _caught(control: Control, place: Place, hand: _Hand, before: float | None, event: Event, value: float) -> bool:
    """Whether a control that picks up has its param now: it had and nobody else moved it, or it meets it, or it passed
    it since the event before.
    """
    if hand.caught and hand.made is not None and _alike(place, hand.made, value):
        return True
    low, high = sorted(control.ends(place.param))
    at = position_of(place.param, value)
    if not low <= at <= high:  # out of the control's reach: the nearer end is where it can be met
        at = min(max(at, low), high)
    wanted = control.position(place.param, value)
    if abs(event.position - wanted) <= 1 / 127:
        return True
    return before is not None and (before - wanted) * (event.position - wanted) <= 0


def _alike(place: Place, one: float, other: float) -> bool:
    """Whether two values are the same for a knob: engines may keep less of a number than was sent."""
    return abs(position_of(place.param, one) - position_of(place.param, other)) < 1e-4
