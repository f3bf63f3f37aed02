"""dev.py: which Pythons it takes, when it installs anew, and what it runs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import dev
import dev_needs

SOURCE = Path(dev.__file__).read_text(encoding="utf-8")
NEEDS = Path(dev_needs.__file__).read_text(encoding="utf-8")


class Commands:
    """Stands for subprocess: notes what would run, and answers with what it was told."""

    def __init__(self, failing: tuple[str, ...] = (), stdout: str = "") -> None:
        self.ran: list[list[str]] = []
        self.options: list[dict[str, Any]] = []
        self.failing = failing
        self.stdout = stdout

    def run(self, words: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.ran.append([str(word) for word in words])
        self.options.append(options)
        failed = any(word in " ".join(self.ran[-1]) for word in self.failing)
        return subprocess.CompletedProcess(words, 1 if failed else 0, self.stdout, "")

    @contextmanager
    def open(self, words: list[str], **options: Any) -> Iterator[SimpleNamespace]:
        status = self.run(words, **options).returncode
        yield SimpleNamespace(wait=lambda: status)

    @property
    def lines(self) -> list[str]:
        return [" ".join(words) for words in self.ran]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    found = Commands()
    monkeypatch.setattr(dev.subprocess, "run", found.run)
    monkeypatch.setattr(dev.subprocess, "Popen", found.open)
    return found


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository: a lock, a project, no environment."""
    (tmp_path / "requirements.lock").write_text("numpy==2.0\n")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n[tool.ruff]\nline-length = 120\n')
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(dev, "STAMP", tmp_path / ".venv" / "stamp")
    monkeypatch.setattr(dev, "LOCK", tmp_path / "requirements.lock")
    monkeypatch.setattr(dev.fingerprint, "__defaults__", (tmp_path / "requirements.lock", tmp_path / "pyproject.toml"))
    return tmp_path


def make_environment(place: Path) -> None:
    (place / ".venv").mkdir()
    (place / ".venv" / "pyvenv.cfg").write_text("")


# Pythons that are too old


@pytest.mark.parametrize("version", [(2, 7), (3, 6, 9), (3, 10, 14)])
def test_an_old_python_is_told_so(version: tuple[int, ...]) -> None:
    words = dev.too_old(version, lambda name: None)
    assert "3.11 or later" in words
    assert ".".join(str(part) for part in version[:2]) in words
    assert "python.org" in words


def test_an_old_python_is_told_of_a_newer_one_beside_it() -> None:
    words = dev.too_old((3, 9), lambda name: "/usr/bin/" + name if name == "python3.12" else None)
    assert words.endswith("Try: python3.12 dev.py")


@pytest.mark.parametrize("version", [(3, 11), (3, 12, 1), (4, 0)])
def test_a_new_python_is_told_nothing(version: tuple[int, ...]) -> None:
    assert dev.too_old(version) == ""


def test_an_old_python_can_read_the_file_as_far_as_the_words() -> None:
    tree = ast.parse(SOURCE, feature_version=(3, 7))
    said = next(i for i, node in enumerate(tree.body) if isinstance(node, ast.If) and "too_old" in ast.unparse(node))
    before = tree.body[:said]
    modules = {alias.name for node in before if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in before if isinstance(node, ast.ImportFrom)}
    assert not modules & {"tomllib", "dataclasses", "__future__"}
    annotated = [
        f for f in before if isinstance(f, ast.FunctionDef) if f.returns or any(a.annotation for a in f.args.args)
    ]
    assert not annotated


@pytest.mark.parametrize("source", [SOURCE, NEEDS], ids=["dev.py", "dev_needs.py"])
def test_only_the_standard_library_is_used(source: str) -> None:
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in imports if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= {*sys.stdlib_module_names, "dev_needs"}


# The environment


def test_the_fingerprint_follows_what_is_installed_and_nothing_else(place: Path) -> None:
    first = dev.fingerprint()
    (place / "pyproject.toml").write_text('[project]\nname = "x"\n[tool.ruff]\nline-length = 99\n')
    assert dev.fingerprint() == first
    (place / "pyproject.toml").write_text('[project]\nname = "x"\nscripts = {a = "b:c"}\n')
    second = dev.fingerprint()
    (place / "requirements.lock").write_text("numpy==2.1\n")
    assert len({first, second, dev.fingerprint()}) == 3


def test_nothing_is_installed_twice(place: Path, commands: Commands, capsys: pytest.CaptureFixture[str]) -> None:
    make_environment(place)
    dev.install("uv")
    assert any("pip sync" in line for line in commands.lines)
    assert dev.is_installed()
    commands.ran.clear()
    capsys.readouterr()
    dev.install("uv")
    assert not any("pip" in line for line in commands.lines)
    assert capsys.readouterr().out == ""


def test_a_new_lock_installs_again(place: Path, commands: Commands) -> None:
    make_environment(place)
    dev.install("uv")
    (place / "requirements.lock").write_text("numpy==2.1\n")
    assert not dev.is_installed()
    commands.ran.clear()
    dev.install("uv")
    assert any("pip sync" in line for line in commands.lines)
    assert dev.is_installed()


def test_a_stopped_installation_is_not_taken_for_a_finished_one(place: Path, commands: Commands) -> None:
    make_environment(place)
    dev.install("uv")
    (place / "requirements.lock").write_text("numpy==2.1\n")
    commands.failing = ("--require-hashes",)
    with pytest.raises(dev.DevError, match="could not be installed"):
        dev.install(None)
    assert dev.stamp() == []
    (place / "requirements.lock").write_text("numpy==2.0\n")
    assert not dev.is_installed()


def test_an_environment_that_moved_is_made_anew(place: Path, commands: Commands) -> None:
    make_environment(place)
    old = place / ".venv" / "bin"
    old.mkdir()
    dev.STAMP.write_text(f"/somewhere/else/.venv\n{dev.fingerprint()}\n")
    assert not dev.is_installed()
    with pytest.raises(FileNotFoundError):  # the stand-in for uv makes nothing, so there is nowhere to put the stamp
        dev.install("uv")
    assert not old.exists()


def test_with_uv_the_lock_is_installed_with_hashes(place: Path, commands: Commands) -> None:
    commands.failing = (" -I ",)
    assert dev.install_with_uv("/usr/bin/uv")
    _, create, sync, editable = commands.lines
    assert create.startswith("/usr/bin/uv venv")
    assert sync.startswith("/usr/bin/uv pip sync")
    assert "--require-hashes" in sync
    assert sync.endswith("requirements.lock")
    assert "--no-deps --no-build-isolation -e ." in editable


def test_with_pip_the_lock_is_installed_with_hashes(place: Path, commands: Commands) -> None:
    commands.failing = (" -I ",)
    assert dev.install_with_pip()
    _, create, lock, editable = commands.lines
    assert create.startswith(f"{sys.executable} -m venv")
    assert f"--require-hashes -r {place / 'requirements.lock'}" in lock
    assert "--no-deps --no-build-isolation -e ." in editable


@pytest.mark.parametrize("step", ["venv", "--require-hashes", "-e ."])
def test_a_step_that_fails_is_a_failure(step: str, place: Path, commands: Commands) -> None:
    commands.failing = (" -I ", step)
    assert not dev.install_with_uv("uv")
    assert not dev.install_with_pip()


def test_when_uv_fails_pip_has_its_turn(
    place: Path, commands: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_environment(place)
    monkeypatch.setattr(dev, "provide", lambda *_, **__: None)
    commands.failing = ("sync",)
    dev.install("uv")
    assert "trying pip" in capsys.readouterr().out
    assert any("-m pip" in line for line in commands.lines)
    assert dev.is_installed()


def test_a_folder_that_is_no_environment_is_left_alone(place: Path) -> None:
    (place / ".venv").mkdir()
    (place / ".venv" / "precious").touch()
    with pytest.raises(dev.DevError, match="not a virtual environment"):
        dev.remove_environment()
    assert (place / ".venv" / "precious").exists()


def test_an_environment_is_not_removed_under_its_own_python(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_environment(place)
    monkeypatch.setattr(dev.sys, "prefix", str(place / ".venv"))
    with pytest.raises(dev.DevError, match="lives in it"):
        dev.remove_environment()
    assert (place / ".venv" / "pyvenv.cfg").exists()


def test_an_environment_without_a_python_does_not_work(place: Path) -> None:
    make_environment(place)
    assert not dev.environment_works()


def test_programs_are_where_the_system_has_them() -> None:
    assert dev.venv_program("ruff", windows=False) == str(dev.VENV / "bin" / "ruff")
    assert dev.venv_program("ruff", windows=True) == str(dev.VENV / "Scripts" / "ruff.exe")


# The commands


@pytest.mark.parametrize(
    ("arguments", "cores", "options"),
    [
        ([], 2, ["-n", "2", "--dist", "worksteal"]),
        ([], 16, ["-n", "4", "--dist", "worksteal"]),
        ([], 1, []),
        (["-k", "gain", "tests/nodes"], 2, ["-n", "2", "--dist", "worksteal"]),
        (["-n", "0"], 2, []),
        (["-n3"], 2, []),
        (["--numprocesses=3"], 2, []),
        (["-p", "no:xdist"], 2, []),
        (["--pdb"], 2, []),
        (["-s"], 2, []),
        (["--collect-only"], 2, []),
        (["tests/test_dev.py::test_nothing"], 2, []),
    ],
)
def test_tests_are_spread_where_that_helps(arguments: list[str], cores: int, options: list[str]) -> None:
    assert dev.spread(arguments, cores) == options


def test_arguments_reach_pytest_and_its_status_comes_back(commands: Commands) -> None:
    assert dev.test(["-n0", "-k", "two words"]) == 0
    assert commands.ran[0][1:] == ["-P", "-m", "pytest", "-n0", "-k", "two words"]
    commands.failing = ("pytest",)
    assert dev.test([]) == 1


def test_lint_runs_everything_though_something_fails(commands: Commands, capsys: pytest.CaptureFixture[str]) -> None:
    commands.failing = ("ruff check",)
    assert dev.lint([]) == 1
    assert len(commands.ran) == 4
    assert capsys.readouterr().out.endswith("lint: ruff check failed\n")
    commands.failing = ()
    assert dev.lint([]) == 0


def test_demo_renders_measures_and_tells(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[list[str]] = []
    rendered = {"rate": 48000, "seconds": 27.5, "elapsed_s": 0.25, "speed": 110.0}
    measured = {"channels": ["L", "R"], "integrated_lufs": -17.34, "true_peak_dbtp": None}

    def answer(arguments: list[str]) -> object:
        asked.append(arguments)
        return rendered if arguments[0] == "render" else [measured]

    monkeypatch.setattr(dev, "answer", answer)
    monkeypatch.setattr(dev, "PATCH", place / "patches" / "p.json")
    monkeypatch.setattr(dev, "DEMO", place / "demo" / "mix.wav")
    assert dev.demo([]) == 0
    said = capsys.readouterr().out
    assert asked[0] == ["render", str(place / "patches" / "p.json"), "--out", f"out={place / 'demo' / 'mix.wav'}"]
    assert asked[1] == ["measure", str(place / "demo" / "mix.wav")]
    for words in (
        "27.5 s of L R at 48000 Hz",
        "110 × real time",
        "-17.3 LUFS",
        "silence",
        str(place / "demo" / "mix.wav"),
    ):
        assert words in said
    assert (place / "demo").is_dir()


def test_what_patchwright_cannot_do_ends_the_demo(commands: Commands) -> None:
    commands.failing = ("render",)
    with pytest.raises(dev.DevError, match=r"patchwright render x\.json"):
        dev.answer(["render", "x.json"])


def test_an_answer_is_read_as_json(commands: Commands) -> None:
    commands.stdout = '{"speed": 12}'
    assert dev.answer(["render", "x.json"]) == {"speed": 12}
    assert commands.ran[0][1:] == ["-P", "-m", "patchwright", "render", "x.json", "--json"]
    assert "stderr" not in commands.options[0]  # progress and complaints are seen


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nonsense"], 2, "there is no command 'nonsense'"),
        ([], 2, "python3 dev.py demo"),
        (["--help"], 0, "python3 dev.py demo"),
    ],
)
def test_words_and_status(
    arguments: list[str], status: int, words: str, commands: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dev.main(arguments) == status
    said = capsys.readouterr()
    assert words in said.out + said.err
    assert commands.ran == []


@pytest.mark.parametrize(("command", "program"), [("bench", "run.py"), ("soak", "soak.py")])
def test_arguments_are_passed_on(
    command: str, program: str, monkeypatch: pytest.MonkeyPatch, commands: Commands
) -> None:
    monkeypatch.setattr(dev, "provide", lambda *_: None)
    monkeypatch.setattr(dev, "install", lambda uv: None)
    assert dev.main([command, "--minutes", "1"]) == 0
    assert commands.ran[-1][-3:] == [str(dev.ROOT / "benchmarks" / program), "--minutes", "1"]


@pytest.mark.parametrize("command", ["demo", "lint", "setup"])
def test_commands_without_arguments_refuse_them(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "provide", lambda *_: None)
    monkeypatch.setattr(dev, "install", lambda uv: None)
    assert dev.main([command, "--loud"]) == 2
    assert "--loud" in capsys.readouterr().err


def test_a_keyboard_interrupt_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dev, "provide", stop)
    assert dev.main(["setup"]) == 130
    assert capsys.readouterr().err == "dev.py: stopped\n"


def test_an_interrupted_command_may_finish_what_it_says(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(subprocess.Popen):
        waits = 0

        def wait(self, timeout: float | None = None) -> int:
            self.waits += 1
            if self.waits == 1:
                raise KeyboardInterrupt
            if self.waits == 2:
                assert self.stdin is not None
                self.stdin.write(b"it had its time")
                self.stdin.close()
            return super().wait(timeout)

    monkeypatch.setattr(dev.subprocess, "Popen", Interrupted)
    speaks = "import pathlib, sys; pathlib.Path('words').write_text(sys.stdin.read())"
    with pytest.raises(KeyboardInterrupt):
        dev.run([sys.executable, "-c", speaks], stdin=subprocess.PIPE)
    assert (place / "words").read_text() == "it had its time"


def test_every_command_is_in_the_help() -> None:
    assert all(f"dev.py {name} " in (dev.__doc__ or "") for name in dev.COMMANDS)


def test_what_fails_is_run_once_more_and_must_pass_then(commands: Commands) -> None:
    assert dev.test([]) == 0
    assert len(commands.ran) == 1
    commands.failing = ("worksteal",)
    assert dev.test(["-n", "2", "--dist", "worksteal"]) == 1
    commands.ran.clear()
    commands.failing = ("-m pytest -n",)
    assert dev.test(["-n", "2"]) == 0
    assert "--last-failed" in commands.lines[1]
    assert "-n 1" not in commands.lines[1]
    commands.failing = ("pytest",)
    assert dev.test([]) == 1
    assert "--last-failed" in commands.lines[-1]
    assert "-n 1" in commands.lines[-1]


def test_the_last_line_names_what_passed_only_the_second_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (tmp_path / "test_some.py").write_text(
        "import pathlib\n"
        "def test_sound(): pass\n"
        "def test_broken(): assert False\n"
        "def test_late():\n"
        "    before = pathlib.Path('before')\n"
        "    there = before.exists()\n"
        "    before.touch()\n"
        "    assert there\n"
    )
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    words = "Failed at first, and passed when run once more: test_some.py::test_late"
    assert dev.test(["-n0"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == words
    (tmp_path / "before").unlink()
    assert dev.test(["-n0", "--deselect", "test_some.py::test_broken"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == words
    assert dev.test(["-n0", "-k", "sound"]) == 0
    assert capsys.readouterr().out == ""
