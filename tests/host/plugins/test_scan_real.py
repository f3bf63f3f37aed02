"""Scans of real libraries: the test plugin and its evil siblings, what is no plugin, and Debian's zam-plugins; by the
command line too.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from graph import Patch
from host.plugins import report
from host.plugins.folders import find
from host.plugins.presets import Preset, write
from host.plugins.scan import Scan
from host.plugins.store import FileResult, Store
from host.plugins.trial import Limits

from .c.build import COMPILER, USABLE, WHY_NOT, build, uid

pytestmark = pytest.mark.skipif(not USABLE, reason=WHY_NOT)
ROOT = Path(__file__).resolve().parents[3]
ZAM = sorted(Path("/usr/lib/vst3").glob("Za*.vst3"))
MEGABYTES = 700
SEGV = "crashed, its process was ended by SIGSEGV"
EVIL = {
    "Good": ({}, "good", ""),
    "InFactory": ({"FACTORY_CRASHES": True}, "crashed", f"native: {SEGV}, while loading the file; pedalboard: {SEGV}"),
    "InBlock": ({"CRASHES": True, "AT": 1}, "crashed", f"native: {SEGV}, while trying it; pedalboard: {SEGV}"),
    "Slow": ({"SLEEPS": 2}, "good", ""),
    "Hog": ({"HOG": 3000, "AT": 1}, "memory", f"and may take {MEGABYTES}"),
    "Stateless": ({"NO_STATE": 2}, "good", ""),
    "Strange": ({"MANY_CHANNELS": 65}, "refused", "65 channels"),
    "Infinite": ({"NO_NUMBERS": True, "AT": 1}, "good", ""),
    "Late": ({"DELAY": 100}, "good", ""),
}


def scanned(store: Store, *paths: Path, **limits) -> dict[str, FileResult]:
    work = Scan(store, pytest.fail, limits=Limits(**{"seconds": 60.0, "megabytes": MEGABYTES, **limits}))
    work.these(find(paths, pytest.fail))
    return {Path(f.path).stem: f for f in store.files()}


@pytest.fixture(scope="module")
def evil(tmp_path_factory) -> dict[str, FileResult]:
    """All of them scanned at once."""
    paths = [build(name, number, **macros) for number, (name, (macros, *_)) in enumerate(EVIL.items(), 1)]
    with Store(tmp_path_factory.mktemp("data")) as store:
        return scanned(store, *paths)


@pytest.mark.parametrize("name", EVIL)
def test_each_sibling_has_its_verdict_whatever_the_others_do(evil, name):
    _, verdict, words = EVIL[name]
    assert evil[name].verdict == verdict, evil[name]
    assert words in evil[name].reason
    if verdict == "good":
        assert [(k.name, k.backend) for k in evil[name].classes] == [(name, "native")]


def test_what_is_odd_about_a_good_one_is_said(evil):
    assert "samples that were no numbers" in evil["Infinite"].classes[0].note
    assert "Stateless gave no state" in evil["Stateless"].classes[0].note
    description = evil["Late"].classes[0].description
    assert description is not None
    assert description.latency_frames == 100
    assert [bus.kind for bus in description.inputs] == ["main", "aux"]


def test_one_that_hangs_is_hung_with_every_backend(tmp_path):
    with Store(tmp_path) as store:
        found = scanned(store, build("Stuck", 30, HANGS=True, AT=1), seconds=1.5)["Stuck"]
    assert found.verdict == "hung"
    assert "native: hung, it did not answer for 3 s" in found.reason
    assert "pedalboard: hung, it did not answer for 3 s" in found.reason


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds children in /proc")
def test_a_child_that_hangs_ends_with_the_scan_that_was_killed(tmp_path):
    words = [sys.executable, "-P", "-m", "patchwright", "plugins", "scan", str(build("Stuck", 30, HANGS=True, AT=1))]
    environment = {**os.environ, "PATCHWRIGHT_DATA": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, env=environment) as process:
        until(lambda: children(process.pid), "no child was started")
        (child,) = children(process.pid)
        until(lambda: b"Stuck.so" in Path(f"/proc/{child}/maps").read_bytes(), "the plugin was never loaded")
        process.kill()
    until(lambda: not Path(f"/proc/{child}").exists(), "the child goes on")
    with Store(tmp_path) as store:
        assert list(store.cut_off().values()) == [1]


def children(pid: int) -> list[int]:
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(word) for path in lists for word in path.read_text().split()]


def until(condition, what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.002)


def library(bundle: Path, source: str) -> None:
    code = bundle / "Contents" / f"{platform.machine()}-linux" / f"{bundle.stem}.so"
    code.parent.mkdir(parents=True)
    subprocess.run([str(COMPILER), "-shared", "-x", "c", "-", "-o", str(code)], input=source.encode(), check=True)


def test_what_is_no_plugin_is_told_from_one_that_says_no(tmp_path):
    (tmp_path / "Text.vst3").write_text("this is text")
    (tmp_path / "Empty.vst3").mkdir()
    library(tmp_path / "Other.vst3", "int something(void) { return 3; }")
    library(tmp_path / "No.vst3", "char ModuleEntry(void *h) { return 0; } void *GetPluginFactory(void) { return 0; }")
    shutil.copytree(build(), tmp_path / "Foreign.vst3")
    contents = tmp_path / "Foreign.vst3" / "Contents"
    next(contents.iterdir()).rename(contents / "sparc-linux")
    with Store(tmp_path / "data") as store:
        found = scanned(store, tmp_path)
    assert {name: f.verdict for name, f in found.items()} == {
        **dict.fromkeys(("Text", "Empty", "Other"), "not a plugin"),
        **dict.fromkeys(("No", "Foreign"), "refused"),
    }
    assert "ModuleEntry" in found["Other"].reason
    assert "sparc-linux" in found["Foreign"].reason


@pytest.mark.skipif(len(ZAM) != 17, reason="needs Debian's zam-plugins")
def test_all_zam_plugins_are_good_and_scanned_once(tmp_path):
    with Store(tmp_path) as store:
        found = scanned(store, *ZAM)
        assert {f.verdict for f in found.values()} == {"good"}
        assert len(found) == 17
        assert all(k.backend == "native" and k.description.params for f in found.values() for k in f.classes)
        assert [p.description.latency_frames for p in store.plugins() if p.description.name == "ZaMaximX2"] == [480]
        _is_as_documented(store)
        again = Scan(store, pytest.fail).these(find(ZAM, pytest.fail))
        assert (again.looked, again.unchanged) == ([], 17)


def _is_as_documented(store: Store) -> None:
    """The table in the docs has these rows, where it is about the same versions; what was measured is not compared."""
    lines = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8").splitlines()
    documented = {tuple(line.strip("| ").split(" | ")) for line in lines if line.startswith("| Za")}
    assert len(documented) == 17
    found = set(report.rows(store.files(), {}))
    if {row[:3] for row in found} == {row[:3] for row in documented}:
        assert {(*row[:8], row[9]) for row in found} == {(*row[:8], row[9]) for row in documented}


def command(data: Path, *words: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATCHWRIGHT_DATA": str(data), "PYTHONPATH": str(ROOT), "COLUMNS": "40"}
    line = [sys.executable, "-P", "-m", "patchwright", "plugins", *map(str, words)]
    return subprocess.run(line, env=environment, capture_output=True, encoding="utf-8", timeout=300)


def answer(data: Path, *words: object):
    done = command(data, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_command_line_scans_lists_tells_measures_and_retries(tmp_path):
    folder, data = tmp_path / "plugins", tmp_path / "data"
    folder.mkdir()
    (folder / "Late.vst3").symlink_to(build("Late", 40, DELAY=100))
    (folder / "Bad.vst3").write_text("text")
    done = answer(data, "scan", folder)
    assert done["verdicts"] == {"good": 1, "not a plugin": 1}
    assert answer(data, "scan", folder)["looked_at"] == 0

    listed = {Path(f["path"]).stem: f for f in answer(data, "list")}
    assert listed["Late"]["plugins"][0]["uid"] == uid(40)
    assert listed["Bad"]["reason"]
    table = command(data, "list").stdout
    assert "Late" in table
    assert f"{folder / 'Bad.vst3'}" in table
    assert "plugins retry" in table

    (told,) = answer(data, "info", "late")
    assert [p["id"] for p in told["plugins"][0]["description"]["params"]] == [100, 7, 300, 666]
    assert "latency: 100 frames" in command(data, "info", "late").stdout

    assert answer(data, "presets", "Late") == []
    assert "there are no presets of Late" in command(data, "presets", "late").stdout
    given = tmp_path / "Warm.vstpreset"
    write(given, Preset(uid(40), b"state"))
    own = data / "presets" / "Patchwright tests" / "Late" / "Warm.vstpreset"
    assert answer(data, "presets", "Late", "--add", given) == [{"name": "Warm", "path": str(own), "own": True}]
    assert own.read_bytes() == given.read_bytes()
    assert "Warm" in command(data, "presets", uid(40)).stdout
    again = command(data, "presets", "Late", "--add", given)
    assert (again.returncode, "already has a preset 'Warm'" in again.stderr) == (1, True)
    nothing = command(data, "presets", "Bad")
    assert (nothing.returncode, "none that is good" in nothing.stderr) == (1, True)

    (measured,) = answer(data, "measure")
    assert (measured["reported"], measured["onset"], measured["peak"]) == (100, 100, 100)
    assert (measured["agreement"], measured["rate"]) == ("agrees", 48000)
    assert answer(data, "info", "Late")[0]["plugins"][0]["latencies"] == [measured]
    row = next(line for line in command(data, "list", "--markdown").stdout.splitlines() if "Late" in line)
    assert row.endswith("| 4 | 100 | 100 | native |")

    assert answer(data, "retry")["looked_at"] == 1
    assert answer(data, "retry", "Late", "bad.vst3")["looked_at"] == 2


def test_check_and_render_note_another_version_and_a_plugin_that_is_missing(tmp_path):
    folder, data = tmp_path / "plugins", tmp_path / "data"
    folder.mkdir()
    (folder / "Aged.vst3").symlink_to(build("Aged", 41))
    answer(data, "scan", folder)
    patch = Patch(sample_rate=48000)
    patch.add("in", "audio_in")
    patch.add("fx", "plugin", settings={"uid": uid(41), "name": "Aged", "version": "0.9"})
    patch.add("lost", "plugin", settings={"uid": uid(99), "name": "Lost", "version": "0.9"})
    patch.add("out", "audio_out")
    for cable in ("in.out", "fx.in"), ("fx.out", "lost.in"), ("lost.out", "out.in"):
        patch.connect(*cable)
    patch.save(tmp_path / "p.json")
    environment = {**os.environ, "PATCHWRIGHT_DATA": str(data), "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-P", "-m", "patchwright", "check", str(tmp_path / "p.json"), "--json"]
    done = subprocess.run(line, env=environment, capture_output=True, encoding="utf-8", timeout=300)
    told = json.loads(done.stdout)
    words = "Aged is version 1.2.3 here; the patch was made with 0.9"
    assert told["notes"] == [{"node": "fx", "place": "nodes.fx.settings.version", "message": words}]
    assert [p["node"] for p in told["problems"]] == ["lost"]
    line[4:] = ["render", str(tmp_path / "p.json"), "--seconds", "0.1", "--out", f"out={tmp_path / 'out.wav'}"]
    line += ["--allow-missing", "--json"]
    done = subprocess.run(line, env=environment, capture_output=True, encoding="utf-8", timeout=300)
    said = json.loads(done.stdout)["notes"]
    assert [note for note in said if "lost" in note], "it is missing, and the sound passed"
    assert f"fx: {words}" in said


def test_doctor_tells_of_plugins_and_of_a_database_that_cannot_be_used(tmp_path):
    def lines(data: Path) -> dict[str, dict]:
        environment = {**os.environ, "PATCHWRIGHT_DATA": str(data), "PYTHONPATH": str(ROOT)}
        words = [sys.executable, "-P", "-m", "patchwright", "doctor", "--json"]
        done = subprocess.run(words, env=environment, capture_output=True, encoding="utf-8", timeout=300)
        return {line["subject"]: line for line in json.loads(done.stdout)}

    assert "none are known; `patchwright plugins scan`" in lines(tmp_path)["plugins"]["found"]
    (tmp_path / "Bad.vst3").write_text("text")
    with Store(tmp_path) as store:
        store.add_folder(tmp_path)
        scanned(store, tmp_path / "Bad.vst3", build())
    found = lines(tmp_path)
    assert found["plugins"]["found"].startswith("1 files are good, 1 are not")
    assert str(tmp_path) in found["plugin folders"]["found"]
    (tmp_path / "plugins.db").write_bytes(b"no database" * 1000)
    assert "is damaged" in lines(tmp_path)["plugins"]["found"]


def test_problems_are_one_line_and_exit_status_1(tmp_path):
    (tmp_path / "Bad.vst3").write_text("text")
    assert command(tmp_path / "data", "scan", tmp_path / "Bad.vst3").returncode == 0
    for words, said in (
        (("info", "nobody"), "no plugin 'nobody' is known"),
        (("measure", "bad"), "it cannot be measured"),
        (("retry", "nobody"), "no plugin 'nobody' is known"),
        (("scan", tmp_path / "nowhere"), "there is nothing"),
        (("scan", "--add-folder", tmp_path / "nowhere"), "expected a folder"),
        (("scan", "--remove-folder", tmp_path), "none of the added folders"),
    ):
        done = command(tmp_path / "data", *words)
        assert (done.returncode, done.stderr.count("\n"), done.stdout) == (1, 1, ""), done
        assert said in done.stderr


def test_a_plugin_that_dies_while_it_is_measured_costs_a_line(tmp_path):
    """Its trial has four blocks, so it comes through the scan; the ping has more."""
    path = build("Brittle", 41, CRASHES=True, AT=20)
    assert answer(tmp_path, "scan", path)["verdicts"] == {"good": 1}
    done = command(tmp_path, "measure", "Brittle")
    assert done.returncode == 1
    assert done.stderr == "patchwright: Brittle: crashed, its process was ended by SIGSEGV\n"


def test_a_folder_that_was_added_is_looked_into_from_then_on(tmp_path):
    folder, data = tmp_path / "mine", tmp_path / "data"
    folder.mkdir()
    with Store(data) as store:
        store.add_folder(folder)
        (folder / "Bad.vst3").write_text("text")
        report = Scan(store, pytest.fail, jobs=2, command=(sys.executable, "-c", "raise SystemExit(0)")).everything()
        assert str(folder / "Bad.vst3") in {f.path for f in report.looked}
