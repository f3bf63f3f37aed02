"""Playing a patch from the command line, in a terminal or in lines, until its time is over or somebody ends it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from graph.document import Patch
from graph.errors import PatchError
from host.commands import ended_by_signals, printable, say
from host.engine.client import Engine
from host.messages import Notice
from host.terminal.news import News
from host.terminal.playing import Playing
from host.terminal.view import compiling_words, device_words, files_words, number_words

FRAMES_PER_S = 20.0
LINE_EVERY_S = 5.0
SHOWN_NOTICES = 6


def run(
    path: Path,
    *,
    device: str = "",
    in_device: str = "",
    rate: int = 0,
    block: int = 0,
    plugins_in: str = "plugin",
    disk_cache_mb: int | None = None,
    seconds: float | None = None,
    osc: int | None = None,
    midi: str = "",
) -> int:
    """Play a patch until its time is over, a key or a signal ends it. The answer is the exit status: 1 where sound
    dropped out, where the patch has problems, or where less was played than asked for.

    ``osc``: the port to listen at on this machine; ``midi``: the controller, or a part of its name, whose controls the
    patch's metadata map; the others are as for `Engine`. Raises PatchError, EngineError.
    """
    notices = News()
    wishes = {"device": device, "in_device": in_device, "rate": rate, "block": block}
    compiling = _Compiling()
    heard = {"on_notice": notices.put, "on_progress": compiling}
    how = {"plugins_in": plugins_in, "disk_cache_mb": disk_cache_mb}
    with ended_by_signals(), Engine(**wishes, **heard, **how) as engine:
        patch = Patch.load(path)
        engine.play()
        try:
            problems = engine.load(patch)
        except KeyboardInterrupt:
            say("ended before anything was played")
            return 1
        compiling.over = True
        for node, place, message in problems:
            say(f"{place or node}: {message}" if place or node else message)
        playing = Playing(engine, patch, seconds, notices)
        with contextlib.suppress(KeyboardInterrupt), _remote(engine, patch, osc, midi, notices):  # the way to end it
            name = printable(patch.name or path.stem)
            (_in_terminal if sys.stdout.isatty() else _in_lines)(playing, name)
        worst = playing.look().numbers.get("worst", 0.0)
        _tell(notices)
    _out(f"{playing.played_s:.1f} s played, worst load of late {worst:.0%}, {playing.xruns} dropouts")
    if playing.short:
        say(f"only {playing.played_s:.1f} s were played: the device asked for no more")
    if playing.xruns:
        say(f"sound dropped out: {playing.xruns} blocks came too late")
    return 1 if playing.xruns or problems or playing.short else 0


class _Compiling:
    """Says how far the compiler is, until it is ``over``: again and again in one line of a terminal, else once."""

    def __init__(self) -> None:
        self.over = False
        self._said = self._open = False

    def __call__(self, done: int, total: int) -> None:
        if self.over:
            return
        if sys.stderr.isatty():
            words = compiling_words(done, total) if total else ""
            if words or self._open:
                sys.stderr.write(f"\r\x1b[K{words}")
                sys.stderr.flush()
            self._open = bool(words)
        elif total and not self._said:
            self._said = True
            say(f"compiling {total} kernels, the first time")


@contextmanager
def _remote(engine: Engine, patch: Patch, osc: int | None, midi: str, notices: News) -> Iterator[None]:
    """Hands from outside on the params, where that is wished for. Raises PatchError where the port is taken."""
    if osc is None and not midi:
        yield
        return
    from host.remote.control import Remote
    from host.remote.engine import EngineTarget, EngineTransport

    target = EngineTarget(engine, patch)
    try:
        remote = Remote(
            target,
            osc=None if osc is None else ("127.0.0.1", osc),
            midi=midi,
            transport=EngineTransport(engine, patch.transport.tempo),
            notice=lambda text: notices.put(Notice("warning", text)),
        )
    except OSError as error:
        raise PatchError(f"port {osc} cannot be listened at: {error.strerror or error}") from None
    with remote:
        remote.use(patch.metadata)
        remote.start()
        if remote.osc is not None:
            host, port = remote.osc.address
            notices.put(Notice("info", f"OSC is heard at {host}:{port}"))
        yield


def _out(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _tell(notices: News) -> None:
    for text in notices.fresh():
        say(text)


def _in_lines(playing: Playing, name: str) -> None:
    shown, line_at = "", monotonic() + LINE_EVERY_S
    while not playing.over:
        status = playing.look()
        device = device_words(status)
        if status.device is not None and status.device.device and device != shown:
            shown = device
            _out(f"{name}: {device}")
        if monotonic() >= line_at:
            line_at += LINE_EVERY_S
            words = (number_words(status, playing), files_words(status))
            _out(f"{playing.place(status)}  {', '.join(filter(None, words))}")
        _tell(playing.notices)
        sleep(1 / FRAMES_PER_S)


def _in_terminal(playing: Playing, name: str) -> None:
    from rich.console import Console
    from rich.live import Live

    from host.terminal.keyboard import keyboard
    from host.terminal.view import Meters, picture

    meters, said = Meters(), list[str]()
    console = Console()
    with keyboard() as key, Live(console=console, auto_refresh=False, transient=True) as live:
        while not playing.over:
            said.extend(playing.notices.fresh())
            del said[:-SHOWN_NOTICES]
            live.update(picture(playing, meters, name, said, console.height), refresh=True)
            pressed = key(1 / FRAMES_PER_S)
            if pressed and not playing.press(pressed):
                return
