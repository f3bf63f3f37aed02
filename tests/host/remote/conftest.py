"""A patch with a group in it, held the way an engine's client holds one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from graph import Patch
from host.remote.addresses import Addresses, addresses_of
from host.remote.target import Row
from nodes import kinds


class Desk:
    """A target that keeps what it is given."""

    def __init__(self, patch: Patch) -> None:
        self.addresses: Addresses = addresses_of(patch, kinds())
        self.values = {place.key: float(place.param.default) for place in self.addresses}
        self.calls: list[list[Row]] = []

    def get(self, node: str, param: str) -> float:
        return self.values[node, param]

    def set(self, values: Sequence[Row]) -> None:
        self.calls.append(list(values))
        for node, param, value in values:
            assert (node, param) in self.values
            self.values[node, param] = value


def make_patch() -> Patch:
    patch = Patch("Desk", sample_rate=48000)
    patch.add("osc", "oscillator")
    patch.add("flt", "filter")
    patch.add("eq1", "eq")
    patch.add("main", "bus")
    patch.add("late", "sample_delay")
    inner = {"nodes": {"cmp": {"kind": "compressor"}, "amp": {"kind": "gain"}}, "cables": []}
    patch.add("strip", "group", {"patch": inner, "ports": {}, "params": {"squash": "cmp.ratio"}})
    patch.add("odd", "no_such_kind")
    return patch


@pytest.fixture
def patch() -> Patch:
    return make_patch()


@pytest.fixture
def desk(patch: Patch) -> Desk:
    return Desk(patch)
