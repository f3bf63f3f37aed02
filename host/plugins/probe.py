"""The process in which one plugin file is looked at: ``python -P -m host.plugins.probe --file FILE --format vst3``.

It answers in lines of JSON, each flushed before the next thing is tried::

    {"stage": "loading the file"}                     what it does now …
    {"trying": "native", "left": 1}                   … with which backend, and how many others it could try
    {"classes": [["<uid>", "<name>"], …]}             what is in the file
    {"begin": "<uid>"}                                it turns to one of them …
    {"failed": "<uid>", "reason": "…"}                that backend said no
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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RATE, BLOCK = 48000, 512
SPARE_MEGABYTES = 16384
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
    parser.add_argument("--skip", action="append", default=[], metavar="UID", help="has its verdict")
    parser.add_argument("--past", action="append", default=[], metavar="UID=BACKEND", help="not this backend again")
    parser.add_argument("--backend", default="native", help="what to ping with")
    parser.add_argument("--ping", metavar="UID")
    parser.add_argument("--rate", type=int, default=RATE)
    parser.add_argument("--block", type=int, default=BLOCK)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--megabytes", type=int, default=2048)
    parser.add_argument("--parent", type=int, default=0)
    given = parser.parse_args(words)
    confine(given.megabytes, given.parent)
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


def confine(megabytes: int, parent: int) -> None:
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


def _look(voice: Voice, given: argparse.Namespace) -> None:
    voice.say(stage="loading the file")
    classes = _classes(voice, given)
    if classes is None:
        return
    voice.say(classes=classes)
    for uid, _ in classes:
        if uid not in given.skip:
            voice.say(begin=uid)
            _try(voice, given, uid)
            voice.say(closed=uid)


def _label(backend: str) -> str:
    """What a backend is called in sentences."""
    return {"board": "pedalboard"}.get(backend, backend)


def _order(voice: Voice, given: argparse.Namespace, uid: str) -> Iterator[Any]:
    """The backends that are left for a plugin, each said; for the list of what is in the file, that of ``""``."""
    from host.plugins.choose import backends

    order = [backend for backend in backends(given.format) if f"{uid}={_label(backend)}" not in given.past]
    for left, backend in reversed(list(enumerate(reversed(order)))):
        voice.say(trying=_label(backend), left=left)
        yield backend


def _classes(voice: Voice, given: argparse.Namespace) -> list[tuple[str, str]] | None:
    """Ids and names of what is in the file; None where there is nothing, which has been said."""
    from host.plugins import choose
    from host.plugins.errors import PluginError

    for backend in _order(voice, given, ""):
        try:
            return [(uid, _name(given, backend, uid)) for uid in choose.classes(given.file, given.format, [backend])]
        except PluginError as error:
            voice.say(failed="", reason=_short(error, given.file, backend))
    verdict = "refused" if given.format == "au" or _speaks(given.file) else "not a plugin"
    voice.say(verdict=verdict, reason="")
    return None


def _name(given: argparse.Namespace, backend: str, uid: str) -> str:
    if backend != "native":
        return given.file.stem
    from host.plugins.vst3.module import load

    return load(given.file).find(uid).name


def _try(voice: Voice, given: argparse.Namespace, uid: str) -> None:
    """Have one backend after the other load a plugin and try it."""
    from host.plugins import choose
    from host.plugins.description import plain
    from host.plugins.errors import PluginError

    voice.say(stage="trying it")
    for backend in _order(voice, given, uid):
        try:
            found = choose.choose(given.file, uid, given.format, [backend])
        except PluginError as error:
            voice.say(failed=uid, reason=_short(error, given.file, backend))
            continue
        note = "; ".join(found.reasons).replace(f"{backend}: ", "")
        voice.say(end=uid, verdict="good", backend=found.backend, note=note, description=plain(found.description))
        return
    voice.say(end=uid, verdict="refused", reason="")


def _ping(voice: Voice, given: argparse.Namespace) -> None:
    from host.plugins.choose import open_plugin
    from host.plugins.errors import PluginError
    from host.plugins.ping import ping

    voice.say(stage="measuring its latency")
    try:
        found = ping(lambda: open_plugin(given.file, given.ping, given.backend, given.format), given.rate, given.block)
    except PluginError as error:
        voice.say(verdict="refused", reason=_short(error, given.file))
        return
    voice.say(ping=found.plain())


def _speaks(path: Path) -> bool:
    """Whether a library in it names the function that a plugin of its format begins with."""
    word = b"GetPluginFactory"
    files = [path] if path.is_file() else [p for p in path.glob("Contents/*/*") if p.is_file()]
    return any(word in file.read_bytes() for file in files[:16])


def _short(error: Exception, path: Path, backend: str = "") -> str:
    """An error without the path and the backend, which the answer is about anyway."""
    return " ".join(str(error).removeprefix(f"{backend}: ").replace(f"{path}: ", "").split())


if __name__ == "__main__":
    main()
