"""Params of a plugin in groups, and its own programs, in a real window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from graph.document import Patch
from host.plugins.description import PluginParam
from tests.editor.plugins.rig import CRUSH, entry_of, filled, good
from tests.editor.plugins.test_plugins_window import until
from tests.editor.window import Window

Open = Callable[..., Window]
BANK = ("Bright", "Dull", "Broken")
PROGRAM = PluginParam(900, "Program", "", 2, 0.0, BANK[0], BANK[-1], BANK, group="Voice", program=True)


def opened(open_window: Open, folder: Path, params: tuple[PluginParam, ...]) -> Window:
    """A window on a patch with a plugin that has these params."""
    about = replace(CRUSH, params=params)
    filled(folder / "window0" / "data", (good(about, "/plugins/Crush.vst3"),))
    patch = Patch("Groups")
    patch.add("fx", "plugin")
    patch.node("fx").settings.update(entry_of(about).settings)
    patch.save(folder / "groups.json")
    window = open_window(folder / "groups.json", "--no-engine")
    window.click("header:fx")
    return window


def shown(window: Window, name: str) -> bool:
    """Whether a param is in the inspector, to be seen."""
    rect = window.ask(do="locate", what=f"inspector:fx.{name}")["rect"]
    return rect is not None and rect[3] > 0


def test_params_stand_in_their_groups_which_fold(open_window: Open, tmp_path: Path) -> None:
    params = (
        PluginParam(1, "Level"),
        PluginParam(2, "Cutoff", group="Voice / Filter"),
        PROGRAM,
        PluginParam(3, "Peak", group="Voice / Filter"),
        PluginParam(4, "Hard", steps=1, group="Voice"),
    )
    window = opened(open_window, tmp_path, params)
    tops = [window.rect(f"inspector:fx.{name}")[1] for name in ("level", "cutoff", "program")]
    headings = [window.rect(f"inspector:fx:group:{k}")[1] for k in (0, 1)]
    assert sorted([*tops, *headings]) == [tops[0], headings[0], tops[1], headings[1], tops[2]]
    assert window.rect("inspector:fx.peak")[1] == tops[1], "beside its sibling"
    window.shot("plugin_groups")
    window.click("inspector:fx:group:0")
    until(lambda: window.rect("inspector:fx:group:1")[1] < headings[1] - 20, "it does not fold")
    window.click("plane:300,300")
    window.click("header:fx")
    until(lambda: window.rect("inspector:fx:group:1")[1] < headings[1] - 20, "it is not folded any more")
    window.click("inspector:fx:fold:0")
    until(lambda: window.rect("inspector:fx:group:1")[1] == headings[1], "it does not unfold")
    assert window.problems() == []
    window.close()


def test_hundreds_of_params_in_groups_are_folded_and_searched(open_window: Open, tmp_path: Path) -> None:
    many = [PluginParam(k, f"Dial {k:03}", group=f"Part {k // 30}") for k in range(300)]
    window = opened(open_window, tmp_path, tuple(many))
    window.rect("inspector:fx.dial_003")
    window.click("inspector:fx:group:0")
    until(lambda: not shown(window, "dial_003") and shown(window, "dial_031"), "it does not fold")
    window.shot("plugin_groups_many")
    window.click("inspector:fx:search")
    window.type("part 0 005")
    until(lambda: shown(window, "dial_005") and not shown(window, "dial_031"), "what is folded is not found")
    for _ in "part 0 005":
        window.key("BackSpace")
    until(lambda: not shown(window, "dial_005") and shown(window, "dial_031"), "it is not folded any more")
    assert window.problems() == []
    window.close()


def test_programs_are_offered_as_presets(open_window: Open, tmp_path: Path) -> None:
    window = opened(open_window, tmp_path, (PluginParam(1, "Level"), PROGRAM))
    window.command("plugins.presets")
    window.dialog("Presets of Crush")
    window.shot("plugin_programs")
    window.click("dialog:presets:search")
    window.type("dul")
    until(
        lambda: window.ask(do="locate", what="dialog:presets:program:program:2")["rect"] is None, "it does not search"
    )
    window.click("dialog:presets:program:program:1")
    state = window.until(lambda s: s["undo"])
    assert Patch.from_json(state["patch"]).node("fx").params == {"program": pytest.approx(0.5)}
    assert len(state["undo"]) == 1
    assert window.problems() == []
    window.close()
