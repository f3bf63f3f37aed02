"""The system's own file dialogs: a program that shows one and prints what was chosen, in a process of its own, so that
the window goes on drawing. zenity or kdialog where there is X or Wayland, AppleScript on macOS, PowerShell on Windows.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Mode = Literal["open", "save", "folder"]
OWN = "PATCHWRIGHT_DIALOGS"
"""An environment variable; ``own`` keeps to the editor's own dialogs."""
LAST_WORDS = 300
"""Characters of what a program complained of that are told."""
CANCELLED = 1
QUOTES = "'\u2018\u2019\u201a\u201b"
"""All that PowerShell takes for a single quote."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be chosen; ``folder`` is where to begin."""

    mode: Mode
    title: str
    folder: Path
    name: str = ""
    suffixes: tuple[str, ...] = ()

    @property
    def patterns(self) -> list[str]:
        """Of files that fit."""
        return [f"*{suffix}" for suffix in self.suffixes]


def command(
    question: Question,
    system: str = sys.platform,
    find: Callable[[str], str | None] = shutil.which,
    desktop: str | None = None,
) -> list[str] | None:
    """The program to run, with its arguments; None where the system has none, or only the editor's own is wanted."""
    if os.environ.get(OWN) == "own":
        return None
    desktop = os.environ.get("XDG_CURRENT_DESKTOP", "") if desktop is None else desktop
    makers: dict[str, Callable[[Question], list[str]]] = {"zenity": _zenity, "kdialog": _kdialog}
    match system:
        case "darwin":
            makers = {"osascript": _osascript}
        case "win32":
            makers = {"powershell": _powershell}
        case _ if "KDE" in desktop:
            makers = dict(reversed(makers.items()))
    for name, maker in makers.items():
        program = find(name)
        if program:
            return [program, *maker(question)]
    return None


def _zenity(asked: Question) -> list[str]:
    begin = asked.folder / asked.name if asked.mode == "save" else f"{asked.folder}{os.sep}"
    how = {"open": [], "save": ["--save", "--confirm-overwrite"], "folder": ["--directory"]}[asked.mode]
    words = ["--file-selection", f"--title={asked.title}", f"--filename={begin}", *how]
    if asked.suffixes and asked.mode != "folder":
        words += [f"--file-filter={' '.join(asked.patterns)}", "--file-filter=All files | *"]
    return words


def _kdialog(asked: Question) -> list[str]:
    how = {"open": "--getopenfilename", "save": "--getsavefilename", "folder": "--getexistingdirectory"}[asked.mode]
    words = ["--title", asked.title, how, str(asked.folder / asked.name if asked.mode == "save" else asked.folder)]
    if asked.suffixes and asked.mode != "folder":
        words.append(" ".join(asked.patterns))
    return words


def _osascript(asked: Question) -> list[str]:
    types = ", ".join(f'"{suffix.removeprefix(".")}"' for suffix in asked.suffixes)
    what = {
        "open": "choose file with prompt (item 1 of argv)" + (f" of type {{{types}}}" if types else ""),
        "save": "choose file name with prompt (item 1 of argv) default name (item 3 of argv)",
        "folder": "choose folder with prompt (item 1 of argv)",
    }[asked.mode]
    lines = ["on run argv", f"POSIX path of ({what} default location (POSIX file (item 2 of argv)))", "end run"]
    return [*(word for line in lines for word in ("-e", line)), asked.title, str(asked.folder), asked.name]


def _powershell(asked: Question) -> list[str]:
    kind = {"open": "OpenFileDialog", "save": "SaveFileDialog", "folder": "FolderBrowserDialog"}[asked.mode]
    if asked.mode == "folder":
        fields, answer = {"Description": asked.title, "SelectedPath": str(asked.folder)}, "SelectedPath"
    else:
        patterns = ";".join(asked.patterns)
        kinds = f"{patterns}|{patterns}|All files|*.*" if patterns else ""
        fields = {"Title": asked.title, "InitialDirectory": str(asked.folder), "FileName": asked.name, "Filter": kinds}
        answer = "FileName"
    lines = [
        "Add-Type -AssemblyName System.Windows.Forms",
        "[Console]::OutputEncoding = [Text.Encoding]::UTF8",
        f"$d = New-Object System.Windows.Forms.{kind}",
        *(f"$d.{name} = {_literal(value)}" for name, value in fields.items()),
        f"if ($d.ShowDialog() -eq 'OK') {{ [Console]::Out.Write($d.{answer}) }} else {{ exit {CANCELLED} }}",
    ]
    script = base64.b64encode("\n".join(lines).encode("utf-16-le")).decode("ascii")
    return ["-NoProfile", "-STA", "-EncodedCommand", script]


def _literal(text: str) -> str:
    """A text as PowerShell reads it, whatever is in it."""
    return "'" + "".join(c * 2 if c in QUOTES else c for c in text) + "'"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it: a path, nothing where it was cancelled, or why there was no dialog."""

    path: Path | None = None
    problem: str = ""


class Asking:
    """A dialog of the system that is being shown. Nothing here waits."""

    def __init__(self, words: Sequence[str]) -> None:
        """Raises OSError where the program cannot be started."""
        self._process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def answer(self) -> Answer | None:
        """What came of it; None while it is shown."""
        if self._process.poll() is None:
            return None
        out, complaint = (data.decode("utf-8", "replace") for data in self._process.communicate())
        path = out.rstrip("\r\n")
        if self._process.returncode == 0 and path:
            return Answer(Path(path))
        if self._process.returncode in (0, CANCELLED) and not _broken(complaint):
            return Answer()
        lines = complaint.strip().splitlines() or [f"it ended with status {self._process.returncode}"]
        return Answer(problem=lines[-1][:LAST_WORDS])

    def end(self) -> None:
        """Show it no more."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()


def _broken(complaint: str) -> bool:
    """Whether a program that ended as if it was cancelled could not show anything."""
    return "cannot open display" in complaint or ("execution error" in complaint and "-128" not in complaint)
