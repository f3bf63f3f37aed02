"""The benchmark of the editor measures what it says, and refuses what it does not know. No figure is judged here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.editing import mixed
from benchmarks.editor import BOUNDS_S, main, print_rows
from graph.compiler import compile
from host.services import FileServices
from nodes import kinds


def test_a_part_that_is_not_there_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["gestures", "sleep"])
    assert ended.value.code == 2
    assert "'sleep' is no part" in capsys.readouterr().err


@pytest.mark.parametrize("count", [20, 100, 300])
def test_the_mix_is_a_patch_of_so_many_nodes_that_plays(count: int, tmp_path: Path) -> None:
    patch = mixed(count)
    assert len(patch.nodes()) == count
    assert len({entry.position for entry in patch.nodes().values()}) == count
    schedule = compile(patch, kinds(), FileServices(tmp_path))
    assert {node.id for node in schedule.nodes} == set(patch.nodes())


def test_bounds_are_met_or_said_not_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    label = "100 nodes, meters moving"
    for own, verdict in ((BOUNDS_S[label] * 0.9, "  met (≤ 4 ms)"), (BOUNDS_S[label] * 1.1, "NOT MET (≤ 4 ms)")):
        print_rows({label: {"own": [own], "drawing": [1.0], "wall": [1.0], "loop": [0.002]}})
        assert verdict in capsys.readouterr().out


def test_an_edit_is_measured_beside_the_loop_and_an_empty_frame(tmp_path: Path) -> None:
    if shutil.which("Xvfb") is None:
        pytest.skip("there is no Xvfb")
    answer = tmp_path / "answer.json"
    assert main(["editing", "--frames", "5", "--json", str(answer)]) == 0
    rows = json.loads(answer.read_text(encoding="utf-8"))["rows"]
    assert set(rows) == {"an empty frame of Dear PyGui", "200 nodes: a cable and a node, to the engine"}
    assert len(rows["an empty frame of Dear PyGui"]["drawing"]) == 5
    for row in rows.values():
        assert min(row["own"]) >= 0
        assert min(row["loop"]) > 0
