"""From one plan to the next without a click: a plan that plays both while what changed is crossfaded.

Nodes that stay keep their state and run once. What is new, or is no longer made the same way, runs under a key of its
own; what it replaces runs on until it is no longer heard. Wherever the sum at an input of a node that stays is not the
same any more, both sums are made, each with the delays of its own plan, and a crossfade stands between them and the
node. What is new and remembers (an echo, a room) would repeat a sudden beginning, so its inputs begin softly before it
is heard. Events are not faded: what comes by new cables is heard at once, and notes that came by cables that were cut
end. Once that is over the result is the new plan's, bit for bit, so the moment of going over to it does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, NamedTuple

from graph.order import LoopError, order
from graph.plan import Plan, leaves
from graph.signals import heard_name
from graph.spec import RAMP, TICK, AudioIn, AudioOut, Config, Node, Param, Scratch, State, kernel
from graph.timing import Timing
from graph.wiring import Wire, Wired, check_node

LONGEST_WAIT_S = 2.0
SOFT = RAMP // 2
"""Frames that what begins softly has before it is heard. It has begun when the crossfade is half over; until then the
sum is at most 0.2 dB too quiet.
"""


@kernel
def _cross(old: Any, new: Any, out: Any, faded: Any, n: Any) -> None:
    if faded + n <= 0:
        for i in range(n):
            for lane in range(out.lanes):
                out[i, lane] = old[i, lane]
    elif faded >= RAMP:
        for i in range(n):
            for lane in range(out.lanes):
                out[i, lane] = new[i, lane]
    else:
        for i in range(n):
            u = min(max((faded + i) * (1.0 / RAMP), 0.0), 1.0)
            share = u * u * (3.0 - 2.0 * u)
            for lane in range(out.lanes):
                a, b = old[i, lane], new[i, lane]
                out[i, lane] = a if share <= 0.0 else b if share >= 1.0 else a + (b - a) * share


class Cross(Node):
    """From an old signal to a new one, from ``faded`` frames of zero on; before, exactly the old one, after, exactly
    the new one.
    """

    kind = "crossfade of an edit"

    old = AudioIn("old")
    new = AudioIn("new")
    out = AudioOut("out")
    process = _cross


@kernel
def _enter(sound: Any, out: Any, lead: Any, faded: Any, n: Any) -> None:
    for i in range(n):
        for lane in range(out.lanes):
            u = min(max((faded + i + lead[0, lane]) * (1.0 / RAMP), 0.0), 1.0)
            out[i, lane] = u * u * (3.0 - 2.0 * u) * sound[i, lane]


class Enter(Node):
    """From silence to a signal, ``lead`` frames before the crossfades; after, exactly the signal."""

    kind = "beginning of an edit"

    sound = AudioIn("sound")
    out = AudioOut("out")
    lead = Param("lead", 0.0, low=0.0, high=float(1 << 23))
    process = _enter


class Term(NamedTuple):
    """What an input hears of one cable; equal in two plans where it is the same sound."""

    key: str
    port: str
    delay: int
    late: bool
    closing: bool

    @property
    def name(self) -> str:
        """What it is called in a schedule."""
        return heard_name(self.key, self.port, self.delay + TICK * self.late, self.closing)


_Move = tuple[str, float, Term]
"""A cable into a param: which, how much, and what."""


@dataclass(slots=True)
class Transition:
    """A plan that plays the old and the new, and how many frames to wait before the crossfade, until every new delay
    is filled.
    """

    plan: Plan
    wait: int
    needed: bool
    """Whether anything that is heard changes at all; if not, the new plan may follow at once."""
    params: dict[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])
    """Stored values, by key and param, that nodes that stay are to take on afterwards."""


def transition(old: Plan, new: Plan, serial: int) -> Transition:
    """How to get from ``old`` to ``new``, which is changed: its nodes get their keys, those that stay their old values.

    ``serial``: a number that no transition had before; it makes new keys. Both plans are for one rate.
    """
    kept, params = _kept(old, new), [node.params for node in new.nodes]
    while True:
        for node, own in zip(new.nodes, params, strict=True):
            node.params = own
        union = _Union(old, new, kept, serial)
        try:
            return union.transition()
        except LoopError as error:
            # Old and new cables go round together: the nodes there cannot be run once for both.
            split = {k for k in error.nodes if k in kept}
            if not split:
                raise
            kept = {k: o for k, o in kept.items() if k not in split}


def _kept(old: Plan, new: Plan) -> dict[int, int]:
    """The nodes of the new plan that go on, and their numbers in the old one."""
    numbers = {node.id: node.index for node in old.nodes}
    return {
        n.index: numbers[n.id] for n in new.nodes if n.id in numbers and _same(old, old.nodes[numbers[n.id]], new, n)
    }


def _same(old: Plan, before: Wired, new: Plan, after: Wired) -> bool:
    """Whether a node's state means the same in both plans."""
    if before.kind is not after.kind or before.bypass != after.bypass or before.layouts != after.layouts:
        return False
    if before.settings != after.settings or before.info != after.info:
        return False
    if old.timing.latency[before.index] != new.timing.latency[after.index]:
        return False
    timed = "time" in before.kind.process.arguments or "position" in before.kind.process.arguments
    if (
        timed
        and before.kind.anchored
        and not leaves(before.kind)
        and old.timing.arrival[before.index] != new.timing.arrival[after.index]
    ):
        return False
    if not _varies(before.kind) or _made_alike(before, after):
        return True
    return _shaped_alike(before.kind, before.config(old.rate), after.config(new.rate))


@cache
def _varies(kind: type[Node]) -> bool:
    """Whether how a kind is compiled depends on more than settings and layouts."""
    return any(callable(kept.shape) for kept in _kept_by(kind)) or kind.alone.__func__ is not Node.alone.__func__


def _made_alike(one: Wired, other: Wired) -> bool:
    """Whether two nodes of the same settings and layouts agree in all else that a kind's hooks are told."""
    if dict(one.params) != dict(other.params) or one.automation.keys() != other.automation.keys():
        return False
    plugged = [{(w.target_port, w.to_param) for w in node.wires} for node in (one, other)]
    return plugged[0] == plugged[1] and one.tempo == other.tempo


def _told_alike(one: Wired, other: Wired) -> bool:
    """Whether hooks are told the same of two nodes that go on as one and hear the same."""
    if (one.tempo, one.state, one.given) != (other.tempo, other.state, other.given):
        return False
    return one.params is other.params and one.automation.keys() == other.automation.keys()


def _shaped_alike(kind: type[Node], one: Config, other: Config) -> bool:
    shapes = [kept.shape for kept in _kept_by(kind)]
    if any(callable(shape) and shape(one) != shape(other) for shape in shapes):
        return False
    return kind.alone(one) == kind.alone(other)


def _kept_by(kind: type[Node]) -> tuple[State | Scratch, ...]:
    return *kind.every(State), *kind.every(Scratch)


def turns(plan: Plan, k: int, params: Mapping[str, float]) -> bool:
    """Whether a node of a plan in play can take other stored params as it is, without being compiled anew.

    Raises PatchError where the kind refuses them.
    """
    node, changed = plan.nodes[k], replace(plan.nodes[k], params=params)
    check_node(changed, plan.rate)
    config = changed.config(plan.rate)
    if k in plan.found.breakers or max(0, node.kind.latency(config)) != plan.timing.latency[k]:
        return False
    return _shaped_alike(node.kind, node.config(plan.rate), config)


def _term(plan: Plan, wire: Wire) -> Term:
    closing = id(wire) in plan.found.closing
    delay = plan.timing.delay(wire, plan.found.closing)
    return Term(plan.nodes[wire.source].key, wire.source_port, delay, wire.feedback and not closing, closing)


def _plugged(plan: Plan, node: Wired, port: str) -> tuple[bool, list[Wire]]:
    """Whether anything is plugged into an input, and the cables of that which are not mute."""
    wires = [w for w in node.wires if w.target_port == port and not w.to_param]
    return bool(wires), [w for w in wires if not plan.nodes[w.source].mute]


def _heard(plan: Plan, node: Wired, port: str) -> list[Wire] | None:
    """The cables that an input hears; None where it hears what another one does."""
    declared = next(p for p in node.inputs if p.name == port)
    plugged, wires = _plugged(plan, node, port)
    return None if declared.fallback is not None and not plugged else wires


def _fallback(node: Wired, port: str) -> str:
    found = next(p for p in node.inputs if p.name == port).fallback
    assert found is not None
    return found


class _Union:
    """The work of building a plan that plays both."""

    def __init__(self, old: Plan, new: Plan, kept: Mapping[int, int], serial: int) -> None:
        self.old, self.new, self.kept = old, new, kept
        for node in new.nodes:
            node.key = old.nodes[kept[node.index]].key if node.index in kept else f"{node.id}#{serial}"
        self.nodes: list[Wired] = list(new.nodes)
        """The same objects wherever a node is no other than in the new plan."""
        self.cuts = False
        self.from_old: dict[int, int] = {o: n for n, o in kept.items()}
        self.origin: list[tuple[Plan, int]] = [(new, node.index) for node in new.nodes]
        self.ghosts: list[int] = []
        self.crossed: list[int] = []
        self.entered: set[int] = set()
        self.fixed: dict[int, int] = {}
        new.terms = {id(w): _term(new, w) for node in new.nodes for w in node.wires}
        old.terms = old.terms or {id(w): _term(old, w) for node in old.nodes for w in node.wires}
        self.terms: Mapping[int, Term] = old.terms | new.terms

    def transition(self) -> Transition:
        params: dict[tuple[str, str], float] = {}
        for n, o in self.kept.items():
            before, after = self.old.nodes[o], self.new.nodes[n]
            if before.params != after.params:
                params |= {(after.key, k): value for k, value in after.params.items() if before.params[k] != value}
            after.params = before.params
            self._keep(n, o)
        for node in self.new.nodes:
            if node.index not in self.kept:
                self._begin(node)
        for node in self.old.nodes:
            if node.index not in self.from_old and leaves(node.kind):
                self._ghost(node.index)
        while self.ghosts:
            self._end(self.ghosts.pop())
        found = order(self.nodes)
        timing = self._timing()
        for k in found.breakers:
            plan, own = self.origin[k]
            timing.absorbed[k] = plan.timing.absorbed.get(own, timing.arrival[k])
        plan = Plan(self.nodes, found, timing, self.new.rate)
        return Transition(plan, self._wait(plan), bool(self.crossed) or self.cuts, params)

    def _timing(self) -> Timing:
        arrival = [plan.timing.arrival[k] for plan, k in self.origin]
        latency = [
            0 if node.kind in (Cross, Enter) else plan.timing.latency[k]
            for node, (plan, k) in zip(self.nodes, self.origin, strict=True)
        ]
        return Timing(arrival, latency, {}, self.fixed)

    def _keep(self, n: int, o: int) -> None:
        """The inputs of a node that stays: crossed where they hear something else than before."""
        before, after = self.old.nodes[o], self.new.nodes[n]
        if before.mute == after.mute and self._hears_the_same(before, after):
            self.fixed.update({id(w): self.terms[id(w)].delay for w in after.wires})
            if _told_alike(before, after):
                after.told = before.told
            return
        self._apart(n).mute = before.mute and after.mute
        for port in after.inputs:
            if port.type == "events":
                self._gather(n, port.name, before, after)
                continue
            was, now = _heard(self.old, before, port.name), _heard(self.new, after, port.name)
            if was is None and now is None:
                continue
            if was is None:
                was = _heard(self.old, before, _fallback(before, port.name)) or []
            if now is None:
                now = _heard(self.new, after, _fallback(after, port.name)) or []
            if [self.terms[id(w)] for w in was] == [self.terms[id(w)] for w in now]:
                self._wire(n, port.name, self.new, now)
            else:
                self._cross(n, port.name, after.layouts[port.name], was, now)
        self._move(n, self._moves(self.old, before), self._moves(self.new, after))

    def _apart(self, n: int) -> Wired:
        """A node of the new plan as one of this one alone, with nothing plugged in yet."""
        self.nodes[n] = self.new.nodes[n].alone(n, self.new.nodes[n].id)
        return self.nodes[n]

    def _hears_the_same(self, before: Wired, after: Wired) -> bool:
        """Whether all that is plugged into a node sounds, and is what it was."""
        if len(before.wires) != len(after.wires):
            return False
        for was, now in zip(before.wires, after.wires, strict=True):
            if self.terms[id(was)] != self.terms[id(now)]:
                return False
            if self.old.nodes[was.source].mute or self.new.nodes[now.source].mute:
                return False
            if (was.target_port, was.to_param, was.amount) != (now.target_port, now.to_param, now.amount):
                return False
        return True

    def _moves(self, plan: Plan, node: Wired) -> dict[_Move, Wire]:
        """The cables into a node's params that are not mute."""
        wires = [w for w in node.wires if w.to_param and not plan.nodes[w.source].mute]
        return {(w.target_port, w.amount, self.terms[id(w)]): w for w in wires}

    def _move(self, n: int, was: dict[_Move, Wire], now: dict[_Move, Wire]) -> None:
        """The cables into params of a node that stays: those that come or go are faded."""
        for move, wire in now.items():
            if move in was:
                self._wire(n, wire.target_port, self.new, [wire])
            else:
                self._cross(n, wire.target_port, "mono", [], [wire], wire.amount)
        for move, wire in was.items():
            if move not in now:
                self._cross(n, wire.target_port, "mono", [wire], [], wire.amount)

    def _gather(self, n: int, port: str, before: Wired, after: Wired) -> None:
        """An events input of a node that stays. New cables are heard at once, and the notes of those cut are ended."""
        was, now = _plugged(self.old, before, port)[1], _plugged(self.new, after, port)[1]
        self._wire(n, port, self.new, now)
        left = {self.terms[id(w)].name for w in was} - {self.terms[id(w)].name for w in now}
        if left:
            self.nodes[n].cut[port] = tuple(sorted(left))
            self.cuts = True

    def _begin(self, node: Wired) -> None:
        """A node that is new. Where it takes sound out of the patch, or remembers sound, it is faded in."""
        self._apart(node.index)
        remembers = node.kind.tail(node.config(self.new.rate)) * self.new.rate > self.new.timing.latency[node.index]
        for port in node.inputs:
            plugged, wires = _plugged(self.new, node, port.name)
            if port.type == "events":
                self._wire(node.index, port.name, self.new, wires)
            elif plugged and (leaves(node.kind) or not wires):
                self._cross(node.index, port.name, node.layouts[port.name], [], wires)
            elif wires and remembers:
                self._enter(node.index, port.name, node.layouts[port.name], wires)
            else:
                self._wire(node.index, port.name, self.new, wires)
        self._params(node.index, self.new, node)

    def _end(self, o: int) -> None:
        """A node that is to go: as it was, and faded out where it takes sound out of the patch."""
        node, at = self.old.nodes[o], self.from_old[o]
        for port in node.inputs:
            plugged, wires = _plugged(self.old, node, port.name)
            if port.type != "events" and plugged and (leaves(node.kind) or not wires):
                self._cross(at, port.name, node.layouts[port.name], wires, [])
            else:
                self._wire(at, port.name, self.old, wires)
        self._params(at, self.old, node)

    def _ghost(self, o: int) -> int:
        """The place of a node of the old plan."""
        if o not in self.from_old:
            node = self.old.nodes[o]
            self.from_old[o] = len(self.nodes)
            self.nodes.append(node.alone(len(self.nodes), f"{node.id}~"))
            self.origin.append((self.old, o))
            self.ghosts.append(o)
        return self.from_old[o]

    def _cross(
        self, target: int, port: str, layout: str, was: list[Wire], now: list[Wire], amount: float | None = None
    ) -> None:
        """Put a crossfade before an input, or, with an ``amount``, before a param."""
        at = self._put(target, port, layout, Cross, amount)
        self._wire(at, "old", self.old, was)
        self._wire(at, "new", self.new, now)
        self.crossed.append(at)

    def _enter(self, target: int, port: str, layout: str, wires: list[Wire]) -> None:
        """Let an input of a new node begin softly."""
        at = self._put(target, port, layout, Enter)
        self._wire(at, "sound", self.new, wires)
        self.entered.add(at)

    def _put(self, target: int, port: str, layout: str, kind: type[Node], amount: float | None = None) -> int:
        """A node before an input or a param of another."""
        node = self.nodes[target]
        at = len(self.nodes)
        name = f"{node.id}.{port}~{at if amount is not None else ''}"
        inputs = (Cross.old, Cross.new) if kind is Cross else (Enter.sound,)
        layouts = {p.name: layout for p in (*inputs, Cross.out)}
        declared = {} if kind is Cross else {Enter.lead.name: Enter.lead}
        values = dict.fromkeys(declared, 0.0)
        outputs = (Cross.out,) if kind is Cross else (Enter.out,)
        self.nodes.append(Wired(at, name, kind, {}, values, False, False, inputs, outputs, declared, layouts=layouts))
        self.origin.append(self.origin[target])
        modulates = amount is not None
        between = Wire(at, "out", target, port, modulates, False, amount if modulates else 1.0, f"{name}.out")
        self.fixed[id(between)] = 0
        node.wires.append(between)
        return at

    def _params(self, at: int, plan: Plan, node: Wired) -> None:
        for wire in node.wires:
            if wire.to_param:
                self._wire(at, wire.target_port, plan, [wire])

    def _wire(self, at: int, port: str, plan: Plan, wires: Iterable[Wire]) -> None:
        for wire in wires:
            source = self._ghost(wire.source) if plan is self.old else wire.source
            moves = wire.to_param and self.nodes[at].kind not in (Cross, Enter)
            copy = Wire(source, wire.source_port, at, port, moves, wire.feedback, wire.amount, wire.name)
            self.fixed[id(copy)] = self.terms[id(wire)].delay
            self.nodes[at].wires.append(copy)
        self.nodes[at].wires.sort()

    def _wait(self, plan: Plan) -> int:
        """Frames until every new delay on the way to a crossfade is filled, and what begins softly is there."""
        heard = (w for node in self.old.nodes for w in node.wires if not self.old.nodes[w.source].mute)
        lines = {self.terms[id(w)][:3] for w in heard}
        new = {node.index for node in self.new.nodes if node.index not in self.kept}
        filled = [0] * len(self.nodes)

        def until(k: int, port: str = "") -> int:
            waits = [0]
            for w in self.nodes[k].wires:
                if id(w) not in plan.found.closing and port in ("", w.target_port):
                    line = (self.nodes[w.source].key, w.source_port, self.fixed[id(w)])
                    waits.append(filled[w.source] + (0 if line in lines else line[2]))
            return max(waits)

        for k in plan.found.nodes:
            if k in new or k in self.entered:
                filled[k] = until(k) + (SOFT if k in self.entered else plan.timing.latency[k])
        wait = max((until(at, "new") for at in self.crossed), default=0)
        wait = min(wait, round(LONGEST_WAIT_S * plan.rate))
        for at in self.entered:
            self.nodes[at].params = {Enter.lead.name: float(max(0, wait + SOFT - filled[at]))}
        return wait
