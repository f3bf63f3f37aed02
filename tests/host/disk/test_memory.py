"""How much memory there is, by what the system says in files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from host.disk.memory import Memory, memory


def system(folder: Path, meminfo: str, group: str = "", **files: str) -> tuple[Path, Path]:
    """A system of files that says so; ``files``: of groups, the slashes in their names being double underscores."""
    proc, groups = folder / "proc", folder / "groups"
    (proc / "self").mkdir(parents=True)
    groups.mkdir()
    (proc / "meminfo").write_text(meminfo)
    (proc / "self" / "cgroup").write_text(group)
    for name, text in files.items():
        path = groups / name.replace("__", "/").replace("memory_", "memory.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return proc, groups


MEMINFO = "MemTotal:       1000 kB\nMemFree:  10 kB\nMemAvailable:    600 kB\nHugePages_Total: 0\n"


def test_the_machine_counts(tmp_path: Path) -> None:
    assert memory(*system(tmp_path, MEMINFO)) == Memory(1000 << 10, 600 << 10)


def test_a_group_that_grants_less_counts_and_one_around_it_too(tmp_path: Path) -> None:
    found = system(
        tmp_path,
        MEMINFO,
        "1:name=systemd:/x\n0::/outer/inner\n",
        outer__memory_max=f"{500 << 10}\n",
        outer__memory_current=f"{300 << 10}\n",
        outer__memory_stat=f"anon 4\ninactive_file {100 << 10}\n",
        outer__inner__memory_max="max\n",
        outer__inner__memory_current="5\n",
        outer__inner__memory_stat="inactive_file 1\n",
    )
    assert memory(*found) == Memory(500 << 10, 300 << 10)


@pytest.mark.parametrize("meminfo", ["", "MemTotal: 5 kB\n", "MemTotal\n", "MemTotal: many\nMemAvailable: x\n"])
def test_what_is_not_told_is_nothing(tmp_path: Path, meminfo: str) -> None:
    assert memory(*system(tmp_path, meminfo)) == Memory(0, 0)
    assert memory(tmp_path / "none", tmp_path / "none") == Memory(0, 0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the files of Linux")
def test_this_machine_tells(tmp_path: Path) -> None:
    total, available = memory()
    assert 0 < available <= total
