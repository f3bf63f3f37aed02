"""Two hundred random edits in a real window, all undone, all done again: the same documents on the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.editor.e2e.monkey import Monkey, caged
from tests.editor.window import Screen, Window

STEPS = 200
EVERY = 10
SEED = 11
TURNS = (
    *("edit.duplicate", "edit.duplicate", "edit.delete", "edit.dissolve", "edit.all", "node.bypass", "node.mute"),
    *("arrange.group", "arrange.ungroup", "arrange.auto", "arrange.left", "arrange.across", "arrange.frame"),
)
MOST_NODES = 24
TOO_MUCH_FOR_ALL = ("edit.delete", "edit.dissolve", "arrange.group")
"""With all nodes gone, or all in one group in another, little would be left to do."""


class Editing(Monkey):
    """A monkey that keeps to what edits the patch, and remembers documents by the length of the history."""

    def __init__(self, window: Window, seed: int) -> None:
        super().__init__(window, seed)
        self.documents: dict[int, str] = {}

    def command(self, *ids: str) -> dict[str, Any]:
        """Do commands one after another, and remember what came of them."""
        *_, state = self.window.ask_all(*({"do": "command", "id": id} for id in ids), {"do": "state"})
        length = len(state["undo"])
        self.documents = {k: text for k, text in self.documents.items() if k < length} | {length: state["patch"]}
        return state

    def some(self) -> dict[str, Any]:
        """An edit with the mouse, and some commands on what is selected; all of them complete."""
        self._look()
        kinds: list[Callable[[], list[str]]] = [self._wire, self._turn, self._search, self._bring, self._move]
        act = self.random.choices(kinds, (3, 4, 1, 2, 4))[0]
        select = ["mousemove", *map(str, self._point("header")), "click", "1"]
        self._do([*act(), "key", "Escape", "sleep", "0.05", *select])
        state = self.command("edit.none")
        for command in self.random.choices(TURNS, k=8):
            if not state["selection"]:
                state = self.command("edit.all")
            if command in TOO_MUCH_FOR_ALL and 2 * len(state["selection"]) > len(state["nodes"]):
                command = "node.mute"
            elif command == "edit.duplicate" and len(state["nodes"]) > MOST_NODES:
                command = "node.bypass"
            state = self.command(command)
        return self.command("edit.none")  # a frame that was added asks for its words

    def _move(self) -> list[str]:
        return self._pull(self._point("header"), self._on_canvas())


def test_two_hundred_random_edits_undone_and_done_again(screen: Screen, tmp_path: Path) -> None:
    window = caged(screen, tmp_path, "--no-engine")
    try:
        monkey = Editing(window, SEED)
        first, last = monkey.command(), monkey.command()
        handfuls = 0
        while len(last["undo"]) < STEPS:
            last = monkey.some()
            handfuls += 1
            assert handfuls < STEPS, "there are no edits"
        seen, steps = monkey.documents, len(last["undo"])
        marks = sorted({*range(0, steps, EVERY), *(length for length in seen if length % 3 == 0), steps})
        found: dict[int, str] = {}
        for command, lengths in (("edit.undo", marks[-2::-1]), ("edit.redo", marks[1:])):
            at = steps if command == "edit.undo" else 0
            for length in lengths:
                *_, state = window.ask_all(*[{"do": "command", "id": command}] * abs(length - at), {"do": "state"})
                at = length
                assert len(state["undo"]) == length
                expected = found.setdefault(length, seen.get(length, state["patch"]))
                assert state["patch"] == expected, f"{command} to {length} steps differs"
            assert state["patch"] == (first if command == "edit.undo" else last)["patch"]
        assert len(set(found) & set(seen)) >= STEPS // EVERY
        monkey.look_after()
        window.close()
    finally:
        window.discard()
