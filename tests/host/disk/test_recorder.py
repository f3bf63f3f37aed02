"""Takes: whole, aligned, never over a file, and readable after whatever ends them."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from graph.errors import PatchError
from host.audiofile import AudioFileError, create_audio, open_audio
from host.disk.recorder import Recorder, Take
from host.disk.replay import save_last
from host.native.abi import STREAM_END, STREAM_WORDS

from .conftest import RATE, until

RING = 1 << 16
CHUNK = 512
LABELS = ("L", "R")
ROOT = Path(__file__).resolve().parents[3]


def ramp(start: int, frames: int, channels: int = 2) -> np.ndarray:
    """Every frame tells its number: the two channels hold its high and low half, exact in 16 bits too."""
    number = np.arange(start, start + frames)
    halves = np.stack([number >> 12, number & 4095], axis=1) / 32768.0
    return halves.astype(np.float32)[:, :channels]


def numbers(data: np.ndarray) -> np.ndarray:
    """The numbers of frames from `ramp`."""
    high, low = np.rint(data * 32768).astype(np.int64).T
    return (high << 12) + low


def hiss(start: int, frames: int) -> np.ndarray:
    """What no encoder makes smaller, in 16 bits."""
    number = np.arange(start, start + frames, dtype=np.uint64)[:, None] * np.array([2, 2], np.uint64) + np.array(
        [0, 1], np.uint64
    )
    number = (number ^ (number >> np.uint64(7))) * np.uint64(0x9E3779B97F4A7C15)
    return ((number >> np.uint64(48)).astype(np.float32) - 32768.0) / 32768.0


class Source:
    """A stream as native code writes it."""

    def __init__(self, frames: int = RING, make: Callable[[int, int], np.ndarray] = ramp) -> None:
        self.make = make
        self.ring = np.zeros((frames, 2), np.float32)
        self.header = np.zeros(STREAM_WORDS, np.int64)
        self.end = 0

    def advance(self, frames: int) -> None:
        while frames:
            part = min(frames, CHUNK)
            self.ring[np.arange(self.end, self.end + part) & (len(self.ring) - 1)] = self.make(self.end, part)
            self.end += part
            self.header[STREAM_END] = self.end
            frames -= part


@contextmanager
def recording() -> Iterator[tuple[Recorder, list[str]]]:
    said: list[str] = []
    with Recorder(RATE, said.append) as recorder:
        yield recorder, said
    assert not [t for t in threading.enumerate() if t.name == "disk recorder"]


def written(recorder: Recorder, key: str) -> int:
    return recorder.running()[key].frames


def feed(recorder: Recorder, key: str, source: Source, frames: int) -> None:
    """Advance no faster than the file is written."""
    for _ in range(frames // 8192):
        source.advance(8192)
        until(lambda: source.end - written(recorder, key) < 8192, "the writer")
    source.advance(frames % 8192)


FORMATS = [("a.wav", None), ("a.wav", "PCM_24"), ("a.wav", "PCM_16"), ("a.flac", "PCM_24"), ("a.flac", "PCM_16")]
FORMATS += [("a.aiff", None)]


@pytest.mark.parametrize(("name", "subtype"), FORMATS)
def test_a_take_holds_what_was_played(tmp_path: Path, name: str, subtype: str | None) -> None:
    source = Source()
    with recording() as (recorder, said):
        source.advance(1000)
        assert (
            recorder.start("r", source.ring, source.header, tmp_path / name, subtype, LABELS, 1500) == tmp_path / name
        )
        feed(recorder, "r", source, 100_000)
        take = recorder.stop("r")
        assert take == Take(tmp_path / name, 101_000 - 1500)
        found, rate = soundfile.read(tmp_path / name, dtype="float32")
        assert rate == RATE
        np.testing.assert_array_equal(found, ramp(1500, 99_500))
        assert not recorder.running()
    assert not said
    assert os.listdir(tmp_path) == [name]


def test_a_take_can_be_read_while_it_grows(tmp_path: Path) -> None:
    source = Source()
    with recording() as (recorder, _):
        for name in ("a.wav", "a.flac"):
            recorder.start(name, source.ring, source.header, tmp_path / name, None, LABELS, 0)
        feed(recorder, "a.wav", source, 48_000)
        for name in ("a.wav", "a.flac"):
            until(lambda name=name: 40_000 < soundfile.info(tmp_path / name).frames < RATE * 10, "the header")
            found = soundfile.read(tmp_path / name, dtype="float32")[0]
            np.testing.assert_array_equal(found, ramp(0, len(found)))


def test_tags_are_in_it(tmp_path: Path) -> None:
    from host.audiofile import read_tags

    source = Source()
    with recording() as (recorder, _):
        for name in ("a.wav", "a.flac"):
            start = recorder.start
            start(name, source.ring, source.header, tmp_path / name, None, LABELS, 0, tags={"title": "Take"})
        source.advance(10_000)
        recorder.stop_all()
        for name in ("a.wav", "a.flac"):
            assert read_tags(tmp_path / name)["title"] == "Take"


def test_a_take_is_never_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"precious")
    (tmp_path / "a-2.wav").symlink_to(tmp_path / "nowhere")
    source = Source()
    with recording() as (recorder, _):
        names = [
            recorder.start(key, source.ring, source.header, tmp_path / "a.wav", None, LABELS, 0).name for key in "xy"
        ]
        assert names == ["a-3.wav", "a-4.wav"]
        with pytest.raises(ValueError, match="already"):
            recorder.start("x", source.ring, source.header, tmp_path / "a.wav", None, LABELS, 0)
    assert (tmp_path / "a.wav").read_bytes() == b"precious"
    assert not (tmp_path / "nowhere").exists()


def test_a_patch_writes_only_inside_its_own_folder(tmp_path: Path) -> None:
    folder, outside = tmp_path / "patch", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (folder / "link").symlink_to(outside)
    source = Source()
    with recording() as (recorder, _):
        for path in ("../x.wav", str(outside / "x.wav"), "link/x.wav", "../patch2/x.wav", "a/../../x.wav", "x\0.wav"):
            with pytest.raises(PatchError):
                recorder.start("r", source.ring, source.header, path, None, LABELS, 0, folder=folder)
        made = recorder.start("r", source.ring, source.header, "x.wav", None, LABELS, 0, folder=folder)
        assert made == folder / "x.wav"
        with pytest.raises(AudioFileError, match="no folder"):
            recorder.start("q", source.ring, source.header, "sub/x.wav", None, LABELS, 0, folder=folder)
    assert not list(outside.iterdir())


def test_several_tracks_stay_aligned(tmp_path: Path) -> None:
    sources = [Source() for _ in range(4)]
    names = ["a.wav", "b.flac", "c.wav", "d.aiff"]
    with recording() as (recorder, _):
        for source, name in zip(sources, names, strict=True):
            recorder.start(name, source.ring, source.header, tmp_path / name, None, LABELS, 4096)
        for turn in range(60):
            for k, source in enumerate(sources):
                source.advance(1000 + 8 * ((turn + k) % 4))
            until(
                lambda: all(s.end - 4096 - written(recorder, n) < 16_000 for s, n in zip(sources, names, strict=True)),
                "the writers",
            )
        takes = recorder.stop_all(at_frame=60_000)
    assert {take.frames for take in takes.values()} == {60_000 - 4096}
    for name in names:
        np.testing.assert_array_equal(soundfile.read(tmp_path / name, dtype="float32")[0], ramp(4096, 60_000 - 4096))


def test_what_the_disk_was_too_slow_for_is_silent_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from host.audiofile import AudioWriter

    gate = threading.Event()
    held = threading.Event()
    write = AudioWriter.write

    def slow(writer: AudioWriter, block: np.ndarray) -> None:
        held.set()
        gate.wait(60)
        write(writer, block)

    monkeypatch.setattr(AudioWriter, "write", slow)
    source = Source()
    with recording() as (recorder, _):
        recorder.start("r", source.ring, source.header, tmp_path / "a.wav", None, LABELS, 0)
        source.advance(10_000)
        assert held.wait(30)
        source.advance(200_000)
        gate.set()
        until(lambda: written(recorder, "r") > 205_000, "the writer to catch up")
        source.advance(10_000)
        take = recorder.stop("r")
    found = soundfile.read(tmp_path / "a.wav", dtype="float32")[0]
    assert take.frames == len(found) == 220_000
    expected = ramp(0, 220_000)
    silent = ~found.any(axis=1)
    silent[0] = False
    assert np.count_nonzero(silent) == take.lost
    # The ring holds its own length less what may be overwritten: so much is there, at its place.
    assert 200_000 - RING <= take.lost <= 210_000 - RING + 8192
    np.testing.assert_array_equal(found[~silent], expected[~silent])


def test_a_take_becomes_rf64_in_place(tmp_path: Path) -> None:
    """With a limit that is smaller than 4 GiB; the rest is the same."""
    path = tmp_path / "a.wav"
    writer = create_audio(path, RATE, LABELS, growing=True, riff_limit=100_000)
    for start, head in ((0, b"RIFF"), (10_000, b"RF64"), (20_000, b"RF64")):
        writer.write(ramp(start, 10_000))
        writer.update()
        assert path.read_bytes()[:4] == head
        np.testing.assert_array_equal(soundfile.read(path, dtype="float32")[0], ramp(0, start + 10_000))
        with open_audio(path) as reader:
            assert reader.frames == start + 10_000
    writer.commit()
    np.testing.assert_array_equal(soundfile.read(path, dtype="float32")[0], ramp(0, 30_000))


def check_full(takes: dict[str, Take], said: list[str], names: list[str]) -> None:
    """Every take ended readable and said so once."""
    assert sorted(said) == sorted(
        f"{t.path}: {t.problem}; the take ends after {t.frames / RATE:.1f} s" for t in takes.values()
    )
    for name in names:
        take = takes[name]
        assert take.problem
        assert take.lost > 0
        found = soundfile.read(take.path, dtype="float32")[0]
        # FLAC is whole up to its last block.
        assert take.frames - 8192 <= len(found) <= take.frames
        assert len(found) > 20_000
        np.testing.assert_array_equal(found, hiss(0, len(found)))


def record_until_full(folder: Path, names: list[str]) -> tuple[dict[str, Take], list[str]]:
    source = Source(make=hiss)
    with recording() as (recorder, said):
        for name in names:
            recorder.start(name, source.ring, source.header, folder / name, "PCM_24", LABELS, 0)
        for _ in range(200):
            source.advance(4096)
            until(
                lambda: all(name in str(said) or source.end - written(recorder, name) < 8192 for name in names),
                "the writer or the end",
            )
            if len(said) == len(names):
                break
        source.advance(4096)
        return recorder.stop_all(), said


def test_a_file_that_may_not_grow_ends_readable(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    names = ["a.wav", "a.flac", "b.wav"]
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_001, before[1]))
    try:
        takes, said = record_until_full(tmp_path, names)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    check_full(takes, said, names)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux has tmpfs")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", bytes(folder), b"tmpfs", 0, b"size=1m"):
        pytest.skip(f"cannot mount a small file system: {os.strerror(ctypes.get_errno())}")
    yield folder
    libc.umount2(bytes(folder), 2)


def test_a_full_disk_ends_takes_readable(small_disk: Path) -> None:
    names = ["a.wav", "a.flac"]
    takes, said = record_until_full(small_disk, names)
    check_full(takes, said, names)


CHILD = """
    import sys, time
    import numpy as np
    from pathlib import Path
    from host.disk.recorder import Recorder
    from host.native.abi import STREAM_END
    ring, header = np.zeros((1 << 16, 2), np.float32), np.zeros(8, np.int64)
    folder, end, began = Path(sys.argv[1]), 0, time.monotonic()
    with Recorder(48000, print) as recorder:
        for name, subtype in (("a.wav", "PCM_16"), ("b.wav", None), ("a.flac", "PCM_24"), ("a.ogg", None)):
            recorder.start(name, ring, header, folder / name, subtype, ("L", "R"), 0)
        while True:
            number = np.arange(end, end + 480)
            ring[number & 65535] = np.stack([number >> 12, number & 4095], axis=1) / 32768.0
            end += 480
            header[STREAM_END] = end
            print(end, flush=True)
            time.sleep(max(0.0, began + end / 48000 - time.monotonic()))
"""


def test_takes_are_readable_after_the_process_was_killed(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-P", "-c", textwrap.dedent(CHILD), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert child.stdout
    played = 0
    for line in child.stdout:
        played = int(line)
        if played > 3.3 * RATE:
            break
    child.kill()
    rest = child.stdout.read().split()
    child.wait()
    played = int(rest[-1]) if rest else played
    for name in ("a.wav", "b.wav", "a.flac"):
        found, rate = soundfile.read(tmp_path / name, dtype="float32", always_2d=True)
        assert rate == RATE
        # A slow machine writes later: what must hold is that no more than a second or so of it is missing.
        assert played - 1.5 * RATE < len(found) <= played
        np.testing.assert_array_equal(numbers(found), np.arange(len(found)))
        with open_audio(tmp_path / name) as reader:
            np.testing.assert_array_equal(reader.read(len(found)), found)
    assert len(soundfile.read(tmp_path / "a.ogg")[0]) > RATE
    if shutil.which("ffprobe"):
        for name in ("a.wav", "b.wav", "a.flac"):
            command = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", str(tmp_path / name)]
            stream = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["streams"][0]
            assert played - 1.5 * RATE < round(float(stream["duration"]) * RATE) <= played


def test_the_last_seconds_are_kept(tmp_path: Path) -> None:
    source = Source()
    with pytest.raises(AudioFileError, match="nothing to keep"):
        save_last(source.ring, source.header, 0.5, tmp_path / "a.wav", RATE, LABELS)
    source.advance(10_000)
    early = save_last(source.ring, source.header, 0.5, tmp_path / "a.wav", RATE, LABELS)
    assert early == Take(tmp_path / "a.wav", 10_000)
    source.advance(190_000)
    take = save_last(source.ring, source.header, 0.5, tmp_path / "a.wav", RATE, LABELS)
    assert take == Take(tmp_path / "a-2.wav", 24_000)
    np.testing.assert_array_equal(soundfile.read(take.path, dtype="float32")[0], ramp(176_000, 24_000))
    # No more than the ring surely holds.
    take = save_last(source.ring, source.header, 60, tmp_path / "a.flac", RATE, LABELS)
    assert take.frames == RING - 8192
    np.testing.assert_array_equal(
        soundfile.read(take.path, dtype="float32")[0], ramp(200_000 - take.frames, take.frames)
    )


def test_what_is_overwritten_while_it_is_kept_is_left_out(tmp_path: Path) -> None:
    source = Source()
    source.advance(200_000)

    class Moving(np.ndarray):
        """A ring that native code writes on while it is read."""

        def __getitem__(self, key: object) -> np.ndarray:
            source.advance(4096)
            return np.asarray(source.ring)[key]

    take = save_last(source.ring.view(Moving), source.header, 60, tmp_path / "a.wav", RATE, LABELS)
    found = soundfile.read(take.path, dtype="float32")[0]
    assert take.lost > 0
    assert take.frames == len(found) == RING - 8192 - take.lost
    np.testing.assert_array_equal(found, ramp(200_000 - len(found), len(found)))
