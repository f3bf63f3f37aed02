"""`patchwright devices` and `doctor`, as a person or a program uses them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from host.devices import stored


def run(root, *words: str, path: str = "") -> subprocess.CompletedProcess[str]:
    start = (
        f"import sys; sys.path[:0] = {[p for p in (path, str(root)) if p]!r}; import patchwright; patchwright.main()"
    )
    return subprocess.run(
        [sys.executable, "-P", "-c", start, *words], capture_output=True, encoding="utf-8", timeout=120, env=os.environ
    )


@pytest.fixture
def without_portaudio(tmp_path):
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    return str(tmp_path)


def test_devices_are_listed(jack, root):
    done = run(root, "devices")
    assert done.returncode == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if "JACK" in line)
    assert "system" in row
    assert "48000 Hz" in row
    found = json.loads(run(root, "devices", "--json").stdout)
    system = next(d for d in found if d["name"] == "system")
    assert (system["inputs"], system["outputs"], system["rate"]) == (2, 2, 48000)
    assert set(system) == {"index", "name", "api", "inputs", "outputs", "rate", "default_input", "default_output"}
    assert found[-1]["name"] == "null"


def test_without_portaudio_the_null_device_is_listed_and_the_package_named(root, without_portaudio):
    done = run(root, "devices", path=without_portaudio)
    assert done.returncode == 0
    assert "null" in done.stdout
    assert done.stderr.count("\n") == 1
    assert "apt install libportaudio2" in done.stderr
    doctor = run(root, "doctor", "--json", path=without_portaudio)
    line = next(n for n in json.loads(doctor.stdout) if n["subject"] == "PortAudio")
    assert not line["good"]
    assert "apt install libportaudio2" in line["found"]
    assert doctor.returncode == 0


def test_doctor_tells_of_devices_jack_priority_and_memory(jack, root):
    lines = {line["subject"]: line for line in json.loads(run(root, "doctor", "--json").stdout)}
    assert "JACK Audio Connection Kit: system" in lines["audio devices"]["found"]
    assert lines["JACK"]["found"] == "a server runs at 48000 Hz"
    assert lines["PortAudio"]["found"].startswith("PortAudio V19")
    for subject in ("realtime priority", "memory lock", "disk cache"):
        assert lines[subject]["good"] or "limits.d" in lines[subject]["found"]
        assert not lines[subject]["needed"]


def test_measuring_keeps_what_it_found(jack, root, tmp_path, monkeypatch):
    """The cable is a connection that JACK makes when our ports appear."""
    monkeypatch.setenv("PATCHWRIGHT_CONFIG", str(tmp_path / "settings"))
    from host.devices import Choice, report

    def connect(words: str) -> None:
        if words.startswith("playing"):
            ours = [port for port in jack.ports() if port.startswith("Patchwright")]
            jack.connect(next(p for p in ours if "out_0" in p), next(p for p in ours if "in_0" in p))

    found = report.measured(Choice(), 1, 1, say=connect)
    assert (found["frames"], found["spread"], found["milliseconds"]) == (64, 0, 1.333)
    assert "64 frames there and back (1.333 ms at 48000 Hz, blocks of 64)" in report.sentence(found)
    trip = stored.stored(pytest.fail).round_trip("system", "system", 48000, 64)
    assert trip is not None
    assert trip.frames == 64


def test_measuring_without_a_cable_is_said_in_one_line(jack, root):
    done = run(root, "devices", "measure", "--json")
    assert done.returncode == 1
    assert done.stdout == ""
    problem = [line for line in done.stderr.splitlines() if line.startswith("patchwright: ")]
    assert len(problem) == 1
    assert "nothing at all came back" in problem[0]


@pytest.mark.parametrize("words", [("--out-channel", "0"), ("--rate", "7"), ("--block", "-1"), ("--nonsense",)])
def test_wrong_usage_is_status_two(root, words):
    assert run(root, "devices", "measure", *words).returncode == 2


def test_channels_are_mapped_shown_and_forgotten(root, tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHWRIGHT_CONFIG", str(tmp_path))
    assert run(root, "devices", "map").stdout == "channels of all devices go straight\n"
    done = run(root, "devices", "map", "system", "--outputs", "3, 4 - 1")
    assert (done.returncode, done.stdout) == (0, "system: inputs straight; outputs 3 4 - 1\n")
    assert "opened next" in done.stderr
    assert stored.stored(print).map_of("system").outputs(0, 5) == [2, 3, -1, 0, 4]
    assert run(root, "devices", "map", "system", "--inputs", "2").returncode == 0
    assert json.loads(run(root, "devices", "map", "--json").stdout) == [
        {"device": "system", "inputs": [2], "outputs": [3, 4, None, 1]}
    ]
    assert run(root, "devices", "map", "other").stdout == "other: channels go straight\n"
    assert run(root, "devices", "map", "system", "--straight").stdout == "system: channels go straight\n"
    assert stored.stored(print).maps == {}


def test_a_map_is_kept_for_the_device_that_is_meant(jack, root, tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHWRIGHT_CONFIG", str(tmp_path))
    done = run(root, "devices", "map", "sys", "--outputs", "2 9 1 7", "--inputs", "2 1")
    assert done.stdout == "system: inputs 2 1; outputs 2 9 1 7\n"
    assert "there is no device 'sys'; taking 'system'\n" in done.stderr
    assert "system has 2 outputs: nothing goes through 9 7\n" in done.stderr
    assert "inputs: nothing" not in done.stderr
    assert "there is no device" not in run(root, "devices", "map", "JACK Audio Connection Kit: system").stderr


def test_a_map_for_a_device_that_is_away_is_kept_and_said(root, tmp_path, monkeypatch):
    monkeypatch.setenv("PATCHWRIGHT_CONFIG", str(tmp_path))
    done = run(root, "devices", "map", "Cellar 8", "--outputs", "3 4")
    assert (done.returncode, done.stdout) == (0, "Cellar 8: inputs straight; outputs 3 4\n")
    assert "there is no device 'Cellar 8' now; there are" in done.stderr
    assert "'null'" in done.stderr
    again = run(root, "devices", "map", "Cellar 8", "--straight")
    assert (again.stdout, again.stderr) == ("Cellar 8: channels go straight\n", "")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("system", "--outputs", "1 1"), 1, "device channel 1 stands there twice"),
        (("system", "--inputs", "0"), 1, "--inputs: expected channels from 1 to 256, or - for none, found '0'"),
        (("system", "--inputs", "left"), 1, "found 'left'"),
        (("--inputs", "1"), 2, "say which device"),
        (("system", "--straight", "--inputs", "1"), 2, "not both"),
    ],
)
def test_a_map_that_makes_no_sense_is_refused(root, tmp_path, monkeypatch, words, status, said):
    monkeypatch.setenv("PATCHWRIGHT_CONFIG", str(tmp_path))
    done = run(root, "devices", "map", *words)
    assert done.returncode == status
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
