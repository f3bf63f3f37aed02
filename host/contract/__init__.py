"""What every kind of node must keep to, and the means to find out: for the tests of the built-in kinds, and for
``patchwright nodes check``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from host.contract import company, declaration, sound
from host.contract.declaration import named
from host.contract.rig import Subject, once

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
