"""A child of scans whose plugins are JSON files that say what they do: every way to behave badly, on purpose.

``{"load": WHAT, "classes": {UID: WHAT, …}}``; each look is noted in the file that FAKE_LOG names.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def note(word: str) -> None:
    descriptor = os.open(os.environ["FAKE_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{word}\n".encode())
    os.close(descriptor)


def say(**answer) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def description(uid: str) -> dict:
    return {
        "format": "vst3", "uid": uid, "name": f"Plugin {uid}", "vendor": "Test", "version": "1.2.3", "category": "Fx",
        "instrument": False, "events_in": False, "inputs": [], "outputs": [], "arrangements": [], "params": [],
        "latency_frames": 7,
    }  # fmt: skip


def forever() -> None:
    while True:
        time.sleep(3600)


def neighbours(folder: Path) -> int:
    """How many others of this folder are being looked at now."""
    there = [path.read_text() for path in folder.glob("*.running")]
    return sum(pid != str(os.getpid()) and Path(f"/proc/{pid}").exists() for pid in there)


def do(what: str, path: Path, parent: int) -> None:
    match what:
        case "crash":
            sys.stderr.write("about to fall over\n")
            sys.stderr.flush()
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(3)
        case "leave":
            os._exit(0)
        case "hang":
            forever()
        case "slow":
            deadline = time.monotonic() + 0.5
            while time.monotonic() < deadline:
                time.sleep(0.01)
        case "memory":
            kept = [bytearray(os.urandom(1) * (16 << 20)) for _ in range(20)]
            note(f"took {len(kept)}")
            forever()
        case "noise":
            while True:
                sys.stderr.write("x" * 65536)
        case "nonsense":
            say(what="is this")
        case "leave a child":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
            note(f"child {child.pid}")
            forever()
        case "needs peace":
            if neighbours(path.parent):
                os.kill(os.getpid(), signal.SIGABRT)
        case "kill the scan":
            os.kill(parent, signal.SIGKILL)
            while os.getppid() == parent:
                time.sleep(0.01)
            os._exit(0)  # as the real child does, which ends with its scan
        case "crash once":
            mark = path.with_suffix(".once")
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGSEGV)


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("file", "format", "seconds", "megabytes", "parent"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--skip", action="append", default=[])
    parser.add_argument("--past", action="append", default=[])
    given = parser.parse_args()
    path = Path(given.file)
    note(f"look {path.name} {os.getpid()}")
    running = path.with_suffix(".running")
    running.write_text(str(os.getpid()))
    content = json.loads(path.read_text())
    say(stage="loading the file")
    load = content.get("load", "")
    if load == "no":
        say(verdict="not a plugin", reason="it has no entry")
    else:
        do(load, path, int(given.parent))
        classes = content.get("classes", {"A": ""})
        say(classes=[[uid, f"Plugin {uid}"] for uid in classes])
        for uid, what in classes.items():
            if uid in given.skip:
                continue
            say(begin=uid)
            say(stage="loading the plugin")
            backend = "fake"
            if what == "crash with one backend":
                backend = "other"
                if f"{uid}=fake" not in given.past:
                    say(trying="fake", left=1)
                    do("crash", path, int(given.parent))
            say(trying=backend, left=0)
            if what == "refuse":
                say(end=uid, verdict="refused", reason="it wants a licence")
                continue
            if what not in ("crash at the end", "crash with one backend"):
                do(what, path, int(given.parent))
            say(end=uid, verdict="good", backend=backend, note="", description=description(uid))
            if what == "crash at the end":
                do("crash", path, int(given.parent))
            say(closed=uid)
    running.unlink(missing_ok=True)
    say(done=True)


if __name__ == "__main__":
    main()
