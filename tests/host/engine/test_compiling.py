"""What is not compiled yet is compiled aside: nobody waits, and who asks is told how far it is."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from graph import Patch
from graph.compiler import compile
from graph.spec import helper
from host import Engine
from host.engine import compiling, conductor
from host.engine.compiling import Compiler, foundation, recipes
from host.engine.player import LivePlayer
from host.native import live
from host.native.live import Live
from host.native.raw import store_f32
from host.native.source import KernelError
from host.native.store import Library, NotCompiledError, cache_folder, function_recipe, library
from host.services import FileServices
from nodes import kinds

from .conftest import until

LONG_S = 120.0
"""A compiler may take its time on a machine that has other things to do."""


@helper
def seven(a):
    return a + 7


@helper
def eight(a):
    return a + 8


@helper
def wrong(a):
    store_f32(a, 0, int("7"))


@pytest.fixture
def cold(tmp_path, monkeypatch) -> Path:
    """A cache that holds what every engine needs, and nothing of any node."""
    compiled = cache_folder()
    Live(48000).adopt()
    always = [*foundation(), function_recipe(live._store_released, 2), function_recipe(live._read_cycles, 1)]
    for recipe in always:
        library().address(recipe)
    needed = {f"{recipe.key}.o" for recipe in always}
    folder = tmp_path / "cache"
    folder.mkdir()
    for path in compiled.glob("*.o"):
        if path.name in needed:
            (folder / path.name).symlink_to(path)
    monkeypatch.setenv("PATCHWRIGHT_CACHE", str(folder))
    return folder


def test_who_hurries_is_refused_what_is_not_compiled_and_gets_it_afterwards(cold):
    shelf, recipe = Library(), function_recipe(seven, 1)
    assert not shelf.has(recipe)
    with shelf.hurried(), pytest.raises(NotCompiledError) as missing:
        shelf.function(seven, 1)
    assert missing.value.recipe == recipe
    assert shelf.built == 0
    address = shelf.function(seven, 1)
    assert shelf.has(recipe)
    with shelf.hurried():
        assert shelf.function(seven, 1) == address
    assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(address)(3) == 10


def test_what_cannot_be_compiled_is_tried_once(cold):
    shelf = Library()
    for _ in range(2):
        with pytest.raises(KernelError, match="wrong"):
            shelf.function(wrong, 1)
    with shelf.hurried(), pytest.raises(KernelError, match="wrong"):
        shelf.function(wrong, 1)


def test_a_compiler_does_what_was_put_off(cold):
    compiler, done = Compiler(), list[int]()
    assert compiler.progress is None
    seen = set()

    def attempt() -> bool:
        seen.add(compiler.progress)
        return compiler.attempt(
            lambda: done.append(library().function(seven, 1)),
            lambda: [function_recipe(seven, 1), function_recipe(wrong, 1)],
        )

    assert not attempt()
    until(attempt)
    assert len(done) == 1
    until(lambda: compiler.progress is None)
    assert {total for _, total in filter(None, seen)} <= {2}
    compiler.close()


def test_what_is_broken_in_the_cache_is_compiled_again(cold):
    library().address(function_recipe(eight, 1))
    broken = cold / f"{function_recipe(eight, 1).key}.o"
    broken.write_bytes(broken.read_bytes()[:-1] + b"?")
    shelf, compiler, done = Library(), Compiler(), list[int]()
    assert shelf.has(function_recipe(eight, 1))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(compiling, "library", lambda: shelf)
        until(lambda: compiler.attempt(lambda: done.append(shelf.function(eight, 1)), list))
    assert shelf.built == 1
    assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(done[0])(3) == 11


def test_a_patch_that_cannot_be_compiled_is_refused_and_the_one_before_plays(patch, tmp_path, monkeypatch):
    player = LivePlayer(48000, lambda flow, first, count: list(range(first, first + count)), lambda text: None)
    try:
        player.set_patch(1, patch, tmp_path)
        until(lambda: player.step() >= 0 and player.outcome() is not None)
        assert player.outcome() == (1, True, [])
        step = player._conductor.step

        def fails() -> float:
            step()
            raise KernelError("level cannot be compiled: it is wrong")

        monkeypatch.setattr(player._conductor, "step", fails)
        player.set_patch(2, patch, tmp_path)
        player.step()
        monkeypatch.undo()
        outcome = player.outcome()
        assert outcome is not None
        assert outcome[:2] == (2, False)
        assert [message for _, _, message in outcome[2]] == ["level cannot be compiled: it is wrong"]
        player.set_patch(3, patch, tmp_path)
        until(lambda: player.step() >= 0 and player.outcome() == (3, True, []))
    finally:
        player.close()


def test_the_list_of_needs_is_all_that_a_patch_needs(patch, cold):
    known = {path.name for path in cold.iterdir()}
    schedule = compile(patch, kinds(), FileServices(Path.cwd()), 48000)
    needed = recipes(schedule)
    assert len(needed) == 3
    for recipe in needed:
        library().address(recipe)
    with Engine(patch, device="null") as engine:
        until(lambda: engine.status.numbers.get("clock", 0) > 0)
        assert {path.name for path in cold.iterdir()} == known | {f"{recipe.key}.o" for recipe in needed}


def test_while_a_patch_is_compiled_the_engine_answers_and_says_how_far_it_is(patch, cold):
    first = Patch("First", 48000)
    first.add("tone", "oscillator", freq_hz=100)
    first.add("out", "audio_out")
    first.connect("tone.out", "out.in")
    said: list[tuple[int, int]] = []
    with Engine(device="null", on_progress=lambda done, total: said.append((done, total))) as engine:
        assert engine.load(first) == ()
        assert any(total > 0 for _, total in said)
        until(lambda: engine.status.compiling is None, seconds=LONG_S)
        until(lambda: float(engine.readings().get("out", {}).get("peak", [0])[0]) > 0.2)
        said.clear()
        patch.add("room", "delay")
        patch.connect("level.out", "room.in")
        patch.connect("room.out", "out.in")
        engine.load(patch, wait=False)
        until(lambda: engine.status.compiling is not None)
        answers = 0
        while engine.status.compiling is not None:
            engine.set("tone", "freq_hz", 200 + answers)
            engine.sync()
            answers += 1
        assert answers > 2
        assert [n.text for n in engine.notices if n.level == "error"] == []
        until(lambda: engine.status.problems == () and "room" in engine.costs(), seconds=LONG_S)
        totals = [total for _, total in said]
        assert max(totals) >= 2
        until(lambda: said[-1] == (0, 0), seconds=LONG_S)
        assert engine.patch.node("tone").params["freq_hz"] == 199 + answers
    assert os.environ["PATCHWRIGHT_CACHE"] == str(cold)


def test_a_fault_while_a_patch_is_compiled_is_said_of_that_patch(tmp_path, monkeypatch):
    def fault(*_words, **_named):
        raise ZeroDivisionError("a fault")

    player = LivePlayer(48000, lambda flow, first, count: list(range(first, first + count)), lambda text: None)
    patch = Patch("Fault", 48000)
    patch.add("out", "audio_out")
    try:
        player.set_patch(1, patch, tmp_path)
        until(lambda: player.step() >= 0 and player.outcome() is not None)
        monkeypatch.setattr(conductor, "plan", fault)
        player.set_patch(2, patch, tmp_path)
        with pytest.raises(ZeroDivisionError):
            player.step()
        monkeypatch.undo()
        player.step()
        serial, playing, problems = player.outcome()
        assert (serial, playing) == (2, False)
        assert "ZeroDivisionError: a fault" in next(iter(problems))[2]
        player.set_patch(3, patch, tmp_path)
        until(lambda: player.step() >= 0 and player.outcome() == (3, True, []))
    finally:
        player.close()
