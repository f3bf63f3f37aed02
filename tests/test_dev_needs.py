"""dev_needs.py: what is looked for on which system, how it is installed, and what is said where that cannot be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import dev
import dev_needs
from tests.test_dev import Commands

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'
MINT = 'ID=linuxmint\nID_LIKE="ubuntu debian"\n'
FEDORA = "ID=fedora\nID_LIKE=rhel\n"


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    found = Commands()
    monkeypatch.setattr(dev.subprocess, "run", found.run)
    return found


@pytest.mark.parametrize(
    ("platform", "release", "system"),
    [
        ("linux", DEBIAN, "debian"),
        ("linux", MINT, "debian"),
        ("linux", FEDORA, "other"),
        ("linux", None, "other"),
        ("darwin", None, "macos"),
        ("win32", None, "windows"),
    ],
)
def test_systems_are_told_apart(platform: str, release: str | None, system: str, tmp_path: Path) -> None:
    file = tmp_path / "os-release"
    if release is not None:
        file.write_text(release)
    assert dev_needs.detect_system(platform, file) == system


def test_a_need_is_present_when_all_that_names_it_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = frozenset({"test"})
    monkeypatch.setattr(dev.shutil, "which", lambda name: f"/bin/{name}" if name == "there" else None)
    monkeypatch.setattr(dev_needs.ctypes.util, "find_library", lambda name: "x.so" if name == "there" else None)
    monkeypatch.setenv("CPATH", str(tmp_path))
    (tmp_path / "there.h").touch()
    assert dev_needs.Need("n", "w", every, program="there", library="there", header="there.h", module="json").present()
    assert not dev_needs.Need("n", "w", every, program="gone").present()
    assert not dev_needs.Need("n", "w", every, library="gone").present()
    assert not dev_needs.Need("n", "w", every, header="gone.h").present()
    assert not dev_needs.Need("n", "w", every, module="no_such_module_anywhere").present()
    assert not dev_needs.Need("n", "w", every, program="there", header="gone.h").present()


def names(needs: list[dev_needs.Need]) -> set[str]:
    return {need.name for need in needs}


def test_debian_without_uv_needs_venv_for_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev.sys, "base_prefix", "/usr")
    venv = next(need for need in dev_needs.needs("debian", uv=False) if need.name == "venv")
    assert venv.required
    assert venv.commands == set(dev.COMMANDS)
    assert venv.apt == f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    assert "venv" not in names(dev_needs.needs("debian", uv=True))
    assert "venv" not in names(dev_needs.needs("macos", uv=False))
    monkeypatch.setattr(dev.sys, "base_prefix", "/opt/python")
    assert "venv" not in names(dev_needs.needs("debian", uv=False))


def test_only_venv_keeps_anything_from_working(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev.sys, "base_prefix", "/usr")
    assert names([need for need in dev_needs.needs("debian", uv=False) if need.required]) == {"venv"}


def test_every_need_has_a_debian_package() -> None:
    assert all(need.apt for need in dev_needs.needs("debian", uv=False))


def absent(*wanted: str) -> list[dev_needs.Need]:
    return [need for need in dev_needs.needs("debian", uv=True) if need.name in wanted]


def test_words_for_each_system() -> None:
    both = absent("ffmpeg", "C compiler")
    assert (
        dev_needs.install_words("debian", both) == "sudo apt-get update && sudo apt-get install -y ffmpeg gcc libc6-dev"
    )
    assert dev_needs.install_words("macos", both) == "xcode-select --install && brew install ffmpeg"
    assert dev_needs.install_words("windows", absent("ffmpeg")) == "winget install --id Gyan.FFmpeg"
    assert dev_needs.install_words("windows", absent("PortAudio")) == ""
    assert dev_needs.install_words("other", both) == "your package manager, looking for: ffmpeg, C compiler"


@pytest.fixture
def nothing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev_needs.Need, "present", lambda need: False)


@pytest.mark.usefixtures("nothing_there")
@pytest.mark.parametrize(
    ("system", "words"),
    [
        ("macos", "brew install ffmpeg"),
        ("windows", "winget install --id Gyan.FFmpeg"),
        ("other", "looking for: ffmpeg"),
    ],
)
def test_elsewhere_the_command_is_printed_and_work_goes_on(
    system: str, words: str, commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    dev.provide("test", system, uv=True)
    said = capsys.readouterr().out
    assert words in said
    assert "Missing: ffmpeg (" in said
    assert commands.ran == []


@pytest.mark.usefixtures("nothing_there")
def test_a_demo_needs_nothing_of_the_system(commands: Commands, capsys: pytest.CaptureFixture[str]) -> None:
    for system in ("debian", "macos", "windows", "other"):
        dev.provide("demo", system, uv=True)
    assert capsys.readouterr().out == ""
    assert commands.ran == []


@pytest.mark.usefixtures("nothing_there")
def test_without_leave_debian_gets_the_command_too(
    commands: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev_needs, "privilege", lambda: None)
    dev.provide("bench", "debian", uv=True)
    assert "sudo apt-get update && sudo apt-get install -y gcc libc6-dev libfftw3-dev" in capsys.readouterr().out
    assert commands.ran == []


@pytest.mark.usefixtures("nothing_there")
def test_without_leave_a_missing_venv_ends_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev.sys, "base_prefix", "/usr")
    monkeypatch.setattr(dev_needs, "privilege", lambda: None)
    with pytest.raises(dev.DevError, match="needed before anything else"):
        dev.provide("demo", "debian", uv=False)
    assert "-venv" in capsys.readouterr().out


def test_with_leave_debian_packages_are_installed(
    commands: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev_needs, "privilege", lambda: ["sudo", "-n"])
    monkeypatch.setattr(dev.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(dev_needs.Need, "present", lambda need: any("install" in line for line in commands.lines))
    dev.provide("test", "debian", uv=True)
    update, install = commands.ran
    assert update[:2] == install[:2] == ["sudo", "-n"]
    assert update[-1] == "update"
    wanted = [
        word for need in dev_needs.needs("debian", uv=False) if "test" in need.commands for word in need.apt.split()
    ]
    asked = install[install.index("--no-install-recommends") + 1 :]
    assert asked == [word for word in wanted if "venv" not in word]
    assert {"ffmpeg", "gcc", "libportaudio2", "jackd2", "zam-plugins", "xvfb", "xdotool", "libgl1"} <= {*asked}
    assert "DEBIAN_FRONTEND=noninteractive" in install
    assert "Missing" not in capsys.readouterr().out


@pytest.mark.usefixtures("nothing_there")
def test_a_failed_installation_is_said(
    commands: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.failing = ("install",)
    monkeypatch.setattr(dev_needs, "privilege", list)
    monkeypatch.setattr(dev.shutil, "which", lambda name: f"/usr/bin/{name}")
    dev.provide("test", "debian", uv=True)
    said = capsys.readouterr().out
    assert "Missing: ffmpeg" in said
    assert "apt-get install -y ffmpeg" in said


@pytest.mark.usefixtures("nothing_there")
def test_a_package_that_is_nowhere_costs_no_other(
    commands: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there: set[str] = set()

    def install(words: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        wanted = words[words.index("--no-install-recommends") + 1 :] if "install" in words else []
        known = "zam-plugins" not in wanted
        there.update(wanted if known else [])
        return subprocess.CompletedProcess(words, 0 if known else 100)

    monkeypatch.setattr(dev.subprocess, "run", install)
    monkeypatch.setattr(dev_needs, "privilege", list)
    monkeypatch.setattr(dev.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(dev_needs.Need, "present", lambda need: {*need.apt.split()} <= there)
    dev.provide("test", "debian", uv=True)
    assert {"ffmpeg", "gcc", "jackd2", "xvfb", "libgl1-mesa-dri"} <= there
    said = capsys.readouterr().out
    assert said.count("Missing:") == 1
    assert "Missing: zam-plugins" in said


def test_root_needs_no_sudo(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev.os, "geteuid", lambda: 0, raising=False)
    assert dev_needs.privilege() == []
    assert commands.ran == []


@pytest.mark.parametrize(
    ("sudo", "asks", "leave"), [(True, False, ["sudo", "-n"]), (True, True, None), (False, False, None)]
)
def test_others_need_sudo_that_does_not_ask(
    sudo: bool, asks: bool, leave: list[str] | None, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev.os, "geteuid", lambda: 1000, raising=False)
    monkeypatch.setattr(dev.shutil, "which", lambda name: "/usr/bin/sudo" if sudo else None)
    commands.failing = ("sudo",) if asks else ()
    assert dev_needs.privilege() == leave
    assert commands.ran == ([["sudo", "-n", "true"]] if sudo else [])
