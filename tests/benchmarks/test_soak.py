"""The soak, for seconds: everything that must not pile up, drift or click."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import serving
from benchmarks.clicks import bends, clicks, found_of_planted, most_near
from benchmarks.serving import Served, served
from benchmarks.soak import STEADY, main, report, rows_of_edits, rows_of_process
from benchmarks.soaking import Edited, edited, soaked
from benchmarks.stress import EDITS, RATE, Mix
from graph.compiler import compile
from host.services import FileServices
from nodes import kinds


@pytest.mark.parametrize("source", ["sine", "music"])
def test_edits_of_every_kind_are_not_heard_as_clicks_and_touch_nothing_else(source):
    found = edited(source, 6.0, per_second=10)
    assert found.clicks == []
    assert found.planted > (20 if source == "sine" else 4)  # the ear can hear
    assert found.missed == 0
    assert found.identical
    assert found.refused == []
    assert len(found.edits) >= 3


def test_a_minute_as_fast_as_it_goes_leaves_nothing_behind():
    said: list[str] = []
    found = soaked(60.0, said.append, laps=8)
    assert found.drift == 0
    assert found.clicks == 0
    assert found.identical
    assert found.refused == []
    # Sound that runs ahead of a busy machine may leave no time for some of what a lap should bring.
    assert found.loads >= 4
    assert 1 <= found.takes <= 3
    assert found.edits
    assert found.censuses[-1].programs <= 4
    assert {what: found.grown(what) for what in STEADY if what != "shared"} == dict.fromkeys(
        [what for what in STEADY if what != "shared"], 0
    )
    assert said


def test_an_engine_process_keeps_nothing_of_edits_takes_jumps_and_clients():
    said: list[str] = []
    found = served(8.0, said.append, laps=4)
    assert found.refused == []
    assert len(found.engines) == 1
    assert found.clients == 5
    assert found.takes == 4
    assert sum(found.edits.values()) >= 20
    assert found.counts[-1]["programs"] <= 4
    assert {what: found.grown(what) for what in serving.STEADY} == dict.fromkeys(serving.STEADY, 0)
    assert found.slope == found.slope
    assert said


def test_every_edit_of_the_mix_can_be_played(tmp_path):
    mix = Mix("sine")
    for k in range(100):
        rows = list(EDITS.values())[k % len(EDITS)](mix)
        schedule = compile(mix.patch(), kinds(), FileServices(tmp_path), RATE)
        ids = {node.id for node in schedule.nodes}
        assert all(node in ids for node, _, _ in rows or ())
    assert len(mix.chain) > 0


def test_clicks_are_found_where_they_are():
    time = np.arange(RATE) / RATE
    tone = np.repeat((0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)[:, None], 2, 1)
    allowed = float(bends(tone).max())
    assert clicks(tone, allowed) == []
    assert clicks(tone, most_near(tone)) == []
    ramp = np.linspace(1, 0.5, 512, dtype=np.float32)[:, None]
    soft = tone.copy()
    soft[10_000:10_512] *= ramp
    soft[10_512:] *= 0.5
    assert clicks(soft, allowed) == []
    hard = tone.copy()
    hard[20_001:] *= 0.9
    assert [frame // 480 for frame in clicks(hard, allowed)] == [20_001 // 480]
    assert found_of_planted(tone, allowed, 20) >= 18


def test_a_bound_that_is_not_met_is_said(capsys):
    bad = Edited("sine", 1.0, {"cable": 1}, [7], 3, False, 0, ["no"])
    assert not report(rows_of_edits(bad))
    assert capsys.readouterr().out.count("NOT MET") == 3
    counts = [
        {"megabytes": m, "slots": 1, "programs": 9, "tapes": 0, "threads": m, "files": 3} for m in (100, 100, 200)
    ]
    leaking = Served(lap_s=60.0, engines={1, 2}, refused=["no"], counts=counts)
    assert not report(rows_of_process(leaking))
    assert capsys.readouterr().out.count("NOT MET") == 5
    assert not bad.passed
    with pytest.raises(SystemExit):
        main(["--minutes", "0"])
