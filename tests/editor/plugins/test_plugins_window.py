"""Plugins in a real window: added, browsed, missing, played, lost, off; with plugins of Debian's zam-plugins."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from editor.stock import of_plugin
from graph.document import Patch
from host.plugins.description import PluginParam
from host.plugins.folders import find
from host.plugins.presets import unpack
from host.plugins.scan import Scan
from host.plugins.store import FileResult, Found, Store
from tests.editor.plugins.rig import CRUSH, entry_of, filled, good
from tests.editor.window import DEADLINE_S, Window

Open = Callable[..., Window]
NAMES = ("ZamComp", "ZaMaximX2", "ZamVerb")
FILES = [Path(f"/usr/lib/vst3/{name}.vst3") for name in NAMES]
pytestmark = pytest.mark.skipif(not all(f.exists() for f in FILES), reason="Debian's zam-plugins are not installed")
BAD = FileResult(
    "/plugins/Broken.vst3", "vst3", "s", "crashed", "it died of SIGSEGV while it was loaded", "a last word"
)


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of somebody who has scanned three plugins, and one that crashed."""
    folder = tmp_path_factory.mktemp("scanned")
    with Store(folder) as store:
        Scan(store, lambda words: None).these(find(FILES, lambda words: None))
        assert [f.verdict for f in store.files()] == ["good"] * 3
        store.put(BAD)
    return folder


@pytest.fixture
def there(scanned: Path) -> dict[str, Found]:
    """The plugins, by name."""
    with Store(scanned) as store:
        return {found.description.name: found for found in store.plugins()}


@pytest.fixture
def open_scanned(open_window: Open, scanned: Path, tmp_path: Path) -> Open:
    """Opens windows of somebody who has scanned."""
    count = iter(range(9))

    def open_one(*arguments: str | Path) -> Window:
        shutil.copytree(scanned, tmp_path / f"window{next(count)}" / "data")
        return open_window(*arguments)

    return open_one


def chain(there: dict[str, Found], folder: Path, **missing: Any) -> Path:
    """A tone through a compressor and a limiter; the compressor with other settings, if any are given."""
    patch = Patch("Chain")
    patch.add("tone", "oscillator")
    for id, name in (("comp", "ZamComp"), ("max", "ZaMaximX2")):
        entry = of_plugin(there[name]).entry()
        patch.add(id, "plugin")
        patch.node(id).settings.update(entry.settings)
        patch.node(id).title = name
    patch.node("comp").settings.update(missing)
    patch.node("comp").params.update({"attack": 0.5, "threshold": 0.25})
    patch.add("out", "audio_out")
    for k, id in enumerate(("tone", "comp", "max", "out")):
        patch.node(id).position = (300.0 * k, 0.0)
    for a, b in (("tone.out", "comp.in"), ("comp.out", "max.in"), ("max.out", "out.in")):
        patch.connect(a, b)
    path = folder / "chain.json"
    patch.save(path)
    return path


def node(window: Window, id: str) -> dict[str, Any]:
    """A node of the patch that is open."""
    return window.patch()["nodes"][id]


def processes(below: int, words: str) -> list[int]:
    """The processes below another whose command has some words."""
    listed = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
    found: list[int] = []
    left = {str(below)}
    while left:
        children = [row for row in rows if row[1] in left]
        left = {row[0] for row in children}
        found += [int(row[0]) for row in children if words in row[2]]
    return found


def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait for something outside the window."""
    deadline = monotonic() + DEADLINE_S
    while not (found := condition()):
        assert monotonic() < deadline, what
        sleep(0.02)
    return found


def test_a_plugin_is_dragged_from_the_list_onto_a_cable_and_found_by_tab(open_scanned: Open, tmp_path: Path) -> None:
    patch = Patch("Bare")
    patch.add("tone", "oscillator")
    patch.add("out", "audio_out")
    patch.node("tone").position, patch.node("out").position = (0.0, 0.0), (640.0, 0.0)
    patch.connect("tone.out", "out.in")
    patch.save(tmp_path / "bare.json")
    window = open_scanned(tmp_path / "bare.json", "--no-engine")
    window.click("palette:show:plugins")
    window.click("palette:search")
    window.type("maxim")
    item = "palette:plugin:vst3:2046504473616C6332584D5A00000000"
    x, y, _, height = window.rect(item)
    window.drag((x + 40, y + height / 2), window.middle("cable:tone.out->out.in"))
    state = window.until(lambda s: len(s["cables"]) == 2)
    assert sorted(state["cables"]) == ["tone.out -> zamaximx2.in", "zamaximx2.out -> out.in"]
    made = node(window, "zamaximx2")
    assert made["settings"]["uid"] == "2046504473616C6332584D5A00000000"
    assert (made["settings"]["name"], made["settings"]["vendor"]) == ("ZaMaximX2", "Damien Zammit")
    assert made["settings"]["path_hint"] == "/usr/lib/vst3/ZaMaximX2.vst3"
    assert made["title"] == "ZaMaximX2"
    assert len(state["undo"]) == 1
    window.move(*window.middle("plane:200,300"))
    window.key("Tab")
    window.type("zamcomp")
    window.key("Return")
    window.until(lambda s: "zamcomp" in s["nodes"])
    window.rect("pin:zamcomp.sidechain")
    assert node(window, "zamcomp")["settings"]["name"] == "ZamComp"
    window.shot("plugins_added")
    assert window.problems() == []
    window.close()


def test_the_browser_says_why_a_file_is_not_good_and_adds_one_that_is(open_scanned: Open) -> None:
    window = open_scanned("--no-engine", "--new")
    window.key("ctrl+shift+b")
    window.until(lambda s: s["dialog"] == "Plugins")
    window.settle(10)
    window.shot("plugin_browser")
    window.type("crashed")
    window.rect("plugin-row:Broken")
    assert window.ask(do="locate", what="plugin-row:ZamVerb")["rect"] is None, "what does not fit is not listed"
    for _ in "crashed":
        window.key("BackSpace")
    window.type("reverb")
    window.click("plugin-row:ZamVerb")
    window.click("dialog:plugins:accept")
    state = window.until(lambda s: s["nodes"])
    assert state["nodes"] == ["zamverb"]
    assert state["dialog"] == ""
    assert window.problems() == []
    window.close()


def test_a_missing_plugin_is_kept_until_another_takes_its_place_with_params_by_name(
    open_scanned: Open, there: dict[str, Found], tmp_path: Path
) -> None:
    path = chain(there, tmp_path, uid="00" * 16, path_hint="/nowhere/ZamComp.vst3", name="ZamComp II")
    window = open_scanned(path, "--no-engine")
    before = window.state()["patch"]
    assert Patch.from_json(before) == Patch.load(path), "nothing of it is touched"
    window.click("header:comp")
    window.settle(5)
    window.shot("plugin_missing")
    window.click("inspector:comp:plugin:substitute:0")
    state = window.until(lambda s: s["undo"])
    assert node(window, "comp")["settings"]["uid"] == there["ZamComp"].description.uid
    assert node(window, "comp")["params"] == {"attack": 0.5, "threshold": 0.25}
    assert len(state["cables"]) == 3
    window.key("ctrl+z")
    window.until(lambda s: not s["undo"])
    assert window.state()["patch"] == before
    assert window.problems() == []
    window.close()


def test_what_is_turned_in_a_plugins_window_is_undone_and_a_lost_plugin_comes_back(
    open_scanned: Open, there: dict[str, Found], tmp_path: Path
) -> None:
    window = open_scanned(chain(there, tmp_path), "--device", "null")
    window.until(lambda s: s["engine"] == "on")
    window.click("header:max")
    until(lambda: len(processes(window.process.pid, "host.plugins.worker")) == 2, "the plugins are not loaded")
    until(lambda: window.ask(do="locate", what="badge:max")["rect"] is None, "it is not ready")
    environment = {**os.environ, "DISPLAY": window._display}

    def own() -> list[str]:
        words = ["xdotool", "search", "--onlyvisible", "--name", "ZaMaximX2"]
        return subprocess.run(words, capture_output=True, text=True, env=environment, check=False).stdout.split()

    window.click("inspector:max:plugin:window")
    until(own, "its window does not open")
    window.settle(20)
    window.shot("plugin_window")
    window.drag((131, 68), (131, 98))
    state = window.until(lambda s: s["undo"])
    window.settle(40)
    turned = node(window, "max")["params"]["threshold"]
    assert turned < 1.0
    assert window.state()["undo"] == state["undo"] == ["Set threshold"]
    window.command("edit.undo")
    window.until(lambda s: not s["undo"])
    assert "params" not in node(window, "max")
    window.settle(40)
    assert window.state()["redo"] == ["Set threshold"], "what the plugin makes of an undo is no step"
    for pid in processes(window.process.pid, "host.plugins.worker"):
        os.kill(pid, signal.SIGKILL)
    state = window.until(lambda s: any("was lost" in text for _, text in s["notices"]), "nobody is told")
    assert any("nothing is lost" in text for _, text in state["notices"])
    window.until(lambda s: sum("is back after" in text for _, text in s["notices"]) == 2, "they do not come back")
    assert window.problems() == []
    assert window.state()["engine"] == "on"
    window.close()


def test_a_preset_is_saved_loaded_and_undone_and_a_latency_is_set(
    open_scanned: Open, there: dict[str, Found], tmp_path: Path
) -> None:
    window = open_scanned(chain(there, tmp_path), "--device", "null")
    window.until(lambda s: s["engine"] == "on")
    window.click("header:comp")
    until(lambda: len(processes(window.process.pid, "host.plugins.worker")) == 2, "the plugins are not loaded")
    until(lambda: window.ask(do="locate", what="badge:comp")["rect"] is None, "it is not ready")
    window.command("plugins.presets")
    window.click("dialog:presets:name")
    window.type("Mine")
    window.click("dialog:presets:save")
    window.until(lambda s: any("Preset saved: Mine" in text for _, text in s["notices"]))
    (saved,) = (window.folder / "data" / "presets").rglob("*.vstpreset")
    assert unpack(saved.read_bytes()).uid == there["ZamComp"].description.uid
    window.key("Escape")
    window.until(lambda s: not s["dialog"])
    before = window.state()["patch"]
    window.command("plugins.presets")
    window.settle(3)
    window.shot("plugin_presets")
    window.click("dialog:presets:row:Mine")
    state = window.until(lambda s: s["undo"])
    assert state["undo"] == ["Load preset Mine"]
    made = Patch.from_json(state["patch"]).node("comp")
    assert made.state == saved.read_bytes()
    assert made.params == {}, "the state says it all"
    window.key("Escape")
    window.command("edit.undo")
    assert window.until(lambda s: not s["undo"])["patch"] == before
    window.settle(10)
    window.click("inspector:comp:plugin:set")
    until(lambda: window.ask(do="locate", what="type-in:text")["rect"], "there is nothing to type in")
    window.settle(8)
    window.type("64")
    window.key("Return")
    window.until(lambda s: s["undo"])
    assert node(window, "comp")["settings"]["latency_frames"] == 64
    assert window.problems() == []
    window.close()


def test_of_hundreds_of_params_only_those_in_view_are_there_and_a_search_finds_the_others(
    open_window: Open, tmp_path: Path
) -> None:
    many = replace(CRUSH, params=tuple(PluginParam(k, f"Dial {k:03}") for k in range(300)))
    filled(tmp_path / "window0" / "data", (good(many, "/plugins/Many.vst3"),))
    patch = Patch("Many")
    patch.add("fx", "plugin")
    patch.node("fx").settings.update(entry_of(many).settings)
    patch.save(tmp_path / "many.json")
    window = open_window(tmp_path / "many.json", "--no-engine")
    window.click("header:fx")
    window.rect("inspector:fx.dial_003")

    def there(name: str) -> bool:
        return window.ask(do="locate", what=f"inspector:fx.{name}")["rect"] is not None

    assert sum(there(f"dial_{k:03}") for k in range(0, 300, 10)) < 6
    window.click("inspector:fx:search")
    window.type("299")
    until(lambda: there("dial_299") and not there("dial_003"), "the search does not find it")
    x, y, width, height = window.rect("inspector:fx.dial_299")
    window.drag((x + width * 0.7, y + height / 2), (x + width * 0.7 + 60, y + height / 2))
    assert node(window, "fx")["params"]["dial_299"] > 0
    (step,) = window.state()["undo"]
    assert step.startswith("Set ")
    assert "299 of " in step
    window.click("inspector:fx:search")
    for _ in "299":
        window.key("BackSpace")
    until(lambda: there("dial_003"), "the others do not come back")
    window.move(*window.middle("inspector:fx.dial_003"))

    def scrolled() -> bool:
        window.wheel(-4)
        return not there("dial_003")

    until(scrolled, "what is out of view is not taken away")
    found = [k for k in range(20, 120) if there(f"dial_{k:03}")]
    assert found == list(range(found[0], found[-1] + 1)), "and what has come into view is there"
    before = window.rect(f"inspector:fx.dial_{found[-2]:03}")[1] - window.rect(f"inspector:fx.dial_{found[1]:03}")[1]
    assert before / (found[-2] - found[1]) == pytest.approx(32, abs=0.1), "evenly, as the gaps above and below assume"
    window.shot("plugin_params")
    assert window.problems() == []
    window.close()


def test_in_safe_mode_no_plugin_is_loaded_and_the_patch_stays_as_it_is(
    open_scanned: Open, there: dict[str, Found], tmp_path: Path
) -> None:
    path = chain(there, tmp_path)
    window = open_scanned(path, "--device", "null", "--safe")
    window.until(lambda s: s["engine"] == "on")
    window.command("sound.play")
    window.until(lambda s: s["place_s"] > 0.1, "it does not play")
    assert processes(window.process.pid, "host.plugins.worker") == []
    window.rect("badge:comp")
    assert not window.state()["dirty"]
    before = Patch.load(path)
    window.click("header:comp")
    window.command("node.bypass")
    window.until(lambda s: s["dirty"])
    window.command("file.save")
    window.until(lambda s: not s["dirty"])
    before.node("comp").bypass = True
    assert Patch.load(path) == before, "what is saved has its plugins, whatever was off"
    window.shot("plugins_safe")
    assert window.problems() == []
    window.close()


def test_a_scan_is_offered_on_a_first_start_and_fills_the_list(open_window: Open) -> None:
    window = open_window("--no-engine")
    window.until(lambda s: s["dialog"] == "Tour")
    window.key("Escape")
    window.until(lambda s: not s["dialog"])
    until(lambda: window.ask(do="locate", what="offer:plugins:yes")["rect"], "nothing is offered")
    window.settle()
    window.shot("plugin_offer")
    window.click("offer:plugins:yes")
    state = window.until(lambda s: any("looked at" in text for _, text in s["notices"]), "the scan does not end")
    assert window.ask(do="locate", what="offer:plugins:yes")["rect"] is None
    assert state["nodes"], "the patch is there as before"
    window.click("palette:show:plugins")
    until(lambda: window.ask(do="locate", what="palette:plugin:vst3:2046504473616C6332584D5A00000000")["rect"], "none")
    assert window.problems() == []
    window.close()
