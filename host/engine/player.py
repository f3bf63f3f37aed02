"""What plays: the conductor with the callback's side, the disk, and what can be said about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from graph.compiler import compile
from graph.document import Patch, Point
from graph.errors import PatchError
from graph.groups import expand
from graph.spec import TICK
from host.audiofile import AudioFileError
from host.disk.reader import Reader
from host.disk.replay import save_last
from host.disk.tapes import LAG, spare
from host.engine.compiling import Compiler, recipes
from host.engine.conductor import Applied, Conductor
from host.engine.gauges import Gauges
from host.engine.ports import Route
from host.engine.readings import Source
from host.engine.takes import Takes
from host.fields import FromEngine, ToEngine
from host.messages import KeepFiles
from host.native.abi import STREAM_END
from host.native.events import LOST
from host.native.live import Live
from host.native.source import KernelError
from host.native.store import Recipe
from host.plugins.grouping import checked_grouping
from host.plugins.messages import PluginsIn
from host.services import FileServices
from host.usernodes.loading import Keeper
from host.usernodes.words import compiler_words
from nodes import kinds

if TYPE_CHECKING:
    from host.midi.inputs import Inputs
    from host.plugins.link import Grouping, Link
    from host.plugins.talk import Talk

SOON_S = 0.01
"""While kernels are compiled, what waits for them is looked at so often."""
CUE_S = 0.5
"""A jump waits so long for the disk; then it is made all the same."""

NEAR = 2048
"""Frames before the end of a loop in which one does not go over to another: some blocks of most devices."""

LOST_S = 5.0
"""How often it is said that events were lost."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Jump:
    """A jump, or another loop, that waits for the disk."""

    place: int | None
    """None: where the transport is by then."""
    loop: tuple[int, int] | None
    late: float
    cued: int = 0
    """The place that the disk makes ready for."""
    ticket: int = 0
    """None yet where the jump before is still being made."""


class LivePlayer:
    """Plays patches at one rate, called by whatever drives ``renderer``. One thread only."""

    def __init__(self, rate: int, route: Route, notice: Say, compiler: Compiler | None = None) -> None:
        self.rate = rate
        self.compiler = compiler or Compiler()
        self.renderer = Live(rate)
        self._notice = notice
        self._own = Keeper()
        self._afresh = False
        """Whether what is missing is to be told anew: what was may be there now."""
        self._services = FileServices(Path.cwd(), own=self._own)
        self._reader = Reader(rate, self._services, self.renderer, notice)
        self._takes = Takes(self.renderer, rate, notice)
        self._conductor = Conductor(self.renderer, kinds(), self._reader, route)
        self._gauges = Gauges(self._conductor)
        self._link: Link | None = None
        self._midi: Inputs | None = None
        self._lost = 0, float("-inf")
        self._talk: Talk | None = None
        self._plugins_in: Grouping = "plugin"
        self._late_plugin = Event()
        self._put_off = False
        self._serial = 0
        self._outcome: tuple[int, bool, list[tuple[str, str, str]]] | None = None
        self._jump: _Jump | None = None
        self._loop: tuple[int, int] | None = None

    # -- what is asked for ---------------------------------------------------------------------------------------------

    def running(self, on: bool) -> None:
        """Say whether a device calls."""
        self._conductor.running = on

    def set_patch(self, serial: int, patch: Patch, folder: Path) -> None:
        """Play another patch as soon as it is compiled."""
        kinds = {entry.kind for entry in expand(patch).nodes.values()}
        link = self._linked(patch) if "plugin" in kinds else self._link
        midi = self._hears() if "midi_in" in kinds else self._midi
        if self._talk is not None:
            self._talk.follow(patch)
        if (folder, link, midi) != (self._services.folder, self._services.plugins, self._services.midi):
            self._services = FileServices(folder, link, midi, self._own)
            self._reader.folder = self._services
        self._outcome = None
        self._serial = serial
        self._conductor.set_patch(patch, self._services, serial)

    def _hears(self) -> Inputs:
        """The MIDI devices, from the first patch on that hears some."""
        if self._midi is None:
            from host.midi.inputs import Inputs

            self._midi = Inputs(self.renderer.clock, self._notice)
        return self._midi

    def _linked(self, patch: Patch) -> Link:
        """The link to plugins, from the first patch on that has some."""
        if self._link is None:
            self._start_plugins()
        assert self._link is not None
        self._link.note_chains(patch)
        return self._link

    def _start_plugins(self) -> None:
        from host.plugins.link import Link
        from host.plugins.talk import Talk

        def news(node: str, message: Mapping[str, Any]) -> None:
            if self._talk is not None:
                self._talk.heard(node, message)

        self._link = Link(
            live=True,
            block=self.renderer.block,
            grouping=self._plugins_in,
            notice=self._notice,
            changed=self._late_plugin.set,
            news=news,
        )
        self._talk = Talk(self._link, kinds(), self.set_param)

    def prefer(self, wish: PluginsIn | KeepFiles) -> None:
        """Which plugins that are loaded from now on share a process, or how much memory copies of files may take."""
        match wish:
            case PluginsIn(grouping):
                self._plugins_in = checked_grouping(grouping)
                if self._link is not None:
                    self._link.grouping = self._plugins_in
            case KeepFiles(megabytes):
                self._reader.cache.limit(None if megabytes is None else megabytes * 1_000_000)

    def ask_plugins(self, message: ToEngine) -> bool:
        """Something for the plugins; False where there are none."""
        if self._talk is not None:
            self._talk.handle(message)
        return self._talk is not None

    def told(self) -> list[FromEngine]:
        """What plugins have to tell."""
        return self._talk.step() if self._talk is not None else []

    def set_param(self, node: str, param: str, value: float) -> None:
        """Let a param glide to another value. Raises PatchError."""
        self._conductor.set_param(node, param, value)
        if self._talk is not None:
            self._talk.turned(node, param, value)

    def set_points(self, node: str, param: str, points: Iterable[Point]) -> None:
        """Let the automation of a param have other points. Raises PatchError."""
        self._conductor.set_points(node, param, points)

    def reroute(self) -> None:
        """Ask again which device channels to use."""
        if self._conductor.patch is not None and self._outcome is not None:
            self._conductor.set_patch(self._conductor.patch, self._services, self._outcome[0])

    def play(self) -> None:
        """Let the transport roll."""
        self._roll(True)

    def stop(self) -> None:
        """Let the transport stand."""
        self._roll(False)

    def _roll(self, on: bool) -> None:
        self.renderer.roll(on, hard=not self._conductor.running)

    def locate(self, frame: int) -> None:
        """Move the transport, once the disk has what is to be played there."""
        if not self._conductor.running:
            self._jump = None
            self.renderer.locate(frame, self.renderer.bank)
            self.renderer.adopt()
            return
        self._cue(frame)

    def set_loop(self, loop: tuple[int, int] | None) -> None:
        """Go round between two places, or no longer, once the disk is ready for it. The shortest loop is a tick."""
        self._loop = (loop[0], max(loop[1], loop[0] + TICK)) if loop else None
        if not self._conductor.running:
            self.renderer.set_loop(*(self._loop or (0, 0)))
            return
        self._cue(self._jump.place if self._jump is not None else None)

    def _cue(self, place: int | None) -> None:
        self._jump = _Jump(place, self._loop, monotonic() + CUE_S)
        self._follow(self._jump)

    def _follow(self, jump: _Jump) -> None:
        """Make a jump, or go by another loop, when the disk is ready and it is time."""
        live, over = self.renderer, monotonic() > jump.late or not self._conductor.running
        if not (over or (live.idle and not live.jumping)):
            return
        if not jump.ticket:
            at = live.place if jump.place is None else jump.place
            self._jump = jump = replace(jump, cued=at, ticket=self._reader.cue(at, jump.loop))
        if not (over or self._reader.cued(jump.ticket)):
            return
        bank, loop = spare(live.bank), jump.loop or (0, 0)
        if jump.place is not None:
            live.locate(jump.place, bank)
            if live.loop != jump.loop:
                live.set_loop(*loop)
        elif over:
            live.set_loop(*loop)
        elif self._ready_at(live.place, jump):
            live.set_loop(*loop, bank, inside=jump.cued < loop[1])
        else:
            return
        self._jump = None

    def _ready_at(self, place: int, jump: _Jump) -> bool:
        """Whether one may go over to the banks of another loop: they hold the place, and will when it is done."""
        before, after = self.renderer.loop, jump.loop
        long = before is not None and before[1] - before[0] > LAG // 2
        if self.renderer.rolling and before is not None and long and place < before[1] <= place + NEAR:
            return False
        same = after is None or jump.cued < after[1] or place >= after[1]
        return (same and jump.cued - LAG // 2 <= place <= jump.cued + LAG // 2) or self._again(jump)

    def _again(self, jump: _Jump) -> bool:
        """Have the disk made ready for where the transport is now."""
        self._jump = replace(jump, ticket=0)
        return False

    def record(self, on: bool, round_trip: int = 0) -> None:
        """Begin or end the takes of all recorders, as `Takes.start` has it. Raises ValueError, AudioFileError or
        PatchError where one cannot be written.
        """
        if on:
            conductor = self._conductor
            self._takes.start(conductor.outlets, conductor.patch, self._services.folder, round_trip)
        else:
            self._takes.stop()

    def save_replay(self, path: Path, seconds: float) -> None:
        """Write the last seconds of every output to new files, of the same frames of the clock, in a thread of its own.
        Raises ValueError.
        """
        heard = [o for o in self._conductor.outlets if o.request is None]
        if not heard:
            raise ValueError("nothing has been heard that could be kept")
        first = min(outlet.arrival for outlet in heard)
        end = min(int(outlet.header[STREAM_END]) for outlet in heard)

        def save() -> None:
            for outlet in heard:
                name = path if len(heard) == 1 else path.with_stem(f"{path.stem}-{outlet.id}")
                try:
                    source = outlet.ring, outlet.header
                    take = save_last(*source, seconds, name, self.rate, outlet.labels, first=first, end=end)
                except (AudioFileError, OSError) as error:
                    self._notice(str(error))
                else:
                    self._notice(f"{outlet.id}: the last {take.frames / self.rate:.2f} s are in {take.path}")

        Thread(target=save, name="replay", daemon=True).start()

    # -- what is due ---------------------------------------------------------------------------------------------------

    def step(self) -> float:
        """Do what is due; the answer is in how many seconds to come again."""
        if self._midi is not None:
            self._midi.step(monotonic())
        self._tell_lost()
        self._follow_own_nodes()
        if self._late_plugin.is_set():
            self._late_plugin.clear()
            self._conductor.compile_again()
        wait = self._conduct()
        self._takes.follow(self._conductor.outlets, self._conductor.patch, self._services.folder)
        for applied in self._conductor.applied:
            problems = [(e.node[:200], e.place[:1000], e.message[:5000]) for e in applied.problems]
            if not self._afresh and self._outcome is not None and self._outcome[:2] == (applied.serial, applied.played):
                for node, _, message in problems:
                    self._notice(f"{node}: {message}")
            else:
                self._outcome = applied.serial, applied.played, problems
            self._afresh = False
        self._conductor.applied.clear()
        if self._jump is not None:
            wait = min(wait, 0.002)
            self._follow(self._jump)
        return wait

    def _follow_own_nodes(self) -> None:
        """Where the files of nodes of the user's own are others now, or trusted now, have the patch compiled anew."""
        if self._own.changed(monotonic()):
            self._conductor.compile_again()
            self._afresh = True
        for words in self._own.notes:
            self._notice(words)
        self._own.notes.clear()

    def _conduct(self) -> float:
        """What the conductor has to do, as far as it is compiled; the rest is done when it is."""
        waits = [SOON_S]
        if self._put_off and self.compiler.progress is None:
            self._put_off = False
            self._conductor.compile_again()
        try:
            if not self.compiler.attempt(lambda: waits.append(self._conductor.step()), self._needs):
                self._put_off = True
        except KernelError as error:
            self._conductor.applied.append(Applied(self._serial, False, [PatchError(compiler_words(error))]))
        except Exception as error:
            # a fault of our own, or of a kind: whoever waits for the patch is told, and so is the server
            words = f"it could not be compiled ({type(error).__name__}: {error})"[:500]
            self._conductor.applied.append(Applied(self._serial, False, [PatchError(words)]))
            raise
        return waits[-1]

    def _needs(self) -> list[Recipe]:
        """What the newest patch is made of."""
        patch = self._conductor.patch
        assert patch is not None
        try:
            return recipes(compile(patch, kinds(), self._services, self.rate, missing=[]))
        except PatchError:
            return []  # it is said when it is taken up

    def _tell_lost(self) -> None:
        """Say it where events were lost, not more often than one can read it."""
        lost, now = int(self.renderer.context[LOST]), monotonic()
        told, at = self._lost
        if lost != told and now - at > LOST_S:
            self._lost = lost, now
            self._notice(f"{lost - told} events were lost: more came at once than there is room for.")

    def close(self) -> None:
        """End the takes and the disk's threads. Only when no device calls any more."""
        if self._midi is not None:
            self._midi.close()
        self._takes.close()
        self._reader.close()
        if self._link is not None:
            self._link.close()

    # -- what can be said ----------------------------------------------------------------------------------------------

    def outcome(self) -> tuple[int, bool, Iterable[tuple[str, str, str]]] | None:
        """The serial of the newest patch, whether it plays, and its problems; None while that is open."""
        return self._outcome

    def latencies(self) -> dict[str, int]:
        """Frames by which each output lags the timeline."""
        return self._conductor.latencies()

    def recording(self) -> tuple[str, ...]:
        """The files being written."""
        return self._takes.running()

    def place(self) -> int:
        """The transport's frame, or the one it is about to jump to."""
        asked = self._jump.place if self._jump is not None else None
        return self.renderer.place if asked is None else asked

    def culprit(self) -> str:
        """The node that took longest in the last block that took too long; none where none has since the last call."""
        return self._gauges.culprit()

    def numbers(self) -> dict[str, float]:
        """Numbers to publish. Loads are of the time since the last call."""
        return {**self._gauges.numbers(), **self._reader.cache.counts._asdict()}

    def sources(self) -> list[Source] | None:
        """The readings of the program in play, or None where it is the one it was at the last call."""
        return self._gauges.sources()
