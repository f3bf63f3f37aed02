"""Random real input for a while; and that whoever watches it notices what is planted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.editor.e2e.monkey import Monkey, MonkeyError, caged, ended, run
from tests.editor.window import Screen, Window

SECONDS = "PATCHWRIGHT_MONKEY_S"
"""How long the monkey is at it, where 60 s are not wanted."""
SEED = "PATCHWRIGHT_MONKEY_SEED"


def test_random_input_breaks_nothing_and_loses_nothing(screen: Screen, tmp_path: Path) -> None:
    seconds, seed = float(os.environ.get(SECONDS, "60")), int(os.environ.get(SEED, "20"))
    counts = run(screen, tmp_path, seed, seconds, "--device", "null", drawn=False).counts
    assert counts["edits"] > 0, "it did nothing to the patch"


def edited(screen: Screen, folder: Path, window: Window, fault: str) -> None:
    """Some edits, after which it is another document, and the look at the end."""
    monkey = Monkey(window, 1)
    for _ in range(7):
        monkey.edit()
    ended(screen, folder, monkey, "--no-engine", fault=fault)


def test_some_edits_come_through_it_well(screen: Screen, tmp_path: Path) -> None:
    window = caged(screen, tmp_path, "--no-engine")
    try:
        edited(screen, tmp_path, window, "")
    finally:
        window.discard()


@pytest.mark.parametrize(
    ("fault", "words"),
    [("sync", "on purpose"), ("crash", "with status"), ("journal", "the journal"), ("recover", "after a crash")],
)
def test_what_is_planted_is_noticed(screen: Screen, tmp_path: Path, fault: str, words: str) -> None:
    window = caged(screen, tmp_path, "--no-engine", fault=fault)
    try:
        with pytest.raises(MonkeyError, match=words) as noticed:
            edited(screen, tmp_path, window, fault)
        assert "seed 1" in str(noticed.value)
        assert (tmp_path / "events.json").exists()
    finally:
        window.discard()


def test_nothing_is_written_outside_the_cage(screen: Screen, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    window = caged(screen, tmp_path / "cage", "--no-engine")
    try:
        window.command("arrange.auto")
        window.command("file.save-as")
        window.until(lambda state: state["dialog"] == "Save the patch")
        window.settle(6)
        window.key("ctrl+a")
        window.type(f"{outside}/escaped")
        window.key("Return")
        window.until(lambda state: any("cage" in text or "permission" in text.lower() for _, text in state["notices"]))
        assert list(outside.iterdir()) == []
        window.command("file.quit")
        window.settle(5)
        assert window.process.poll() is None
    finally:
        window.discard()
