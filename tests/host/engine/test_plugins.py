"""Real plugins in an engine that plays: heard, killed, back; their windows, states and presets."""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from graph import Patch
from graph.edits import Batch, SetParam, SetState
from host import Engine
from host.plugins import presets
from host.plugins.errors import PluginError
from host.plugins.vst3.plugin import Vst3Plugin

from ..plugins.c import build as own
from .conftest import until as until_soon
from .stage import patch

ZAM = Path("/usr/lib/vst3")
until = partial(until_soon, seconds=60.0)
"""Loading plugins, and drawing their windows, takes its time on a busy machine."""
pytestmark = [
    pytest.mark.skipif(not (ZAM / "ZamCompX2.vst3").exists(), reason="zam-plugins are not installed"),
    pytest.mark.skipif(sys.platform != "linux", reason="plugins are played on Linux only, so far"),
]
on_screen = pytest.mark.skipif(
    not all(map(shutil.which, ("Xvfb", "xdotool", "import"))), reason="takes Xvfb, xdotool and ImageMagick"
)
KNOB = 212, 65
"""Where ZamComp's window has its threshold."""


@pytest.fixture(scope="module")
def known(tmp_path_factory) -> tuple[Path, dict[str, dict[str, str]]]:
    """A folder with what a scan found out about two plugins, and what a node says of each."""
    folder = tmp_path_factory.mktemp("data")
    return _scanned(folder, *(str(ZAM / f"{name}.vst3") for name in ("ZamComp", "ZamCompX2")))


@pytest.fixture(scope="module")
def picking(tmp_path_factory) -> tuple[Path, dict[str, dict[str, str]]]:
    """The same of a plugin of our own, in whose window something can be picked of which it says nothing."""
    if not own.USABLE:
        pytest.skip(own.WHY_NOT)
    return _scanned(tmp_path_factory.mktemp("own"), str(own.build("Picking", 77, WINDOW=True)))


def _scanned(folder: Path, *files: str) -> tuple[Path, dict[str, dict[str, str]]]:
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "PATCHWRIGHT_DATA": str(folder)}
    begin = [sys.executable, "-P", "-m", "patchwright", "plugins"]
    done = subprocess.run([*begin, "scan", *files], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    listed = subprocess.run([*begin, "list", "--json"], capture_output=True, text=True, env=environment, timeout=60)
    found = [plugin["description"] for file in json.loads(listed.stdout) for plugin in file["plugins"]]
    return folder, {d["name"]: {n: d[n] for n in ("format", "uid", "vendor", "name", "version")} for d in found}


def playing(known, monkeypatch, folder: Path, **nodes: str) -> Patch:
    """An oscillator through some plugins in a row, metered."""
    monkeypatch.setenv("PATCHWRIGHT_DATA", str(known[0]))
    entries = {
        "t": {"kind": "oscillator", "params": {"level_db": -6}},
        **{id: {"kind": "plugin", "settings": known[1][name]} for id, name in nodes.items()},
        "m": {"kind": "meter"},
        "o": {"kind": "audio_out"},
    }
    row = [*entries]
    given = patch(entries, " ".join(f"{a}.out>{b}.in" for a, b in pairwise(row)))
    given.folder = folder
    return given


def peak(engine: Engine) -> float:
    return float(engine.readings().get("m", {}).get("peak", [0])[0])


def loaded(engine: Engine, *nodes: str) -> None:
    until(lambda: all(n in engine.plugins.standing() for n in nodes), "plugins")
    until(lambda: all(engine.plugins.standing()[n].status == "ready" for n in nodes), "plugins to be loaded")


def titled(title: str) -> list[str]:
    """The windows of this title."""
    return subprocess.run(["xdotool", "search", "--name", title], capture_output=True, text=True).stdout.split()


def do(*words: object) -> None:
    subprocess.run(["xdotool", *map(str, words)], check=True)


def shown(window: str) -> bytes:
    """What a window shows, as pixels."""
    return subprocess.run(["import", "-window", window, "rgb:-"], capture_output=True, check=True).stdout


def test_a_plugin_is_heard_and_comes_back_when_its_process_is_killed(runtime, tmp_path, known, monkeypatch):
    with Engine(playing(known, monkeypatch, tmp_path, z="ZamCompX2"), device="null") as engine:
        engine.play()
        until(lambda: 0.45 < peak(engine) < 0.55)
        workers = _workers(engine.status.pid)
        assert workers
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        until(lambda: any("is back" in notice.text for notice in engine.notices))
        until(lambda: 0.45 < peak(engine) < 0.55)
        assert any("was lost" in notice.text for notice in engine.notices)
        until(lambda: engine.plugins.standing()["z"].recoveries == 1)
        assert engine.plugins.standing()["z"].losses == 1


@on_screen
def test_what_a_person_does_in_a_plugins_window_is_told_kept_and_undone(runtime, tmp_path, known, monkeypatch, display):
    monkeypatch.setenv("DISPLAY", display)
    given = playing(known, monkeypatch, tmp_path, z="ZamComp")
    given.node("z").title = "Voice"
    with Engine(given, device="null") as engine:
        engine.play()
        loaded(engine, "z")
        until(lambda: engine.plugins.values("z"))
        fresh = dict(engine.plugins.values("z"))
        before = engine.plugins.state("z")
        engine.plugins.open_window("z")
        until(lambda: titled("Voice"), "the window")
        until(lambda: engine.plugins.standing()["z"].window)
        (window,) = titled("Voice")
        picture = _settled(window)
        do("mousemove", *KNOB, "mousedown", 1)
        for y in range(KNOB[1], KNOB[1] + 45, 5):
            do("mousemove", KNOB[0], y)
        do("mouseup", 1)
        told = []
        until(lambda: told.extend(engine.plugins.edits()) or any(e.phase == "end" for e in told), "the end of it")
        assert [told[0].phase, told[-1].phase] == ["begin", "end"]
        assert {(e.node, e.param, e.gesture) for e in told} == {("z", "threshold", told[0].gesture)}
        turned = told[-2].value
        assert turned < fresh["threshold"]
        states: dict[str, bytes] = {}
        until(lambda: states.update(engine.plugins.states()) or states, "its state")
        assert states["z"] != before
        assert shown(window) != picture, "the knob stands elsewhere"

        # as an editor does it: the patch takes over both, and the plugin stays as it is
        after = engine.patch
        Batch("Turn", (SetParam("z", "threshold", turned), SetState("z", states["z"]))).apply(after)
        engine.load(after)
        until(lambda: engine.plugins.values("z").get("threshold") == pytest.approx(turned))
        engine.load(given)  # and is undone
        until(lambda: engine.plugins.values("z").get("threshold") == pytest.approx(fresh["threshold"]), "undo")
        assert engine.plugins.standing()["z"].window, "the window is the same all the while"
        assert engine.plugins.state("z") == before
        assert not [n for n in engine.notices if n.level == "error"]


@on_screen
def test_what_is_done_in_a_window_without_a_word_is_in_what_is_saved(runtime, tmp_path, picking, monkeypatch, display):
    monkeypatch.setenv("DISPLAY", display)
    pick = tmp_path / "pick"
    monkeypatch.setenv("PATCHWRIGHT_TEST_PICK", str(pick))
    do("mousemove", 600, 500)
    with Engine(playing(picking, monkeypatch, tmp_path, z="Picking"), device="null") as engine:
        engine.play()
        loaded(engine, "z")
        engine.save(tmp_path / "before.json")
        assert Patch.load(tmp_path / "before.json").node("z").state is None, "no window was open: nothing was asked for"
        engine.set("z", "gain", 0.5)
        engine.plugins.open_window("z")
        until(lambda: titled("Picking") and engine.plugins.standing()["z"].window, "the window")
        engine.set("z", "gain", 0.75)
        until(lambda: _gain(engine) == 0.75, "the param")
        assert engine.plugins.changes() == {}

        _pick(pick, b"A")
        engine.save(tmp_path / "first.json")
        first = Patch.load(tmp_path / "first.json").node("z")
        assert (_picked(first.state), first.params) == (b"A", {"gain": 0.75})
        assert engine.patch.node("z").state == first.state, "and the engine's patch has it"

        # the pointer comes into the window, something is picked, and it leaves: that is told without being asked
        do("mousemove", 160, 100)
        _pick(pick, b"B")
        do("mousemove", 600, 500)
        told = {}
        until(lambda: told.update(engine.plugins.changes()) or told, "its state")
        assert _picked(told["z"].state) == b"B"
        assert (told["z"].by_hand, told["z"].moved) == (True, {})

        # a param that the patch turns is nobody's doing in the window
        engine.set("z", "gain", 0.25)
        until(lambda: _gain(engine) == 0.25, "the param")
        ticket = engine.plugins.ask_states()
        until(lambda: engine.plugins.states_told(ticket), "the answer")
        (found,) = engine.plugins.changes().values()
        assert (_picked(found.state), found.by_hand) == (b"B", False)
        assert not [n for n in engine.notices if n.level == "error"]


def _pick(path: Path, what: bytes) -> None:
    """Pick something, at once as a whole."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(what)
    fresh.replace(path)
    until(lambda: not path.exists(), "it to be picked")


def _picked(state: bytes | None) -> bytes:
    """What a state of the plugin has as picked: the last of its four numbers."""
    assert state is not None
    return bytes([int(struct.unpack("4d", presets.unpack(state, "test").component)[3])])


def _gain(engine: Engine) -> float:
    return struct.unpack("4d", presets.unpack(engine.plugins.state("z"), "test").component)[1]


@on_screen
def test_a_window_follows_params_that_are_turned_elsewhere(runtime, tmp_path, known, monkeypatch, display):
    monkeypatch.setenv("DISPLAY", display)
    with Engine(playing(known, monkeypatch, tmp_path, z="ZamComp"), device="null") as engine:
        engine.stop()
        loaded(engine, "z")
        engine.plugins.open_window("z")
        until(lambda: titled("ZamComp"), "the window, by the plugin's name")
        picture = _settled(titled("ZamComp")[0])
        engine.set("z", "makeup", 0.5)
        until(lambda: shown(titled("ZamComp")[0]) != picture, "the knob to turn")


@on_screen
def test_windows_side_by_side_closed_by_their_frames_and_lost_with_their_process(
    runtime, tmp_path, known, monkeypatch, display
):
    monkeypatch.setenv("DISPLAY", display)
    given = playing(known, monkeypatch, tmp_path, a="ZamComp", b="ZamComp")
    for id in "ab":
        given.node(id).title = f"Window {id}"
    with Engine(given, device="null") as engine:
        engine.play()
        loaded(engine, "a", "b")
        for id in "ab":
            engine.plugins.open_window(id)
        until(lambda: titled("Window a") and titled("Window b"), "both")
        do("windowclose", titled("Window a")[0])
        until(lambda: not engine.plugins.standing()["a"].window, "that to be noticed")
        assert titled("Window b")
        engine.plugins.open_window("a")
        until(lambda: titled("Window a"), "it to open again")
        engine.plugins.open_window("a")  # to the front
        for pid in _workers(engine.status.pid):
            os.kill(pid, signal.SIGKILL)
        until(lambda: sum("is back" in notice.text for notice in engine.notices) == 2, "both to be back")
        until(lambda: not any(s.window for s in engine.plugins.standing().values()))
        until(lambda: 0.4 < peak(engine) < 0.55, "the sound")
        engine.plugins.open_window("b")
        until(lambda: titled("Window b"), "and a window to open once more")
        engine.plugins.close_window("b")
        until(lambda: not titled("Window b") and not engine.plugins.standing()["b"].window)

        # with its node, and with its plugin where that becomes another one, a window goes too
        for id in "ab":
            engine.plugins.open_window(id)
        until(lambda: titled("Window a") and titled("Window b"), "both once more")
        until(lambda: all(engine.plugins.standing()[id].window for id in "ab"))
        other = engine.patch
        other.remove("a")
        other.node("b").settings.update(known[1]["ZamCompX2"])
        engine.load(other)
        until(lambda: not titled("Window a"), "the window of a node that is gone to close")
        until(lambda: not titled("Window b"), "the window of a plugin that is another one now to close")


def test_without_a_display_a_window_is_refused_in_words(runtime, tmp_path, known, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    with Engine(playing(known, monkeypatch, tmp_path, z="ZamComp"), device="null") as engine:
        loaded(engine, "z")
        engine.plugins.open_window("z")
        until(lambda: any("z: plugins' windows need a display" in notice.text for notice in engine.notices))
        engine.plugins.open_window("nobody")
        until(lambda: any("nobody: there is no plugin" in notice.text for notice in engine.notices))


@pytest.mark.parametrize(("plugins_in", "processes"), [("plugin", 3), ("chain", 2), ("patch", 1)])
def test_plugins_share_processes_as_asked(runtime, tmp_path, known, monkeypatch, plugins_in, processes):
    given = playing(known, monkeypatch, tmp_path, a="ZamComp", b="ZamComp")
    given.add("c", "plugin", settings=known[1]["ZamComp"])
    given.connect("t.out", "c.in")
    given.connect("c.out", "m.in")
    with Engine(given, device="null", plugins_in=plugins_in) as engine:
        loaded(engine, "a", "b", "c")
        assert len(_workers(engine.status.pid)) == processes


def test_texts_values_and_presets(runtime, tmp_path, known, monkeypatch):
    with Engine(playing(known, monkeypatch, tmp_path, z="ZamCompX2"), device="null") as engine:
        loaded(engine, "z")
        until(lambda: engine.plugins.text("z", "threshold", 0.5) == "-40.000000", "what it shows")
        assert engine.plugins.value_of("z", "threshold", "-20") == pytest.approx(0.75)
        with pytest.raises(PluginError, match="there is no param 'gian'"):
            engine.plugins.value_of("z", "gian", "1")
        with pytest.raises(PluginError, match="nobody: there is no plugin"):
            engine.plugins.state("nobody")
        engine.set("z", "threshold", 0.5)
        engine.set("z", "makeup", 0.75)
        engine.play()
        path = tmp_path / "Soft.vstpreset"
        until(lambda: _holds(engine, path, "threshold", 0.5), "the plugin to have what was set")
        with pytest.raises(PluginError, match="there is a file already"):
            engine.plugins.save_preset("z", path)
        engine.set("z", "threshold", 0.9)
        engine.plugins.load_preset("z", path)
        assert engine.patch.node("z").params == {}, "a preset goes before what was set"
        until(lambda: engine.plugins.values("z")["threshold"] == pytest.approx(0.5))
        assert engine.plugins.values("z")["makeup"] == pytest.approx(0.75)
        until(lambda: _holds(engine, tmp_path / "Again.vstpreset", "threshold", 0.5), "it to be as the preset has it")
        assert _holds(engine, tmp_path / "Again.vstpreset", "makeup", 0.75)
        other = tmp_path / "Other.vstpreset"
        presets.write(other, presets.Preset("0" * 32, b"x"))
        with pytest.raises(PluginError, match="a preset of another plugin"):
            engine.plugins.load_preset("z", other)


def test_a_program_that_is_chosen_is_told_with_what_it_turned(runtime, tmp_path, known, monkeypatch):
    """ZamComp has programs, and says nothing of what they turn."""
    with Engine(playing(known, monkeypatch, tmp_path, z="ZamComp"), device="null") as engine:
        engine.play()
        loaded(engine, "z")
        until(lambda: engine.plugins.values("z"))
        engine.set("z", "threshold", 0.9)
        path = tmp_path / "Set.vstpreset"
        until(lambda: _holds(engine, path, "threshold", 0.9), "the param")
        fresh = dict(engine.plugins.values("z"))
        engine.plugins.changes()
        engine.set("z", "current_program", 0.5)
        told = {}
        until(lambda: told.update(engine.plugins.changes()) or told, "what became of it")
        now = dict(engine.plugins.values("z"))
        assert {"release", "knee", "makeup"} <= {name for name in now if abs(now[name] - fresh[name]) > 1e-6}
        assert told["z"].moved == {"threshold": pytest.approx(now["threshold"])}, "the only one that the patch gives"
        plugin = Vst3Plugin(ZAM / "ZamComp.vst3")
        plugin.set_state(told["z"].state)
        kept = {p.name.lower().replace(" ", "_"): plugin.get(p.id) for p in plugin.description.params}
        plugin.close()
        assert all(kept[name] == pytest.approx(now[name], abs=1e-3) for name in ("release", "knee", "makeup"))


def _holds(engine: Engine, path: Path, param: str, value: float) -> bool:
    """Whether a preset that is saved now has a param as it is to be."""
    path.unlink(missing_ok=True)
    engine.plugins.save_preset("z", path)
    settings = engine.patch.node("z").settings
    plugin = Vst3Plugin(ZAM / f"{settings['name']}.vst3")
    plugin.set_state(path.read_bytes())
    id = next(p.id for p in plugin.description.params if p.name.lower() == param)
    found = plugin.get(id)
    plugin.close()
    return found == pytest.approx(value, abs=1e-3)


def _settled(window: str) -> bytes:
    """What a window shows once it shows the same twice."""
    seen = [b""]

    def same() -> bool:
        seen.append(shown(window))
        return len(set(seen[-3:])) == 1

    until(same, "the window to be drawn")
    return seen[-1]


def _workers(engine: int) -> list[int]:
    found = subprocess.run(["pgrep", "-f", "host.plugins.worker"], capture_output=True, text=True).stdout.split()
    return [int(pid) for pid in found if _descends(int(pid), engine)]


def _descends(pid: int, from_pid: int) -> bool:
    while pid > 1:
        if pid == from_pid:
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return False
