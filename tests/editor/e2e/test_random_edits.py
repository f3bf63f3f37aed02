"""Two hundred random edits in a real window, all undone, all done again: the same documents on the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.editor.e2e.monkey import Monkey, caged
from tests.editor.window import Screen, Window

STEPS = 200
EVERY = 10
SEED = 11
TURNS = (
    *("edit.duplicate", "edit.delete", "edit.dissolve", "edit.undo", "edit.all", "node.bypass", "node.mute"),
    *("arrange.group", "arrange.ungroup", "arrange.auto", "arrange.left", "arrange.across", "arrange.frame"),
)


class Editing(Monkey):
    """A monkey that keeps to what edits the patch, and remembers every document it sees."""

    def __init__(self, window: Window, seed: int) -> None:
        super().__init__(window, seed)
        self.documents: dict[int, str] = {}

    def see(self) -> dict[str, object]:
        """Remember the document of this length of the history."""
        state = self.window.state()
        length = len(state["undo"])
        self.documents = {k: text for k, text in self.documents.items() if k < length} | {length: state["patch"]}
        return state

    def some(self) -> None:
        """A few edits with the mouse, and a few commands on what is then selected; all of them complete."""
        self._look()
        kinds: list[Callable[[], list[str]]] = [self._wire, self._turn, self._search, self._bring, self._move]
        acts = self.random.choices(kinds, (3, 4, 1, 2, 4), k=2)
        words = [word for act in acts for word in act()]
        select = ["mousemove", *map(str, self._point("header")), "click", "1"]
        self._do([*words, "key", "Escape", "sleep", "0.05", *select])
        for command in self.random.choices(TURNS, k=6):
            self.window.ask(do="command", id=command)
            self.see()
        self.window.ask(do="command", id="edit.none")  # a frame that was added asks for its words

    def _move(self) -> list[str]:
        return self._pull(self._point("header"), self._on_canvas())


def test_two_hundred_random_edits_undone_and_done_again(screen: Screen, tmp_path: Path) -> None:
    window = caged(screen, tmp_path, "--no-engine")
    try:
        monkey = Editing(window, SEED)
        first = monkey.see()["patch"]
        handfuls = 0
        while len(monkey.see()["undo"]) < STEPS:
            monkey.some()
            handfuls += 1
            assert handfuls < 10 * STEPS, "there are no edits"
        monkey.look_after()
        last = monkey.see()
        seen = {length: text for length, text in monkey.documents.items() if length <= len(last["undo"])}
        steps = len(last["undo"])
        compared = 0
        for command, lengths in (("edit.undo", range(steps - 1, -1, -1)), ("edit.redo", range(1, steps + 1))):
            for length in lengths:
                window.ask(do="command", id=command)
                if length in seen or length % EVERY == 0:
                    state = window.state()
                    assert len(state["undo"]) == length
                    assert state["patch"] == seen.setdefault(length, state["patch"]), f"{command} to {length} differs"
                    compared += 1
            if command == "edit.undo":
                assert window.state()["patch"] == first
        assert window.state()["patch"] == last["patch"]
        assert compared >= 2 * STEPS // EVERY
        monkey.look_after()
        window.close()
    finally:
        window.discard()
