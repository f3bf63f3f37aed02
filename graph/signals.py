"""What exists so far while steps are emitted: signals, who hears them, and the sums that wait for them.

A signal is a number; a slot is all of it or some of its lanes. Sums are written as they come: each term is added as
soon as it exists and its turn has come, so that no signal waits for long; the order of the terms is fixed, so no bit
depends on when that is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from graph.layouts import EVENTS, channels_of
from graph.order import Order
from graph.schedule import Compensation, DelayStep, EventDelayStep, GatherStep, Heard, MixStep, Slot, Step
from graph.spec import TICK
from graph.timing import Timing
from graph.wiring import Wire, Wired

SILENCE = 0
Key = tuple[int, str]
"""A node and one of its ports."""


def fed(key: Key) -> Key:
    """The name under which an output is known after it has come round a loop."""
    return key[0], "\0" + key[1]


def heard_name(key: str, port: str, delay: int, closing: bool) -> str:
    """What an output is called as it is heard: so many frames later, round a loop or not."""
    return f"{'~' if closing else ''}{key}.{port}+{delay}"


class Term(NamedTuple):
    """An output as one listener hears it."""

    key: Key
    delay: int
    closing: bool

    @property
    def name(self) -> Key:
        """The key under which it is made."""
        return fed(self.key) if self.closing else self.key


@dataclass(slots=True)
class Sum:
    """An input that several cables feed: whose turn it is, and where the sum is so far."""

    lanes: int
    terms: list[Term]
    done: int = 0
    signal: int = -1


@dataclass(slots=True)
class Signals:
    """Signals by number, ``lanes`` of each (0 is silence), and the steps that make them."""

    nodes: list[Wired]
    found: Order
    timing: Timing
    steps: list[Step] = field(default_factory=list[Step])
    lanes: list[int] = field(default_factory=lambda: [1])
    made: dict[Key, Slot] = field(default_factory=dict[Key, Slot])
    users: dict[Key, int] = field(default_factory=dict[Key, int])
    shared: set[int] = field(default_factory=set[int])
    """Signals that go by more than one name, because a bypassed node hands them on."""
    compensations: list[Compensation] = field(default_factory=list[Compensation])
    sums: dict[Key, Sum] = field(default_factory=dict[Key, Sum])
    _awaiting: dict[Key, list[Sum]] = field(default_factory=dict[Key, list[Sum]])
    _delayed: dict[Term, Slot] = field(default_factory=dict[Term, Slot])
    _terms: dict[int, Term] = field(default_factory=dict[int, Term])
    """By ``id()`` of a wire."""

    def __post_init__(self) -> None:
        for node in self.nodes:
            by_port: dict[str, list[Term]] = {}
            for cable in node.wires:
                key = (cable.source, cable.source_port)
                self.users[key] = self.users.get(key, 0) + 1
                term = self._terms[id(cable)] = self._term(cable)
                compensation = term.delay - (TICK if cable.feedback and not term.closing else 0)
                if compensation:
                    name = f"{cable.name} -> {node.id}.{cable.target_port}"
                    self.compensations.append(Compensation(name, compensation))
                if not cable.to_param:
                    by_port.setdefault(cable.target_port, []).append(term)
            for port, terms in by_port.items():
                if len(terms) > 1 and node.layouts[port] != EVENTS:
                    found = self.sums[node.index, port] = Sum(channels_of(node.layouts[port]), terms)
                    for term in terms:
                        self._awaiting.setdefault(term.key, []).append(found)

    def term(self, cable: Wire) -> Term:
        """What a cable's end hears."""
        return self._terms[id(cable)]

    def _term(self, cable: Wire) -> Term:
        """A feedback cable that closes no loop delays by a tick, audibly."""
        closing = id(cable) in self.found.closing
        delay = self.timing.delay(cable, self.found.closing)
        if cable.feedback and not closing:
            delay += TICK
        return Term((cable.source, cable.source_port), delay, closing)

    def new(self, lanes: int) -> Slot:
        """A new signal."""
        self.lanes.append(lanes)
        return Slot(len(self.lanes) - 1, 0, lanes)

    def whole(self, slot: Slot) -> bool:
        """Whether a slot is all of its signal."""
        return slot.lanes == self.lanes[slot.buffer]

    def packed(self, slot: Slot) -> Slot:
        """The slot as a signal of its own, for steps that work on whole ones."""
        if slot.buffer == SILENCE or self.whole(slot):
            return slot
        target = self.new(slot.lanes)
        self.steps.append(MixStep(target, (slot,)))
        return target

    def later(self, name: str, source: Slot, frames: int, *, events: bool = False) -> Slot:
        """The source, some frames later; the name is the delay line's."""
        if not frames or source.buffer == SILENCE:
            return source
        source = self.packed(source)
        target = self.new(source.lanes)
        step = EventDelayStep if events else DelayStep
        self.steps.append(step(name, target, source, frames))
        return target

    def heard(self, term: Term) -> Slot:
        """A term, aligned."""
        slot = self.made[term.name]
        if not term.delay or slot.buffer == SILENCE:
            return slot
        if term not in self._delayed:
            node, port = self.nodes[term.key[0]], term.key[1]
            name = heard_name(node.key, port, term.delay, term.closing)
            self._delayed[term] = self.later(name, slot, term.delay, events=node.layouts[port] == EVENTS)
        return self._delayed[term]

    def gathered(self, node: Wired, port: str) -> Slot:
        """What all cables of events into an input bring. Even one alone is followed, for the notes that it holds."""
        place = f"{node.key}.{port}"
        silence = Slot(SILENCE, 0, channels_of(EVENTS))
        cables: list[Heard] = []
        for cable in node.wires:
            if cable.target_port == port and not cable.to_param:
                term = self.term(cable)
                slot = self.packed(self.heard(term))
                if slot.buffer != SILENCE:
                    name = heard_name(self.nodes[cable.source].key, cable.source_port, term.delay, term.closing)
                    cables.append(Heard(f"{name} -> {place}", slot))
        cables += [Heard(f"{name} -> {place}", silence) for name in node.cut.get(port, ())]
        return self.gather(place, tuple(cables), node, port) if cables else silence

    def gather(self, name: str, cables: tuple[Heard, ...], node: Wired, port: str) -> Slot:
        """Cables of events as one signal."""
        target = self.new(channels_of(EVENTS))
        self.steps.append(GatherStep(name, target, cables, node.index, port))
        return target

    def publish(self, made: dict[Key, Slot]) -> None:
        """Make outputs known, and let the sums whose turn has come take them in."""
        self.made |= made
        for key in made:
            for waiting in self._awaiting.get((key[0], key[1].lstrip("\0")), ()):
                self.advance(waiting)

    def open_sum(self, key: Key, lanes: int) -> Sum | None:
        """The sum into which the one listener of an output would have it added next, if it can be added as it is."""
        if self.users.get(key) != 1 or key not in self._awaiting:
            return None
        (waiting,) = self._awaiting[key]
        if not 0 < waiting.done < len(waiting.terms) or lanes != waiting.lanes:
            return None
        return waiting if waiting.terms[waiting.done] == Term(key, 0, False) else None

    def advance(self, into: Sum) -> None:
        """Add every term that exists, up to the first that does not."""
        terms = into.terms
        while into.done < len(terms) and terms[into.done].name in self.made:
            ready = 1
            while into.done + ready < len(terms) and terms[into.done + ready].name in self.made:
                ready += 1
            if into.done == 0:
                if ready == 1 and not self._adoptable(into):
                    return
                self._begin(into, ready)
            else:
                self._add(into, ready)

    def _begin(self, into: Sum, ready: int) -> None:
        """Start a sum: with its first term itself, where nobody else hears that, else with a sum of two, or a copy."""
        if self._adoptable(into):
            into.signal, into.done = self.heard(into.terms[0]).buffer, 1
            return
        sources = tuple(self.heard(term) for term in into.terms[: min(ready, 2)])
        target = self.new(into.lanes)
        into.signal = target.buffer
        if len(sources) == 2 and all(self.whole(s) and s.lanes == into.lanes for s in sources):
            self.steps.append(MixStep(target, sources))
            into.done = 2
        else:
            self.steps.append(MixStep(target, sources[:1]))
            into.done = 1

    def _add(self, into: Sum, ready: int) -> None:
        """Add the next term; or, where the next several lie side by side in one signal, all of those."""
        target = Slot(into.signal, 0, into.lanes)
        source = self.heard(into.terms[into.done])
        run = [source]
        if not self.whole(source) and source.lanes == into.lanes:
            for term in into.terms[into.done + 1 : into.done + ready]:
                following = self.heard(term)
                if following != Slot(source.buffer, source.lane + source.lanes * len(run), source.lanes):
                    break
                run.append(following)
        self.steps.append(MixStep(target, tuple(run), adding=True))
        into.done += len(run)

    def _adoptable(self, into: Sum) -> bool:
        first = into.terms[0]
        if first.delay or first.closing or self.users[first.key] != 1:
            return False
        slot = self.made[first.key]
        alone = slot.buffer != SILENCE and slot.buffer not in self.shared and self.whole(slot)
        return alone and slot.lanes == into.lanes
