"""The workloads are the patches they are said to be."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.workloads import GAINS, WORKLOADS, decibels, large, mixdown, small
from graph.check import problems
from graph.patchfile import from_document
from nodes import kinds

DOCUMENTS = {w.key: w.document for w in WORKLOADS.values()} | {"small": small, "large": lambda: large(500)}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_is_wrong_with_a_workload(name: str) -> None:
    assert [str(problem) for problem in problems(from_document(DOCUMENTS[name]()), kinds())] == []


def test_the_mixdown_has_what_it_should() -> None:
    document = mixdown()
    counted = Counter(node["kind"] for node in document["nodes"].values())
    assert counted == {
        "file_player": 32,
        "eq": 32,
        "compressor": 32 + 4 + 1,
        "gain": 32,
        "pan": 32,
        "send": 64,
        "bus": 4 + 2 + 1,
        "reverb": 1,
        "delay": 1,
        "limiter": 1,
        "audio_out": 1,
    }
    into = Counter(cable["to"] for cable in document["cables"])
    assert [into[f"{bus}.in"] for bus in ("dialogue", "music", "fx", "ambience")] == [8] * 4
    assert into["to_reverb.in"] == into["to_delay.in"] == 32
    assert {"from": "dialogue_comp.out", "to": "duck.sidechain"} in document["cables"]
    assert into["master.in"] == 6


def test_the_wide_gains_sum_to_what_the_limit_sums_to() -> None:
    gains = [n["params"]["level_db"] for n in WORKLOADS["w2"].document()["nodes"].values() if n["kind"] == "gain"]
    assert gains == [decibels(g) for g in GAINS]
    assert sum(10 ** (g / 20) for g in gains) == pytest.approx(1.2495, abs=1e-9)


@pytest.mark.parametrize("count", [500, 1000, 10_000])
def test_the_large_patch_has_as_many_nodes_as_asked(count: int) -> None:
    document = large(count)
    assert len(document["nodes"]) == count
    assert len(from_document(document).graph) == count
    plugged = {cable["to"].split(".")[0] for cable in document["cables"]}
    sources = {id for id, node in document["nodes"].items() if node["kind"] == "oscillator"}
    assert plugged | sources == set(document["nodes"])
