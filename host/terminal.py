"""``patchwright run``: a patch played in the terminal, with meters, load and keys; where there is none, in lines."""

from __future__ import annotations

import contextlib
import math
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import Any

from graph.document import Patch
from graph.errors import PatchError
from host.engine.client import Engine, EngineStatus
from host.engine.readings import Floats
from host.messages import Notice
from host.transport.tempo import Meter, place_at
from host.transport.timecode import RATES, timecode_at

FRAMES_PER_S = 20.0
LINE_EVERY_S = 5.0
STEP_S = 5.0
"""How far the arrow keys go."""
LATE_S = 10.0
"""A device may take so much longer than the seconds that were asked for."""
HOLD_S = 1.5
FLOOR_DB = -60.0
WIDTH = 40
RED_DB, YELLOW_DB = -1.0, -12.0
_YELLOW, _RED = (round(WIDTH * (1.0 - level / FLOOR_DB)) for level in (YELLOW_DB, RED_DB))
_ZONES = (("green", 0, _YELLOW), ("yellow", _YELLOW, _RED), ("red", _RED, WIDTH))
SHOWN_NOTICES = 6
KEYS = "space play/stop   0 start   ←/→ 5 s   t timecode   q quit"


class _Meters:
    """Levels with the highest of the last moments held."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, int], tuple[float, float]] = {}

    def rows(self, readings: Mapping[str, Mapping[str, Floats]], now: float) -> list[tuple[str, float, float]]:
        """Name, level and held level in dBFS, for every channel of every node that has a peak."""
        found: list[tuple[str, float, float]] = []
        for node, parts in sorted(readings.items()):
            for channel, value in enumerate(parts.get("peak", ())):
                level = _decibels(float(value))
                held, since = self._held.get((node, channel), (-math.inf, 0.0))
                if level >= held or now - since > HOLD_S:
                    held, since = level, now
                self._held[node, channel] = held, since
                found.append((f"{node} {channel + 1}" if len(parts["peak"]) > 1 else node, level, held))
        return found


def _decibels(value: float) -> float:
    return 20.0 * math.log10(value) if value > 0.0 and math.isfinite(value) else -math.inf


def _cells(level: float) -> int:
    return round(WIDTH * min(max(level / -FLOOR_DB + 1.0, 0.0), 1.0)) if level > -math.inf else 0


def _words(level: float) -> str:
    return f"{level:6.1f}" if level > -math.inf else "    −∞"


class Playing:
    """A patch that is played until its time is over, or until somebody says so."""

    def __init__(self, engine: Engine, patch: Patch, seconds: float | None, notices: SimpleQueue[Notice]) -> None:
        self.engine = engine
        self.notices = notices
        self.played_s = 0.0
        self.xruns = 0
        self.timecode = patch.metadata.get("timecode", "25")
        if self.timecode not in RATES:
            self.timecode = "25"
        transport = patch.transport
        self._meter = Meter(float(transport.tempo), *transport.time_signature)
        self._seconds = seconds
        self._clock = 0.0
        self._xruns = 0
        self._until = monotonic() + seconds + LATE_S if seconds is not None else math.inf

    def look(self) -> EngineStatus:
        """How the engine is; time and dropouts are added up, an engine that started anew counting from nought."""
        status = self.engine.status
        clock, xruns = status.numbers.get("clock", 0.0), int(status.numbers.get("xruns", 0.0))
        rate = status.numbers.get("rate") or 1.0
        self.played_s += (clock - self._clock if clock >= self._clock else clock) / rate
        self.xruns += xruns - self._xruns if xruns >= self._xruns else xruns
        self._clock, self._xruns = clock, xruns
        return status

    @property
    def over(self) -> bool:
        """Whether the time that was asked for has been played, or will not be."""
        return self._seconds is not None and (self.played_s >= self._seconds or monotonic() > self._until)

    @property
    def short(self) -> bool:
        """Whether less was played than asked for."""
        return self._seconds is not None and self.over and self.played_s < self._seconds

    def place(self, status: EngineStatus) -> str:
        """Where the transport is: timecode, and bar and beat."""
        rate = int(status.numbers.get("rate", 0)) or 48000
        frame = max(0, round(status.place_s * rate))
        code = timecode_at(frame, rate, RATES[self.timecode])
        return f"{code} ({self.timecode})  {place_at(frame, rate, self._meter)}"

    def press(self, key: str) -> bool:
        """Act upon a key; False where it ends the playing."""
        status = self.engine.status
        match key:
            case "q" | "Q" | "\x03" | "\x04":
                return False
            case " " | "p":
                self.engine.stop() if status.rolling else self.engine.play()
            case "0":
                self.engine.locate(0.0)
            case "left":
                self.engine.locate(max(0.0, status.place_s - STEP_S))
            case "right":
                self.engine.locate(status.place_s + STEP_S)
            case "t":
                names = list(RATES)
                self.timecode = names[(names.index(self.timecode) + 1) % len(names)]
            case _:
                pass
        return True


def run(
    path: Path,
    *,
    device: str = "",
    in_device: str = "",
    rate: int = 0,
    block: int = 0,
    seconds: float | None = None,
    osc: int | None = None,
    midi: str = "",
) -> int:
    """Play a patch until its time is over, a key or a signal ends it. The answer is the exit status: 1 where sound
    dropped out, where the patch has problems, or where less was played than asked for.

    ``osc``: the port to listen at on this machine; ``midi``: the controller, or a part of its name, whose controls the
    patch's metadata map. Raises PatchError, EngineError.
    """
    notices: SimpleQueue[Notice] = SimpleQueue()
    with (
        _ended_by_signals(),
        Engine(device=device, in_device=in_device, rate=rate, block=block, on_notice=notices.put) as engine,
    ):
        patch = Patch.load(path)
        engine.play()
        problems = engine.load(patch)
        for node, place, message in problems:
            _say(f"{place or node}: {message}" if place or node else message)
        playing = Playing(engine, patch, seconds, notices)
        with contextlib.suppress(KeyboardInterrupt), _remote(engine, patch, osc, midi, notices):  # the way to end it
            (_in_terminal if sys.stdout.isatty() else _in_lines)(playing, patch.name or path.stem)
        worst = playing.look().numbers.get("worst", 0.0)
        _tell(notices)
    _out(f"{playing.played_s:.1f} s played, worst load of late {worst:.0%}, {playing.xruns} dropouts")
    if playing.short:
        _say(f"only {playing.played_s:.1f} s were played: the device asked for no more")
    if playing.xruns:
        _say(f"sound dropped out: {playing.xruns} blocks came too late")
    return 1 if playing.xruns or problems or playing.short else 0


@contextmanager
def _remote(engine: Engine, patch: Patch, osc: int | None, midi: str, notices: SimpleQueue[Notice]) -> Iterator[None]:
    """Hands from outside on the params, where that is wished for. Raises PatchError where the port is taken."""
    if osc is None and not midi:
        yield
        return
    from host.remote.control import Remote
    from host.remote.engine import EngineTarget

    target = EngineTarget(engine, patch)
    try:
        remote = Remote(
            target,
            osc=None if osc is None else ("127.0.0.1", osc),
            midi=midi,
            notice=lambda text: notices.put(Notice("warning", text)),
        )
    except OSError as error:
        raise PatchError(f"port {osc} cannot be listened at: {error.strerror or error}") from None
    with remote:
        remote.use(patch.metadata)
        remote.start()
        yield


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end things as Ctrl-C does."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    names = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(name, end) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _out(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _drained(notices: SimpleQueue[Notice]) -> list[Notice]:
    found: list[Notice] = []
    while True:
        try:
            found.append(notices.get_nowait())
        except Empty:
            return found


def _tell(notices: SimpleQueue[Notice]) -> None:
    for notice in _drained(notices):
        _say(notice.text)


def _device(status: EngineStatus) -> str:
    d = status.device
    if d is None or not d.device:
        return "opening the device"
    name = f"{d.api}: {d.device}" if d.api else d.device
    block = f"blocks of {d.block}" if d.block else "blocks of any size"
    latency = 1000.0 * (d.device_latency + d.patch_latency) / (d.rate or 1)
    return f"{name}, {d.rate} Hz, {block}, {d.inputs} in, {d.outputs} out, latency {latency:.1f} ms"


def _numbers(status: EngineStatus, playing: Playing) -> str:
    n = status.numbers
    words = f"load {n.get('load', 0.0):.1%}, worst {n.get('worst', 0.0):.1%}, dropouts {playing.xruns}"
    if n.get("missed"):
        words += f", frames missed from disk {n['missed']:.0f}"
    if n.get("scrubbed"):
        words += f", samples that were no numbers {n['scrubbed']:.0f}"
    return words


def _in_lines(playing: Playing, name: str) -> None:
    shown, line_at = "", monotonic() + LINE_EVERY_S
    while not playing.over:
        status = playing.look()
        device = _device(status)
        if status.device is not None and status.device.device and device != shown:
            shown = device
            _out(f"{name}: {device}")
        if monotonic() >= line_at:
            line_at += LINE_EVERY_S
            _out(f"{playing.place(status)}  {_numbers(status, playing)}")
        _tell(playing.notices)
        sleep(1 / FRAMES_PER_S)


def _in_terminal(playing: Playing, name: str) -> None:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    meters, said = _Meters(), list[str]()

    def picture() -> Any:
        status = playing.look()
        said.extend(notice.text for notice in _drained(playing.notices))
        del said[:-SHOWN_NOTICES]
        costs = sorted(playing.engine.costs().items(), key=lambda item: -item[1][0])[:3]
        dearest = ", ".join(f"{node} {average:.2%}" for node, (average, _) in costs)
        state = "playing" if status.rolling else "standing"
        lines = [
            Text(f"{name}  {state if status.alive else 'the engine is being started again'}", "bold"),
            Text(playing.place(status)),
            Text(_device(status)),
            Text(_numbers(status, playing) + (f"   most: {dearest}" if dearest else "")),
            *(_bar(*row) for row in meters.rows(playing.engine.readings(), monotonic())),
            *(Text(words, "yellow") for words in said),
            Text(KEYS, "dim"),
        ]
        return Group(*lines)

    with _keys() as key, Live(console=Console(), auto_refresh=False, transient=True) as live:
        while not playing.over:
            live.update(picture(), refresh=True)
            pressed = key(1 / FRAMES_PER_S)
            if pressed and not playing.press(pressed):
                return


def _bar(name: str, level: float, held: float) -> Any:
    from rich.text import Text

    found = Text(f"{name[:20]:20} ")
    full, mark = _cells(level), _cells(held) - 1
    signs = "█" * full + "·" * (WIDTH - full)
    signs = signs[:mark] + "│" + signs[mark + 1 :] if mark >= full else signs
    for style, first, last in _ZONES:
        found.append(signs[first:last], style)
    found.append(f" {_words(level)} {_words(held)}")
    return found


@contextmanager
def _keys() -> Iterator[Callable[[float], str]]:
    """A function that waits so many seconds for a key: a character, ``left``, ``right``, or nothing."""
    if not sys.stdin.isatty():

        def none(seconds: float) -> str:
            sleep(seconds)
            return ""

        yield none
    elif sys.platform == "win32":
        yield _windows_key
    else:
        import termios
        import tty

        before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
        try:
            yield _unix_key
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _unix_key(seconds: float) -> str:
    import os
    import select

    if not select.select([sys.stdin], [], [], seconds)[0]:
        return ""
    data = os.read(sys.stdin.fileno(), 16)
    if not data:
        return "q"  # the terminal is gone
    return {b"\x1b[D": "left", b"\x1bOD": "left", b"\x1b[C": "right", b"\x1bOC": "right"}.get(data, chr(data[0]))


def _windows_key(seconds: float) -> str:
    import msvcrt

    read: Any = msvcrt
    end = monotonic() + seconds
    while monotonic() < end:
        if read.kbhit():
            character = read.getwch()
            if character in ("\x00", "\xe0"):
                return {"K": "left", "M": "right"}.get(read.getwch(), "")
            return character
        sleep(0.01)
    return ""
