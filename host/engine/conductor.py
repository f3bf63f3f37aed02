"""The control side of the sound: patches become programs, and one follows another without a click.

An edit is compiled into two programs: one that plays what was and what is to be, with a crossfade wherever they differ,
and the one that is left when that is over. Edits that come faster are merged: the newest patch is taken up as soon as
the one before it is in place. Params that need no compiling go straight to the callback and ramp there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from graph.check import point_problems
from graph.compiler import collector_resting
from graph.document import Automation, Patch, Point
from graph.errors import PatchError
from graph.groups import Address, Flat, expand
from graph.plain import brief
from graph.plan import Plan, emit, plan
from graph.resolve import misfit, resolve_settings, shape_of
from graph.spec import BUILT_IN_PARAMS, Kinds, Param
from graph.transition import Transition, transition, turns
from graph.wiring import Wired
from host.engine.placing import place_files
from host.engine.ports import Outlet, Route, Tapes, by_clock, serve
from host.native.abi import STREAM_MISSED
from host.native.arena import Arena
from host.native.binding import bind
from host.native.live import Live, Playable
from host.native.program import Program
from host.native.steps import PAST_IDENTITY, PAST_LAST
from host.services import FileServices
from host.values import set_points, set_values
from nodes.dsp.machine import bits_of

SOON_S = 0.001
IDLE_S = 0.02
REPLAY_S = 60.0
UNSEEN = -1
"""An identity that no param has: it has been something before, but not this."""

Stage = Literal["", "crossing", "landing"]


@dataclass(slots=True)
class Applied:
    """What became of a patch: ``problems`` says what is missing, or why it could not be played at all."""

    serial: int
    played: bool
    problems: list[PatchError]


@dataclass(slots=True)
class _Next:
    """The plan on its way in."""

    plan: Plan
    params: dict[tuple[str, str], float]
    applied: Applied


@dataclass
class Conductor:
    """Keeps a ``Live`` playing what was asked for last. ``step`` must be called often; nothing here waits.

    ``running``: whether a device calls back; while none does, programs are changed at once.
    """

    live: Live
    kinds: Kinds
    tapes: Tapes
    route: Route
    replay_s: float = REPLAY_S
    running: bool = False
    outlets: list[Outlet] = field(default_factory=list[Outlet])
    applied: list[Applied] = field(default_factory=list[Applied])
    """What is there to be told; whoever tells it empties the list."""

    def __post_init__(self) -> None:
        self.arena = Arena(touch=True)
        self.patch: Patch | None = None
        self.playing: Playable | None = None
        self._services: FileServices | None = None
        self._flat: Flat | None = None
        self._plan: Plan | None = None
        self._wanted: tuple[int, Patch] | None = None
        self._serial = self._keys = 0
        self._turned: dict[tuple[str, str], float] = {}
        self._bent: dict[tuple[str, str], Automation] = {}
        self._numbers: dict[str, int] = {}
        self._next: _Next | None = None
        self._stage: Stage = ""

    # What is asked for

    def set_patch(self, patch: Patch, services: FileServices, serial: int = 0) -> None:
        """Play another patch, or the same one edited."""
        self.patch, self._services, self._flat = patch, services, None
        self._wanted = serial, patch
        self._turned.clear()
        self._bent.clear()

    def set_param(self, node: str, param: str, value: float) -> None:
        """Set a stored param, in its display unit; ``bypass`` and ``mute`` count as params of every node.

        Raises PatchError where there is no such param or the value is out of its range.
        """
        patch, flat, (id, name) = self._led(node, param)
        place = f"nodes.{node}.params.{param}"
        declared = self._declared(flat, id)
        if declared is not None and name in declared:
            wrong = misfit(declared[name], value)
            if wrong:
                raise PatchError(wrong, place=place, node=node)
        elif name in BUILT_IN_PARAMS:
            value = float(value >= 0.5)
        elif declared is not None:
            raise PatchError(f"there is no param {brief(repr(param), 80)}", place=place, node=node)
        set_values(patch, [(node, param, float(value))], self.kinds)
        playing = self._playing(flat, id)
        if playing is not None and name in playing.params:
            self._turned[id, name] = float(value)
        else:
            self._want_again()

    def set_points(self, node: str, param: str, points: Iterable[Point]) -> None:
        """Give the automation that a param has other points. Raises PatchError where it has none, or for points that
        cannot be.
        """
        patch, flat, (id, name) = self._led(node, param)
        declared = {**BUILT_IN_PARAMS, **(self._declared(flat, id) or {})}.get(name)
        line = Automation(id, name, tuple(points))
        for place, wrong in point_problems(line, declared):
            raise PatchError(wrong, place=f"automation.{node}.{param}.{place}", node=node)
        line = replace(set_points(patch, node, param, line.points), node=id, param=name)
        if line.enabled:
            self._bent[id, name] = line

    def _led(self, node: str, param: str) -> tuple[Patch, Flat, Address]:
        """The patch asked for, and the node and param in it that an address leads to. Raises PatchError."""
        if self.patch is None:
            raise PatchError("there is no patch yet")
        if self._flat is None:
            self._flat = expand(self.patch)
        id, name = self._flat.aliases.get((node, param), (node, param))
        if id not in self._flat.nodes and id not in self._flat.groups:
            raise PatchError(f"there is no node {brief(repr(node), 160)} to set {brief(param, 80)} of", node=node)
        return self.patch, self._flat, (id, name)

    def _playing(self, flat: Flat, id: str) -> Wired | None:
        """The node in play that a node of the patch asked for goes on from."""
        at = self._numbers.get(id)
        node = self._plan.nodes[at] if self._plan is not None and at is not None else None
        return node if node is not None and id in flat.nodes and flat.nodes[id].kind == node.kind.kind else None

    def _declared(self, flat: Flat, id: str) -> Mapping[str, Param] | None:
        """The params of a node of the patch asked for; of one whose kind follows from the outside world, those that it
        has in play, and None as long as it is not.
        """
        if id in flat.groups:
            return {}
        entry = flat.nodes[id]
        kind = self.kinds.get(entry.kind)
        if kind is not None and not kind.varies:
            return shape_of(kind, resolve_settings(kind, entry)).params
        playing = self._playing(flat, id)
        if playing is not None:
            return playing.declared
        return {} if kind is None else None

    def _want_again(self) -> None:
        """Have the patch compiled anew; one that waits for that anyway keeps its serial."""
        if self.patch is not None and self._wanted is None:
            self._wanted = self._serial, self.patch

    def compile_again(self) -> None:
        """Compile the patch anew: the outside world is not what it was (a plugin has another latency)."""
        self._want_again()

    # What is due

    @property
    def busy(self) -> bool:
        """Whether something asked for is not in place yet."""
        return bool(self._stage or self._wanted or self._turned or self._bent or not self.live.idle)

    def step(self) -> float:
        """Do what is due; the seconds after which to come again."""
        self.live.flush()
        if not self.running:
            self.live.adopt()
        if self._stage == "crossing" and (not self.running or self.live.settled):
            self._land()
        if self._stage == "landing" and self.live.idle:
            self._landed()
        if not self._stage and self._wanted is not None:
            if self.running and (self.live.ramping or not self.live.idle):
                return SOON_S  # a ramp that was sent may not have begun yet
            self._take_up()
        if not self._stage and self._turned:
            self._turn()
        if not self._stage and self._bent:
            self._bend()
        if not self.running:
            self.live.adopt()
        return SOON_S if self._stage or self._wanted else IDLE_S

    def _take_up(self) -> None:
        """Compile what is wanted, and let it in."""
        assert self._wanted is not None
        assert self._services is not None
        self._serial, patch = self._wanted
        self._wanted = None
        missing: list[PatchError] = []
        try:
            with collector_resting():
                new = plan(patch, self.kinds, self._services, self.live.rate, missing, together=True)
                place_files(new, self._services)
                self._let_in(new, Applied(self._serial, True, missing))
        except PatchError as error:
            self.applied.append(Applied(self._serial, False, [error]))
            self._next, self._stage = None, ""

    def _let_in(self, new: Plan, applied: Applied) -> None:
        if self._plan is None or self.playing is None or not self.running:
            for node in new.nodes:
                self._keys += 1
                node.key = f"{node.id}#{self._keys}"
            self._next = _Next(new, {}, applied)
            self._land()
            return
        self._keys += 1
        change = transition(self._plan, new, self._keys)
        self._next = _Next(new, change.params, applied)
        if change.needed:
            self._cross(change)
        else:
            self._land()

    def _cross(self, change: Transition) -> None:
        """Play the old and the new."""
        assert self.playing is not None
        self._play(change.plan, change.wait)
        self._stage = "crossing"

    def _land(self) -> None:
        """Play the new."""
        assert self._next is not None
        self._play(self._next.plan, -1)
        self._stage = "landing"

    def _play(self, made: Plan, wait: int) -> None:
        before = self.playing
        assert self._services is not None
        program = bind(
            by_clock(emit(made)),
            self.arena,
            self._services,
            block=self.live.block,
            context=self.live.context,
            before=None if before is None else before.program,
        )
        if before is not None:
            self._carry_over(before.program, program, made)
        frames = round(self.replay_s * made.rate)
        served = serve(
            program,
            self.arena,
            self.route,
            self.tapes,
            arrivals={node.key: made.timing.arrival[node.index] for node in made.nodes},
            place=self.live.place,
            replay_frames=frames,
            wait=wait,
        )
        self.playing, self.outlets = served
        self.live.play(self.playing)
        if not self.running:
            self.live.adopt()

    def _carry_over(self, before: Program, after: Program, made: Plan) -> None:
        """Let params that begin or cease to move go on from where they are."""
        assert self._plan is not None
        nodes = {node.key: node for node in made.nodes}
        old = {node.key: node for node in self._plan.nodes}
        for (key, name), moved in after.moved.items():
            if moved.past[PAST_IDENTITY] or key not in old:
                continue
            knobs = before.knobs.get((key, name))
            if knobs:
                value = float(knobs[0].cell[0])
            elif name in ("bypass", "mute"):
                value = float(old[key].bypass if name == "bypass" else old[key].mute)
            else:
                continue
            moved.past[PAST_LAST] = bits_of(value)
            moved.past[PAST_IDENTITY] = UNSEEN
        for (key, name), knobs in after.knobs.unlike(before.knobs):
            moved, earlier = before.moved.get((key, name)), before.knobs.get((key, name))
            if moved is not None:
                last = float(moved.past[PAST_LAST : PAST_LAST + 1].view("f8")[0])
            elif earlier:
                last = float(earlier[0].cell[0])
            else:
                continue
            for knob in knobs:
                if knob.cell[0] != last and self._next is not None:
                    self._next.params.setdefault((key, name), nodes[key].params[name])
                    knob.cell[0] = last

    def _landed(self) -> None:
        """The new is in place: forget the old, and send params to where they are to be."""
        assert self._next is not None
        assert self.playing is not None
        self._stage = ""
        arrived, self._next = self._next, None
        self._plan = arrived.plan
        self._numbers = {node.id: node.index for node in arrived.plan.nodes}
        self.arena.keep_only(self.playing.program.keys)
        self.tapes.keep_only(self.playing.program.streams)
        by_key = {node.key: node.id for node in arrived.plan.nodes}
        for (key, name), value in arrived.params.items():
            if key in by_key:  # not of a node that was on its way out
                self._turned.setdefault((by_key[key], name), value)
        self.applied.append(arrived.applied)

    def _turn(self) -> None:
        """Send params to new values; those that change how a node is compiled have it compiled anew."""
        assert self._plan is not None
        assert self.playing is not None
        waiting, self._turned = self._turned, {}
        for (id, name), value in waiting.items():
            at = self._numbers.get(id)
            if at is None or name not in self._plan.nodes[at].params:
                continue  # it was meant for a patch that could not be played
            node = self._plan.nodes[at]
            params = {**node.params, name: value}
            try:
                hot = turns(self._plan, at, params)
            except PatchError as error:
                self.applied.append(Applied(self._serial, True, [error]))
                continue
            if not hot:
                self._want_again()
                continue
            node.params, node.told = params, None
            self.live.turn(self.playing, node.key, name, value)

    def _bend(self) -> None:
        """Let automation be another; where there was none or is to be none, the patch is compiled anew."""
        assert self._plan is not None
        assert self.playing is not None
        waiting, self._bent = self._bent, {}
        for (id, name), line in waiting.items():
            at = self._numbers.get(id)
            node = None if at is None else self._plan.nodes[at]
            if node is None or name not in node.automation or not line.points:
                self._want_again()
            elif self.live.bend(self.playing, node.key, name, line):
                node.automation = {**node.automation, name: line}
            else:
                self._want_again()

    # What can be known

    def missed(self) -> int:
        """Frames that players should have had and the disk did not bring in time."""
        if self.playing is None:
            return 0
        streams = self.playing.program.streams.values()
        return sum(int(s.header[STREAM_MISSED]) for s in streams if s.flow == "in" and s.serves == "file")

    def latencies(self) -> dict[str, int]:
        """Frames by which each output lags the timeline."""
        return {outlet.id: outlet.arrival for outlet in self.outlets}
