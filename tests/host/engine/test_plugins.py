"""A real plugin in an engine that plays: heard, killed, back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from host import Engine

from .conftest import until
from .stage import patch

ZAM = Path("/usr/lib/vst3/ZamCompX2.vst3")


@pytest.mark.skipif(not ZAM.exists(), reason="zam-plugins are not installed")
@pytest.mark.skipif(sys.platform != "linux", reason="plugins are played on Linux only, so far")
def test_a_plugin_is_heard_and_comes_back_when_its_process_is_killed(runtime, tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHWRIGHT_DATA", str(tmp_path))
    words = [sys.executable, "-P", "-m", "patchwright", "plugins", "scan", str(ZAM), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    listed = subprocess.run(
        [*words[:4], "plugins", "list", "--json"], capture_output=True, text=True, env=environment, timeout=60
    )
    description = json.loads(listed.stdout)[0]["plugins"][0]["description"]
    settings = {name: description[name] for name in ("format", "uid", "vendor", "name", "version")}
    given = patch(
        {
            "t": {"kind": "oscillator", "params": {"level_db": -6}},
            "z": {"kind": "plugin", "settings": settings},
            "m": {"kind": "meter"},
            "o": {"kind": "audio_out"},
        },
        "t.out>z.in z.out>m.in m.out>o.in",
    )
    given.folder = tmp_path
    with Engine(given, device="null") as engine:
        engine.play()
        until(lambda: 0.45 < engine.readings().get("m", {}).get("peak", [0])[0] < 0.55)
        workers = _workers(engine.status.pid)
        assert workers
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        until(lambda: any("is back" in notice.text for notice in engine.notices))
        until(lambda: 0.45 < engine.readings()["m"]["peak"][0] < 0.55)
        assert any("was lost" in notice.text for notice in engine.notices)


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
