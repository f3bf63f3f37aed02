"""How the repository itself must be: where things live, what they are called and import, and what is not said."""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("graph", "nodes", "host", "editor")
FOLDERS = {*PACKAGES, ".ci", "benchmarks", "docs", "patches", "tests"}
LONGEST_MODULE = 500
LONGEST_TEST = 600
AUDIO = {".wav", ".flac", ".ogg", ".aiff", ".mp3"}
MADE = {".git", ".venv", "demo", "build", "dist", "__pycache__"}
"""Folders that are no part of the repository where git is not there to say so."""

SAID_NOWHERE = [
    re.compile(pattern)
    for pattern in (
        r"(?<![\w.])/" + r"(root|work)/",
        r"(?<![\w.])/" + r"home/\w",
        r"(?<![\w.])/" + r"Users/\w",
        r"[A-Z]:\\" + r"Users\\",
        r"\.\./" + r"shared",
        r"\bfarm" + r"-\w",
        r"Co-Authored" + r"-By",
        r"\bTO" + r"DO\b",
        r"\bFIX" + r"ME\b",
    )
]


def files_of_repository() -> list[Path]:
    """Every file that is kept, by git's word where there is a git, else by what is on the disk."""
    if shutil.which("git") and (ROOT / ".git").exists():
        done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8")
        if done.returncode == 0:
            return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file() and not any(part in MADE or part.endswith("_cache") for part in path.relative_to(ROOT).parts)
    ]


FILES = files_of_repository()
SHIPPED = [path for path in FILES if path.parent == ROOT / "patches" and path.suffix in (".json", ".pwp")]


def modules(*folders: str) -> list[Path]:
    """The Python files of these folders and, for the empty name, those at the top."""
    return [
        path
        for path in FILES
        if path.suffix == ".py" and ("" if path.parent == ROOT else path.relative_to(ROOT).parts[0]) in folders
    ]


def imported(path: Path) -> set[str]:
    """Top-level names of everything a module imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.split(".")[0])
    return names


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_top_level_folders_are_those_of_the_design() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in FILES if path.parent != ROOT}
    assert found <= FOLDERS
    assert set(PACKAGES) <= found


def test_what_was_found_is_the_repository() -> None:
    names = {place(path) for path in FILES}
    assert {"pyproject.toml", "dev.py", "patchwright.py", "graph/__init__.py", "tests/test_house.py"} <= names


def test_no_module_is_named_like_one_of_the_standard_library() -> None:
    named = [part.removesuffix(".py") for path in modules("", *PACKAGES) for part in path.relative_to(ROOT).parts]
    assert not set(named) & set(sys.stdlib_module_names)


@pytest.mark.parametrize("name", [*PACKAGES, "patchwright"])
def test_nothing_installed_provides_our_names(name: str) -> None:
    theirs = [d for d in importlib.metadata.packages_distributions().get(name, []) if d.lower() != "patchwright"]
    assert not theirs
    installed = [entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    spec = importlib.machinery.PathFinder.find_spec(name, installed)
    assert spec is None or Path(spec.origin or "").is_relative_to(ROOT)


@pytest.mark.parametrize(
    ("folder", "never"),
    [
        ("graph", {"nodes", "host", "editor", "patchwright"}),
        ("nodes", {"host", "editor", "patchwright"}),
        ("host", {"editor", "patchwright"}),
        ("editor", {"patchwright"}),
    ],
)
def test_imports_run_one_way(folder: str, never: set[str]) -> None:
    wrong = {place(path): imported(path) & (never | {"dev", "tests", "benchmarks"}) for path in modules(folder)}
    assert {where: names for where, names in wrong.items() if names} == {}


def test_graph_has_no_audio_in_it() -> None:
    heavy = {"numba", "llvmlite", "scipy", "soundfile", "soxr", "sounddevice", "pedalboard", "dearpygui"}
    assert {place(path): imported(path) & heavy for path in modules("graph") if imported(path) & heavy} == {}


@pytest.mark.parametrize("name", ["graph", "nodes", "host", "editor", "patchwright"])
def test_importing_is_light(name: str) -> None:
    heavy = ["numba", "llvmlite", "scipy", "soundfile", "soxr", "sounddevice", "pedalboard", "dearpygui", "mutagen"]
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {name}; print(*(set({heavy}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split() == []


def test_modules_are_small() -> None:
    def too_long(paths: Iterable[Path], longest: int) -> dict[str, int]:
        counts = {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
        return {where: count for where, count in counts.items() if count > longest}

    assert too_long(modules("", *PACKAGES), LONGEST_MODULE) == {}
    assert too_long(modules("tests", "benchmarks"), LONGEST_TEST) == {}


def test_every_module_says_what_it_is() -> None:
    silent = [p for p in modules("", *PACKAGES) if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))]
    assert [place(path) for path in silent] == []


def said_in(text: str) -> list[str]:
    return [match.group() for pattern in SAID_NOWHERE if (match := pattern.search(text))]


@pytest.mark.parametrize(
    "text",
    [
        "/".join(["open('", "root", "x')"]),
        "/".join(["see ", "work", "main"]),
        "/".join(["", "home", "somebody"]),
        "\\".join(["C:", "Users", "x"]),
        "# TO" + "DO later",
        "/".join(["..", "shared", "limit"]),
    ],
)
def test_what_must_not_be_said_would_be_found(text: str) -> None:
    assert said_in(text)


@pytest.mark.parametrize("text", ["https://example.org/work/x", "docs/root/x", "a frame-work / home", "todo"])
def test_what_may_be_said_is_not_found(text: str) -> None:
    assert not said_in(text)


def test_nothing_of_one_machine_is_said() -> None:
    found: dict[str, list[str]] = {}
    for path in FILES:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if words := said_in(text):
            found[place(path)] = words
    assert found == {}


def test_lock_names_no_index_and_pins_everything_with_hashes() -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith((" ", "#"))]
    assert not [
        line for line in lines if "://" in line or line.lstrip().startswith(("--index", "--extra", "--find", "-f"))
    ]
    assert len(wanted) > 20
    assert all(re.match(r"[a-z0-9-]+==\S+( ; .+)? \\$", line) for line in wanted)


def test_lock_covers_what_the_project_asks_for() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    pinned = {line.split("==")[0] for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()}
    assert {re.split(r"[\[<>=!~; ]", name)[0].lower().replace("_", "-") for name in asked} <= pinned


def test_version_is_said_alike() -> None:
    import tomllib

    import patchwright

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert patchwright.__version__ == project["version"]


def test_licence_is_the_gpl() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in text
    assert "Version 3, 29 June 2007" in text


def test_audio_has_its_licences_beside_it() -> None:
    audio = [path for path in FILES if path.suffix in AUDIO and path.is_relative_to(ROOT / "patches")]
    assert audio
    assert sum(path.stat().st_size for path in audio) < 4_000_000
    for folder in {path.parent for path in audio}:
        text = (folder / "LICENSES.md").read_text(encoding="utf-8")
        assert [path.name for path in audio if path.parent == folder and f"`{path.name}`" not in text] == []
        linked = re.findall(r"\]\(([^):]+\.txt)\)", text)
        assert linked
        assert [name for name in linked if not (folder / name).is_file()] == []


def test_there_are_shipped_patches() -> None:
    assert "patches/duck_music_under_dialogue.json" in {place(path) for path in SHIPPED}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_patch_is_in_canonical_form_and_says_what_it_is(path: Path) -> None:
    from graph.patchfile import dumps, load

    patch = load(path)
    assert dumps(patch, "json" if path.suffix == ".json" else "pwp") == path.read_bytes()
    data = json.loads(dumps(patch, "json"))
    assert all(data[field] for field in ("name", "description", "author", "license", "tags"))
    assert all("position" in node for node in data["nodes"].values())
    paths = [node["settings"]["path"] for node in data["nodes"].values() if "path" in node.get("settings", {})]
    assert [p for p in paths if Path(p).is_absolute() or not (path.parent / p).is_file()] == []
