"""The process in which a node of one's own is tried: ``python -P -m host.usernodes.child --file FILE --digest SHA256``.

It answers in lines of JSON: ``{"problem": "…"}`` where the file cannot be a node; ``{"kind": "…"}`` once it runs and
its kernels are compiled; with ``--contract``, ``{"check": "…"}`` before each check and ``{"found": ["…"]}`` after it;
and ``{"done": true}``. It may hang, crash, or eat memory: whoever started it sees to that.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from graph.compiler import compile
from graph.document import Patch
from graph.errors import PatchError
from graph.spec import Node
from host.engine.compiling import recipes
from host.native.source import KernelError
from host.native.store import library
from host.plugins.probe import Voice, confine
from host.services import FileServices
from host.usernodes.loading import Keeper, loaded
from host.usernodes.source import Source, read
from host.usernodes.words import compiler_words
from nodes import kinds
from nodes.user import words_of

RATE = 48000
LAYOUTS = ("stereo", "mono")


class _Held(Keeper):
    """The one class that is tried, whatever path is asked for."""

    def __init__(self, found: type[Node]) -> None:
        super().__init__()
        self.found = found

    def kind(self, path: str, folder: Path) -> type[Node]:
        return self.found


def main(words: Sequence[str] | None = None) -> None:
    """Try a file, and end without running what it left to be run at the end."""
    parser = argparse.ArgumentParser(prog="python -m host.usernodes.child")
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--digest", required=True)
    parser.add_argument("--contract", action="store_true")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--megabytes", type=int, default=2048)
    parser.add_argument("--parent", type=int, default=0)
    given = parser.parse_args(words)
    confine(given.megabytes, given.parent)
    sys.stdout.flush()
    voice = Voice(os.dup(1), given.seconds)
    os.dup2(2, 1)
    try:
        source = read(given.file)
        if source.digest != given.digest:
            raise PatchError(f"{source.path} has changed meanwhile")
        _try(voice, source, given.contract)
    except PatchError as error:
        voice.say(problem=str(error))
    except KernelError as error:
        words_ = compiler_words(error)
        voice.say(problem=words_ if str(given.file) in words_ else f"{given.file}: {words_}")
    except Exception as error:  # hooks of the class itself, which nothing stands around here
        voice.say(problem=words_of(error, str(given.file)))
    voice.say(done=True)
    os._exit(0)


def _try(voice: Voice, source: Source, contract: bool) -> None:
    found = loaded(source)
    for layout in LAYOUTS:
        for recipe in recipes(compile(_alone(found, layout), kinds(), FileServices(Path(), own=_Held(found)), RATE)):
            library().address(recipe)
    voice.say(kind=found.kind)
    if contract:
        from host.contract import CHECKS, Subject, found_by

        subject = Subject(found)
        for check in CHECKS:
            voice.say(check=check)
            voice.say(found=[line[:1000] for line in found_by(subject, check)])


def _alone(found: type[Node], layout: str) -> Patch:
    """A patch of the node with its main input plugged."""
    patch = Patch(sample_rate=RATE)
    patch.add("node", "user", settings={"path": "node"})
    main = next(
        (p for p in found.ports({s.name: s.default for s in found.settings_declared()}) if p.flow == "in"), None
    )
    if main is not None and main.type == "audio" and main.layout in ("auto", "any", layout):
        patch.add("in", "audio_in", settings={"layout": layout})
        patch.connect("in.out", f"node.{main.name}")
    return patch


if __name__ == "__main__":
    main()
