"""The process in which one plugin file is looked at: ``python -P -m host.plugins.probe --file FILE --format vst3``.

It answers in lines of JSON, each flushed before the next thing is tried::

    {"stage": "loading the file"}                     what it does now
    {"classes": [["<uid>", "<name>"], …]}             what is in the file
    {"begin": "<uid>"}                                it turns to one of them …
    {"end": "<uid>", "verdict": "good", "backend": "…", "note": "…", "description": {…}}
    {"end": "<uid>", "verdict": "refused", "reason": "…"}
    {"closed": "<uid>"}                               … and lets go of it
    {"verdict": "not a plugin", "reason": "…"}        the file as a whole
    {"ping": {…}}                                     with ``--ping UID``
    {"done": true}

It expects to die at any moment. What it writes anywhere else is noise; so is what a plugin writes on standard output.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import faulthandler
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RATE, BLOCK, BLOCKS = 48000, 512, 4
SPARE_MEGABYTES = 6144
"""Of address space beyond what may be used: interpreters and compilers reserve more than they touch."""
ABANDONED = 4.0
"""After so many time-outs without an answer it ends itself, should nobody else have."""
DEATH_SIGNAL = 1
"""``PR_SET_PDEATHSIG``."""


@dataclass
class Voice:
    """Where answers go."""

    descriptor: int
    seconds: float

    def say(self, **answer: Any) -> None:
        """Answer, and have the time begin anew."""
        line = json.dumps(answer, ensure_ascii=True, allow_nan=False).encode() + b"\n"
        while line:
            line = line[os.write(self.descriptor, line) :]
        faulthandler.dump_traceback_later(ABANDONED * self.seconds, exit=True)


def main(words: Sequence[str] | None = None) -> None:
    """Look at a file, and end without running what plugins left to be run at the end."""
    parser = argparse.ArgumentParser(prog="python -m host.plugins.probe")
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--format", choices=("vst3", "au"), required=True)
    parser.add_argument("--backend", choices=("native",), default="native")
    parser.add_argument("--skip", action="append", default=[], metavar="UID")
    parser.add_argument("--ping", metavar="UID")
    parser.add_argument("--rate", type=int, default=RATE)
    parser.add_argument("--block", type=int, default=BLOCK)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--megabytes", type=int, default=2048)
    parser.add_argument("--parent", type=int, default=0)
    given = parser.parse_args(words)
    _confine(given.megabytes, given.parent)
    sys.stdout.flush()
    voice = Voice(os.dup(1), given.seconds)
    os.dup2(2, 1)
    voice.say(stage="getting ready")
    if given.ping:
        _ping(voice, given)
    else:
        _look(voice, given)
    voice.say(done=True)
    os._exit(0)


def _confine(megabytes: int, parent: int) -> None:
    """Take no more than is allowed, leave no dumps, and end with the parent, where the system can do that."""
    if sys.platform == "win32":
        return
    import resource

    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):
        space = (megabytes + SPARE_MEGABYTES) << 20
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DEATH_SIGNAL, signal.SIGKILL)
        if parent and os.getppid() != parent:
            os._exit(1)


def _classes(path: Path) -> list[tuple[str, str]]:
    from host.plugins.vst3.module import load

    return [(kind.uid, kind.name) for kind in load(path).classes]


def _opened(path: Path, uid: str) -> Any:
    from host.plugins.vst3.plugin import Vst3Plugin

    return Vst3Plugin(path, uid)


def _look(voice: Voice, given: argparse.Namespace) -> None:
    from host.plugins.instance import PluginError

    voice.say(stage="loading the file")
    try:
        classes = _classes(given.file)
    except PluginError as error:
        voice.say(verdict="refused" if _speaks(given.file) else "not a plugin", reason=_short(error, given.file))
        return
    voice.say(classes=[[uid, name] for uid, name in classes])
    for uid, _ in classes:
        if uid not in given.skip:
            voice.say(begin=uid)
            _try(voice, given, uid)
            voice.say(closed=uid)


def _try(voice: Voice, given: argparse.Namespace, uid: str) -> None:
    """Load a plugin, run it over some silence, ask for its state, and let go of it."""
    from host.plugins.instance import PluginError, plain
    from host.plugins.ping import buffers, own_arrangement

    plugin = None
    try:
        voice.say(stage="loading the plugin")
        plugin = _opened(given.file, uid)
        voice.say(stage="preparing it")
        plugin.prepare(given.rate, given.block)
        voice.say(stage="processing silence")
        own = own_arrangement(plugin.description)
        into, out = buffers(own.inputs, given.block), buffers(own.outputs, given.block)
        for _ in range(BLOCKS):
            plugin.process(into, out)
        voice.say(stage="asking for its state")
        plugin.state()
        note = "; ".join(dict.fromkeys(n.text for n in plugin.notices() if n.kind == "trouble" and n.text))
        voice.say(end=uid, verdict="good", backend=given.backend, note=note, description=plain(plugin.description))
    except PluginError as error:
        voice.say(end=uid, verdict="refused", reason=_short(error, given.file))
    if plugin is not None:
        voice.say(stage="closing it")
        plugin.close()


def _ping(voice: Voice, given: argparse.Namespace) -> None:
    from host.plugins.instance import PluginError
    from host.plugins.ping import ping

    voice.say(stage="measuring its latency")
    try:
        found = ping(lambda: _opened(given.file, given.ping), given.rate, given.block)
    except PluginError as error:
        voice.say(verdict="refused", reason=_short(error, given.file))
        return
    voice.say(ping=found.plain())


def _speaks(path: Path) -> bool:
    """Whether a library in it names the function that a plugin of its format begins with."""
    word = b"GetPluginFactory"
    files = [path] if path.is_file() else [p for p in path.glob("Contents/*/*") if p.is_file()]
    return any(word in file.read_bytes() for file in files[:16])


def _short(error: Exception, path: Path) -> str:
    """An error without the path, which the answer is about anyway."""
    return " ".join(str(error).removeprefix(f"{path}: ").split())


if __name__ == "__main__":
    main()
