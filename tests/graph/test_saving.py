"""A save that is cut short, by kill -9 or by an error, leaves the old file or the new one, whole."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from graph import saving
from graph.document import Patch
from graph.errors import PatchError
from graph.patchfile import load, save
from graph.saving import backups_of, write_whole

ROOT = Path(__file__).resolve().parents[2]
KILLS = 200

# For every number it is told, forks a child that saves, from that number on, a patch all parts of which say which save
# it is; the child says the number too, once the file is said to be there. Then says how the child ended.
SAVER = """
import os, sys
from graph.document import Patch
from graph.patchfile import save
path = sys.argv[1]
patch = Patch()
for i in range(30):
    patch.add(f"n{i}", "gain", level_db=0)
say = lambda text: os.write(1, (text + "\\n").encode())
for line in sys.stdin:
    child = os.fork()
    if child:
        say(f"end {os.waitpid(child, 0)[1]}")
        continue
    say(f"pid {os.getpid()}")
    number = int(line)
    while True:
        patch.name = f"save {number}"
        for i in range(30):
            patch.set(f"n{i}", level_db=number)
        save(patch, path)
        say(str(number))
        number += 1
"""


def number_of(path: Path) -> int:
    """Which save a file is of; fails if it is not one whole save."""
    patch = load(path)
    number = int(patch.name.removeprefix("save "))
    assert {entry.params["level_db"] for entry in patch.nodes().values()} == {number}
    assert len(patch.nodes()) == 30
    return number


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_kill_minus_9_during_saves_200_times_always_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "kept.pwp"
    rng = random.Random(9)
    kills = unfinished = last = 0
    saver = subprocess.Popen(
        [sys.executable, "-P", "-c", SAVER, str(path)],
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    assert saver.stdin is not None
    assert saver.stdout is not None
    child = 0
    try:
        while kills < KILLS or (unfinished <= KILLS // 20 and kills < 5 * KILLS):
            kills += 1
            saver.stdin.write(f"{last + 1}\n")
            word, _, pid = saver.stdout.readline().partition(" ")
            assert word == "pid"
            child = int(pid)
            said = [int(saver.stdout.readline()) for _ in range(rng.randrange(1, 3))]
            deadline = time.perf_counter() + rng.uniform(0, 0.008)
            while time.perf_counter() < deadline:
                pass
            os.kill(child, signal.SIGKILL)
            while not (line := saver.stdout.readline()).startswith("end"):
                said.append(int(line))
            child = 0
            assert line == f"end {signal.SIGKILL}\n"
            last = number_of(path)
            assert said[-1] <= last <= said[-1] + 1, "what was said to be saved is there, or the one that was under way"
            backups = [number_of(backup) for backup in backups_of(path)]
            assert backups == sorted(backups, reverse=True)
            assert all(backup <= last for backup in backups)
            unfinished = max(unfinished, sum(file.name.endswith(".saving") for file in tmp_path.iterdir()))
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
        saver.stdin.close()
        saver.stdout.close()
        saver.wait(timeout=60)
    assert unfinished > KILLS // 20, "many of the kills came in the middle of a save"
    assert len(backups_of(path)) == saving.BACKUPS


@pytest.mark.parametrize("step", ["fsync", "link", "replace", "replace a backup", "copymode"])
def test_a_save_that_fails_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "kept.pwp"
    write_whole(path, b"one")
    write_whole(path, b"two")

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    replace = os.replace

    def fail_late(source: Path, target: Path) -> None:
        return fail() if Path(target).name == "kept.pwp.1" else replace(source, target)

    with monkeypatch.context() as patched:
        if step == "replace a backup":
            patched.setattr(os, "replace", fail_late)
        elif step == "copymode":
            patched.setattr(saving.shutil, "copymode", fail)
        else:
            patched.setattr(os, step, fail)
        if step == "link":  # then the backup is a copy
            write_whole(path, b"three")
        else:
            with pytest.raises(OSError, match="No space left"):
                write_whole(path, b"three")
            assert path.read_bytes() == b"two"
            with pytest.raises(PatchError, match=r"kept\.pwp: it cannot be saved: No space left on device"):
                save(Patch("x"), path)
    assert not [file for file in tmp_path.iterdir() if file.name.endswith(".saving")]
    write_whole(path, b"four")
    assert path.read_bytes() == b"four"
    assert backups_of(path)[0].read_bytes() == (b"three" if step == "link" else b"two")


def test_backups_rotate_and_the_newest_is_what_was_there_before(tmp_path: Path) -> None:
    path = tmp_path / "a.pwp"
    assert backups_of(path) == []
    for number in range(9):
        write_whole(path, b"%d" % number)
    assert path.read_bytes() == b"8"
    assert [backup.read_bytes() for backup in backups_of(path)] == [b"7", b"6", b"5", b"4", b"3"]
    assert sorted(file.name for file in tmp_path.iterdir()) == [".backups", "a.pwp"]
    assert backups_of(path)[0] == tmp_path.resolve() / ".backups" / "a.pwp.1"
    write_whole(path, b"8")
    assert backups_of(path)[0].read_bytes() == b"7", "what is saved unchanged costs no backup"
    path.write_bytes(b"edited in place")
    assert backups_of(path)[0].read_bytes() == b"7", "a backup is no second name of the file"


def test_without_backups_none_are_made(tmp_path: Path) -> None:
    for number in range(3):
        save(Patch(str(number)), tmp_path / "a.json", backups=0)
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions and links of POSIX")
def test_permissions_and_links_are_kept(tmp_path: Path) -> None:
    real, link = tmp_path / "real.pwp", tmp_path / "link.pwp"
    umask = os.umask(0o022)
    try:
        write_whole(real, b"1")
    finally:
        os.umask(umask)
    assert real.stat().st_mode & 0o777 == 0o644
    real.chmod(0o640)
    link.symlink_to(real)
    write_whole(link, b"2")
    assert link.is_symlink()
    assert real.read_bytes() == b"2"
    assert real.stat().st_mode & 0o777 == 0o640


def test_what_an_old_save_left_behind_is_swept_up_and_what_a_running_one_writes_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.pwp"
    old, new, other = (tmp_path / name for name in (".a.pwp.1-f.saving", ".a.pwp.2-f.saving", ".b.pwp.1-f.saving"))
    for file in (old, new, other):
        file.write_bytes(b"half")
    for file in (old, other):
        os.utime(file, (0, 0))
    write_whole(path, b"whole")
    assert not old.exists()
    assert new.exists()
    assert other.exists()


def test_two_threads_that_save_at_once_leave_one_of_the_two(tmp_path: Path) -> None:
    path = tmp_path / "a.pwp"
    contents = [bytes([n]) * 50_000 for n in (1, 2)]

    def save_often(data: bytes) -> None:
        for _ in range(20):
            write_whole(path, data)

    threads = [threading.Thread(target=save_often, args=(data,)) for data in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert all(backup.read_bytes() in contents for backup in backups_of(path))
