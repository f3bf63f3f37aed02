"""``patchwright run``: exit status, lines, and a clean end; with the engine and the null device as they are."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from graph.patchfile import load, save
from host import messages as m
from host.engine import folder as folders
from host.engine.display import EngineStatus
from host.terminal.news import MOST, QUIET_S, News
from host.terminal.playing import Playing
from host.terminal.view import FLOOR_DB, WIDTH, Meters, bar, device_words, picture

from .conftest import until

ROOT = Path(__file__).parents[3]


@pytest.fixture
def saved(patch, tmp_path) -> Path:
    patch.save(tmp_path / "patch.pwp")
    return tmp_path / "patch.pwp"


def started(saved: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "patchwright", "run", str(saved), "--device", "null", *words],
        cwd=saved.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_it_plays_for_so_long_and_says_what(saved):
    status, out, err = ended(started(saved, "--seconds", "0.5"))
    dropped = "dropped out" in err  # a machine that is busy may have dropouts: then the status says so
    assert status == (1 if dropped else 0), err
    assert "null" in out
    assert "48000 Hz" in out
    assert "s played" in out


def test_rate_and_block_are_as_asked(saved):
    _, out, _ = ended(started(saved, "--seconds", "0.2", "--rate", "44100", "--block", "100"))
    assert "44100 Hz, blocks of 100" in out


def test_where_osc_is_heard_and_what_is_wrong_with_it_is_said(saved):
    process = started(saved, "--osc", "0")  # whichever port is free
    assert process.stderr is not None
    lines = iter(process.stderr.readline, "")
    port = next(int(line.rpartition(":")[2]) for line in lines if line.startswith("OSC is heard at 127.0.0.1:"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"/no/such\0\0\0\0,i\0\0\0\0\0\1", ("127.0.0.1", port))
        said = next(line for line in lines if line.startswith("OSC from"))
    assert said.endswith("/no/such: there is no such param; /query lists those there are\n")
    process.send_signal(signal.SIGTERM)
    assert ended(process)[2].count("/no/such") == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(saved, how, runtime):
    process = started(saved)
    assert process.stdout is not None
    until(lambda: "null" in process.stdout.readline())
    process.send_signal(how)
    status, out, err = ended(process)
    assert status == (1 if "dropped out" in err else 0), err
    assert "s played" in out
    assert "Traceback" not in err
    assert list(runtime.iterdir()) == []


def test_a_patch_that_cannot_be_played_is_one_line(tmp_path, patch):
    (tmp_path / "no.pwp").write_bytes(b"nonsense")
    assert_refused(tmp_path / "no.pwp", "expected a patch")
    assert_refused(tmp_path / "absent.pwp", "no such file")
    patch.connect("level.out", "level.in")
    patch.save(tmp_path / "loop.pwp")
    assert_refused(tmp_path / "loop.pwp", "level")


def assert_refused(path: Path, words: str) -> None:
    status, _, err = ended(started(path, "--seconds", "0.2"))
    assert status == 1
    assert len(err.strip().splitlines()) == 1, err
    assert words in err


def test_a_patch_with_problems_plays_and_the_status_says_so(tmp_path, patch):
    patch.add("music", "file_player", {"path": "absent.wav"})
    patch.connect("music.out", "out.in")
    patch.save(tmp_path / "patch.pwp")
    status, out, err = ended(started(tmp_path / "patch.pwp", "--seconds", "0.3"))
    assert status == 1
    assert "s played" in out
    assert "absent.wav" in err


def test_the_engine_killed_while_it_runs_is_started_again(saved):
    process = started(saved)
    assert process.stdout is not None
    assert process.stderr is not None
    until(lambda: "null" in process.stdout.readline())
    found = folders.endpoint(folders.engines()[0])
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)
    until(lambda: "started again" in process.stderr.readline())
    until(lambda: any(said and said.pid != found.pid for said in map(folders.endpoint, folders.engines())))
    process.send_signal(signal.SIGINT)
    status, out, err = ended(process)
    assert "s played" in out
    assert status in (0, 1)
    assert "Traceback" not in err


class FakeEngine:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.rolling, self.place_s, self.alive = True, 7.0, True
        self.looped: tuple[float, float] | None = None
        self.device: m.Status | None = None
        self.compiling: tuple[int, int] | None = None
        self.numbers = {"clock": 0.0, "rate": 48000.0, "xruns": 0.0}

    @property
    def status(self) -> EngineStatus:
        return EngineStatus(
            self.alive, 1, self.rolling, self.place_s, self.numbers, self.device, (), self.looped, self.compiling
        )

    def play(self) -> None:
        self.told.append(("play",))

    def stop(self) -> None:
        self.told.append(("stop",))

    def locate(self, seconds: float) -> None:
        self.told.append(("locate", seconds))

    def loop(self, *span) -> None:
        self.told.append(("loop", *span))

    def record(self, on: bool) -> None:
        self.told.append(("record", on))

    def save_replay(self, path: Path, seconds: float) -> None:
        self.told.append(("replay", path.name, seconds))


def test_what_comes_again_and_again_is_told_once_in_a_while():
    now = 100.0
    news = News(lambda: now)
    for text in ("no recorder", "no recorder", "a dropout"):
        news.put(m.Notice("info", text))
    assert news.fresh() == ["no recorder", "a dropout"]
    now += QUIET_S / 2
    news.put(m.Notice("info", "no recorder"))
    assert news.fresh() == []
    now += QUIET_S / 2
    news.put(m.Notice("info", "no recorder"))
    assert news.fresh() == ["no recorder"]
    for k in range(3 * MOST):
        news.put(m.Notice("info", f"take {k}"))
    assert len(news.fresh()) == 3 * MOST
    assert len(news._said) <= MOST


@pytest.fixture
def playing(patch):
    return Playing(FakeEngine(), patch, 10.0, News())


def test_keys(playing):
    for key in (" ", "0", "left", "right", "x"):
        assert playing.press(key)
    playing.engine.rolling = False
    playing.engine.place_s = 2.0
    for key in ("p", "left"):
        assert playing.press(key)
    assert playing.engine.told == [
        ("stop",),
        ("locate", 0.0),
        ("locate", 2.0),
        ("locate", 12.0),
        ("play",),
        ("locate", 0.0),
    ]
    assert not playing.press("q")


def test_keys_for_loop_record_and_the_last_minute(playing):
    assert playing.press("l")
    assert playing.notices.fresh() == ["This patch has no loop."]
    engine = playing.engine
    engine.looped = (2.0, 4.0)
    playing.press("l")
    engine.looped = None
    playing.press("l")
    playing.press("r")
    engine.device = m.Status("null", "", True, 48000, 64, 0, 2, 0, (), ("take.wav",))
    playing.press("r")
    playing.press("s")
    assert engine.told == [
        ("loop", None),
        ("loop", 2.0, 4.0),
        ("record", True),
        ("record", False),
        ("replay", "Test last minute.wav", 60.0),
    ]


def test_time_and_dropouts_add_up_over_engines(playing):
    for clock, xruns in ((48000, 1), (96000, 2), (24000, 0), (48000, 3)):
        playing.engine.numbers.update(clock=clock, xruns=xruns)
        playing.look()
    assert playing.played_s == 3.0
    assert playing.xruns == 5
    assert not playing.over
    playing.engine.numbers["clock"] = 10 * 48000
    playing.look()
    assert playing.over
    assert not playing.short


def test_the_place_is_said_as_timecode_and_bars(playing):
    playing.engine.place_s = 61.5
    assert playing.place(playing.engine.status) == "00:01:01:12 (25)  31|4|000"
    playing.press("t")
    assert "(29.97)" in playing.place(playing.engine.status)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Mix 5.1 (Lo/Ro) & more", "Mix 5.1 (Lo Ro) & more"),
        ("", "patch"),
        ("..", "patch"),
        ("a\0b\nc\x1b[2J", "a b c  2J"),
        ("Gespräch: \u97f3", "Gespräch  \u97f3"),
        ("\U00020000" * 300, "\U00020000" * 37),
    ],
)
def test_files_of_any_title_can_be_written(playing, tmp_path, title, name):
    playing._patch.name, playing._patch.folder = title, tmp_path
    playing.press("s")
    assert playing.engine.told == [("replay", f"{name} last minute.wav", 60.0)]
    (tmp_path / f"{name} last minute.wav").write_bytes(b"")


def test_what_a_terminal_would_obey_is_not_shown(saved):
    patch = load(saved)
    patch.name = "quiet\x1b]0;loud\x07"
    patch.add("song", "file_player", {"path": "\x1b[2Jgone.wav"})
    save(patch, saved)
    _, out, err = ended(started(saved, "--seconds", "0.2"))
    assert "quiet�]0;loud�: " in out
    assert "gone.wav" in err
    assert "\x1b" not in out + err


@pytest.mark.parametrize(("kept", "used"), [("24", "24"), ("23", "25"), (24, "25"), ([24], "25"), ({}, "25")])
def test_a_rate_of_timecode_that_is_none_is_passed_over(patch, kept, used):
    patch.metadata["timecode"] = kept
    assert Playing(FakeEngine(), patch, 10.0, News()).timecode == used


def test_meters_hold_the_highest_for_a_while():
    meters = Meters()
    loud, soft = ({"m": {"peak": np.array([value, 0.0], np.float32)}} for value in (0.5, 0.125))
    assert meters.rows(loud, 0.0)[0] == ("m 1", pytest.approx(-6.02, abs=0.01), pytest.approx(-6.02, abs=0.01))
    assert meters.rows(soft, 1.0)[0][1:] == (pytest.approx(-18.06, abs=0.01), pytest.approx(-6.02, abs=0.01))
    assert meters.rows(soft, 3.0)[0][2] == pytest.approx(-18.06, abs=0.01)
    assert meters.rows(soft, 3.0)[1][1] == -np.inf


@pytest.mark.parametrize(("level", "full"), [(0.0, WIDTH), (20.0, WIDTH), (FLOOR_DB, 0), (-np.inf, 0), (-30.0, 20)])
def test_a_bar_is_as_long_as_the_level_is_high(level, full):
    text = bar("m", level, level).plain
    assert text.count("█") == full
    assert len(text.split()[1]) == WIDTH


class Picture(FakeEngine):
    """One that measures."""

    def readings(self):
        return {"out": {"peak": np.array([0.5, 0.0], np.float32)}}

    def costs(self):
        return {"tone": (0.01, 0.05), "level": (0.002, 0.002)}


def test_the_view_says_what_there_is_to_say(patch):

    from rich.console import Console

    engine = Picture()
    engine.looped, engine.compiling = (1.0, 2.5), (3, 7)
    engine.numbers |= {"files": 32.0, "files_bytes": 761.4e6, "kept": 12.0, "kept_bytes": 310.2e6}
    latencies = (("out", 480), ("early", 0))
    engine.device = m.Status("Box", "JACK", True, 48000, 64, 2, 2, 128, latencies, ("take.wav",))
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(picture(Playing(engine, patch, None, News()), Meters(), "Test", ["Something happened."], 40))
    shown = console.export_text()
    for words in (
        "Test  playing, going round from 1 to 2.5 s, recording 1",
        "00:00:07:00 (25)",
        "JACK: Box, 48000 Hz, blocks of 64, 2 in, 2 out, latency 12.7 ms (128 frames the device; out 480)",
        "most: tone 1.00% (worst 5.00%), level 0.20%",
        "compiling kernels: 3 of 7",
        "files in memory: 12 of 32, 310 of 761 MB",
        "out 1",
        "-6.0",
        "Something happened.",
        "s save 60 s  t rate  q quit",
    ):
        assert words in shown


class Many(Picture):
    """One that measures more than a window has room for."""

    def readings(self):
        return {f"a{k}": {"peak": np.array([0.5], np.float32)} for k in range(30)} | {"out": {"peak": np.ones(2)}}


def test_what_there_is_no_room_for_is_counted_and_the_outputs_and_the_keys_are_seen(patch):

    from rich.console import Console

    engine = Many()
    latencies = (("out", 480), ("other", 480), ("early", 0))
    engine.device = m.Status("Box" * 60, "JACK", True, 48000, 64, 2, 2, 128, latencies, ())
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(picture(Playing(engine, patch, None, News()), Meters(), "Test", ["Something."], 24))
    lines = console.export_text().splitlines()
    assert len(lines) == 24
    assert [line.split()[0] for line in lines if "█" in line][:3] == ["out", "out", "a0"]
    shown = sum("█" in line for line in lines)
    assert lines[-3:] == [f"and {32 - shown} channels more than there is room for", "Something.", lines[-1]]
    assert lines[-1].startswith("space play/stop")
    engine.device = m.Status("Box", "JACK", True, 48000, 64, 2, 2, 128, latencies, ())
    assert device_words(engine.status).endswith("(128 frames the device; 2 outputs 480)")
