"""Nodes that learn from files: aside, into the patch, as one step; and what is said where they cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest
import soundfile

from editor.inspector.learning import Lesson, can_learn
from editor.inspector.subject import subject
from editor.model import Session
from graph.document import Patch
from graph.edits import SetSetting
from graph.errors import PatchError
from graph.form import to_document
from graph.patchfile import load, save
from host.learning import learned, learned_by, learns
from host.services import FileServices
from nodes import kinds
from tests.editor.window import Window

DEADLINE_S = 60.0
RATE = 48000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    noise = 0.01 * np.random.default_rng(3).standard_normal((RATE, 2))
    soundfile.write(tmp_path / "room.wav", noise.astype(np.float32), RATE, subtype="FLOAT")
    return tmp_path


def patch_in(folder: Path, settings: dict[str, object], inside: bool = False) -> Patch:
    patch = Patch(sample_rate=RATE)
    patch.add("in", "audio_in", settings={"layout": "stereo"})
    patch.add("clean", "denoise", settings=settings)
    patch.add("lost", "file_player", settings={"path": "gone.wav"})
    patch.connect("in.out", "clean.in")
    if inside:
        inner = {k: v for k, v in to_document(patch).items() if k in ("nodes", "cables")}
        patch = Patch(sample_rate=RATE)
        patch.add("strip", "group", {"patch": inner, "ports": {}, "params": {}})
    patch.folder = folder
    return patch


def done(lesson: Lesson) -> Lesson:
    deadline = monotonic() + DEADLINE_S
    while not lesson.step():
        assert monotonic() < deadline, "it does not end"
        sleep(0.005)
    return lesson


def test_which_kinds_learn_is_what_the_command_line_goes_by() -> None:
    found = {name for name, kind in kinds().items() if learns(kind)}
    assert {"denoise", "eq_match"} <= found
    assert not {"gain", "convolution", "file_player"} & found
    session = Session(patch_in(Path(), {}))
    assert can_learn(subject(session, "clean"))
    assert not can_learn(subject(session, "in"))


@pytest.mark.parametrize("inside", [False, True])
def test_what_is_learned_is_what_the_command_line_learns_and_one_step(folder: Path, inside: bool) -> None:
    session = Session(patch_in(folder, {"learn_from": "room.wav"}, inside))
    if inside:
        session.enter("strip")
    lesson = done(Lesson(session, "clean"))
    assert not lesson.error
    alone = Patch(sample_rate=RATE)
    alone.add("clean", "denoise", settings={"learn_from": "room.wav"})
    alone.add("in", "audio_in", settings={"layout": "stereo"})
    alone.connect("in.out", "clean.in")
    expected = learned(alone, kinds(), FileServices(folder))["clean"]
    assert session.here.node("clean").state == expected
    assert len(session.history.done) == 1
    session.undo()
    assert session.here.node("clean").state is None
    session.redo()
    assert session.here.node("clean").state == expected


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "names no file"),
        ({"learn_from": "none.wav"}, "none.wav"),
        ({"learn_from": "room.wav", "learn_start_s": 5.0}, "the file ends after 1 s"),
    ],
)
def test_what_cannot_be_learned_is_said_and_changes_nothing(folder: Path, settings, said: str) -> None:
    session = Session(patch_in(folder, settings))
    lesson = done(Lesson(session, "clean"))
    assert said in lesson.error
    assert not session.history.done


def test_what_is_kept_does_not_stand_in_for_a_file_that_is_gone(folder: Path) -> None:
    patch = patch_in(folder, {"learn_from": "room.wav"})
    patch.node("clean").state = learned_by(patch, kinds(), FileServices(folder), "clean")
    (folder / "room.wav").unlink()
    with pytest.raises(PatchError, match=r"room\.wav"):
        learned_by(patch, kinds(), FileServices(folder), "clean")


def test_a_lesson_that_is_cancelled_changes_nothing_and_leaves_no_process(folder: Path) -> None:
    session = Session(patch_in(folder, {"learn_from": "room.wav"}))
    lesson = Lesson(session, "clean")
    lesson.cancel()
    assert lesson.over
    assert not lesson.step()
    assert not session.history.done


def test_what_went_meanwhile_is_said(folder: Path) -> None:
    from graph.edits import RemoveNode

    session = Session(patch_in(folder, {"learn_from": "room.wav"}))
    lesson = Lesson(session, "clean")
    session.do(RemoveNode("clean"))
    assert "not there any more" in done(lesson).error
    other = Session(patch_in(folder, {"learn_from": "room.wav"}))
    lesson = Lesson(other, "clean")
    other.open(Patch())
    assert "another patch" in done(lesson).error
    assert not other.history.done


def test_edits_meanwhile_stay(folder: Path) -> None:
    session = Session(patch_in(folder, {"learn_from": "room.wav"}))
    lesson = Lesson(session, "clean")
    session.do(SetSetting("clean", "learn_end_s", 0.5))
    done(lesson)
    assert session.here.node("clean").settings["learn_end_s"] == 0.5
    assert session.here.node("clean").state is not None


def test_learning_in_a_window(open_window: Callable[..., Window], folder: Path) -> None:
    save(patch_in(folder, {"learn_from": "room.wav"}), folder / "take.json")
    window = open_window(folder / "take.json", "--no-engine")
    window.until(lambda state: state["dialog"], "the file that is missing elsewhere is asked for")
    window.key("Escape")
    window.dialog("")
    window.click("header:clean")
    button = "inspector:clean:learning:learn"
    window.until(lambda state: state["selection"] == ["clean"])
    window.settle()
    window.click(button)
    window.until(lambda _: "state" in window.patch()["nodes"]["clean"], "it has learned")
    window.settle(6)
    window.shot("learned")
    window.click("inspector:clean:learning:forget")
    window.until(lambda _: "state" not in window.patch()["nodes"]["clean"], "it has forgotten")
    window.key("ctrl+z")
    window.until(lambda _: "state" in window.patch()["nodes"]["clean"], "forgetting is undone")
    window.key("ctrl+s")
    window.until(lambda state: not state["dirty"])
    expected = learned_by(load(folder / "take.json"), kinds(), FileServices(folder), "clean")
    assert load(folder / "take.json").node("clean").state == expected
    (folder / "room.wav").unlink()
    window.click(button)
    window.until(lambda state: any("room.wav" in text for _, text in state["notices"]), "what is wrong is said")
    window.settle(6)
    window.shot("nothing learned")
    assert not window.problems()
    window.close()
