#!/usr/bin/env python3
"""Everything a fresh clone needs, with only the standard library.

    python3 dev.py demo           render the shipped patch over real speech and music, and measure the result
    python3 dev.py test [ARGS]    run the tests; ARGS go to pytest
    python3 dev.py lint           ruff, pyright, import-linter
    python3 dev.py bench [ARGS]   run the benchmarks; ARGS go to them
    python3 dev.py setup          only make the environment
    python3 dev.py soak [ARGS]    hours of sound with edits, for what piles up, drifts or clicks

Each command first makes `.venv` beside this file (with uv when there is one, else with venv and pip) and installs what
requirements.lock pins; once that is done, it costs nothing. On Debian and Ubuntu missing system packages are installed
when that is allowed without a password; anywhere else the command to type is printed.
"""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
"""This file must still parse on older Pythons, so that they get words and not a syntax error."""


def too_old(version, which=shutil.which):
    """What to say to a Python that is too old; empty when it is not."""
    if tuple(version[:2]) >= OLDEST:
        return ""
    newer = [name for name in ("python3.14", "python3.13", "python3.12", "python3.11") if which(name)]
    advice = "Try: {} dev.py".format(newer[0]) if newer else "Get one from your system's packages or from python.org."  # noqa: UP032
    return "dev.py needs Python 3.11 or later; this is {}.{}. {}".format(version[0], version[1], advice)  # noqa: UP032


if too_old(sys.version_info):
    sys.exit(too_old(sys.version_info))

import tomllib  # noqa: E402

from dev_needs import DevError, detect_system, provide, say  # noqa: E402

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "patchwright-installed"
LOCK = ROOT / "requirements.lock"
PATCH = ROOT / "patches" / "duck_music_under_dialogue.json"
TESTS_FAILED = 1
"""Pytest's exit status where tests failed, and nothing worse."""
MOST_AGAIN = 10
"""More failures than this are no accident."""
DEMO = ROOT / "demo" / "duck_music_under_dialogue.wav"


# The environment


def run(words: list[str], **options) -> int:
    """Run a command in the repository, its output passing through; the exit status. An interrupt (Ctrl-C) reaches the
    command as well, and it is not cut short in what it says to that: pytest then tells what has failed so far.
    """
    with subprocess.Popen([str(word) for word in words], cwd=ROOT, **options) as command:
        try:
            return command.wait()
        except KeyboardInterrupt:
            command.wait()
            raise


def venv_program(name: str, windows: bool = os.name == "nt") -> str:
    """A program inside `.venv`."""
    folder, suffix = ("Scripts", ".exe") if windows else ("bin", "")
    return str(VENV / folder / (name + suffix))


def venv_python(*arguments: str) -> list[str]:
    """The environment's Python. -P: a folder named `nodes` where it is started must not shadow ours."""
    return [venv_program("python"), "-P", *arguments]


def fingerprint(lock: Path = LOCK, project: Path = ROOT / "pyproject.toml") -> str:
    """Changes when the environment must be installed anew: with the lock, and with what pyproject.toml installs."""
    tables = tomllib.loads(project.read_text(encoding="utf-8"))
    installed = [tables.get("project"), tables.get("build-system"), tables.get("tool", {}).get("hatch")]
    return hashlib.sha256(lock.read_bytes() + json.dumps(installed, sort_keys=True).encode()).hexdigest()


def environment_works(module: str = "") -> bool:
    """True when `.venv` has a Python that starts, is new enough, and can import the module."""
    test = f"import sys{', ' + module if module else ''}; sys.exit(sys.version_info < {OLDEST})"
    try:
        done = subprocess.run([venv_program("python"), "-I", "-c", test], capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def stamp() -> list[str]:
    """What the last installation wrote: where it was made, and its fingerprint. Empty where none was finished."""
    try:
        return STAMP.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def is_installed() -> bool:
    """True when `.venv` works, was made here, and holds what the lock says now."""
    return stamp() == [str(VENV), fingerprint()] and environment_works()


def remove_environment() -> None:
    """Take `.venv` away, when it is one."""
    if not VENV.exists():
        return
    if not (VENV / "pyvenv.cfg").exists():
        raise DevError(f"{VENV} is in the way: it is not a virtual environment. Move it away and try again.")
    if Path(sys.prefix).resolve() == VENV.resolve():
        raise DevError(f"{VENV} must be made anew, but this Python lives in it. Run dev.py with the system's Python.")
    shutil.rmtree(VENV)


def install_with_uv(uv: str) -> bool:
    """Make and fill `.venv` with uv; False where uv fails."""
    if not environment_works():
        remove_environment()
        if run([uv, "venv", "--quiet", "--python", sys.executable, str(VENV)]):
            return False
    python = ["--python", venv_program("python")]
    return not (
        run([uv, "pip", "sync", *python, "--require-hashes", str(LOCK)])
        or run([uv, "pip", "install", "--quiet", *python, "--no-deps", "--no-build-isolation", "-e", "."])
    )


def install_with_pip() -> bool:
    """Make and fill `.venv` with venv and pip; False where pip fails."""
    if not environment_works("pip"):
        remove_environment()
        if run([sys.executable, "-m", "venv", str(VENV)]):
            return False
    pip = [venv_program("python"), "-m", "pip", "--disable-pip-version-check", "install"]
    return not (
        run([*pip, "--progress-bar", "off", "--require-hashes", "-r", str(LOCK)])
        or run([*pip, "--quiet", "--no-deps", "--no-build-isolation", "-e", "."])
    )


def install(uv: str | None) -> None:
    """Bring `.venv` up to what the lock says, unless it is."""
    if is_installed():
        return
    if stamp()[:1] not in ([], [str(VENV)]):
        remove_environment()  # the folder was moved, and an environment holds absolute paths
    STAMP.unlink(missing_ok=True)
    started = time.monotonic()
    say(f"Making .venv with {'uv' if uv else 'pip'}: the first time, this downloads about 300 MB.")
    done = bool(uv) and install_with_uv(str(uv))
    if uv and not done:
        say("uv did not manage; trying pip.")
        provide("setup", detect_system(), uv=False)
    if not done and not install_with_pip():
        raise DevError(
            "the packages could not be installed; what went wrong stands above. Is there a network connection?"
        )
    STAMP.write_text(f"{VENV}\n{fingerprint()}\n", encoding="utf-8")
    say(f".venv is ready ({time.monotonic() - started:.0f} s).")


# The commands


def answer(arguments: list[str]) -> object:
    """What `patchwright … --json` answers; its progress and its complaints pass through on standard error."""
    done = subprocess.run(
        venv_python("-m", "patchwright", *arguments, "--json"), cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8"
    )
    if done.returncode:
        raise DevError(f"`patchwright {shlex.join(arguments)}` ended with status {done.returncode}", done.returncode)
    return json.loads(done.stdout)


def describe(rendered: dict, measured: dict, file: Path, elapsed: float) -> str:
    """The demo's result in words."""

    def shown(value: float | None, unit: str) -> str:
        return "silence" if value is None else f"{value:.1f} {unit}"

    return "\n".join(
        [
            "",
            f"  length      {rendered['seconds']:.1f} s of {' '.join(measured['channels'])} at {rendered['rate']} Hz",
            f"  rendered    in {rendered['elapsed_s']:.2f} s: {rendered['speed']:.0f} × real time"
            f" ({elapsed:.1f} s with starting up)",
            f"  loudness    {shown(measured['integrated_lufs'], 'LUFS')} integrated",
            f"  true peak   {shown(measured['true_peak_dbtp'], 'dBTP')}",
            f"  file        {file}",
            "",
            "Listen to it: the music makes room while the narrator speaks, and comes back in the pauses.",
        ]
    )


def demo(arguments: list[str]) -> int:
    """Render the shipped patch and say what came out."""
    if arguments:
        raise DevError(f"demo takes no arguments, got: {shlex.join(arguments)}", 2)
    DEMO.parent.mkdir(exist_ok=True)
    say(f"Rendering {PATCH.relative_to(ROOT)} (the first time, its kernels are compiled) …")
    started = time.monotonic()
    rendered = answer(["render", str(PATCH), "--out", f"out={DEMO}"])
    elapsed = time.monotonic() - started
    say("Measuring the result …")
    measured = answer(["measure", str(DEMO)])
    if not isinstance(rendered, dict) or not isinstance(measured, list):
        raise DevError("patchwright answered with something that is not a report")
    say(describe(rendered, measured[0], DEMO, elapsed))
    return 0


def spread(arguments: list[str], cores: int) -> list[str]:
    """The options that spread the tests over cores, unless there is one core, one test, or the person said how."""
    own = ("-n", "--numprocesses", "--dist", "--pdb", "--trace", "-s", "--capture=no", "--collect-only", "--co")
    chosen = any(a == o or (o.startswith("--") and a.startswith(o + "=")) for a in arguments for o in own)
    chosen = chosen or any((a.startswith("-n") and a[2:].isdigit()) or "::" in a for a in arguments)
    chosen = chosen or "no:xdist" in arguments or "-pno:xdist" in arguments
    return [] if chosen or cores < 2 else ["-n", str(min(cores, 4)), "--dist", "worksteal"]


def failures() -> set[str]:
    """The tests that failed when they ran last, as pytest notes them."""
    try:
        return set(json.loads((ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return set()


def test(arguments: list[str]) -> int:
    """Run pytest. What fails is run once more, one at a time: windows, audio servers and whole processes may be late
    where everything runs at once on a busy machine. Which tests passed only then is the last line.
    """
    status = run(venv_python("-m", "pytest", *spread(arguments, os.cpu_count() or 1), *arguments))
    if status != TESTS_FAILED:
        return status
    say("What failed is run once more, one test at a time.")
    failed = failures()
    again = ["--last-failed", "--last-failed-no-failures", "none", f"--maxfail={MOST_AGAIN}"]
    if spread(arguments, 2):
        again += ["-n", "1"]  # a process apart, so that a test that hangs again takes that with it and not the summary
    status = TESTS_FAILED if run(venv_python("-m", "pytest", *again, *arguments)) else 0
    late = sorted(failed - failures())
    if late:
        say(f"Failed at first, and passed when run once more: {', '.join(late)}")
    return status


def lint(arguments: list[str]) -> int:
    """Run every check, also after one has failed."""
    if arguments:
        raise DevError(f"lint takes no arguments, got: {shlex.join(arguments)}", 2)
    checks = {
        "ruff check": venv_python("-m", "ruff", "check", "."),
        "ruff format": venv_python("-m", "ruff", "format", "--check", "."),
        "pyright": venv_python("-m", "pyright", "--pythonpath", venv_program("python")),
        "import-linter": [venv_program("lint-imports")],
    }
    quiet = {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    failed = []
    for name, words in checks.items():
        say(f"== {name}")
        if run(words, env=quiet):
            failed.append(name)
    say(f"lint: {', '.join(failed)} failed" if failed else f"lint: {', '.join(checks)} passed")
    return 1 if failed else 0


def bench(arguments: list[str]) -> int:
    """Run the benchmarks."""
    return run(venv_python(str(ROOT / "benchmarks" / "run.py"), *arguments))


def soak(arguments: list[str]) -> int:
    """Run the long stress runs."""
    return run(venv_python(str(ROOT / "benchmarks" / "soak.py"), *arguments))


def setup(arguments: list[str]) -> int:
    """Say where the environment is; making it was done before."""
    if arguments:
        raise DevError(f"setup takes no arguments, got: {shlex.join(arguments)}", 2)
    say(f"Ready. Try: {Path(venv_program('patchwright')).relative_to(ROOT)} --help")
    return 0


COMMANDS = {"demo": demo, "test": test, "lint": lint, "bench": bench, "soak": soak, "setup": setup}


def main(arguments: list[str]) -> int:
    """Run one command; the exit status."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        say((__doc__ or "").strip())
        return 0 if arguments else 2
    name, *rest = arguments
    try:
        if name not in COMMANDS:
            raise DevError(f"there is no command {name!r}; there are {', '.join(COMMANDS)}", 2)
        uv = shutil.which("uv")
        provide(name, detect_system(), uv is not None)
        install(uv)
        return COMMANDS[name](rest)
    except DevError as problem:
        print(f"dev.py: {problem}", file=sys.stderr)
        return problem.status
    except KeyboardInterrupt:
        print("dev.py: stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
