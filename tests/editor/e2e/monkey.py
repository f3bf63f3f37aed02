"""Random mouse and keyboard on a real window, and a watch on what becomes of it.

Events are made by xdotool, many in one call, at things that the window names (its landmarks) and at points anywhere.
What is done follows from the seed and from what the window shows; every call is written down, so that ``replay`` can
do the same again. By itself: ``python -P -m tests.editor.e2e.monkey --seed 7 --seconds 1800``.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import json
import os
import shutil
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from time import monotonic, sleep
from typing import Any

from editor.journal import LATEST_S, WORK
from graph.check import problems
from graph.document import Patch
from graph.errors import PatchError
from graph.patchfile import loads
from host.native.store import cache_folder
from nodes import kinds
from tests.editor.e2e.cage import CAGE, FAULT, ROOT
from tests.editor.window import SIZE, Screen, Window

Words = list[str]
Rect = tuple[float, float, float, float]

PAUSE = ("sleep", "0.03")
"""Long enough for the window to see an event before the next."""
BATCH = 8
"""How many things are done in one call."""
MODIFIERS = ("ctrl", "shift", "alt")
TEXTS = (
    "-12", "0.5", "1e999", "nan", "-inf", "440", "1:30", "gain", "comp", "eq", "file", "lfo", "group", "bus", "out",
    "../../etc", "/", "~", "a b", "x" * 70, "{}", "%s %d", "'\"", "..", "main.in", "narration", "patch",
)  # fmt: skip
PLAIN_KEYS = ("Escape", "Return", "Tab", "Delete", "BackSpace", "Up", "Down", "Left", "Right", "space", "F2", "Home")
NAMES = {"escape": "Escape", "enter": "Return", "delete": "Delete", "backspace": "BackSpace", "tab": "Tab",
         "up": "Up", "down": "Down", "left": "Left", "right": "Right", "home": "Home", "end": "End",
         "[": "bracketleft", "]": "bracketright"}  # fmt: skip
LAP_S = 120.0
MOST_FRAMES = 2000
"""In so many frames a handful of events has been taken in, however long a frame takes."""
LAST = 60
"""How many events are shown when something goes wrong."""


class MonkeyError(AssertionError):
    """Something went wrong in the window."""


class Monkey:
    """Does random things to a window, and looks after each handful whether it is well."""

    def __init__(self, window: Window, seed: int) -> None:
        self.window, self.seed = window, seed
        self.random = Random(seed)
        self.done: list[Words] = []
        self.last: deque[str] = deque(maxlen=LAST)
        self.counts = {"events": 0, "edits": 0, "checks": 0}
        self.work_ms: list[float] = []
        """What the editor's own work took, of the last frame before each look."""
        self.memory_mb: list[float] = []
        self._marks_made = 0
        self._keys = [_pressed(keys) for keys in window.ask(do="keys")["keys"]]
        self._acts: list[tuple[int, Callable[[], Words]]] = [
            (30, self._click), (14, self._drag), (12, self._wire), (8, self._turn), (6, self._wheel),
            (12, self._shortcut), (7, self._plain_key), (6, self._type), (8, self._search), (8, self._bring),
            (4, self._rubber), (3, self._wander),
        ]  # fmt: skip

    # -- where ---------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        self.marks: dict[str, Rect] = {
            name: tuple(rect) for name, rect in self.window.ask(do="landmarks")["landmarks"].items()
        }
        self.by_kind: dict[str, list[str]] = {}
        for name in sorted(self.marks):
            self.by_kind.setdefault(name.partition(":")[0], []).append(name)

    def _point(self, *families: str) -> tuple[int, int]:
        """A point in something of these families; in anything, where there is none or none is asked for."""
        chosen = [kind for kind in families if kind in self.by_kind] or sorted(self.by_kind)
        if not chosen or self.random.random() < 0.1:
            return self.random.randrange(SIZE[0]), self.random.randrange(SIZE[1])
        x, y, width, height = self.marks[self.random.choice(self.by_kind[self.random.choice(chosen)])]
        x, y = x + width * self.random.uniform(0.1, 0.9), y + height * self.random.uniform(0.1, 0.9)
        return min(max(round(x), 0), SIZE[0] - 1), min(max(round(y), 0), SIZE[1] - 1)

    def _on_canvas(self) -> tuple[int, int]:
        x, y, width, height = self.window_slot
        return round(x + self.random.random() * width), round(y + self.random.random() * height)

    @property
    def window_slot(self) -> Rect:
        return self.marks.get("slot:centre") or (0.0, 0.0, float(SIZE[0]), float(SIZE[1]))

    # -- what ----------------------------------------------------------------------------------------------------------

    def _held(self, words: Words) -> Words:
        """The same, sometimes with a key held."""
        if self.random.random() < 0.8:
            return words
        key = self.random.choice(MODIFIERS)
        return ["keydown", key, *words, "keyup", key]

    def _click(self) -> Words:
        button = self.random.choices(("1", "2", "3"), (80, 5, 15))[0]
        clicks = [["click", button], ["click", "--repeat", "2", "--delay", "60", button]][self.random.random() < 0.2]
        return ["mousemove", *_at(self._point()), *PAUSE, *self._held(clicks), *PAUSE]

    def _pull(self, a: tuple[int, int], b: tuple[int, int], button: str = "1") -> Words:
        middle = (a[0] + b[0]) // 2, (a[1] + b[1]) // 2
        moves = ["mousedown", button, *PAUSE, "mousemove", *_at(middle), *PAUSE, "mousemove", *_at(b), *PAUSE]
        moves += ["mouseup", button, *PAUSE]
        if self.random.random() < 0.05:
            moves[-4:-4] = ["key", self.random.choice(("Escape", "Delete", "ctrl+z", "ctrl+d")), *PAUSE]
        return ["mousemove", *_at(a), *PAUSE, *self._held(moves)]

    def _drag(self) -> Words:
        return self._pull(self._point(), self._point(), self.random.choices(("1", "2", "3"), (85, 10, 5))[0])

    def _wire(self) -> Words:
        ends = [self._point("pin"), self.random.choice((self._point("pin", "knob", "header"), self._on_canvas()))]
        return self._pull(ends[0], ends[1])

    def _turn(self) -> Words:
        x, y = self._point("knob", "inspector", "mixer", "fader", "header")
        return self._pull((x, y), (x + self.random.randint(-90, 90), y + self.random.randint(-90, 90)))

    def _rubber(self) -> Words:
        return self._pull(self._on_canvas(), self._on_canvas())

    def _wheel(self) -> Words:
        button, times = self.random.choice("45"), str(self.random.randint(1, 5))
        turns = ["click", "--repeat", times, "--delay", "20", button]
        return ["mousemove", *_at(self._point()), *PAUSE, *self._held(turns), *PAUSE]

    def _shortcut(self) -> Words:
        return ["key", self.random.choice(self._keys), *PAUSE]

    def _plain_key(self) -> Words:
        return ["key", self.random.choice(PLAIN_KEYS), *PAUSE]

    def _type(self) -> Words:
        return ["type", "--delay", "4", "--args", "1", "--", self.random.choice(TEXTS), *PAUSE]

    def _search(self) -> Words:
        name = self.random.choice(sorted(kinds())).replace("_", " ")
        typed = ["type", "--delay", "8", "--args", "1", "--", name[: self.random.randint(2, 9)], "sleep", "0.1"]
        return [
            "mousemove",
            *_at(self._on_canvas()),
            *PAUSE,
            "key",
            "Tab",
            "sleep",
            "0.1",
            *typed,
            "key",
            "Return",
            *PAUSE,
        ]

    def _bring(self) -> Words:
        return self._pull(self._point("palette"), self._on_canvas())

    def _wander(self) -> Words:
        return [word for _ in range(6) for word in ("mousemove", *_at(self._point()), *PAUSE)]

    # -- doing and looking ---------------------------------------------------------------------------------------------

    def handful(self) -> None:
        """Some things at once, and a look."""
        self._look()
        words: Words = []
        weights, acts = zip(*self._acts, strict=True)
        for act in self.random.choices(acts, weights, k=BATCH):
            made = act()
            self.last.append(f"{act.__name__.strip('_')}: {' '.join(made)}")
            words += made
        if self.random.random() < 0.25:
            words += ["key", "Escape", *PAUSE]
        self._do(words)

    def edit(self) -> None:
        """Something that surely changes the patch."""
        self._do(["key", "ctrl+a", *PAUSE, "key", "m", "sleep", "0.2"])

    def _do(self, words: Words) -> None:
        self.done.append(words)
        self.counts["events"] += sum(word in ("click", "key", "type", "mousedown", "mousemove") for word in words)
        self.window.xdotool(*words)
        self.look_after()
        self._catch_up()

    def _catch_up(self) -> None:
        """Wait until all events have been taken in: the window takes one change of a key or button a frame."""
        self._marks_made += 1
        mark = [SIZE[0] - 2 - self._marks_made % 60, SIZE[1] - 2]
        self.window.xdotool("mousemove", *mark)
        last = self._state()["frames"] + MOST_FRAMES
        while True:
            state = self._state()
            if list(map(round, state["mouse"])) == mark:
                return
            if state["frames"] > last:
                raise self._noticed("the mouse does not arrive")
            sleep(0.01)

    def look_after(self) -> None:
        """See that it lives, and has nothing to complain of. Raises MonkeyError."""
        self.counts["checks"] += 1
        ended = self.window.process.poll()
        if ended is not None:
            raise self._noticed(f"the window ended with status {ended}")
        state = self._state()
        wrong = [text for level, text in state["notices"] if text.startswith("Something went wrong")]
        if wrong or "Traceback" in self.window.log():
            raise self._noticed(f"an exception: {wrong}")
        self.counts["edits"] = max(self.counts["edits"], len(state["undo"]))
        self.work_ms.append(state["work_s"] * 1e3)
        self.memory_mb.append(resident_mb(self.window.process.pid))

    def figures(self) -> str:
        """What was done, and what it took."""
        work, memory = sorted(self.work_ms), self.memory_mb
        typical, late = work[len(work) // 2], work[len(work) * 99 // 100]
        words = f"{memory[0]:.0f} MB at the start, {memory[len(memory) // 2]:.0f} half way, {memory[-1]:.0f} at the end"
        return f"{self.counts}; {words}; own work of a frame {typical:.1f} ms, of one in a hundred {late:.1f} ms"

    def _state(self) -> dict[str, Any]:
        try:
            return self.window.state()
        except (AssertionError, OSError) as error:
            raise self._noticed(f"the window does not answer: {error}") from None

    def finish(self) -> str | None:
        """See that nothing was lost: the document is sound, undo and redo lead back to it, and the journal has it. The
        answer is what the journal has; None where there is nothing unsaved.
        """
        self._do([*(word for _ in range(6) for word in ("key", "Escape", "sleep", "0.1")), "mouseup", "1"])
        self.window.settle(10)
        state = self.window.state()
        self._sound(state["patch"])
        self._there_and_back(state)
        return self._journal()

    def recovered(self, window: Window, document: str) -> None:
        """See that this window, opened after the other one was killed, has the same document."""
        self.window = window
        self.look_at_log()
        found = self._state()["patch"]
        if found != document:
            raise self._noticed(f"what comes back after a crash is another document:\n{_difference(document, found)}")

    def quit(self) -> None:
        """Close the window, and see that it ends well."""
        self.window.ask(do="quit")
        if self.window.process.wait(60) != 0:
            raise self._noticed("the window did not end well")
        self.look_at_log()

    def look_at_log(self) -> None:
        if "Traceback" in self.window.log():
            raise self._noticed("an exception at the end")

    def _sound(self, text: str) -> None:
        try:
            patch = Patch.from_json(text)
        except PatchError as error:
            raise self._noticed(f"the document cannot be read back: {error.place}: {error.message}") from None
        if patch.to_json() != text:
            raise self._noticed("the document is another one after it was read back")
        wrong = [f"{p.place}: {p.message}" for p in problems(patch, kinds())]
        if wrong:
            raise self._noticed(f"the document has problems: {wrong}")

    def _there_and_back(self, state: dict[str, Any]) -> None:
        before = state["patch"]
        for command, there in (("edit.undo", "undo"), ("edit.redo", "redo")):
            while state[there]:
                left = state[there]
                self.window.ask(do="command", id=command)
                state = self.window.state()
                if len(state[there]) != len(left) - 1:
                    what = f"{command} of {left[-1]!r}: {left[-3:]} became {state[there][-3:]}"
                    raise self._noticed(f"{what}; now there are {state['undo'][-3:]} and {state['redo'][-3:]}")
        if state["patch"] != before:
            raise self._noticed(
                f"undone and done again, it is another document:\n{_difference(before, state['patch'])}"
            )
        self.look_after()

    def _journal(self) -> str | None:
        """What is kept for after a crash is what is there."""
        end = monotonic() + 10 * LATEST_S
        while True:
            state = self.window.state()
            kept = _kept(self.window.folder / "data" / "journal")
            wanted = state["patch"] if state["dirty"] else None
            if kept == wanted:
                return kept
            if monotonic() > end:
                raise self._noticed(
                    "the journal is not the document: " + ("it has none" if kept is None else "differs")
                )
            sleep(0.05)

    def _noticed(self, what: str) -> MonkeyError:
        events = "\n  ".join(self.last)
        said = []
        if self.window.process.poll() is None:
            with contextlib.suppress(AssertionError, OSError):
                said = self.window.state()["notices"][-6:]
        record = self.window.folder / "events.json"
        record.write_text(json.dumps(self.done), encoding="utf-8")
        return MonkeyError(
            f"{what}\nseed {self.seed}, {self.counts}; it said {said};\n"
            f"all events are in {record}, the last are:\n  {events}\n"
            f"the log:\n{self.window.log()[-6000:]}"
        )


def resident_mb(pid: int) -> float:
    """The memory that a process has, in megabytes; 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _kept(journals: Path) -> str | None:
    files = list(journals.glob(f"*/{WORK}"))
    if not files:
        return None
    try:
        return loads(files[0].read_bytes().partition(b"\n")[2]).to_json()
    except (FileNotFoundError, PatchError):  # it is being written
        return ""


def _difference(a: str, b: str) -> str:
    """The lines in which two texts differ."""
    return "\n".join(list(difflib.unified_diff(a.splitlines(), b.splitlines(), lineterm="", n=1))[:40])


def _at(point: tuple[int, int]) -> tuple[str, str]:
    return str(min(max(point[0], 0), SIZE[0] - 1)), str(min(max(point[1], 0), SIZE[1] - 1))


def _pressed(keys: str) -> str:
    """A key combination of ours in xdotool's words."""
    *held, key = keys.split("+")
    return "+".join([*held, NAMES.get(key, key.upper() if key[0] == "f" and key[1:].isdigit() else key)])


def caged(
    screen: Screen, folder: Path, *arguments: str, fault: str = "", again: bool = False, drawn: bool = False
) -> Window:
    """A window in a cage, on a copy of the shipped patch; ``again``: after another one there was killed, on what it
    left behind.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tmp").mkdir(exist_ok=True)
    environment = {
        CAGE: str(folder),
        FAULT: fault,
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "PATCHWRIGHT_CACHE": str(cache_folder().resolve()),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    opened = [str(folder / "patches" / "duck_music_under_dialogue.json")]
    if again:
        (folder / "probe").unlink(missing_ok=True)
        opened = []
    else:
        shutil.copytree(ROOT / "patches", folder / "patches", dirs_exist_ok=True)
    return Window(screen, folder, (*opened, *arguments), Path(__file__).with_name("cage.py"), environment, drawn)


def run(screen: Screen, folder: Path, seed: int, seconds: float, *arguments: str, drawn: bool = True) -> Monkey:
    """Let a monkey at a window for so long; in the end the window is killed, and what was unsaved is opened again.
    Raises MonkeyError.
    """
    window = caged(screen, folder, *arguments, drawn=drawn)
    try:
        monkey = Monkey(window, seed)
        end = monotonic() + seconds
        while monotonic() < end:
            monkey.handful()
        return ended(screen, folder, monkey, *arguments)
    finally:
        window.discard()


def ended(screen: Screen, folder: Path, monkey: Monkey, *arguments: str, fault: str = "") -> Monkey:
    """See what has become of it all. Raises MonkeyError."""
    unsaved = monkey.finish()
    if unsaved is not None:
        monkey.look_at_log()
        monkey.window.kill()
        monkey.window.discard()
        window = caged(screen, folder, *arguments, fault=fault, again=True)
        try:
            monkey.recovered(window, unsaved)
            monkey.quit()
        finally:
            window.discard()
    else:
        monkey.quit()
    return monkey


def laps(seed: int, seconds: float, lap: float = LAP_S) -> list[tuple[int, float]]:
    """Seeds, and how long each has a window of its own: patches that grow for hours say less than fresh ones."""
    count = max(round(seconds / lap), 1)
    return [(seed + k, seconds / count) for k in range(count)]


def replay(screen: Screen, folder: Path, record: Path) -> None:
    """Do what was written down. Raises MonkeyError."""
    window = caged(screen, folder, "--device", "null")
    try:
        monkey = Monkey(window, 0)
        for words in json.loads(record.read_text(encoding="utf-8")):
            monkey._do(words)
        ended(screen, folder, monkey, "--device", "null")
    finally:
        window.discard()


def main(values: Sequence[str] | None = None) -> int:
    """Exit status 1 where something was noticed."""
    parser = argparse.ArgumentParser(prog="monkey", description=(__doc__ or "").strip())
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3)), help="what is done follows from it")
    parser.add_argument("--seconds", type=float, default=60.0, help="in windows of --lap s, each with the next seed")
    parser.add_argument("--lap", type=float, default=LAP_S, help=f"how long a window is kept ({LAP_S:g})")
    parser.add_argument("--replay", type=Path, help="a file of events, as a failure leaves it")
    chosen = parser.parse_args(values)
    folder = Path(tempfile.mkdtemp(prefix="monkey-"))
    screen = Screen()
    try:
        if chosen.replay:
            replay(screen, folder, chosen.replay)
        else:
            for seed, seconds in laps(chosen.seed, chosen.seconds, chosen.lap):
                monkey = run(screen, folder / str(seed), seed, seconds, "--device", "null")
                print(f"seed {seed}: {monkey.figures()}", flush=True)
                shutil.rmtree(folder / str(seed), ignore_errors=True)
    except MonkeyError as noticed:
        print(noticed, flush=True)
        return 1
    finally:
        screen.close()
    shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
