"""The patch browser in a real window: picture, tags, search, keys; and every shipped patch opens from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from graph.document import Patch
from graph.patchfile import load
from tests.editor.window import DOWN, UP, Window

Opens = Callable[..., Window]


def browse(window: Window) -> None:
    window.command("file.browse")
    window.dialog("Patches")


def exists(window: Window, what: str) -> bool:
    return window.ask(do="locate", what=what)["rect"] is not None


def test_tags_search_and_keys_choose_a_patch_and_it_opens_as_a_copy(open_window: Opens, root: Path) -> None:
    window = open_window(root / "patches" / "duck_music_under_dialogue.json", "--no-engine")
    browse(window)
    assert exists(window, "dialog:browser:picture")
    window.click("dialog:browser:common:mastering")
    window.settle()
    assert window.ask(do="value", what="dialog:browser:search")["value"] == "mastering"
    assert exists(window, "dialog:browser:row:1")
    assert not exists(window, "dialog:browser:row:2")
    window.key("Down")
    assert window.ask(do="value", what="dialog:browser:row:1")["value"]
    assert exists(window, "dialog:browser:tag:multiband")
    window.shot("patch_browser")
    window.click("dialog:browser:common:mastering")
    window.settle()
    assert exists(window, "dialog:browser:row:2")
    window.click("dialog:browser:search")
    window.type("squelch")
    window.settle()
    assert not exists(window, "dialog:browser:row:1")
    window.double_click("dialog:browser:row:0")
    window.dialog("")
    state = window.until(lambda state: "through" in state["nodes"])
    assert state["file"] == ""
    assert window.patch()["name"] == "Telephone, radio, next room"
    assert window.problems() == []


def test_the_chosen_row_of_a_long_list_stays_in_sight(open_window: Opens, root: Path, tmp_path: Path) -> None:
    own = tmp_path / "window0" / "data" / "patches"
    own.mkdir(parents=True)
    for k in range(40):
        Patch(f"Mine {k:02}").save(own / f"{k}.pwp")
    window = open_window(root / "patches" / "duck_music_under_dialogue.json", "--no-engine")
    browse(window)
    x, above, _, tall = window.rect("dialog:browser:search")
    x += 40
    _, below, _, _ = window.rect("dialog:browser:accept")

    def in_sight(row: int) -> bool:
        _, y, _, height = window.rect(f"dialog:browser:row:{row}")
        return above + tall < y and y + height < below

    def wheel(button: int) -> None:
        window.xdotool("click", "--repeat", 40, "--delay", 10, button)
        window.settle()

    for first, key, then, to, back in ((53, "Up", 52, DOWN, UP), (0, "Down", 1, UP, DOWN)):
        window.move(x, (above + below) / 2)
        wheel(to)
        window.click(f"dialog:browser:row:{first}")
        window.settle()
        wheel(back)
        assert not in_sight(first)
        window.key(key)
        window.settle()
        assert window.ask(do="value", what=f"dialog:browser:row:{then}")["value"]
        assert in_sight(then)


def test_every_shipped_patch_opens_without_a_word(open_window: Opens, root: Path) -> None:
    window = open_window(root / "patches" / "duck_music_under_dialogue.json", "--no-engine")
    for path in sorted((root / "patches").glob("*.json")):
        browse(window)
        window.type(path.stem)
        window.key("Return")
        window.dialog("")
        wanted = set(load(path).nodes())
        state = window.until(lambda state, wanted=wanted: set(state["nodes"]) == wanted, path.name)
        assert [text for _, text in state["notices"]] == []
        assert not state["dirty"]
        window.shot(f"shipped_{path.stem}")
