"""A real window on a screen of its own, driven by real mouse and keyboard events, and asked through its probe."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 90.0
SIZE = (1680, 1000)
SHOTS = "PATCHWRIGHT_SHOTS"
"""Names the folder where pictures are kept; without it they are not taken."""
UNDRAWN = {"LP_NO_RAST": "true"}
"""Has Mesa take in all that is drawn and colour no pixel, which without a graphics card is nine tenths of a frame. (Its
driver that does nothing, GALLIUM_NOOP, keeps 0.3 MB of each frame of an editor for good.)
"""

LEFT, MIDDLE, RIGHT, UP, DOWN = 1, 2, 3, 4, 5


def skip_without_screens() -> None:
    """Skip where there is nothing to open a window with."""
    for program in ("Xvfb", "xdotool"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program}")


class Screen:
    """An X server without a monitor, on a free number."""

    def __init__(self) -> None:
        reading, writing = os.pipe()
        words = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-nolisten", "tcp"]
        words.append("-noreset")  # else it begins anew, and drops whoever connects, when the last window closes
        self._process = subprocess.Popen(words, pass_fds=(writing,), stderr=subprocess.DEVNULL)
        os.close(writing)
        with os.fdopen(reading) as told:
            self.name = f":{int(told.readline())}"

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)


class Window:
    """The editor as a process. Waits are for conditions, with a deadline.

    ``program``: what is run in place of ``patchwright.py``; ``environment``: what it has beside what is usual.
    ``drawn``: pixels are coloured, too; no test looks at them, unless pictures are wanted.
    """

    def __init__(
        self,
        screen: Screen,
        folder: Path,
        arguments: Sequence[str | Path],
        program: Path = ROOT / "patchwright.py",
        environment: Mapping[str, str] | None = None,
        drawn: bool = SHOTS in os.environ,
    ) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._socket: socket.socket | None = None
        self._display = screen.name
        probe = folder / "probe"
        self._log = (folder / "log").open("wb")
        environment = {
            **os.environ,
            "PATCHWRIGHT_DIALOGS": "own",
            **(environment or {}),
            **({} if drawn else UNDRAWN),
            "DISPLAY": screen.name,
            "PATCHWRIGHT_EDITOR_PROBE": str(probe),
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "PYTHONFAULTHANDLER": "1",
            "PATCHWRIGHT_CONFIG": str(folder / "config"),
            "PATCHWRIGHT_DATA": str(folder / "data"),
            "PATCHWRIGHT_RUNTIME": str(folder / "run"),
        }
        words = [sys.executable, "-P", str(program), "edit", *map(str, arguments)]
        self.process = subprocess.Popen(words, cwd=folder, env=environment, stdout=self._log, stderr=self._log)
        deadline = monotonic() + DEADLINE_S
        while self._socket is None:
            assert self.process.poll() is None, self.log()
            assert monotonic() < deadline, f"the window did not open\n{self.log()}"
            try:
                found = socket.socket(socket.AF_UNIX)
                found.settimeout(DEADLINE_S)
                found.connect(str(probe))
                self._socket, self._lines = found, found.makefile("r", encoding="utf-8")
            except (FileNotFoundError, ConnectionRefusedError):
                sleep(0.02)
        self.settle()

    def log(self) -> str:
        """What the process wrote."""
        return (self.folder / "log").read_text(errors="replace")

    # -- asking --------------------------------------------------------------------------------------------------------

    def ask(self, **what: object) -> dict[str, Any]:
        """Ask the probe."""
        return self.ask_all(what)[0]

    def ask_all(self, *questions: dict[str, object]) -> list[dict[str, Any]]:
        """Ask the probe several things, which it answers between two frames."""
        assert self._socket is not None
        try:
            self._socket.sendall(b"".join(json.dumps(what).encode() + b"\n" for what in questions))
            lines = [self._lines.readline() for _ in questions]
        except ConnectionError:
            lines = [""]
        if not all(lines):
            status = self.process.wait(DEADLINE_S)
            raise AssertionError(f"the window is gone, with status {status}\n{self.log()}")
        answers = [json.loads(line) for line in lines]
        assert not any("error" in answer for answer in answers), answers
        return answers

    def state(self) -> dict[str, Any]:
        """What the window shows and does."""
        return self.ask(do="state")

    def patch(self) -> dict[str, Any]:
        """The patch that is open."""
        return json.loads(self.state()["patch"])

    def rect(self, what: str) -> tuple[float, float, float, float]:
        """Where something is: x, y, width, height."""
        found = self.ask(do="locate", what=what)["rect"]
        assert found is not None, f"there is no {what}"
        return tuple(found)

    def middle(self, what: str) -> tuple[float, float]:
        """The middle of something."""
        x, y, width, height = self.rect(what)
        return x + width / 2, y + height / 2

    def command(self, id: str) -> None:
        """Do a command, as a menu would."""
        self.ask(do="command", id=id)
        self.settle()

    def until(self, condition: Callable[[dict[str, Any]], object], what: str = "") -> dict[str, Any]:
        """Wait until a state is as it should be; the answer is that state."""
        deadline = monotonic() + DEADLINE_S
        while True:
            state = self.state()
            if condition(state):
                return state
            assert monotonic() < deadline, f"{what or 'it did not come true'}: {state}\n{self.log()}"
            sleep(0.01)

    def settle(self, frames: int = 3) -> None:
        """Wait until so many frames have been drawn."""
        goal = self.state()["frames"] + frames
        self.until(lambda state: state["frames"] >= goal, "no frames are drawn")

    def dialog(self, title: str) -> None:
        """Wait until a dialog is there, and has the keyboard; ``""``: until there is none."""
        self.until(lambda state: state["dialog"] == title, f"there is no dialog {title!r}")
        self.settle(6)

    def problems(self) -> list[str]:
        """What went wrong inside, as the window itself says."""
        return [text for level, text in self.state()["notices"] if level == "error"]

    # -- doing ---------------------------------------------------------------------------------------------------------

    def xdotool(self, *words: object) -> None:
        """Make events, in xdotool's own words."""
        environment = {**os.environ, "DISPLAY": self._display}
        subprocess.run(["xdotool", *map(str, words)], check=True, env=environment, timeout=DEADLINE_S)

    def move(self, x: float, y: float) -> None:
        """Move the mouse."""
        self.xdotool("mousemove", round(x), round(y))
        self.settle(2)

    def press(self, button: int = LEFT) -> None:
        self.xdotool("mousedown", button)
        self.settle(2)

    def release(self, button: int = LEFT) -> None:
        self.xdotool("mouseup", button)
        self.settle(2)

    def click(self, what: str | tuple[float, float], button: int = LEFT) -> None:
        """Click on something."""
        self.move(*(self.middle(what) if isinstance(what, str) else what))
        self.press(button)
        self.release(button)

    def double_click(self, what: str | tuple[float, float]) -> None:
        """Click twice, quickly."""
        self.move(*(self.middle(what) if isinstance(what, str) else what))
        self.xdotool("click", "--repeat", 2, "--delay", 40, LEFT)
        self.settle()

    def drag(self, a: str | tuple[float, float], b: str | tuple[float, float], button: int = LEFT) -> None:
        """Press on one thing, go to another, let go."""
        start = self.middle(a) if isinstance(a, str) else a
        end = self.middle(b) if isinstance(b, str) else b
        self.move(*start)
        self.press(button)
        self.move((start[0] * 2 + end[0]) / 3, (start[1] * 2 + end[1]) / 3)
        self.move((start[0] + end[0] * 4) / 5, (start[1] + end[1] * 4) / 5)
        self.move(*end)
        self.release(button)

    def wheel(self, steps: int) -> None:
        """Turn the wheel; up is positive."""
        for _ in range(abs(steps)):
            self.xdotool("click", UP if steps > 0 else DOWN)
            self.settle(2)

    def key(self, keys: str) -> None:
        """Press a key combination, in xdotool's words: ``ctrl+z``, ``Delete``. Modifiers are held for some frames, as
        people do: fields look at them once a frame.
        """
        *modifiers, key = keys.split("+")
        if modifiers:
            self.hold("+".join(modifiers), True)
        self.xdotool("key", key)
        self.settle()
        if modifiers:
            self.hold("+".join(modifiers), False)

    def hold(self, key: str, down: bool) -> None:
        """Hold a key, or let it go."""
        self.xdotool("keydown" if down else "keyup", key)
        self.settle(2)

    def type(self, text: str) -> None:
        """Type a text."""
        self.xdotool("type", "--delay", 30, "--", text)
        self.settle()

    def shot(self, name: str) -> None:
        """Keep a picture, where pictures are wanted."""
        folder = os.environ.get(SHOTS)
        if folder and shutil.which("import"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            words = ["import", "-display", self._display, "-window", "root", str(Path(folder) / f"{name}.png")]
            subprocess.run(words, check=True, timeout=DEADLINE_S)

    # -- the end -------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End it, and see that it ends well."""
        if self.process.poll() is None:
            self.ask(do="quit")
            assert self.process.wait(DEADLINE_S) == 0, self.log()
        self.discard()

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(DEADLINE_S)
        self.discard()

    def discard(self) -> None:
        """Let go of what is left."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(DEADLINE_S)
        if self._socket is not None:
            self._lines.close()
            self._socket.close()
        self._log.close()
