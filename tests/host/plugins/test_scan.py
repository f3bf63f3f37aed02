"""Scans, over files that crash, hang, eat memory and kill on purpose; each child is a real process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from host.plugins.database import StoreError, scanning
from host.plugins.folders import Candidate
from host.plugins.scan import MOST_CUTS, Scan, chosen
from host.plugins.store import FileResult, Store
from host.plugins.trial import Limits, StoppedError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the plugins of this test use signals")
CHILD = (sys.executable, "-P", str(Path(__file__).with_name("fake_child.py")))
DEADLINE_S = 60.0


@pytest.fixture
def log(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "log"
    path.touch()
    monkeypatch.setenv("FAKE_LOG", str(path))
    monkeypatch.setenv("PATCHWRIGHT_DATA", str(tmp_path / "data"))
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    path = tmp_path / "plugins"
    path.mkdir()
    return path


@pytest.fixture
def store(log):
    with Store() as opened:
        yield opened


def plugin(folder: Path, name: str, load: str = "", **classes: str) -> Path:
    path = folder / f"{name}.vst3"
    path.write_text(json.dumps({"load": load, "classes": classes or {"A": ""}}))
    return path


def scan(store: Store, folder: Path, seconds: float = 20.0, again: bool = False, **options):
    limits = Limits(seconds, options.pop("megabytes", 512))
    candidates = [Candidate(path, "vst3") for path in sorted(folder.glob("*.vst3"))]
    return Scan(store, pytest.fail, CHILD, limits, **options).these(candidates, again)


def only(store: Store) -> FileResult:
    (found,) = store.files()
    return found


def looks(log: Path) -> list[str]:
    return [line.split()[1] for line in log.read_text().splitlines() if line.startswith("look")]


def pids(log: Path, word: str) -> list[int]:
    return [int(line.split()[-1]) for line in log.read_text().splitlines() if line.startswith(word)]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(condition, what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.002)


def test_a_good_plugin_is_kept_with_its_description(store, folder):
    path = plugin(folder, "good")
    report = scan(store, folder)
    assert report.counts() == {"good": 1}
    found = only(store)
    assert (found.path, found.verdict, found.reason) == (str(path), "good", "")
    (kept,) = found.classes
    assert (kept.uid, kept.name, kept.backend) == ("A", "Plugin A", "fake")
    assert kept.description is not None
    assert kept.description.latency_frames == 7
    assert store.find("vst3", "A").path == str(path)


@pytest.mark.parametrize(
    ("what", "verdict", "words"),
    [
        ("crash", "crashed", "its process was ended by SIGSEGV, while loading the file"),
        ("exit", "crashed", "its process ended with status 3, while loading the file"),
        ("leave", "crashed", "its process ended early, while loading the file"),
        ("no", "not a plugin", "it has no entry"),
        ("noise", "crashed", "it wrote without end, while loading the file"),
        ("nonsense", "failed", "expected an answer of a scan"),
    ],
)
def test_each_way_to_fail_has_its_verdict_and_its_reason(store, folder, what, verdict, words):
    plugin(folder, "evil", what)
    plugin(folder, "neighbour")
    scan(store, folder)
    evil, neighbour = store.files()
    assert (evil.verdict, neighbour.verdict) == (verdict, "good")
    assert words in evil.reason


def test_the_last_lines_that_it_wrote_are_kept(store, folder):
    plugin(folder, "evil", "crash")
    scan(store, folder)
    assert only(store).detail == "about to fall over"


def test_one_that_hangs_is_killed_with_all_that_it_started(store, folder, log):
    plugin(folder, "evil", "leave a child")
    scan(store, folder, seconds=2)
    found = only(store)
    assert found.verdict == "hung"
    assert found.reason == "it did not answer for 4 s, while loading the file"
    children = pids(log, "child") + pids(log, "look")
    assert len(children) > len(pids(log, "look")) > 0
    until(lambda: not any(alive(pid) for pid in children), "a process was left behind")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not say how much memory is used")
def test_one_that_eats_memory_is_stopped(store, folder, log):
    plugin(folder, "evil", "memory")
    scan(store, folder, megabytes=120)
    found = only(store)
    assert found.verdict == "memory"
    assert "and may take 120" in found.reason


def test_a_plugin_is_not_condemned_for_another_in_its_file(store, folder):
    plugin(folder, "shell", A="", B="crash", C="", D="refuse", E="crash at the end", F="exit", G="")
    scan(store, folder)
    found = only(store)
    assert {k.uid: k.verdict for k in found.classes} == {
        **dict.fromkeys("ACEG", "good"),
        **{"B": "crashed", "D": "refused", "F": "crashed"},
    }
    assert found.verdict == "good"
    assert "Plugin B (crashed): fake: crashed, its process was ended by SIGSEGV, while" in found.reason
    by_uid = {k.uid: k for k in found.classes}
    assert by_uid["E"].note == "when it was closed: crashed, its process was ended by SIGSEGV"
    assert by_uid["D"].reason == "it wants a licence"
    assert store.find("vst3", "B") is None
    assert store.find("vst3", "G") is not None


def test_a_plugin_that_one_backend_dies_with_is_given_to_the_next(store, folder):
    plugin(folder, "one", A="", B="crash with one backend", C="crash")
    scan(store, folder)
    kept = {k.uid: k for k in only(store).classes}
    assert [(k.verdict, k.backend) for k in kept.values()] == [("good", "fake"), ("good", "other"), ("crashed", "")]
    assert kept["B"].note == "fake: crashed, its process was ended by SIGSEGV, while loading the plugin"


def test_a_plugin_is_not_condemned_for_its_neighbours(store, folder, log):
    for k in range(4):
        plugin(folder, f"shy{k}", "needs peace", A="slow")
    for k in range(2):
        plugin(folder, f"evil{k}", "crash")
    scan(store, folder, jobs=4)
    assert {Path(f.path).stem[:-1]: f.verdict for f in store.files()} == {"shy": "good", "evil": "crashed"}
    notes = [f.reason for f in store.files() if f.verdict == "good"]
    assert any("beside others: crashed, its process was ended by SIGABRT" in note for note in notes)
    assert looks(log).count("evil0.vst3") == 2


def test_what_has_not_changed_is_not_looked_at_again(store, folder, log):
    plugin(folder, "one")
    path = plugin(folder, "two", "crash")
    scan(store, folder)
    first = looks(log)
    report = scan(store, folder)
    assert (report.looked, report.unchanged) == ([], 2)
    assert looks(log) == first
    plugin(folder, "two")
    os.utime(path, ns=(1, 1))
    assert scan(store, folder).counts() == {"good": 1}
    assert looks(log)[len(first) :] == ["two.vst3"]
    assert scan(store, folder, again=True).counts() == {"good": 2}


def test_what_the_scan_could_not_tell_is_looked_at_again_by_itself(store, folder, log):
    plugin(folder, "one", "nonsense")
    assert scan(store, folder).counts() == {"failed": 1}
    first = len(looks(log))
    assert scan(store, folder).counts() == {"failed": 1}
    assert len(looks(log)) == 2 * first


def test_a_file_with_another_inode_is_another(store, folder, log):
    path = plugin(folder, "one")
    scan(store, folder)
    before = path.stat()
    copy = folder / "copy"
    copy.write_bytes(path.read_bytes())
    os.utime(copy, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(copy, path)
    assert path.stat().st_ino != before.st_ino
    assert scan(store, folder).unchanged == 0


def test_files_that_go_are_kept_for_when_they_come_back(store, folder, log):
    path = plugin(folder, "one")
    scan(store, folder)
    path.rename(folder / "away")
    assert scan(store, folder).gone == 1
    assert not only(store).present
    assert store.find("vst3", "A") is None
    (folder / "away").rename(path)
    assert scan(store, folder).unchanged == 1
    assert store.find("vst3", "A") is not None
    assert len(looks(log)) == 1


def test_bad_ones_are_retried_on_request_and_never_dropped_unsaid(store, folder):
    plugin(folder, "moody", "crash")
    plugin(folder, "good")
    scan(store, folder)
    assert [Path(f.path).stem for f in chosen(store, [])] == ["moody"]
    assert [Path(f.path).stem for f in chosen(store, ["GOOD.vst3"])] == ["good"]
    assert len(chosen(store, ["plugin a"])) == 1
    with pytest.raises(ValueError, match="no plugin 'nobody' is known"):
        chosen(store, ["nobody"])
    plugin(folder, "moody")
    candidates = [Candidate(Path(f.path), "vst3") for f in chosen(store, [])]
    assert Scan(store, pytest.fail, CHILD).these(candidates, again=True).counts() == {"good": 1}
    assert chosen(store, []) == []


def test_without_room_for_temporary_files_nothing_is_judged(store, folder, log, monkeypatch):
    plugin(folder, "one")
    monkeypatch.setattr("tempfile.tempdir", str(folder / "nowhere"))
    assert scan(store, folder).counts() == {"failed": 1}
    assert "it cannot be looked at" in only(store).reason
    monkeypatch.undo()
    monkeypatch.setenv("FAKE_LOG", str(log))
    assert scan(store, folder).counts() == {"good": 1}


def test_two_scans_at_once_are_refused(store, folder):
    plugin(folder, "one")
    with scanning(store.folder), pytest.raises(StoreError, match="another scan is at work"):
        scan(store, folder)
    assert scan(store, folder).counts() == {"good": 1}


def test_a_scan_that_is_stopped_leaves_no_process_and_no_blame(store, folder, log):
    plugin(folder, "a")
    plugin(folder, "b", "hang")

    def stop(done, due, path):
        until(lambda: "b.vst3" in looks(log), "b was never looked at")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(store, folder, seconds=60, jobs=2, progress=stop)
    assert not any(alive(pid) for pid in pids(log, "look"))
    assert store.cut_off() == {}
    assert [Path(f.path).stem for f in store.files()] == ["a"]


def test_a_scan_is_stopped_from_another_thread(store, folder, log):
    plugin(folder, "b", "hang")
    work = Scan(store, pytest.fail, CHILD, Limits(60.0))

    def stop() -> None:
        until(lambda: looks(log), "it was never looked at")
        work.stop()

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(StoppedError):
        work.these([Candidate(folder / "b.vst3", "vst3")])
    thread.join()
    assert not any(alive(pid) for pid in pids(log, "look"))
    assert (store.files(), store.cut_off()) == ([], {})
    with pytest.raises(StoppedError):
        work.these([Candidate(folder / "b.vst3", "vst3")])
    assert len(looks(log)) == 1


def scanner(folder: Path, jobs: int = 2) -> subprocess.Popen[bytes]:
    words = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; from host.plugins.scan import *;"
        "from host.plugins.trial import Limits; from host.plugins.folders import Candidate;"
        "c = [Candidate(p, 'vst3') for p in sorted(Path(sys.argv[2]).glob('*.vst3'))];"
        f"Scan(Store(), print, {CHILD!r}, Limits(20.0), {jobs}).these(c)"
    )
    root = Path(__file__).resolve().parents[3]
    return subprocess.Popen([sys.executable, "-P", "-c", words, str(root), str(folder)])


def test_a_scan_killed_at_any_point_goes_on_where_it_was(log, folder):
    for k in range(9):
        plugin(folder, f"p{k}")
    kills = 0
    for wanted in (1, 2, 4, 7):
        process = scanner(folder)
        until(lambda n=wanted, p=process: len(looks(log)) >= n or p.poll() is not None, "nothing was looked at")
        kills += process.poll() is None
        process.kill()
        process.wait()
        with Store(notice=pytest.fail) as store:
            kept = {f.path: f.scanned for f in store.files()}
            assert {f.verdict for f in store.files()} <= {"good"}
    assert kills >= 2
    until(lambda: not any(alive(pid) for pid in pids(log, "look")), "an orphan goes on")
    assert scanner(folder).wait() == 0
    with Store(notice=pytest.fail) as store:
        assert [f.verdict for f in store.files()] == ["good"] * 9
        assert {f.path: f.scanned for f in store.files() if f.path in kept} == kept
        assert store.cut_off() == {}


def test_a_plugin_that_kills_the_scan_does_so_alone_and_not_for_ever(log, folder):
    plugin(folder, "a killer", "kill the scan")
    for k in range(4):
        plugin(folder, f"good{k}")
    statuses = [scanner(folder).wait() for _ in range(MOST_CUTS + 1)]
    assert statuses[0] == -signal.SIGKILL
    assert statuses[-1] == 0
    with Store() as store:
        verdicts = {Path(f.path).stem: f for f in store.files()}
    assert {v.verdict for name, v in verdicts.items() if name != "a killer"} == {"good"}
    killer = verdicts["a killer"]
    assert killer.verdict == "unfinished"
    assert f"{MOST_CUTS} scans ended while it was looked at" in killer.reason
    assert "plugins retry" in killer.reason


def test_others_read_while_a_scan_writes(store, folder):
    for k in range(6):
        plugin(folder, f"p{k}")
    seen: list[int] = []
    failures: list[BaseException] = []
    over = threading.Event()

    def read() -> None:
        try:
            with Store(notice=pytest.fail) as reader:
                while not over.is_set():
                    files = reader.files()
                    assert all(f.classes and f.verdict == "good" for f in files)
                    seen.append(len(files))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        scan(store, folder)
        until(lambda: 6 in seen or failures, "nobody saw the end")
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert not failures
    assert len(set(seen)) > 2
