"""What remote control needs of whoever holds the patch: its addresses, and its params in display units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from host.remote.addresses import Addresses

Row = tuple[str, str, float]
"""Node (or ``group/inner``), param, value in its display unit."""


class Target(Protocol):
    """The engine's client, or a test. Its methods are called from the one thread that calls ``Remote.step``."""

    @property
    def addresses(self) -> Addresses:
        """The params there are: the same object as long as the patch has the same ones."""
        ...

    def get(self, node: str, param: str) -> float:
        """The value of a param that is in ``addresses``, with everything that was set before."""
        ...

    def set(self, values: Sequence[Row]) -> None:
        """Give params values that were checked against their declarations."""
        ...
