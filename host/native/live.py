"""A program that an audio device runs: its state for native code, and the commands that reach it."""

from __future__ import annotations

import ctypes
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from time import perf_counter_ns
from typing import Any

import numpy as np
import numpy.typing as npt

from graph.document import Automation
from graph.lower import segments_of
from graph.spec import TICK, Param, helper
from host.native import callback as native_side
from host.native import state
from host.native.abi import FAULT, JUMPS, PLACE, ROLL, ROLLING, SCRUBBED, TIME
from host.native.arena import aligned, touched
from host.native.binding import new_context, segment_table
from host.native.kernelsteps import in_kernel
from host.native.knobs import Knob
from host.native.program import Instead, Program, Words, native
from host.native.raw import cycles, set_word, store_atomic
from host.native.steps import PARAM_SEGMENTS
from nodes.dsp.machine import bits_of

QUEUE = 1 << 14
"""Commands that may wait for the callback; those beyond wait here."""
LARGEST = 8192
"""Frames of a device's block that the FIFO takes at once."""

Frames = npt.NDArray[np.float32]
Key = tuple[str, str]


@dataclass(slots=True)
class Port:
    """A stream and what serves it.

    ``places``: for a device its channel of each lane (-1: none), for a player the words of its tape.
    """

    header: Words
    arrival: int
    channels: int
    places: Words | None


@dataclass(slots=True)
class Playable:
    """A program with what it plays from and to."""

    program: Program
    words: Words
    keep: list[Any]
    ramps: dict[Key, list[_Ramp]] = field(default_factory=dict[Key, "list[_Ramp]"])
    instead: dict[int, Instead] = field(default_factory=dict[int, Instead])
    users: dict[int, Words] = field(default_factory=dict[int, Words])
    ready: Callable[[], bool] | None = None
    """Where there is one, the callback gets the program, and all that is sent after it, only when this is so."""

    @property
    def address(self) -> int:
        """Where native code finds it."""
        return self.words.ctypes.data


@dataclass(slots=True)
class _Ramp:
    """One param of one step that may be sent somewhere."""

    words: Words
    param: Param
    keep: list[Any]


def playable(
    program: Program,
    sources: Sequence[Port],
    sinks: Sequence[Port],
    tapes: Sequence[Port],
    takes: Sequence[Port],
    wait: int = -1,
) -> Playable:
    """A program ready to be played. ``wait``: frames before its crossfades begin; -1 where it has none."""
    words = np.zeros(state.PLAY_WORDS, np.int64)
    words[state.ROWS] = program.rows.ctypes.data
    words[state.ROW_COUNT] = len(program.rows)
    words[state.WAIT] = wait
    keep: list[Any] = [program, words]
    tables = ((state.SOURCES, sources), (state.SINKS, sinks), (state.TAPES, tapes))
    for at, ports in (*tables, (state.TAKES, takes)):
        table = np.zeros((max(len(ports), 1), state.PORT_WORDS), np.int64)
        for row, port in zip(table, ports, strict=False):
            places = 0 if port.places is None else port.places.ctypes.data
            row[:] = port.header.ctypes.data, port.arrival, port.channels, places
        words[at], words[at + 1] = table.ctypes.data, len(ports)
        keep += [table, *ports]
    return Playable(program, words, keep)


def _word(at: int) -> Any:
    """A word of the state as a property."""
    return property(lambda live: int(live.words[at]))


class Live:
    """What a device drives. ``callback`` and ``user`` are PortAudio's; ``process`` does the same from Python."""

    def __init__(self, rate: int, block: int = 512) -> None:
        self.rate, self.block = rate, block
        self.context = new_context()
        self.context[ROLLING] = 0
        self.context[ROLL] = 0
        self.words = aligned((state.LIVE_WORDS,), "i8")
        self._queue = touched(aligned((QUEUE, state.COMMAND_WORDS), "i8"))
        self._active = touched(aligned((state.MOST_ACTIVE,), "i8"))
        self._waiting: deque[tuple[int, int, int, int]] = deque()
        self._fifos: list[Frames] = []
        self._kept: deque[tuple[int, Playable]] = deque()
        self._gates: dict[int, Callable[[], bool]] = {}
        self.cycles_per_second = _cycles_per_second()
        w = self.words
        w[state.CONTEXT], w[state.BLOCK] = self.context.ctypes.data, block
        w[state.COMMANDS], w[state.COMMANDS_MASK] = self._queue.ctypes.data, QUEUE - 1
        w[state.ACTIVE] = self._active.ctypes.data
        w[state.BUDGET] = bits_of(self.cycles_per_second / rate)
        self.callback = native(native_side.callback, 6)
        self.user = self.words.ctypes.data
        self.prepare(0, 2, block)

    # For the device

    def prepare(self, inputs: int, outputs: int, frames: int) -> int:
        """Get ready for a device: its channels, and frames per callback, 0 where they vary.

        Only while no callback runs. The frames of latency that this adds: none where blocks are whole ticks.
        """
        direct = frames > 0 and frames % TICK == 0
        latency = 0 if direct else TICK - math.gcd(frames or 1, TICK)
        capacity = LARGEST + TICK
        self._fifos = [touched(aligned((capacity + TICK, max(n, 1)), "f4")) for n in (inputs, outputs)]
        w = self.words
        w[state.INPUTS], w[state.OUTPUTS], w[state.DIRECT] = inputs, outputs, int(direct)
        w[state.FIFO_FRAMES] = LARGEST
        w[state.FIFO_IN], w[state.FIFO_OUT] = (fifo.ctypes.data for fifo in self._fifos)
        w[state.FIFO_IN_FILL] = 0
        w[state.FIFO_OUT_FILL] = latency
        return latency

    def process(self, input: Frames | None, output: Frames) -> None:
        """One callback from Python: arrays ``[frame, channel]``, C-ordered, of the channels that were prepared for."""
        if output.dtype != np.float32 or not output.flags.c_contiguous or output.shape[1] != self.outputs:
            raise ValueError(f"the output must be C-ordered float32 of {self.outputs} channels")
        given = 0
        if input is not None and self.inputs:
            if input.shape != (len(output), self.inputs) or input.dtype != np.float32 or not input.flags.c_contiguous:
                raise ValueError(f"the input must be C-ordered float32 of {len(output)} x {self.inputs}")
            given = input.ctypes.data
        _callback()(given, output.ctypes.data, len(output), 0, 0, self.user)

    # What can be read at any time

    @property
    def clock(self) -> int:
        """The address of the clock by which events that come in find their frame."""
        return self.user + 8 * state.CLOCK

    inputs = _word(state.INPUTS)
    outputs = _word(state.OUTPUTS)
    callbacks = _word(state.CALLBACKS)
    late = _word(state.LATE)
    bank = _word(state.BANK)
    wraps = _word(state.WRAPS)
    jumping = _word(state.PENDING)
    culprit = _word(state.CULPRIT)
    spent = _word(state.SPENT)
    ramping = _word(state.ACTIVE_COUNT)

    @property
    def frames(self) -> int:
        """The clock: frames rendered so far."""
        return int(self.context[TIME])

    @property
    def place(self) -> int:
        """The transport's frame on the timeline."""
        return int(self.context[PLACE])

    @property
    def rolling(self) -> bool:
        """Whether the transport moves."""
        return bool(self.context[ROLLING])

    @property
    def jumps(self) -> int:
        """Locates and loop wraps so far."""
        return int(self.context[JUMPS])

    @property
    def loop(self) -> tuple[int, int] | None:
        """First place of the loop, and the one after its last; None without a loop."""
        start, end = int(self.words[state.LOOP_START]), int(self.words[state.LOOP_END])
        return (start, end) if end > start else None

    @property
    def scrubbed(self) -> int:
        """NaN and infinite samples stopped."""
        return int(self.context[SCRUBBED])

    @property
    def faults(self) -> int:
        """Bad indices, in checked programs."""
        return int(self.context[FAULT])

    @property
    def settled(self) -> bool:
        """Whether everything sent was taken, and no crossfade is under way."""
        return self.idle and self.frames >= int(self.words[state.FADE_END])

    @property
    def idle(self) -> bool:
        """Whether everything sent was taken."""
        return not self._waiting and int(self.words[state.TAKEN]) == int(self.words[state.WRITTEN])

    def take_worst(self) -> float:
        """The longest callback in seconds since this was last asked."""
        worst = int(self.words[state.SPENT_WORST])
        self.words[state.SPENT_WORST] = 0
        return worst / self.cycles_per_second

    # Commands

    def send(self, what: int, one: int = 0, two: int = 0, three: int = 0) -> None:
        """Ask the callback for something, in order."""
        self._waiting.append((what, one, two, three))
        self.flush()

    def flush(self) -> None:
        """Hand over what had to wait, and let go of what is not played any more."""
        written = int(self.words[state.WRITTEN])
        room = QUEUE - (written - int(self.words[state.TAKEN]))
        while self._waiting and room:
            gate = self._gates.get(written)
            if gate is not None and not gate():
                break
            self._gates.pop(written, None)
            self._queue[written & (QUEUE - 1)] = self._waiting.popleft()
            written += 1
            room -= 1
        _release(self.words[state.WRITTEN :].ctypes.data, written)
        taken = int(self.words[state.TAKEN])
        while len(self._kept) > 1 and self._kept[1][0] < taken:
            self._kept.popleft()

    def play(self, what: Playable) -> None:
        """Play a program from the next block on. It is kept alive until another has replaced it."""
        number = int(self.words[state.WRITTEN]) + len(self._waiting)
        self._kept.append((number, what))
        if what.ready is not None:
            self._gates[number] = what.ready
        self.send(state.PLAY, what.address)

    def roll(self, on: bool, hard: bool = False) -> None:
        """Start or stop the transport; ``hard``: without the fade."""
        self.send(state.TURN, int(on), int(hard))

    def locate(self, place: int, bank: int) -> None:
        """Go on from another place, and from the bank of the tapes that was filled for it."""
        self.send(state.LOCATE, place, bank)

    def set_loop(self, start: int, end: int, bank: int = -1, inside: bool = False) -> None:
        """Loop from one place to another; no loop where they are equal. ``bank``: the one of the tapes that goes by it
        already, to go on from at once; ``inside``: the place is before its end, and goes round if it is not any more.
        """
        self.send(state.LOOP, start, end, bank | state.INSIDE if inside else bank)

    def adopt(self) -> None:
        """Do what the callback would do at its next block with everything sent. Only while no callback runs."""
        self.flush()
        _obey()(self.user)

    # Params

    def turn(self, playing: Playable, key: str, name: str, value: float) -> bool:
        """Send a param, in its display unit, to a value, within a ramp. False where no step reads it as it is.

        May compile code, the first time for a kind and shape.
        """
        program = playing.program
        found = False
        for knob_ramp in self._ramps(playing, key, name):
            found = True
            self.send(state.GO, knob_ramp.words.ctypes.data, bits_of(in_kernel(knob_ramp.param, value)))
        moved = program.moved.get((key, name))
        if moved is not None and not moved.step.segments:
            found = True
            self.send(state.BASE, moved.base.ctypes.data, bits_of(value), moved.past.ctypes.data)
        return found

    def bend(self, playing: Playable, key: str, name: str, line: Automation) -> bool:
        """Let the automation of a param be another, over a ramp from where it is. False where it has none in play."""
        moved = playing.program.moved.get((key, name))
        if moved is None or not moved.step.segments:
            return False
        moved.step = replace(moved.step, segments=segments_of(line, self.rate))
        table = segment_table(moved.step.segments)
        words = aligned((3,), "i8")
        words[state.BEND_SEGMENTS], words[state.BEND_COUNT] = table.ctypes.data, len(table)
        words[state.BEND_IDENTITY] = moved.step.identity
        in_use = int(moved.words[PARAM_SEGMENTS])
        taken = next((k for k, bend in enumerate(moved.bends) if bend[0].ctypes.data == in_use), 0)
        del moved.bends[:taken]  # the callback goes by a later one
        moved.bends.append((table, words))
        self.send(state.BEND, moved.words.ctypes.data, words.ctypes.data)
        return True

    def _ramps(self, playing: Playable, key: str, name: str) -> list[_Ramp]:
        if (key, name) not in playing.ramps:
            knobs = playing.program.knobs.get((key, name), [])
            playing.ramps[key, name] = [self._ramp(playing, key, knob) for knob in knobs]
        return playing.ramps[key, name]

    def _ramp(self, playing: Playable, key: str, knob: Knob) -> _Ramp:
        words = aligned((state.RAMP_WORDS,), "i8")
        buffer = aligned((self.block,), "f4")
        pair = knob.pair
        if pair is None:
            row = knob.row
            if row not in playing.instead:
                playing.instead[row] = playing.program.binding.kernels.instead(row)
                playing.users[row] = np.zeros(1, np.int64)
            instead = playing.instead[row]
            pair = instead.pairs[key, knob.param.name]
            words[state.RAMP_ROW] = playing.program.rows[row].ctypes.data
            words[state.RAMP_TABLE] = instead.table.ctypes.data
            words[state.RAMP_USERS] = playing.users[row].ctypes.data
        words[state.RAMP_PAIR] = pair.ctypes.data
        words[state.RAMP_CELL] = knob.cell.ctypes.data
        words[state.RAMP_BUFFER] = buffer.ctypes.data
        words[state.RAMP_HELD] = int(knob.param.rate == "tick")
        words[state.RAMP_CURVE] = _CURVES.get(knob.param.curve, state.STRAIGHT)
        return _Ramp(words, knob.param, [buffer, pair])


_CURVES: Mapping[str, int] = {
    "log": state.EVEN_RATIO,
    "choice": state.AT_ONCE,
    "integer": state.AT_ONCE,
}


@cache
def _callback() -> Callable[..., None]:
    return ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 6)(native(native_side.callback, 6))


@cache
def _obey() -> Callable[..., None]:
    return ctypes.CFUNCTYPE(None, ctypes.c_int64)(native(native_side.obey, 1))


@helper
def _store_released(address, value):
    store_atomic(address, value)


@cache
def _releaser() -> Callable[..., None]:
    return ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)(native(_store_released, 2))


def _release(address: int, value: int) -> None:
    _releaser()(address, value)


@helper
def _read_cycles(target):
    set_word(target, 0, cycles())


@cache
def _cycles_per_second() -> float:
    """How fast the machine's cycle counter counts."""
    read = ctypes.CFUNCTYPE(None, ctypes.c_int64)(native(_read_cycles, 1))
    spot = np.zeros(1, np.int64)

    def now() -> tuple[int, int]:
        read(spot.ctypes.data)
        return int(spot[0]), perf_counter_ns()

    first, begun = now()
    last, ended = now()
    while ended - begun < 2_000_000:
        last, ended = now()
    return (last - first) * 1e9 / (ended - begun)
