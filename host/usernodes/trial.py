"""Trying a node of one's own in a process of its own, which may hang or crash without harm."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from graph.errors import PatchError
from host.plugins.trial import Ending, Limits, attempt
from host.usernodes.source import Source, glance, read
from host.usernodes.trust import trust

COMMAND = (sys.executable, "-P", "-m", "host.usernodes.child")
LIMITS = Limits(20.0, 4096)
"""Compiling is part of it."""
CONTRACT_LIMITS = Limits(120.0, 4096)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the contract found; nothing where all is well."""

    check: str
    found: tuple[str, ...]


def tried(source: Source, limits: Limits = LIMITS, stop: threading.Event | None = None) -> None:
    """Run a file and compile its kernel, elsewhere. Raises PatchError where it does not come to an end, or is wrong."""
    glance(source)
    _refuse(source, _attempt(source, (), limits, stop))


def trusted_after_trial(source: Source, limits: Limits = LIMITS, stop: threading.Event | None = None) -> None:
    """Trust a file from now on, once it is known to load and to compile. Raises PatchError where it does not, and
    OSError where the decision cannot be kept.
    """
    tried(source, limits, stop)
    if read(source.path).digest != source.digest:
        raise PatchError(f"{source.path} has changed meanwhile; look at it again")
    trust(source.digest, source.path)


def held_to_contract(
    source: Source, limits: Limits = CONTRACT_LIMITS, stop: threading.Event | None = None
) -> list[Verdict]:
    """What the contract that all kinds keep finds wrong with a file, check by check. Raises PatchError where it cannot
    even be tried.
    """
    glance(source)
    ending = _attempt(source, ("--contract",), limits, stop)
    found = list(_verdicts(ending))
    if not found:
        _refuse(source, ending)
    return found


def _attempt(source: Source, words: tuple[str, ...], limits: Limits, stop: threading.Event | None) -> Ending:
    file = ("--file", str(source.path.resolve()), "--digest", source.digest)
    return attempt([*COMMAND, *file, *words], limits, stop)


def _refuse(source: Source, ending: Ending) -> None:
    for answer in ending.answers:
        if isinstance(answer.get("problem"), str):
            raise PatchError(answer["problem"])
    if not any(answer.get("done") for answer in ending.answers):
        raise PatchError(f"{source.path}: {ending.words or 'its process ended early'}")


def _verdicts(ending: Ending) -> Iterator[Verdict]:
    check = ""
    for answer in ending.answers:
        match answer:
            case {"check": str(name)}:
                check = name
            case {"found": list(lines)}:
                yield Verdict(check, tuple(str(line) for line in lines))
                check = ""
            case {"problem": str(words)}:
                yield Verdict(check or "declared", (words,))
                check = ""
    if check:
        yield Verdict(check, (ending.words or "its process ended early",))
