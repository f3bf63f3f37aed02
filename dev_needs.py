"""What the commands of ``dev.py`` want from the system, beside what Python's wheels bring: looked for, installed where
that is allowed, else named. Only the standard library is used.
"""

import ctypes.util
import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


class DevError(Exception):
    """Something the person must know: one message, and the exit status that goes with it."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def say(text: str) -> None:
    """A line for the person, in order with what child processes print."""
    print(text, flush=True)


@dataclass(frozen=True)
class Need:
    """Something no wheel brings: what it is for, which commands want it, how to find it, what it is called where."""

    name: str
    why: str
    commands: frozenset[str]
    program: str = ""
    library: str = ""
    header: str = ""
    module: str = ""
    apt: str = ""
    brew: str = ""
    winget: str = ""
    required: bool = False

    def present(self) -> bool:
        """True when every way of finding it that is given finds it."""
        return (
            (not self.program or shutil.which(self.program) is not None)
            and (not self.library or ctypes.util.find_library(self.library) is not None)
            and (not self.header or any((Path(at) / self.header).exists() for at in header_folders()))
            and (not self.module or importlib.util.find_spec(self.module) is not None)
        )


def header_folders() -> list[str]:
    """Where C headers of packages are found."""
    return [
        *os.environ.get("CPATH", "").split(os.pathsep),
        "/usr/include",
        "/usr/local/include",
        "/opt/homebrew/include",
    ]


def needs(system: str, uv: bool) -> list[Need]:
    """What is looked for on this system; with uv, Python's own venv is not."""
    found = [
        Need(
            "ffmpeg",
            "tests hold loudness, true peak and channel masks against it; without it they are skipped",
            frozenset({"test"}),
            program="ffmpeg",
            apt="ffmpeg",
            brew="ffmpeg",
            winget="Gyan.FFmpeg",
        ),
        Need(
            "C compiler",
            "compiles the plugins that tests play with, and the C that the benchmarks compare with",
            frozenset({"test", "bench"}),
            "gcc",
            apt="gcc libc6-dev",
        ),
        Need(
            "FFTW",
            "the C convolution that the benchmarks compare with",
            frozenset({"bench"}),
            header="fftw3.h",
            apt="libfftw3-dev",
            brew="fftw",
        ),
    ]
    if system == "debian":
        found += [
            Need(
                "PortAudio",
                "sound cards; rendering does without",
                frozenset({"setup", "test"}),
                library="portaudio",
                apt="libportaudio2",
            ),
            Need(
                "JACK",
                "tests play through a server of theirs without hardware; without it they are skipped",
                frozenset({"test"}),
                program="jackd",
                apt="jackd2",
            ),
            Need(
                "zam-plugins",
                "real VST3 plugins for the tests; without them those are skipped",
                frozenset({"test"}),
                program="ZamComp",
                apt="zam-plugins",
            ),
            Need("Xvfb", "tests of windows, else skipped", frozenset({"test", "bench"}), "Xvfb", apt="xvfb"),
            Need("xdotool", "tests of windows, else skipped", frozenset({"test"}), "xdotool", apt="xdotool"),
            Need(
                "OpenGL",
                "the editor draws with it; rendering and playing do without",
                frozenset({"setup", "test"}),
                library="GL",
                apt="libgl1 libglx-mesa0 libgl1-mesa-dri",
            ),
            Need(
                "libatomic",
                "pedalboard's wheel links to it; rendering does without",
                frozenset({"setup", "test"}),
                library="atomic",
                apt="libatomic1",
            ),
        ]
        if not uv and sys.base_prefix == "/usr":
            python = f"python{sys.version_info[0]}.{sys.version_info[1]}"
            every = frozenset({"demo", "test", "lint", "bench", "soak", "setup"})
            venv = Need("venv", "Debian keeps it apart from Python", every, module="ensurepip", apt=f"{python}-venv")
            found.append(Need(**{**vars(venv), "required": True}))
    return found


def detect_system(platform: str = sys.platform, os_release: Path = Path("/etc/os-release")) -> str:
    """`debian` (and what is like it), `macos`, `windows`, or `other`."""
    if platform == "darwin":
        return "macos"
    if platform in ("win32", "cygwin"):
        return "windows"
    try:
        lines = os_release.read_text(encoding="utf-8").splitlines()
    except OSError:
        return "other"
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    names = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".replace('"', "").replace("'", "").split()
    return "debian" if {"debian", "ubuntu"} & set(names) else "other"


def install_words(system: str, missing: list[Need]) -> str:
    """The line to type that installs what is missing, or what to look for where no package manager is known."""
    if system == "debian":
        return "sudo apt-get update && sudo apt-get install -y " + " ".join(need.apt for need in missing if need.apt)
    if system == "macos":
        found = [need.brew for need in missing if need.brew]
        tools = ["xcode-select --install"] if any(need.program == "gcc" for need in missing) else []
        return " && ".join(tools + (["brew install " + " ".join(found)] if found else []))
    if system == "windows":
        return " && ".join(f"winget install --id {need.winget}" for need in missing if need.winget)
    return "your package manager, looking for: " + ", ".join(need.name for need in missing)


def privilege() -> list[str] | None:
    """What to put before apt-get so that it may install: nothing for root, sudo without a password, or None."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def apt_install(missing: list[Need], before: list[str]) -> None:
    """Install what is missing with apt. A package that it does not have costs all that are asked for with it, so each
    need is tried alone when they do not go together.
    """
    apt = [*before, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=120", "-qq"]
    install = [*apt, "install", "-y", "--no-install-recommends"]
    wanted = [need.apt.split() for need in missing]
    say(f"Installing system packages: {' '.join(need.apt for need in missing)}")
    subprocess.run([*apt, "update"])  # a list that is stale may still do
    if subprocess.run([*install, *(package for own in wanted for package in own)]).returncode:
        for own in wanted if len(wanted) > 1 else []:
            subprocess.run([*install, *own])


def provide(command: str, system: str, uv: bool) -> None:
    """See that what the command wants from the system is there; install it, or say how."""
    missing = [need for need in needs(system, uv) if command in need.commands and not need.present()]
    if not missing:
        return
    before = privilege() if system == "debian" and shutil.which("apt-get") else None
    if before is not None:
        apt_install(missing, before)
        importlib.invalidate_caches()
        missing = [need for need in missing if not need.present()]
    for need in missing:
        say(f"Missing: {need.name} ({need.why}).")
    words = install_words(system, missing) if missing else ""
    if words:
        say(f"Install with: {words}")
    if any(need.required for need in missing):
        raise DevError("that is needed before anything else can be done")
