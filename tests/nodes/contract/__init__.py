"""What every kind of node must keep to, and the means to find out. Loaded by the tests beside it as
``patchwright_contract``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from . import company, declaration, sound
from .declaration import named
from .rig import Subject, once

CHECKS: dict[str, Callable[[Subject], Iterator[str]]] = {
    "declared": declaration.declared,
    "native": declaration.native,
    "bounds": sound.bounds,
    "finite": sound.finite,
    "blocks": sound.blocks,
    "latency": sound.latency,
    "tail": sound.tail,
    "nan": sound.nan,
    "moving": sound.moving,
    "holding": sound.holding,
    "wide": company.wide,
    "sums": company.sums,
    "bypass": company.bypass,
}

FIRST = ("native", "bounds")
"""What does not keep to these cannot be tried any further: it does not compile, or writes over the memory of others."""

__all__ = ["CHECKS", "Subject", "found_by", "named"]


@once
def found_by(subject: Subject, check: str, most: int = 5) -> list[str]:
    """The first few things that a check finds wrong; nothing where a check that comes first has found something, or
    there is nothing to try (which ``declared`` says).
    """
    if check != "declared":
        if not subject.structures:
            return []
        before = FIRST[: FIRST.index(check)] if check in FIRST else FIRST
        if any(found_by(subject, first) for first in before):
            return []
    return list(islice(CHECKS[check](subject), most))
