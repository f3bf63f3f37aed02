"""Descriptions cross processes as plain data, and are checked when they arrive."""

from __future__ import annotations

import copy
import math
from typing import Any

import msgpack
import numpy as np
import pytest

from host.plugins.description import MOST_PARAMS, Arrangement, Bus, Description, PluginParam, description_from, plain
from host.plugins.errors import PluginError
from host.plugins.instance import Transport, transport_words

STEREO = Bus("Main", "main", 2, "stereo", ("stereo", "mono"))
KEY = Bus("Key", "aux", 3, "", (), on=False)
FOUND = Description(
    format="vst3",
    uid="0" * 32,
    name="Echo",
    vendor="Someone",
    version="1.0",
    category="Fx|Delay",
    events_in=True,
    inputs=(STEREO, KEY),
    outputs=(STEREO,),
    arrangements=(Arrangement(("stereo", ""), ("stereo",)),),
    params=(
        PluginParam(7, "Time", "ms", 0, 0.5, "0", "1000"),
        PluginParam(1 << 31, "On", steps=1, values=("no", "yes")),
    ),
    latency_frames=64,
)


def test_there_and_back() -> None:
    assert description_from(plain(FOUND)) == FOUND
    assert description_from(msgpack.unpackb(msgpack.packb(plain(FOUND)))) == FOUND


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ((), [], r"plugin: a map"),
        (("format",), "exe", r"plugin\.format"),
        (("name",), 5, r"plugin\.name"),
        (("name",), "x" * 5000, r"plugin\.name"),
        (("events_in",), 1, r"plugin\.events_in"),
        (("inputs",), {}, r"plugin\.inputs"),
        (("inputs",), [plain(FOUND)["inputs"][0]] * 65, r"plugin\.inputs"),
        (("inputs", 1, "channels"), -1, r"plugin\.inputs\[1\]\.channels"),
        (("inputs", 1, "channels"), 1 << 40, r"plugin\.inputs\[1\]\.channels"),
        (("inputs", 0, "layout"), "octagon", r"plugin\.inputs\[0\]\.layout"),
        (("inputs", 0, "kind"), [], r"plugin\.inputs\[0\]\.kind"),
        (("arrangements", 0, "outputs"), "stereo", r"plugin\.arrangements\[0\]\.outputs"),
        (("params",), [plain(FOUND)["params"][0]] * (MOST_PARAMS + 1), r"plugin\.params"),
        (("params", 0, "id"), 1 << 32, r"plugin\.params\[0\]\.id"),
        (("params", 0, "id"), True, r"plugin\.params\[0\]\.id"),
        (("params", 1, "default"), math.nan, r"plugin\.params\[1\]\.default"),
        (("params", 1, "default"), 1.5, r"plugin\.params\[1\]\.default"),
        (("params", 1, "values", 1), None, r"plugin\.params\[1\]\.values\[1\]"),
        (("latency_frames",), 1 << 40, r"plugin\.latency_frames"),
        (("latency_frames",), 1.0, r"plugin\.latency_frames"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(path, value, where) -> None:
    data: Any = msgpack.unpackb(msgpack.packb(plain(FOUND)))
    holder = {"all": data}
    spot: Any = holder
    keys = ("all", *path)
    for key in keys[:-1]:
        spot = spot[key]
    spot[keys[-1]] = value
    with pytest.raises(PluginError, match=where):
        description_from(holder["all"])


@pytest.mark.parametrize("field", plain(FOUND))
def test_what_is_missing_is_named(field) -> None:
    data = copy.deepcopy(plain(FOUND))
    del data[field]
    with pytest.raises(PluginError, match=f"'{field}' is missing"):
        description_from(data)


def test_a_transport_in_words() -> None:
    words = transport_words(
        Transport(True, 480, 90.5, 3, 8, 1.25, 1.0, recording=True, loop=(2.0, 6.0), elapsed_frames=9)
    )
    assert list(words[:5]) == [7, 480, 9, 3, 8]
    assert list(words[5:10].view(np.float64)) == [90.5, 1.25, 1.0, 2.0, 6.0]
    assert list(transport_words(Transport())[:5]) == [0, 0, 0, 4, 4]
